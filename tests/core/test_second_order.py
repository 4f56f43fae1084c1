"""Derivatives of derivatives: closed forms, the third order, and fused functions replayed."""

import math

import numpy as np
import pytest

import glassgrad as gg
from tests.tools import assert_close

rng = np.random.default_rng(5)


def leaf(values):
    return gg.tensor(np.array(values, "float64"), requires_grad=True)


def derivatives(f, x, orders):
    """[f'(x), f''(x), ...] element by element."""
    y, found = f(x), []
    for _ in range(orders):
        y = gg.grad(y.sum(), x, create_graph=True)
        found.append(y.numpy())
    return found


V = np.array([0.3, -0.8, 1.4])
T = np.tanh(V)
S = 1 / (1 + np.exp(-V))
W = np.abs(V)


@pytest.mark.parametrize(
    "f, x, want",
    [
        (gg.exp, V, [np.exp(V)] * 4),
        (gg.sin, V, [np.cos(V), -np.sin(V), -np.cos(V), np.sin(V)]),
        (gg.tanh, V, [1 - T**2, -2 * T * (1 - T**2), (1 - T**2) * (6 * T**2 - 2)]),
        (gg.sigmoid, V, [S * (1 - S), S * (1 - S) * (1 - 2 * S),
                         S * (1 - S) * (1 - 6 * S + 6 * S**2)]),
        (gg.softplus, V, [S, S * (1 - S), S * (1 - S) * (1 - 2 * S)]),
        (lambda x: x**4, V, [4 * V**3, 12 * V**2, 24 * V, 24 + 0 * V]),
        (lambda x: x**2.5, W, [2.5 * W**1.5, 3.75 * W**0.5, 1.875 * W**-0.5]),
        (gg.log, W, [1 / W, -1 / W**2, 2 / W**3, -6 / W**4]),
        (gg.sqrt, W, [W**-0.5 / 2, -(W**-1.5) / 4, 3 / 8 * W**-2.5]),
        (lambda x: 1 / x, V, [-1 / V**2, 2 / V**3, -6 / V**4]),
        (lambda x: x * x * x, V, [3 * V**2, 6 * V, 6 + 0 * V]),
        (gg.erf, V, [2 / math.sqrt(math.pi) * np.exp(-V * V),
                     -4 / math.sqrt(math.pi) * V * np.exp(-V * V),
                     (8 * V * V - 4) / math.sqrt(math.pi) * np.exp(-V * V)]),
    ],
)  # fmt: skip
def test_higher_derivatives_in_closed_form(f, x, want):
    for got, closed in zip(derivatives(f, leaf(x), len(want)), want):
        assert_close(got, closed, rtol=1e-12)


def test_the_second_derivative_of_a_bend_is_zero():
    x = leaf([0.5, -0.5])
    for f in (gg.relu, gg.absolute, lambda x: gg.maximum(x, 0.1)):
        first = gg.grad(f(x * 1).sum(), x, create_graph=True)
        assert gg.grad((first * x).sum(), x).numpy().tolist() == first.numpy().tolist()


def third(f, x, u, v, w):
    """D³<f, u>[v, w] by the tape, as the gradient with respect to x."""
    first = gg.grad(f(x), x, u, create_graph=True)
    second = gg.grad(first, x, v, create_graph=True)
    return gg.grad(second, x, w)


def test_third_derivative_of_a_convolution_of_itself():
    """The trilinear form x ∗ (x ∗ x): its third derivative, against differences of the second."""
    w = gg.tensor(rng.standard_normal((2, 1, 2, 2)))

    def f(x):
        y = gg.tanh(gg.conv2d(x, w, padding=1))
        return gg.conv2d(y * y, gg.reshape(x, (1, 2, 2, 2)), stride=2)

    value = rng.standard_normal((1, 1, 4, 2))
    x = leaf(value)
    u = rng.standard_normal(f(x).shape)
    v, d = rng.standard_normal(value.shape), rng.standard_normal(value.shape)
    got = float((third(f, x, u, v, d) * gg.Tensor(d)).sum())

    def along(t):  # d/dt of the second directional derivative
        x = leaf(value + t * d)
        first = gg.grad(f(x), x, u, create_graph=True)
        return float((gg.grad(first, x, v) * gg.Tensor(d)).sum())

    h = 1e-5
    want = (along(h) - along(-h)) / (2 * h)
    assert abs(got - want) < 1e-6 * max(1, abs(want))


def test_the_order_of_differentiation_does_not_matter():
    x, w = leaf(rng.standard_normal((3, 2))), leaf(rng.standard_normal((4, 2)))
    y = gg.logsumexp(gg.linear(gg.tanh(x), w)).sum()
    gx, gw = gg.grad(y, [x, w], create_graph=True)
    v, u = rng.standard_normal(x.shape), rng.standard_normal(w.shape)
    xw = (gg.grad(gx, w, v) * gg.Tensor(u)).sum().item()
    wx = (gg.grad(gw, x, u) * gg.Tensor(v)).sum().item()
    assert abs(xw - wx) < 1e-12 * max(1, abs(xw))


