"""Jacobians and Hessian-vector products against closed forms."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.tensor import TensorError
from tests.tools import assert_close

rng = np.random.default_rng(2)


def test_jacobian_of_a_linear_map_is_its_matrix():
    w = rng.standard_normal((3, 4))
    x = gg.tensor(rng.standard_normal(4))
    j = gg.jacobian(lambda x: gg.matmul(gg.tensor(w), x), x)
    assert_close(j.numpy(), w)
    assert not j.requires_grad


def test_jacobian_of_softmax():
    x = gg.tensor(rng.standard_normal(5))
    p = gg.softmax(x).numpy()
    assert_close(gg.jacobian(gg.softmax, x).numpy(), np.diag(p) - np.outer(p, p))


def test_jacobian_has_the_shape_of_output_and_input():
    x = gg.tensor(rng.standard_normal((2, 3)))
    j = gg.jacobian(lambda x: x.T, x).numpy()
    assert j.shape == (3, 2, 2, 3)
    for a, b, c, d in np.ndindex(3, 2, 2, 3):
        assert j[a, b, c, d] == float(a == d and b == c)
    assert gg.jacobian(lambda x: x.sum(), x).shape == (2, 3)
    assert gg.jacobian(lambda x: x[:0], x).shape == (0, 3, 2, 3)


def test_jacobian_at_a_tracked_tensor_can_be_differentiated():
    """Contractive penalty: ∂/∂w ‖∂ tanh(w x)/∂x‖², with the Hessian in it."""
    w = gg.tensor(np.array([[0.5, -1.0], [2.0, 0.3]]), requires_grad=True)
    x = gg.tensor(np.array([0.4, 0.9]), requires_grad=True)
    j = gg.jacobian(lambda x: gg.tanh(gg.matmul(w, x)), x, create_graph=True)
    got = gg.grad((j * j).sum(), w).numpy()

    def penalty(wv):
        s = 1 - np.tanh(wv @ x.numpy()) ** 2
        return np.sum((s[:, None] * wv) ** 2)

    h, want = 1e-6, np.zeros((2, 2))
    for i, k in np.ndindex(2, 2):
        e = np.zeros((2, 2))
        e[i, k] = h
        want[i, k] = (penalty(w.numpy() + e) - penalty(w.numpy() - e)) / (2 * h)
    assert_close(got, want, rtol=1e-8)


def test_jacobian_of_a_constant():
    with pytest.raises(TensorError, match=r"jacobian: f\(x\) does not depend on x"):
        gg.jacobian(lambda x: gg.tensor([1.0]), gg.tensor([1.0]))


def test_jacobian_works_under_no_grad():
    with gg.no_grad():
        assert gg.jacobian(lambda x: x * x, gg.tensor([3.0])).item() == 6.0


def test_hvp_of_a_quadratic_form():
    a = rng.standard_normal((4, 4))
    x, v = gg.tensor(rng.standard_normal(4)), rng.standard_normal(4)
    got = gg.hvp(lambda x: gg.matmul(x, gg.matmul(gg.tensor(a), x)), x, v)
    assert_close(got.numpy(), (a + a.T) @ v, reduction=8)


def test_hvp_of_logsumexp():
    x, v = gg.tensor(rng.standard_normal(5)), rng.standard_normal(5)
    p = gg.softmax(x).numpy()
    assert_close(gg.hvp(gg.logsumexp, x, v).numpy(), (np.diag(p) - np.outer(p, p)) @ v)


def test_hvp_of_rosenbrock():
    def f(x):
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    x, y = -0.7, 1.3
    hessian = np.array([[2 - 400 * y + 1200 * x * x, -400 * x], [-400 * x, 200.0]])
    at = gg.tensor(np.array([x, y]), requires_grad=True)
    for v in np.eye(2):
        assert_close(gg.hvp(f, at, v).numpy(), hessian @ v, rtol=1e-14)


def test_hvp_of_a_linear_function_is_zero():
    assert gg.hvp(lambda x: x.sum(), gg.tensor([1.0, 2.0]), np.ones(2)).numpy().tolist() == [0, 0]


def test_the_hessian_is_the_jacobian_of_the_gradient():
    x = gg.tensor(rng.standard_normal(3))

    def f(x):
        return gg.tanh(x).sum() * gg.exp(x[0] * x[2])

    h = gg.jacobian(lambda x: gg.grad(f(x), x, create_graph=True), x).numpy()
    assert_close(h, h.T, rtol=1e-14)
    for v in np.eye(3):
        assert_close(gg.hvp(f, x, v).numpy(), h @ v, rtol=1e-14)
