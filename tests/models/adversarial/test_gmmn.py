"""The moment matching net: objectives by hand, its two stages and spaces, the shipped settings."""

from functools import partial

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import training
from glassgrad.core.data import DataSet, Info, Split
from glassgrad.core.training.loop import TrainingState
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.adversarial import gmmn, gmmn_pictures, judging
from glassgrad.models.adversarial.dcgan_judging import normal_like

RECIPE = gmmn.RECIPES[0]
X = np.random.default_rng(0).random((12, 1, 2, 2))
Y = np.arange(12) % 3
IMAGES = DataSet("small", Split(X, Y), Split(X, Y), Split(X, Y))
SPACES = "codes", "pixels"
CODES = {"space": "codes", "autoencoder": (5,), "code": 3, "pretrain": 1}


def small(data=IMAGES, **changes):
    few = {"noise": 3, "generator": (5,), "scales": (0.2, 1.5), "samples": 50, **changes}
    return gmmn.GMMN(data, gmmn.Settings(**few), gg.Generator(1), dtype="float64")


def sigma(a):
    return 1 / (1 + np.exp(-a))


def net(module, a):
    """A perceptron by hand: linear layers with a ReLU between."""
    layers = [m for m in module if hasattr(m, "weight")]
    for i, layer in enumerate(layers):
        a = a @ layer.weight.numpy().T + layer.bias.numpy()
        a = np.maximum(a, 0) if i < len(layers) - 1 else a
    return a


def discrepancy(x, g, shares):
    """Biased MMD² pair by pair, of kernels as wide as shares of the mean ‖x - x'‖²."""
    unit = np.mean([((a - b) ** 2).sum() for a in x for b in x])

    def mean(p, q):
        pairs = [((a - b) ** 2).sum() for a in p for b in q]
        return sum(np.mean([np.exp(-d / (c * unit)) for d in pairs]) for c in shares)

    return mean(x, x) + mean(g, g) - 2 * mean(x, g)


@pytest.mark.parametrize("objective", ["root", "square"])
@pytest.mark.parametrize("space", ["pixels", "codes"])
def test_the_objective_is_the_double_sum(space, objective):
    m = small(objective=objective, **(CODES if space == "codes" else {}))
    x, draws = X.reshape(12, 4), gg.Generator(*m.draws.state)
    made = sigma(net(m.generator, draws.uniform((12, 3), -1.0, 1.0, "float64")))
    real = sigma(net(m.encoder, x)) if space == "codes" else x
    want = discrepancy(real, made, (0.2, 1.5))
    found, others = m.objective(Batch(X, Y))
    want = want**0.5 if objective == "root" else want
    assert found.item() == pytest.approx(want, rel=1e-9)
    if space == "codes":
        p = sigma(net(m.decoder, real))
        nll = -(x * np.log(p) + (1 - x) * np.log1p(-p)).sum(axis=1).mean()
        assert others["autoencoding"].item() == pytest.approx(nll, rel=1e-9)
        again = sigma(net(m.generator, m.noise(4, gg.Generator(5)).numpy()))
        decoded = sigma(net(m.decoder, again))
        drawn = m.generate(m.noise(4, gg.Generator(5))).numpy()
        np.testing.assert_allclose(drawn, decoded, rtol=1e-9)


@pytest.mark.parametrize("changes", [{}, {"objective": "square"}, {"space": "codes"}])
def test_the_gradient_of_every_objective(changes):
    f, arrays = gmmn.check(np.random.default_rng(0), **changes)
    for which in range(2 if changes.get("space") else 1):
        report = gg.gradcheck(
            lambda *p, i=which: f(*p)[i] if isinstance(f(*p), tuple) else f(*p),
            *arrays,
            directions=2,
        )
        assert report.error < 5e-5


def test_training_has_two_stages_each_at_its_own_rate():
    """First only the autoencoder learns, then only the generator; a rate starts whole in each."""
    m = small(**CODES, epochs=3, lr=0.01, code_lr=0.05)
    state = TrainingState(m, IMAGES, m.s)
    for epoch, own, rates in ((0, {"encoder", "decoder"}, 0.05), (1, {"generator"}, 0.01)):
        state.epoch = epoch
        before = {n: p.numpy().copy() for n, p in m.named_parameters()}
        (phase,) = m.train_step(Batch(X, Y), state)
        moved = {n for n, p in m.named_parameters() if not np.array_equal(p.numpy(), before[n])}
        assert {n.split(".")[0] for n in moved} == own
        assert state.optimiser[phase].lr == pytest.approx(rates)
    state.epoch = 2
    m.train_step(Batch(X, Y), state)
    assert state.optimiser["matching"].lr == pytest.approx(0.005)  # half of a cosine


