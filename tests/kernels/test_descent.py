"""Steps of gradient descent beyond the contract: in place, NaN, errors. Formulas: test_optim.py."""

import numpy as np
import pytest

from glassgrad.kernels import DTypeError, ShapeError, cases, descent
from tests.kernels.checking import on

BACKENDS = ["reference", "numba", "numba v1"]
SMALL = [c for c in cases("descent") if not c.bench]


def arguments(case, dtype):
    """The arrays of a case, and its numbers by the names that the public function gives them."""
    draw = np.random.default_rng(1)
    made = case.make(lambda *shape: np.asarray(draw.normal(size=shape)).astype(dtype), dtype)
    arrays = [a for a in made if a is None or isinstance(a, np.ndarray)]
    rule, *nesterov, _ = made[len(arrays) :]
    numbers = {k: v for k, v in rule._asdict().items() if not k.startswith("rest")}
    return arrays, numbers | dict(zip(("nesterov",), nesterov))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("case", SMALL, ids=str)
def test_in_place_the_arguments_become_the_results(case, name, dtype):
    args, numbers = arguments(case, dtype)
    rule = getattr(descent, case.pass_)
    with on(name, "descent"):
        want = rule(*args, **numbers)
        g = args[1].copy()
        got = rule(*args, **numbers, in_place=True)
    given = [args[0], *args[2 : 1 + len(want)]]
    for mine, new, old in zip(got, want, given):
        assert mine is old
        assert mine is None or np.array_equal(mine, new)
    assert np.array_equal(args[1], g)


@pytest.mark.parametrize("name", BACKENDS)
def test_nan_in_a_gradient_shows_in_its_own_place_only(name):
    for case in SMALL:
        args, numbers = arguments(case, "float32")
        if args[0].size < 3:
            continue
        args[1].flat[2] = np.nan
        with on(name, "descent"):
            x, *slots = getattr(descent, case.pass_)(*args, **numbers)
        for a in (x, *slots):
            if a is not None:
                assert np.isnan(a.flat[2]) and np.isnan(a).sum() == 1, str(case)


def test_amsgrad_keeps_the_largest_and_nan():
    zero, v = np.zeros(4, "float32"), np.array([1, 5, np.nan, 1], "float32")
    top = np.array([3, 3, 3, np.nan], "float32")
    for name in BACKENDS:
        with on(name, "descent"):
            *_, got = descent.adam(zero, zero, zero, v, top, 0.1, 1.0, 0.5, 1.0)
        assert np.array_equal(got, [3, 5, np.nan, np.nan], equal_nan=True)


def test_errors():
    x = np.zeros((4, 6), "float32")
    with pytest.raises(ShapeError, match=r"descent.sgd: g.shape must equal x.shape"):
        descent.sgd(x, x[0], None, 0.1)
    with pytest.raises(DTypeError, match=r"v.dtype must equal x.dtype"):
        descent.sgd(x, x, x.astype("float64"), 0.1)
    with pytest.raises(ShapeError, match="x must be C-contiguous to be changed in place"):
        descent.sgd(x[:, ::2], x[:, ::2], None, 0.1, in_place=True)