def test_a_gradient_penalty():
    """∂/∂w (‖∂D/∂x‖ - 1)², as the objective of a Wasserstein GAN needs it."""
    w, x = leaf([[0.6, -1.1]]), leaf([[0.2, 0.7]])
    g = gg.grad(gg.tanh(gg.linear(x, w)).sum(), x, create_graph=True)
    penalty = (gg.norm(g) - 1) ** 2
    got = gg.grad(penalty, w).numpy()
    wv, xv, h = w.numpy(), x.numpy(), 1e-6

    def closed(wv):
        slope = 1 - np.tanh(xv @ wv.T) ** 2
        return (np.sqrt(np.sum((slope * wv) ** 2)) - 1) ** 2

    want = [(closed(wv + h * e) - closed(wv - h * e)) / (2 * h) for e in np.eye(2)[:, None]]
    assert_close(got, np.array([want]), rtol=1e-8)


# ------------------------------------------------- fused functions and tied weights


def lstm_states(x, w):
    """Every argument of the fused call is w itself or made of it, the pre-activations included."""
    hs, (_, c) = gg.lstm(gg.tanh(x * w.sum(axis=0)), w[:1], w[1:2] * 2, w, w, None, w[:6])
    return (hs * hs).sum() + gg.sin(c).sum()


def gru_states(variant):
    def f(x, w):
        hs, _ = gg.gru(x, gg.exp(w[:1]), w, w, variant=variant)
        return (hs**3).sum()

    return f


def normalised(x, w):
    y, _, _ = gg.batch_norm(x[:, 0] * w, w, w)
    return (y**3).sum()


def sampled(x, w):
    z, kl = gg.reparameterise(w, w * w, gg.Generator(4))
    return (z * z * x[0]).sum() + gg.tanh(kl).sum()


def conditionals(x, w):
    """One matrix for every argument."""
    y = gg.nade(w, w, w[0], w * 2, gg.sin(w[:, 0]))
    return (y**3).sum() + x.sum()


@pytest.mark.parametrize(
    "f, shape",
    [
        (lstm_states, (8, 2)), (gru_states("lecture"), (6, 2)), (gru_states("library"), (6, 2)),
        (normalised, (2,)), (sampled, (3, 2)), (conditionals, (3, 3)),
    ],
    ids=["lstm", "gru lecture", "gru library", "batch_norm", "reparameterise", "nade"],
)  # fmt: skip
def test_tied_arguments_of_a_fused_function(f, shape):
    """The replay must not count what one argument owes to another: the outer walk does."""
    x, w0 = gg.tensor(rng.standard_normal((3, 1, 2))), rng.standard_normal(shape) * 0.7
    u, d, h = rng.standard_normal(w0.shape), rng.standard_normal(w0.shape), 1e-5

    def gradient(t, create_graph):
        w = leaf(w0 + t * d)
        return w, gg.grad(f(x, w), w, create_graph=create_graph)

    # order 1: the kernel, the replay, and the differences agree
    w, g = gradient(0, True)
    _, fused = gradient(0, False)
    assert_close(g.numpy(), fused.numpy(), rtol=1e-12)
    up, down = (f(x, leaf(w0 + s * h * d)).item() for s in (1, -1))
    slope = float((fused.numpy() * d).sum())
    assert abs(slope - (up - down) / (2 * h)) < 1e-7 * max(1, abs(slope))
    # order 2: through the replay, against differences of the kernel's gradient
    got = float((gg.grad(g, w, u).numpy() * d).sum())
    up, down = (float((gradient(s * h, False)[1].numpy() * u).sum()) for s in (1, -1))
    want = (up - down) / (2 * h)
    assert abs(got - want) < 1e-6 * max(1, abs(want))


def test_a_fused_function_at_the_third_order():
    x, v = leaf(rng.standard_normal((2, 1, 2))), rng.standard_normal((2, 1, 2))
    h, wi, wh = (gg.tensor(rng.standard_normal(s)) for s in [(1, 2), (8, 2), (8, 2)])

    def f(x):
        return gg.lstm(x, h, h, wi, wh)[0]

    u, d = rng.standard_normal((2, 1, 2)), rng.standard_normal((2, 1, 2))
    got = float((third(f, x, u, v, d).numpy() * d).sum())

    def along(t):
        at = leaf(x.numpy() + t * d)
        first = gg.grad(f(at), at, u, create_graph=True)
        return float((gg.grad(first, at, v).numpy() * d).sum())

    want = (along(1e-5) - along(-1e-5)) / 2e-5
    assert abs(got - want) < 1e-6 * max(1, abs(want))
