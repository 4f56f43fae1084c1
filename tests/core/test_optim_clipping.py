"""Clipping: the joint norm, its extremes, and what it must leave alone."""

import math

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import optim
from glassgrad.kernels.errors import ValueRangeError
from tests.tools import assert_close


def test_the_norm_is_joint_and_clipping_keeps_the_direction():
    a, b = (gg.tensor(v, requires_grad=True) for v in ([3.0, 0.0], [[4.0]]))
    unused = gg.tensor([1.0], requires_grad=True)
    ((a * a).sum() * 0.5 + (b * b).sum() * 0.5).backward()
    assert optim.clip_grad_norm([a, b, unused], 10.0) == 5.0 and b.grad.item() == 4.0
    assert optim.clip_grad_norm([a, b, unused], 1.0) == 5.0
    assert_close(a.grad.numpy(), np.float32([0.6, 0]))
    assert_close(b.grad.numpy(), np.float32([[0.8]]))
    assert unused.grad is None


def test_two_parameters_with_one_gradient_are_clipped_once():
    a, b = (gg.tensor([1.0], requires_grad=True) for _ in range(2))
    a.grad = b.grad = gg.tensor([3.0])
    optim.clip_grad_norm([a, b], 1.0)
    assert_close(a.grad.numpy(), np.float32([1 / math.sqrt(2)]))
    assert_close(b.grad.numpy(), np.float32([1 / math.sqrt(2)]))


@pytest.mark.parametrize("scale", [1e30, 1e-30, 0.0])
def test_the_norm_neither_overflows_nor_underflows(scale):
    x = gg.tensor(np.float32([3 * scale, 4 * scale]), requires_grad=True)
    x.grad = gg.tensor(x.numpy())
    assert optim.grad_norm([x]) == pytest.approx(5 * scale, rel=1e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_the_norm_of_nan_is_told_and_nothing_is_changed(bad):
    a, b = (gg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    a.grad, b.grad = gg.tensor([bad, 1.0]), gg.tensor([math.inf if math.isnan(bad) else 7.0, 1.0])
    norm = optim.clip_grad_norm([a, b], 1.0)
    assert math.isnan(norm) if math.isnan(bad) else norm == math.inf
    assert a.grad.numpy()[1] == 1.0 and b.grad.numpy()[1] == 1.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_finite_gradients_are_told_from_those_that_only_sum_to_infinity(dtype):
    a, b, unused = (gg.tensor(np.ones(3, dtype), requires_grad=True) for _ in range(3))
    top = np.finfo(dtype).max
    for good in ([1, 2, 3], [top, top, top], [top, -top, -top]):
        a.grad, b.grad = gg.tensor(np.array(good, dtype)), gg.tensor(np.ones(3, dtype))
        assert optim.finite_gradients([b, a, unused])
        for bad in (math.nan, math.inf, -math.inf):
            b.grad = gg.tensor(np.array([1, bad, 2], dtype))
            assert not optim.finite_gradients([a, b, unused])
    assert optim.finite_gradients([unused]) and optim.finite_gradients([])


def test_clipping_by_value():
    x = gg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x.grad = gg.tensor([-5.0, 0.5, math.nan])
    optim.clip_grad_value([x], 2.0)
    assert x.grad.numpy()[:2].tolist() == [-2.0, 0.5] and math.isnan(x.grad.numpy()[2])
    for f in (optim.clip_grad_norm, optim.clip_grad_value):
        with pytest.raises(ValueRangeError, match="must be positive"):
            f([x], 0.0)


def test_weights_are_clipped_to_a_cube():
    w, b = (gg.tensor(v, requires_grad=True) for v in ([[-3.0, 0.2], [0.5, 9.0]], [math.nan]))
    optim.clip_weights([w, b], 0.5)
    assert_close(w.numpy(), np.float32([[-0.5, 0.2], [0.5, 0.5]]))
    assert np.isnan(b.numpy()).all(), "NaN stays, so that training notices it"
    for limit in (0.0, -1.0):
        with pytest.raises(ValueRangeError, match="limit must be positive"):
            optim.clip_weights([w], limit)
