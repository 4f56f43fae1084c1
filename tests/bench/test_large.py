"""Every pass on arrays beyond 2^31 bytes and 2^31 elements on a GPU; small, in the emulator."""

import dataclasses
import itertools

import numpy as np
import pytest

from glassgrad.bench.large import ABOVE, BELOW, Fill
from glassgrad.bench.large.calls import CALLS
from glassgrad.bench.verify import VerifyError
from glassgrad.kernels import OPERATIONS, backend, implementations
from glassgrad.kernels.case import ROUNDED
from tests.kernels.checking import why_no_emulator, why_no_gpu

emulator = pytest.mark.skipif(bool(why_no_emulator()), reason=why_no_emulator() or "runs")
needs_gpu = pytest.mark.skipif(bool(why_no_gpu()), reason=why_no_gpu() or "a GPU is there")
SMALL = 1 << 14


def rounding(record):
    """What factors of fewer bits may add; None where the dtype's own rounding is all."""
    return 2e-5 + ROUNDED[record.precision] if record.precision != "full" else None


def run(call, n, name, xp, free=lambda: None):
    """Every version of a call compared with the reference; the versions that ran."""
    ran, known = [], None
    for record in call.records(name):
        args = call.arguments(Fill(xp), n)  # made for each: some change them
        if not record.supports(*args):
            continue
        if known is None:
            known = call.wanted(args)
        with backend(name):
            result = record.function(*args)
        call.check(f"{record.name}, {call.name}", result, *known, rounding(record))
        ran.append(record.version)
        del args, result
        free()
    return ran


def test_every_pass_has_a_large_call():
    named = {(c.op, c.pass_) for c in CALLS}
    assert named == {(r.op, r.pass_) for op in OPERATIONS for r in implementations(op)}
    assert len({str(c) for c in CALLS}) == len(CALLS)


@pytest.mark.slow
@emulator
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_small_in_the_emulator(call):
    args = call.arguments(Fill(np), SMALL)
    windows = call.windows(args)
    assert len(windows) > 1 and windows[0].start == 0 and windows[-1].stop == call.count(args)
    assert all(a.stop <= b.start for a, b in itertools.pairwise(windows))
    assert run(call, SMALL, "emulated", np), "no version supports it"


@needs_gpu
@pytest.mark.gpu
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_small_on_a_gpu(call):
    import cupy

    assert run(call, SMALL, "cuda", cupy), "no version supports it"


@needs_gpu
@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("n", [BELOW, ABOVE], ids=["32-bit indices", "64-bit indices"])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_beyond_two_thousand_million(call, n):
    import cupy

    pool = cupy.get_default_memory_pool()
    pool.free_all_blocks()
    free, _ = cupy.cuda.Device().mem_info
    if free < 60 << 30:
        pytest.skip(f"needs 60 GB of memory, {free >> 30} GB are free")
    assert run(call, n, "cuda", cupy, pool.free_all_blocks), "no version supports it"


def tail(a):
    return max(1, len(a) // 1000)


BROKEN = {  # what an index that wraps around, or a tail that is forgotten, would leave
    "the last": lambda a: np.concatenate([a[: -tail(a)], 0 * a[-tail(a) :]]),
    "byte 2^31": lambda a: np.concatenate([a[: len(a) // 4], a[: len(a) - len(a) // 4]]),
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("name", ["philox.bits", "dropout.forward", "pool2d.avg_forward"])
def test_a_wrong_sample_is_found(name, how):
    call = next(c for c in CALLS if f"{c.op}.{c.pass_}" == name)
    args = call.arguments(Fill(np), SMALL)
    groups, wanted = call.wanted(args)
    (record, *_) = implementations(call.op, call.pass_, "reference")
    right = record.function(*args)
    call.check("as it is", right, groups, wanted)
    with pytest.raises(VerifyError):
        call.check(how, BROKEN[how](right), groups, wanted)


def test_sums_are_of_the_samples_in_the_windows_alone():
    """A sample outside them that takes part is found: what it would add is not wanted."""
    call = next(c for c in CALLS if (c.op, c.pass_) == ("nade", "weight_grad"))
    plain = dataclasses.replace(call, alone=())
    (record, *_) = implementations("nade", "weight_grad", "reference")
    for one, right in ((call, True), (plain, False)):
        args = one.arguments(Fill(np), 4 * SMALL)
        groups, wanted = one.wanted(args)
        result = record.function(*args)
        if right:
            one.check("cleared", result, groups, wanted)
        else:
            with pytest.raises(VerifyError):
                one.check("not cleared", result, groups, wanted)
