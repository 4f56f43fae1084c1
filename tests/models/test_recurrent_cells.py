"""Each slide's cell, written out by hand, against the layer that trains; tasks that learn."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core import nn
from glassgrad.models import gru, lstm, rnn


def sequence(inputs=3, steps=5, n=2):
    return np.random.default_rng(0).standard_normal((steps, n, inputs))


def test_the_slides_gru_is_the_layer():
    layer = nn.GRU(3, 4, rng=gg.Generator(1), dtype="float64")
    weights, h = gru.slide_weights(layer), gg.zeros((2, 4), "float64")
    x = sequence()
    want, _ = layer(gg.Tensor(x))
    for t in range(len(x)):
        h, _ = gru.cell(gg.Tensor(x[t]), h, weights)
        assert np.abs(h.numpy() - want.numpy()[t]).max() < 1e-12


def test_the_slides_rnn_is_the_layer():
    layer = nn.RNN(3, 4, rng=gg.Generator(1), dtype="float64")
    h, x = gg.zeros((2, 4), "float64"), sequence()
    want, _ = layer(gg.Tensor(x))
    for t in range(len(x)):
        h = rnn.cell(gg.Tensor(x[t]), h, layer.weight_ih_l0, layer.weight_hh_l0)
        assert np.abs(h.numpy() - want.numpy()[t]).max() < 1e-12


@pytest.mark.parametrize("peephole", [False, True])
def test_the_lstm_layer_is_the_formula(peephole):
    """σ and th by hand, from [h, x] and, with peepholes, from C_{t-1} and C_t by full matrices."""
    layer = nn.LSTM(3, 4, peephole=peephole, rng=gg.Generator(2), dtype="float64")
    p, x = layer.state_dict(), sequence()
    want, _ = layer(gg.Tensor(x))
    h = c = np.zeros((2, 4))

    def sigma(a):
        return 1 / (1 + np.exp(-a))

    for t in range(len(x)):
        a = x[t] @ p["weight_ih_l0"].T + h @ p["weight_hh_l0"].T + p["bias_ih_l0"]
        ai, af, ag, ao = np.split(a, 4, axis=1)
        pi, pf, po = np.split(p["weight_ph_l0"], 3) if peephole else (np.zeros((4, 4)),) * 3
        i, f = sigma(ai + c @ pi.T), sigma(af + c @ pf.T)
        c = f * c + i * np.tanh(ag)
        h = sigma(ao + c @ po.T) * np.tanh(c)
        assert np.abs(h - want.numpy()[t]).max() < 1e-12


@pytest.mark.parametrize("name", ["rnn", "lstm", "peephole-lstm", "gru"])
def test_objectives_pass_the_gradient_check(name):
    f, arrays = models.recipe(name).check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=2).error < 1e-5


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_they_learn_to_read_digits_line_by_line(name):
    recipe = models.recipe(name)
    trained = training.train(recipe, "digits", overrides={"epochs": 8})
    assert trained.test_figures["error"] < 15  # per cent; chance is 90
    made = recipe.figures(trained.system, trained.data, trained.settings)
    assert "confusion" in made


def test_padding_does_not_change_the_loss():
    """A short piece beside a long one gives the mean over the frames that exist."""
    from glassgrad.core.data import DataSet, Split
    from glassgrad.models import sequence as seq

    rng = np.random.default_rng(3)
    pieces = [(rng.random((n, 5)) < 0.4).astype(np.float32) for n in (9, 4)]
    data = DataSet("rolls", Split(pieces))
    s = {**models.recipe("lstm").resolve("jsb_chorales"), "dropout": 0.0, "hidden": 6}
    system = seq.build(data, s, gg.Generator(0), layer=lstm.layer).eval()
    both = system.objective(system.task.batch(data.train)).item()
    alone = [system.objective(system.task.batch(data.train[k : k + 1])).item() for k in (0, 1)]
    assert both == pytest.approx((8 * alone[0] + 3 * alone[1]) / 11, rel=1e-5)