def test_units_are_dropped_only_while_the_autoencoder_learns():
    m = small(**CODES, dropout=0.5, epochs=3)
    state = TrainingState(m, IMAGES, m.s)
    for epoch, same in ((0, False), (1, True)):
        state.epoch = epoch
        m.train()
        m.train_step(Batch(X, Y), state)
        once, again = (m.compared(gg.Tensor(X)).numpy() for _ in range(2))
        assert np.array_equal(once, again) == same


def test_equal_rows_have_a_unit_and_a_root():
    """Data that are one point: no width and no discrepancy is 0, so nothing is divided by 0."""
    same = DataSet("same", Split(np.full((4, 1, 2, 2), 0.5)))
    m = small(same)
    x = gg.Tensor(np.full((4, 4), 0.5))
    assert m.widths(x) == [0.2, 1.5]
    assert m.discrepancy(x, x).item() == pytest.approx(gmmn.LEAST**0.5)


def test_a_table_is_seen_in_its_own_units():
    x = np.random.default_rng(1).standard_normal((200, 2)) * [0.01, 1000] + [5, -1e4]
    for changes in ({}, {**CODES, "code": 2}):
        m = small(DataSet("table", Split(x)), **changes)
        made = m.drawn(400)
        assert np.abs((made.mean(axis=0) - x.mean(axis=0)) / x.std(axis=0)).max() < 2
        found = m.evaluate_finished(Split(x))
        assert {"neighbours", "sliced_w1"} <= set(found) and "parzen" not in found


def test_figures_and_pictures(monkeypatch):
    monkeypatch.setattr(judging, "Classifier", partial(judging.Classifier, steps=30))
    m = small(**CODES)
    found = m.evaluate_finished(IMAGES.test)
    assert set(found) == {
        "neighbours", "sliced_w1", "entropy", "confidence", "parzen", "parzen_error",
        "squared_error",
    }  # fmt: skip
    assert found == m.evaluate_finished(IMAGES.test), "the same noise each time"
    made = gmmn_pictures.figures(m, IMAGES, m.s)
    assert set(made) == {"samples", "nearest", "widths", "reconstructions"}
    table = DataSet("points", Split(np.random.default_rng(0).standard_normal((30, 2))))
    plain = small(table)
    assert set(gmmn_pictures.figures(plain, table, plain.s)) == {"points", "widths"}
    bits = DataSet("bits", Split((X.reshape(12, 4) > 0.5) * 1.0), info=Info(kind="binary"))
    assert small(bits).drawn(9).shape == (9, 4)


def test_the_nearest_rows_are_those_of_all_distances():
    a, b = np.random.default_rng(2).standard_normal((2, 40, 5))
    want = [b[min(range(40), key=lambda j, x=x: np.linalg.norm(x - b[j]))] for x in a]
    np.testing.assert_array_equal(gmmn_pictures.nearest_rows(a, b), want)


def test_bad_settings_are_refused():
    for changes, text in (
        ({"space": "code"}, "must be 'pixels' or 'codes'"),
        ({"batch": 1}, "must be at least 2"),
        ({"scales": (0.0,)}, "must be above 0"),
        ({"space": "pixels", "code": 4}, "'code' has no effect with space=pixels"),
        ({"epochs": 60}, "at least 61 epochs"),
    ):
        with pytest.raises(SettingError, match=text):
            RECIPE.resolve("digits", changes)


@pytest.mark.slow
def test_codes_are_better_than_a_fitted_normal_and_than_pixels():
    """The table of the page, whose last column is made here.

    Entropy alone says little, since blends of all classes have a high one; nor do neighbours tell
    pixels from the normal, so these must not differ much, and confidence does.
    """
    assert RECIPE.resolve("digits").space == "codes"
    done = {space: training.train(RECIPE, overrides={"space": space}) for space in SPACES}
    codes, pixels = (done[space].test_figures for space in SPACES)
    net, data = done["pixels"].system, done["pixels"].data
    made = normal_like(data.train.x, net.s.samples).reshape(net.s.samples, -1)
    made = made.astype("float32")
    normal = net.figures_of(made, data.test) | judging.likelihood(made, data.test, data)
    assert min(f["entropy"] for f in (codes, pixels, normal)) > 2.2
    assert min(f["confidence"] for f in (codes, pixels)) > normal["confidence"] + 0.07
    assert codes["neighbours"] < normal["neighbours"] - 0.04
    assert pixels["neighbours"] == pytest.approx(normal["neighbours"], abs=0.03)
    errors = codes["parzen_error"] + pixels["parzen_error"]
    assert codes["parzen"] > max(pixels["parzen"], normal["parzen"]) + 3 * errors
    assert pixels["parzen"] == pytest.approx(normal["parzen"], abs=3)
