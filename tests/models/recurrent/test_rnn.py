"""The plain recurrent net: the slide's cell, and how far its gradients reach."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core import nn
from glassgrad.models.recurrent import lstm_cell, rnn
from tests.tools import assert_close

RNG = np.random.default_rng(0)
T, N, I, H = 7, 3, 4, 5


def layer(**changes):
    return rnn.layer(I, rnn.Settings(hidden=H, **changes), gg.Generator(1), "float64")


def test_the_slides_cell_is_the_layer():
    one, x = layer(), gg.Tensor(RNG.standard_normal((T, N, I)))
    assert sorted(one.state_dict()) == [
        "weight_hh_l0",
        "weight_ih_l0",
    ]  # no biases, as on the slide
    h = gg.zeros((N, H), "float64")
    hs, last = one(x)
    for t in range(T):
        h = rnn.cell(x[t], h, one.weight_ih_l0, one.weight_hh_l0)
        assert_close(hs[t].numpy(), h.numpy(), rtol=1e-12)
    assert_close(last[0].numpy(), h.numpy(), rtol=1e-12)


def test_bptt_is_the_slides_sum_of_products():
    """∂L_t/∂W with the immediate derivatives, in NumPy, against the tape."""
    one, x = layer(), RNG.standard_normal((T, 1, I))
    U, W = (w.numpy() for w in (one.weight_ih_l0, one.weight_hh_l0))
    u, hs = RNG.standard_normal(H), [np.zeros(H)]
    for row in x[:, 0]:
        hs.append(np.tanh(U @ row + W @ hs[-1]))
    want, product = np.zeros_like(W), u
    for k in range(T, 0, -1):
        local = product * (1 - hs[k] ** 2)
        want += np.outer(local, hs[k - 1])  # through h_k with h_{k-1} held constant
        product = local @ W  # times ∂h_k/∂h_{k-1} = diag(1 - h_k²) W
    loss = (one(gg.Tensor(x))[0][-1] * gg.Tensor(u)).sum()
    assert_close(gg.grad(loss, one.weight_hh_l0).numpy(), want, rtol=1e-12)


def test_gradient_norms_are_norms_of_products_of_jacobians():
    one, x = layer(), RNG.standard_normal((T, N, I))
    U, W = one.weight_ih_l0, one.weight_hh_l0
    h0, u = RNG.standard_normal((2, N, H))
    got = rnn.gradient_norms(
        lambda x, h: (rnn.cell(x, h[0], U, W),), (gg.Tensor(h0),), gg.Tensor(x), u
    )
    logs = np.zeros(T + 1)
    for n in range(N):
        h = [h0[n]]
        for t in range(T):
            h.append(np.tanh(U.numpy() @ x[t, n] + W.numpy() @ h[-1]))
        product = u[n]
        logs[T] += np.log(np.linalg.norm(product))
        for k in range(T - 1, -1, -1):
            product = (product * (1 - h[k + 1] ** 2)) @ W.numpy()
            logs[k] += np.log(np.linalg.norm(product))
    assert_close(got, np.exp(logs / N), rtol=1e-12)


def test_gradients_vanish_stay_or_explode_with_the_radius():
    Q = nn.init.orthogonal((H, H), gg.Generator(0), dtype="float64")
    U, x = gg.Tensor(np.zeros((H, I))), gg.Tensor(np.zeros((20, N, I)))
    h0, u = gg.Tensor(np.full((N, H), 1e-9)), RNG.standard_normal((N, H))
    for radius in (0.5, 1.0, 1.5):
        W = gg.Tensor(radius * Q)
        got = rnn.gradient_norms(lambda x, h, W=W: (rnn.cell(x, h[0], U, W),), (h0,), x, u)
        assert_close(np.log(got / got[-1]), np.arange(20, -1, -1) * np.log(radius), rtol=1e-6)


def test_an_open_forget_gate_keeps_the_gradient_of_the_cell():
    norms = {}
    for bias in (0.0, 8.0):
        s = lstm_cell.LSTMSettings(hidden=H, forget_bias=bias)
        one = lstm_cell.layer(I, s, gg.Generator(0), "float64")
        W, b = lstm_cell.slide_weights(one)
        zero = gg.zeros((N, H), "float64")
        norms[bias] = rnn.gradient_norms(
            lambda x, state, W=W, b=b: lstm_cell.cell(x, *state, W, b)[:2],
            (zero, zero),
            gg.Tensor(0.1 * RNG.standard_normal((40, N, I))),
            RNG.standard_normal((N, H)),
        )
    assert norms[0.0][0] / norms[0.0][-1] < 1e-5
    assert 0.2 < norms[8.0][0] / norms[8.0][-1] < 50


@pytest.mark.parametrize("name", ["rnn", "gru"])
def test_digits_are_read_row_by_row(name):
    result = training.train(models.recipe(name), overrides={"epochs": 12})
    assert result.test_figures["error"] < 15
    figures = models.recipe(name).figures(result.system, result.data, result.settings)
    assert {"confusion", {"rnn": "bptt", "gru": "gates"}[name]} == set(figures)
