"""Max-norm: its formula in plain NumPy, and what holds for any weights."""

import math

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import optim
from glassgrad.kernels.errors import GlassgradError, ShapeError, ValueRangeError
from tests.tools import assert_close


def weights(shape, dtype="float32", scale=1.0):
    """Rows of very different lengths."""
    rng = np.random.default_rng(0)
    rows = np.logspace(-2, 2, shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    return gg.tensor((scale * rows * rng.standard_normal(shape)).astype(dtype), requires_grad=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (5, 127), (6, 3, 2, 2)], ids=str)
@pytest.mark.parametrize("limit", [0.3, 2, 1e6])
def test_it_is_the_formula(shape, dtype, limit):
    w = weights(shape, dtype)
    before = w.numpy().copy()
    want = before.astype(float)
    for o in range(len(want)):
        length = math.sqrt(sum(v * v for v in want[o].ravel()))
        want[o] *= min(1.0, limit / length)
    assert optim.max_norm([w], limit) is None
    assert_close(w.numpy(), want.astype(dtype), what=f"{shape}")
    short = np.linalg.norm(before.reshape(len(before), -1), axis=1) < 0.999 * limit
    assert np.array_equal(w.numpy()[short], before[short]), "a short row was touched"


def test_rows_are_never_longer_keep_their_direction_and_stay_the_second_time():
    w = weights((50, 31))
    before = w.numpy().copy()
    optim.max_norm(w, 1.5)  # one tensor will do
    once = w.numpy().copy()
    length = np.linalg.norm(once.astype(float), axis=1)
    assert length.max() <= 1.5 * (1 + 1e-6) and (length > 1.4).any() and (length < 0.5).any()
    cosine = (once * before).sum(axis=1) / length / np.linalg.norm(before, axis=1)
    assert cosine.min() > 1 - 1e-6
    optim.max_norm([w], 1.5)
    assert_close(w.numpy(), once, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e30, 1e-30, 0.0])
def test_lengths_neither_overflow_nor_underflow(scale):
    w = gg.tensor(np.float32([[3 * scale, 4 * scale], [0, 0]]), requires_grad=True)
    optim.max_norm([w], 1.0)
    want = np.float32([[0.6, 0.8], [0, 0]]) if scale > 1 else np.float32([[3, 4], [0, 0]]) * scale
    assert_close(w.numpy(), want.astype("float32"), rtol=1e-6)


def test_only_bad_rows_become_nan_and_they_do_not_look_right():
    w = gg.tensor([[math.nan, 1.0], [math.inf, 1.0], [3.0, 4.0]], requires_grad=True)
    optim.max_norm([w], 1.0)
    assert not np.isfinite(w.numpy()[:2, 0]).any()
    assert_close(w.numpy()[2], np.float32([0.6, 0.8]), rtol=1e-6)


def test_a_graph_of_before_is_refused_only_where_a_weight_was_changed():
    short, long = (gg.tensor(v, requires_grad=True) for v in ([[0.1]], [[9.0]]))
    kept, stale = (short * short).sum(), (long * long).sum()
    optim.max_norm([short, long], 1.0)
    kept.backward()
    with pytest.raises(GlassgradError):
        stale.backward()


def test_of_bad_arguments_nothing_is_changed():
    w, bias = weights((3, 2)), gg.tensor([5.0, 5.0], requires_grad=True)
    before = w.numpy().copy()
    for bad in (0, -1.0, math.nan):
        with pytest.raises(ValueRangeError, match="the limit must be positive"):
            optim.max_norm([w], bad)
    with pytest.raises(ShapeError, match="no unit has weights of its own"):
        optim.max_norm([w, bias], 1.0)
    assert np.array_equal(w.numpy(), before)
