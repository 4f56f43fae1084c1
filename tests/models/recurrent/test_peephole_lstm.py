"""The LSTM with peepholes: the slide's cell, which gates have them, and counting."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.training.settings import SettingError
from glassgrad.models.recurrent import lstm_cell, peephole_lstm
from tests.tools import assert_close

RNG = np.random.default_rng(0)
T, N, I, H = 7, 3, 4, 5


def layer(**changes):
    s = peephole_lstm.Settings(hidden=H, **changes)
    return peephole_lstm.layer(I, s, gg.Generator(1), "float64")


KINDS = [{}, {"peephole": "diagonal"}, {"gates": "o"}, {"peephole": "diagonal", "gates": "fi"}]


@pytest.mark.parametrize("changes", KINDS)
def test_the_slides_cell_is_the_layer(changes):
    one, x = layer(**changes), gg.Tensor(RNG.standard_normal((T, N, I)))
    W, b = peephole_lstm.slide_weights(one)
    assert {g: w.shape[1] for g, w in W.items()} == {"i": 2 * H + I, "f": 2 * H + I, "C": H + I,
                                                     "o": 2 * H + I}  # fmt: skip
    h, C = (gg.Tensor(a) for a in RNG.standard_normal((2, N, H)))
    hs, (_, cell) = one(x, (gg.expand_dims(h, 0), gg.expand_dims(C, 0)))
    for t in range(T):
        h, C, _ = peephole_lstm.cell(x[t], h, C, W, b)
        assert_close(hs[t].numpy(), h.numpy(), rtol=1e-12)
    assert_close(cell[0].numpy(), C.numpy(), rtol=1e-12)


def test_the_slides_cell_is_the_slide():
    """Coordinate by coordinate: f and i see C_{t-1}, o sees C_t."""
    from math import exp, tanh

    tensors = peephole_lstm.slide_weights(layer())
    W, b = ({g: v.numpy() for g, v in d.items()} for d in tensors)
    x, h, C = RNG.standard_normal(I), RNG.standard_normal(H), RNG.standard_normal(H)

    def gate(g, j, seen):
        return 1 / (1 + exp(-sum(w * v for w, v in zip(W[g][j], [*seen, *h, *x])) - b[g][j]))

    def candidate(j):
        return tanh(sum(w * v for w, v in zip(W["C"][j], [*h, *x])) + b["C"][j])

    new = [gate("f", j, C) * C[j] + gate("i", j, C) * candidate(j) for j in range(H)]
    want = [gate("o", j, new) * tanh(new[j]) for j in range(H)]
    got_h, got_C, _ = peephole_lstm.cell(*(gg.Tensor(v[None]) for v in (x, h, C)), *tensors)
    assert_close(got_C.numpy()[0], np.array(new), rtol=1e-12)
    assert_close(got_h.numpy()[0], np.array(want), rtol=1e-12)


@pytest.mark.parametrize("changes", KINDS)
def test_only_peepholes_that_are_there_are_parameters(changes):
    """Counted rightly; and every one of them moves the output."""
    one, x = layer(**changes), gg.Tensor(RNG.standard_normal((T, N, I)))
    gates = len(changes.get("gates", "fio"))
    each = H if changes.get("peephole") else H * H
    assert one.weight_ph_l0.numpy().size == gates * each
    assert one.count() == 4 * H * (I + H) + 4 * H + gates * each
    matrices = one.get("weight_ph", "l0").numpy().reshape(3, H, H)
    inside = np.eye(H, dtype=bool) if changes.get("peephole") else np.ones((H, H), bool)
    for g, matrix in zip("ifo", matrices):
        assert ((matrix != 0) == (inside & (g in changes.get("gates", "fio")))).all()
    gradient = gg.grad(
        (one(x)[0] * gg.Tensor(RNG.standard_normal((T, N, H)))).sum(), one.weight_ph_l0
    ).numpy()
    assert gradient.all()


@pytest.mark.parametrize("changes", KINDS[1:])
def test_objectives_of_all_kinds_pass_the_gradient_check(changes):
    one, x = layer(**changes), RNG.standard_normal((3, 2, I))
    weights = RNG.standard_normal((3, 2, H))

    def f(*parameters):
        return (one.with_parameters(parameters)(gg.Tensor(x))[0] * gg.Tensor(weights)).sum()

    arrays = [p.numpy().copy() for p in one.parameters()]
    assert gg.gradcheck(f, *arrays, order=2, directions=2).error < 1e-6


def test_without_any_peephole_it_is_the_plain_lstm():
    s = lstm_cell.LSTMSettings(hidden=H)
    none, plain = layer(gates=""), lstm_cell.layer(I, s, gg.Generator(9), "float64")
    plain.load_state_dict(none.state_dict())
    x = gg.Tensor(RNG.standard_normal((T, N, I)))
    assert_close(none(x)[0].numpy(), plain(x)[0].numpy(), rtol=1e-13)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"peephole": "ful"}, "'full' or 'diagonal'; got 'ful'; did you mean 'full'"),
        ({"gates": "fg"}, "gates must be some of f, i, o; got 'fg'"),
    ],
)
def test_unknown_peepholes_are_refused(changes, said):
    with pytest.raises(SettingError, match=said):
        layer(**changes)


@pytest.mark.slow
def test_counting_goes_on_beyond_the_training_range():
    """Trained on n = 1 .. 6 for a short while, right far beyond."""
    recipe = models.recipe("peephole-lstm")
    result = training.train(
        recipe, overrides={"epochs": 900, "train_n": (1, 6), "valid_n": (7, 12), "test_n": (1, 40)}
    )
    assert result.test_figures["largest_n"] >= 12
    assert set(recipe.figures(result.system, result.data, result.settings)) == {"legal", "counters"}
