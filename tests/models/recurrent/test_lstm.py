"""Long short-term memory: the slide's cell, initial values, what it learns."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.training.settings import SettingError
from glassgrad.models.recurrent import lstm_cell
from tests.tools import assert_close

RNG = np.random.default_rng(0)
T, N, I, H = 7, 3, 4, 5


def layer(**changes):
    s = lstm_cell.LSTMSettings(**{"hidden": H, **changes})
    return lstm_cell.layer(I, s, gg.Generator(1), "float64")


@pytest.mark.parametrize("biases", [1, 2])
def test_the_slides_cell_is_the_layer(biases):
    one, x = layer(biases=biases), gg.Tensor(RNG.standard_normal((T, N, I)))
    W, b = lstm_cell.slide_weights(one)
    assert {k: w.shape for k, w in W.items()} == dict.fromkeys("fiCo", (H, H + I))
    h, C = (gg.Tensor(a) for a in RNG.standard_normal((2, N, H)))
    hs, (last, cell) = one(x, (gg.expand_dims(h, 0), gg.expand_dims(C, 0)))
    for t in range(T):
        h, C, _ = lstm_cell.cell(x[t], h, C, W, b)
        assert_close(hs[t].numpy(), h.numpy(), rtol=1e-12)
    assert_close(last[0].numpy(), h.numpy(), rtol=1e-12)
    assert_close(cell[0].numpy(), C.numpy(), rtol=1e-12)


def test_the_slides_cell_is_the_slide():
    """Coordinate by coordinate, with math functions only."""
    from math import exp, tanh

    one = layer()
    W, b = ({g: v.numpy() for g, v in d.items()} for d in lstm_cell.slide_weights(one))
    x, h, C = RNG.standard_normal(I), RNG.standard_normal(H), RNG.standard_normal(H)
    joined = [*h, *x]
    tensors = [{g: gg.Tensor(v) for g, v in d.items()} for d in (W, b)]
    got_h, got_C, _ = lstm_cell.cell(*(gg.Tensor(v[None]) for v in (x, h, C)), *tensors)
    for j in range(H):
        a = {g: sum(w * v for w, v in zip(W[g][j], joined)) + b[g][j] for g in "fiCo"}
        f, i, o = (1 / (1 + exp(-a[g])) for g in "fio")
        new = f * C[j] + i * tanh(a["C"])
        assert got_C.numpy()[0, j] == pytest.approx(new, rel=1e-12)
        assert got_h.numpy()[0, j] == pytest.approx(o * tanh(new), rel=1e-12)


def test_forget_gates_start_open_on_all_levels():
    plain, opened = (layer(forget_bias=bias, layers=3) for bias in (0.0, 3.0))
    for k in range(3):
        moved = opened.get("bias_ih", f"l{k}").numpy() - plain.get("bias_ih", f"l{k}").numpy()
        assert_close(moved, np.repeat([0.0, 3.0, 0.0, 0.0], H), rtol=1e-12)
    assert (opened.weight_hh_l2.numpy() == plain.weight_hh_l2.numpy()).all()
    with pytest.raises(SettingError, match="forget_bias needs biases"):
        layer(biases=0)


def test_without_biases_the_cell_is_the_layer_still():
    one, x = layer(biases=0, forget_bias=0.0), gg.Tensor(RNG.standard_normal((T, N, I)))
    assert sorted(one.state_dict()) == ["weight_hh_l0", "weight_ih_l0"]
    W, b = lstm_cell.slide_weights(one)
    h = C = gg.zeros((N, H), "float64")
    hs, _ = one(x)
    for t in range(T):
        h, C, _ = lstm_cell.cell(x[t], h, C, W, b)
        assert_close(hs[t].numpy(), h.numpy(), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lstm", "peephole-lstm"])
def test_a_net_without_biases_trains_and_is_drawn(name):
    recipe = models.recipe(name)
    few = {"epochs": 1, "examples": 20, "hidden": 4, "biases": 0, "forget_bias": 0.0}
    result = training.train(recipe, "embedded_reber", overrides=few)
    assert len(recipe.figures(result.system, result.data, result.settings)) == 2


def test_gates_over_time_are_the_layers():
    recipe = models.recipe("lstm")
    result = training.train(recipe, overrides={"epochs": 1, "examples": 40, "hidden": 8})
    figures = recipe.figures(result.system, result.data, result.settings)
    assert set(figures) == {"legal", "gates"}
    string = result.data.test.x[0]
    cells = np.array([line.get_ydata() for line in figures["gates"].axes[0].lines])
    with gg.no_grad():
        _, (_, c) = result.system.layer(gg.Tensor(string[:-1, None]))
    assert cells.shape == (8, len(string) - 1)
    assert_close(cells[:, -1].astype("float32"), c.numpy()[0, 0], reduction=64)


def test_digits_are_read_row_by_row():
    result = training.train(models.recipe("lstm"), "digits", overrides={"epochs": 12})
    assert result.test_figures["error"] < 15  # per cent; chance is 90
