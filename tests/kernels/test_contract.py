"""Every registered implementation keeps the contract of its operation, on every case.

New families, versions and backends are covered by being registered: there is no list here. A family
that cannot be imported fails its own tests and leaves the others'.
"""

import dataclasses
import inspect
import re
import sys

import numba
import numpy as np
import pytest

from glassgrad.kernels import OPERATIONS, cases, implementations
from glassgrad.kernels.registry import MODULES, find
from tests.kernels.checking import check, why_no_emulator, why_no_gpu
from tests.tools import assert_close

LARGE = 300_000  # operations: half a second in the emulator, for each dtype
RECORDS, CASES, BROKEN = {}, {}, {}
for _op in OPERATIONS:
    try:
        RECORDS[_op], CASES[_op] = implementations(_op), cases(_op)
    except ImportError as error:
        RECORDS[_op], CASES[_op], BROKEN[_op] = [], [], error


def on_device(record, *values, id):
    """A pytest parameter that is skipped, with the reason, where the record cannot run."""
    reason = why_no_gpu()
    gpu = [pytest.mark.gpu, pytest.mark.skipif(bool(reason), reason=reason or "GPU present")]
    reason = why_no_emulator()
    emulator = [pytest.mark.skipif(bool(reason), reason=reason or "a compiler is there")]
    marks = {"cuda": gpu, "emulated": emulator}.get(record.backend, [])
    emulated = record.backend == "emulated"
    large = any(case.bench or (emulated and case.flops > LARGE) for case in values)
    large = [pytest.mark.slow] if large else []
    return pytest.param(record, *values, id=id, marks=[*marks, *large])


def _succeeded(record):
    """Is there a newer version of it?"""
    key = record.op, record.pass_, record.backend
    return any((r.op, r.pass_, r.backend) == key and r.version > 1 for r in RECORDS[record.op])


FAST = [r for op in OPERATIONS for r in RECORDS[op] if r.backend != "reference"]
PAIRS = [
    on_device(r, c, id=f"{r.name}-{c.name}")
    for r in FAST
    for c in CASES[r.op]
    if c.pass_ == r.pass_
    # large arrays take the emulator minutes, the first versions seconds, and run no other code
    and not (c.bench and (r.backend == "emulated" or (r.version == 1 and _succeeded(r))))
]


@pytest.mark.parametrize("record, case", PAIRS)
def test_equals_the_reference(record, case):
    if case.bench:  # large: once, with the stricter comparison where there is one
        check(record, case, record.dtypes[0], integers=case.exact)
        return
    for dtype in record.dtypes:
        check(record, case, dtype)
        if case.exact:
            check(record, case, dtype, integers=True)


def laid_out(pair, layout):
    """The emulator and transposed arrays with the slow tests: all copy by the same function."""
    seldom = layout == "transposed" or pair.values[0].backend == "emulated"
    marks = [*pair.marks, *([pytest.mark.slow] if seldom else [])]
    return pytest.param(*pair.values, layout, id=f"{layout}-{pair.id}", marks=marks)


@pytest.mark.parametrize(
    "record, case, layout",
    [
        laid_out(pair, layout)
        for layout in ("transposed", "sliced")
        for pair in PAIRS
        if not pair.values[1].bench
    ],
)
def test_takes_any_layout(record, case, layout):
    check(record, case, record.dtypes[0], layout, integers=case.exact)


@pytest.mark.parametrize("op", OPERATIONS)
def test_family_is_complete(op):
    """Each pass has a reference, a CPU version and cases; each version runs at least one case."""
    assert op not in BROKEN, f"{op} cannot be imported: {BROKEN[op]!r}"
    passes = {r.pass_ for r in RECORDS[op]}
    assert passes and passes == {c.pass_ for c in CASES[op]}
    for pass_ in passes:
        mine = [r for r in RECORDS[op] if r.pass_ == pass_]
        assert {"reference", "numba"} <= {r.backend for r in mine}, f"{op}.{pass_}"
        some = [c for c in CASES[op] if c.pass_ == pass_]
        for record in mine:
            zeros = (c.make(lambda *s: np.zeros(s, "float32"), "float32") for c in some)
            assert any(record.supports(*args) for args in zeros), f"{record.name} runs no case"
            assert record.idea, f"{record.name} says nothing"


@pytest.mark.parametrize("op", OPERATIONS)
def test_no_implementation_is_unregistered(op):
    """A public function named like a pass, in a backend's module, is the registered one."""
    assert op not in BROKEN, f"{op} cannot be imported: {BROKEN[op]!r}"
    names = "|".join({r.pass_ for r in RECORDS[op]})
    registered = {r.function for r in RECORDS[op]}
    seen = 0
    for module in {f"glassgrad.kernels.{op}.{m}" for m in MODULES.values()} & set(sys.modules):
        for name, value in vars(sys.modules[module]).items():
            ours = callable(value) and getattr(value, "__module__", None) == module
            if ours and not inspect.isclass(value) and re.fullmatch(rf"({names})(_v\d+)?", name):
                assert value in registered, f"{module}.{name} is not registered"
                seen += 1
    assert seen >= len({r.pass_ for r in RECORDS[op]})


