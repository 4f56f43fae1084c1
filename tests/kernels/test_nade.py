"""NADE against scalar loops, finite differences, and the sum over all binary rows."""

import itertools
import math

import numpy as np
import pytest

from glassgrad.kernels import DTypeError, ShapeError, backend, nade
from tests.tools import assert_close

CPU = [("reference", 1), ("numba", 1), ("numba", 2)]


def version(which):
    """All of NADE's passes on one backend, in one version."""
    return backend(which[0], nade=which[1])


def weights(D, H, dtype="float64", seed=0):
    draw = np.random.default_rng(seed)
    shapes = (D, H), (H,), (D, H), (D,)
    return [draw.normal(size=s).astype(dtype) for s in shapes]


def looped(x, w, c, v, b):
    """The page, one number at a time, every hidden unit computed again from all before."""
    y = np.zeros(x.shape)
    for n, i in np.ndindex(*x.shape):
        y[n, i] = b[i]
        for j in range(len(c)):
            a = float(c[j]) + sum(float(x[n, k]) * float(w[k, j]) for k in range(i))
            y[n, i] += float(v[i, j]) / (1 + math.exp(-a))
    return y


@pytest.mark.parametrize("which", CPU)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("binary", [True, False])
def test_forward_against_a_scalar_loop(which, dtype, binary):
    draw = np.random.default_rng(1)
    x = draw.normal(size=(5, 9))
    x = (x > 0.5).astype(dtype) if binary else x.astype(dtype)
    arrays = weights(9, 4, dtype)
    with version(which):
        assert_close(nade.forward(x, *arrays), looped(x, *arrays).astype(dtype), reduction=40)


@pytest.mark.parametrize("which", CPU)
def test_the_conditionals_make_a_distribution(which):
    """Over all 2^6 rows the probabilities add up to 1."""
    x = np.array(list(itertools.product([0.0, 1.0], repeat=6)))
    with version(which):
        y = nade.forward(x, *weights(6, 5))
    log_p = (x * y - np.logaddexp(0, y)).sum(axis=1)
    assert abs(np.exp(log_p).sum() - 1) < 1e-13


@pytest.mark.parametrize("which", CPU)
def test_gradients_by_finite_differences(which):
    draw = np.random.default_rng(2)
    g, x = draw.normal(size=(3, 6)), draw.normal(size=(3, 6))
    x[:, 2] = 0  # a step that moves no unit has a gradient for its x all the same
    w, c, v, b = weights(6, 4)

    def slope(array):
        found = np.empty_like(array)
        for at in np.ndindex(*array.shape):
            kept, sides = array[at], []
            for step in (1e-6, -1e-6):
                array[at] = kept + step
                sides.append((g * looped(x, w, c, v, b)).sum())
            array[at] = kept
            found[at] = (sides[0] - sides[1]) / 2e-6
        return found

    with version(which):
        got = [*nade.weight_grad(g, x, w, c, v), nade.input_grad(g, x, w, c, v)]
    for array, gradient, what in zip((w, c, v, x), got, ("gw", "gc", "gv", "gx")):
        assert_close(gradient, slope(array), rtol=1e-7, what=what)


@pytest.mark.parametrize("which", CPU[1:])
def test_work_that_is_cut_into_parts_is_done_to_the_end(which):
    """300 rows of 24 numbers and 80 hidden units are enough for two threads."""
    draw = np.random.default_rng(4)
    x, g = (draw.integers(0, 2, (300, 24)).astype("float64") for _ in range(2))
    w, c, v, b = weights(24, 80)

    def run():
        yield nade.forward(x, w, c, v, b)
        yield nade.input_grad(g, x, w, c, v)
        yield from nade.weight_grad(g, x, w, c, v)

    with backend("reference"):
        want = list(run())
    with version(which):
        got = list(run())
    for fast, slow in zip(got, want, strict=True):
        assert_close(fast, slow, reduction=300)


def test_a_zero_leaves_the_hidden_units_alone():
    x, (w, c, v, b) = np.zeros((1, 3)), weights(3, 2)
    w[0] = np.inf
    for which in CPU:
        with version(which):
            assert np.isfinite(nade.forward(x, w, c, v, b)).all()


def test_a_nan_reaches_every_later_number_and_no_earlier_one():
    x, (w, c, v, b) = np.ones((1, 4)), weights(4, 2)
    x[0, 1] = np.nan
    for which in CPU:
        with version(which):
            y = nade.forward(x, w, c, v, b)
        assert np.isnan(y).tolist() == [[False, False, True, True]]


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"x": np.zeros(4)}, ShapeError, "x must have the axes"),
        ({"w": np.zeros(4)}, ShapeError, "w must have the axes"),
        ({"v": np.zeros((4, 3))}, ShapeError, r"v.shape must fit x and w; expected \(4, 2\)"),
        ({"c": np.zeros(3)}, ShapeError, "c.shape must fit"),
        ({"b": np.zeros(4, "float32")}, DTypeError, "b.dtype must equal x.dtype"),
    ],
)
def test_what_does_not_fit_is_refused(change, error, message):
    arrays = {"x": np.zeros((1, 4)), **dict(zip("wcvb", weights(4, 2))), **change}
    with pytest.raises(error, match=message):
        nade.forward(**arrays)
