"""What is allowed for CUDA's functions: their documented errors pass, four times those do not."""

import numpy as np
import pytest

from glassgrad.bench.verify import VerifyError, expect_close, reference
from glassgrad.kernels import cases
from glassgrad.testing.device_functions import ULPS, Off, allowance, signs

# small results in which terms cancel: the functions' errors are larger than the roundings
TIGHT = [
    ("gru", "sequence_forward", "T1 N1 H1 library bias"),
    ("lstm", "sequence_forward", "T1 N1 H1 peepholes"),
    ("lstm", "sequence_backward", "T1 N1 H1"),
]


def found(name):
    op, pass_, case = name
    (one,) = (c for c in cases(op, pass_) if c.name == case)
    return one, one.normal("float32")


def judged(case, args, sign, times, more) -> bool:
    """Does the formula in float32, with every function off by `times` its bound, pass?"""
    with Off("float32", sign, times)():
        got = reference(case.op, case.pass_, *args)
    want = reference(case.op, case.pass_, *args)
    rtol = case.tolerance("float32")
    try:
        expect_close(str(case), got, want, case.reduction, case.floor, rtol, more)
    except VerifyError:
        return False
    return True


@pytest.mark.parametrize("name", TIGHT, ids=lambda name: f"{name[0]}.{name[1]}")
def test_documented_errors_pass_and_four_times_those_do_not(name):
    """`ex2.approx`, on which exp and tanh rest, may be 2 units off in either direction."""
    case, args = found(name)
    more = allowance(case.op, case.pass_, args, "float32")
    assert max(more) > 0
    assert all(judged(case, args, sign, 1.0, more) for sign in signs())
    assert not all(judged(case, args, sign, 4.0, more) for sign in signs())


def test_without_the_allowance_a_right_gpu_would_fail():
    """The bound of the CPU backends has no room for it, and stays as it is."""
    case, args = found(TIGHT[0])
    assert not all(judged(case, args, sign, 1.0, ()) for sign in signs())


@pytest.mark.parametrize("op", ["gru", "lstm", "nade", "reparam", "cross_entropy", "philox"])
def test_documented_errors_pass_on_every_small_case(op):
    for case in cases(op):
        if case.bench or case.flops > 20_000:
            continue
        args = case.normal("float32")
        more = allowance(case.op, case.pass_, args, "float32")
        for sign in list(signs())[:3]:
            assert judged(case, args, sign, 1.0, more), case


def test_what_calls_no_function_gets_nothing_more():
    for op in ("conv2d", "pool2d", "dropout"):
        case = next(c for c in cases(op) if not c.bench)
        assert max(allowance(op, case.pass_, case.normal("float32"), "float32")) == 0.0


def test_the_bound_is_that_of_the_dtype():
    case, args = found(TIGHT[0])
    single = allowance(case.op, case.pass_, args, "float32")
    twice = allowance(case.op, case.pass_, case.normal("float64"), "float64")
    assert max(twice) < 1e-8 * max(single)
    assert np.exp(1.0) == np.e and ULPS["exp"] == (2, 1)