@pytest.mark.parametrize("op", OPERATIONS)
def test_cases_say_what_they_cost(op):
    assert op not in BROKEN, f"{op} cannot be imported: {BROKEN[op]!r}"
    keys = [(c.pass_, c.name) for c in CASES[op]]
    assert len(keys) == len(set(keys)), "two cases of one pass share a name"
    for case in CASES[op]:
        assert case.op == op
        assert case.flops >= 0 and case.bytes >= 0 and case.reduction >= 1, str(case)
        assert not case.bench or case.bytes > 0, str(case)
    for pass_ in {c.pass_ for c in CASES[op]}:
        assert any(c.bench for c in CASES[op] if c.pass_ == pass_), f"{op}.{pass_}: none to time"


ONE_CORE = "Numba has one thread here: no sum can change with their number"
TWO_THREADS = pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason=ONE_CORE)


def _case(op, pass_, name):
    return next(c for c in CASES[op] if c.pass_ == pass_ and c.name.startswith(name))


def _planted(op, pass_, function):
    record = implementations(op, pass_, "numba")[0]
    return dataclasses.replace(record, function=function, idea="a planted bug")


def _right(*args):
    return find("conv2d", "forward", "reference").function(*args)


def _forgets_the_tail(*args):
    y = np.empty_like(_right(*args))
    y.reshape(-1)[:-1] = _right(*args).reshape(-1)[:-1]
    return y


def _writes_zero_in_the_tail(*args):
    y = _right(*args)
    y[..., -1] = 0
    return y


def _shifts_by_one(*args):
    return np.roll(_right(*args), 1, axis=-1)


def _writes_nothing(*args):
    return np.empty_like(_right(*args))


def _writes_zeros(*args):
    return np.zeros_like(_right(*args))


def _makes_a_nan(*args):
    y = _right(*args)
    y[0, 0, 0, 0] = np.nan
    return y


def _changes_its_argument(x, *args):
    y = _right(x, *args)
    x[...] = 0
    return y


def _answers_in_float64(*args):
    return _right(*args).astype("float64")


def _answers_transposed(*args):
    return np.asfortranarray(_right(*args))


def _answers_differently_each_time(*args, calls=[0]):  # noqa: B006
    calls[0] += 1
    return _right(*args) * np.float32(1 + 1e-7 * calls[0])


def _answers_by_the_number_of_threads(*args):
    return _right(*args) * np.float32(1 + 1e-7 * numba.get_num_threads())


def _returns_one_too_few(*args):
    return _right(*args)[:-1]


BUGS = [
    _forgets_the_tail,
    _writes_zero_in_the_tail,
    _shifts_by_one,
    _writes_nothing,
    _writes_zeros,
    _makes_a_nan,
    _changes_its_argument,
    _answers_in_float64,
    _answers_transposed,
    _answers_differently_each_time,
    pytest.param(_answers_by_the_number_of_threads, marks=TWO_THREADS),
    _returns_one_too_few,
]


@pytest.mark.parametrize("bug", BUGS)
def test_the_check_catches_a_planted_bug(bug):
    case = _case("conv2d", "forward", "plain")
    with pytest.raises(AssertionError, match="conv2d"):
        check(_planted("conv2d", "forward", bug), case, "float32")
    assert check(_planted("conv2d", "forward", _right), case, "float32")


def test_the_check_catches_a_result_that_is_the_argument():
    case = _case("pool2d", "avg_forward", "one pixel")  # here the right answer is x itself
    with pytest.raises(AssertionError, match="not a new array"):
        check(_planted("pool2d", "avg_forward", lambda x, *args: x), case, "float32")


def test_the_check_catches_a_wrong_index():
    def last_wins(x, *args):
        y, index = find("pool2d", "max_forward", "reference").function(x[..., ::-1], *args)
        return y[..., ::-1].copy(), (x.shape[-1] - 1 - index)[..., ::-1].copy()

    case = _case("pool2d", "max_forward", "whole plane")
    with pytest.raises(AssertionError, match="result 1"):
        check(_planted("pool2d", "max_forward", last_wins), case, "float32", integers=True)


def test_the_check_sees_one_wrong_bit_in_an_exact_case():
    def nearly(*args):
        y = _right(*args)
        y.flat[0] = np.nextafter(y.flat[0], np.float32(np.inf))
        return y

    case = _case("conv2d", "forward", "plain")
    assert check(_planted("conv2d", "forward", nearly), case, "float32")
    with pytest.raises(AssertionError, match="must be equal"):
        check(_planted("conv2d", "forward", nearly), case, "float32", integers=True)


def test_the_check_passes_over_what_a_version_does_not_support():
    record = dataclasses.replace(_planted("conv2d", "forward", _right), supports=lambda *a: False)
    assert not check(record, _case("conv2d", "forward", "plain"), "float32")


def test_a_small_result_is_measured_by_its_own_size():
    """Gradients of 1e-9 that are wrong in every digit are wrong, whatever their size beside 1."""
    want = np.array([1e-9, -2e-9], "float32")
    with pytest.raises(AssertionError, match="wanted"):
        assert_close(2 * want, want)
    assert_close(2 * want, want, floor=1.0)  # where terms of size 1 cancel, these are equal
    assert_close(np.float32([1e-9]), np.float32([0]))  # nothing but zeros: measured against 1
    with pytest.raises(AssertionError, match="wanted"):
        assert_close(np.float32([1e-5]), np.float32([0]))


def test_the_check_measures_a_case_by_its_floor():
    def nearly(*args):
        return _right(*args) + np.float32(1e-3)

    case = _case("conv2d", "forward", "plain")
    with pytest.raises(AssertionError, match="wanted"):
        check(_planted("conv2d", "forward", nearly), case, "float32")
    lenient = dataclasses.replace(case, floor=1e3)
    assert check(_planted("conv2d", "forward", nearly), lenient, "float32")
