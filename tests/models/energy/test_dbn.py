"""The deep belief network: its bound against enumeration, its stages, its classifier."""

from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.loop import Silent, fit
from glassgrad.core.training.settings import SettingError, TrainingSettings
from glassgrad.core.training.system import Batch
from glassgrad.models.energy import ais, dbn
from tests.models.energy.test_helmholtz import Still
from tests.tools import assert_close

RECIPE = models.recipe("dbn")
SIZES = (5, 4, 3)


def small(dtype="float64", scale=1.0, **changes):
    s = RECIPE.settings(**{"hidden": SIZES[1:], **changes})
    m = dbn.DBN(np.full(SIZES[0], 0.4), 10, s, gg.Generator(1), dtype)
    rng = np.random.default_rng(0)
    for p in m.parameters():
        p.assign((scale * rng.standard_normal(p.shape)).astype(dtype))
    return m


def exact(m):
    """(ln p(v), the bound) for all v, by sums over all h¹ and h²."""
    v, h, t = (ais.states(n) for n in SIZES)
    low, top = m.layers
    w, b, a = (p.numpy() for p in (top.w, top.b, top.a))
    e = np.exp(h @ w @ t.T + (h @ b)[:, None] + t @ a).sum(axis=1)
    ph = e / e.sum()  # P(h¹) of the top machine
    g = 1 / (1 + np.exp(-(h @ low.w.numpy().T + low.b.numpy())))  # P(v = 1|h¹)
    pvh = np.exp(v @ np.log(g).T + (1 - v) @ np.log(1 - g).T)
    r = 1 / (1 + np.exp(-(v @ low.w.numpy() + low.a.numpy())))
    q = np.exp(np.log(r) @ h.T + np.log(1 - r) @ (1 - h).T)
    bound = (q * (np.log(pvh) + np.log(ph) - np.log(q))).sum(axis=1)
    return np.log(pvh @ ph), bound, np.log(e.sum())


def test_the_bound_is_its_formula_and_below_the_likelihood():
    m = small()
    v = ais.states(SIZES[0])
    log_p, bound, log_z = exact(m)
    assert np.exp(log_p).sum() == pytest.approx(1, rel=1e-9)
    assert (bound < log_p).all()
    noise = gg.Generator(7)
    runs = np.stack([m.terms(v, noise) - log_z for _ in range(3000)])
    error = runs.std(axis=0) / np.sqrt(len(runs))
    assert (np.abs(runs.mean(axis=0) - bound) < 4.5 * error + 1e-9).all()
    found = small("float32", temperatures=500).evaluate(Split(v.astype(np.float32)))
    assert found["bound"] == pytest.approx(-bound.mean(), abs=0.4)
    assert found["log_z"] == pytest.approx(log_z, abs=5 * found["log_z_spread"] + 1e-4)


def test_layers_learn_in_turn():
    s = RECIPE.resolve("digits", {"hidden": [6, 5, 4], "epochs": 6, "batch": 20})
    x = (np.random.default_rng(0).random((60, 8)) < 0.3).astype(np.float32)
    data = DataSet("noise", Split(x))
    m = dbn.build(data, s, gg.Generator(0))
    seen = []

    class Watch(Silent):
        def epoch(self, row):
            seen.append([layer.w.numpy().copy() for layer in m.layers])

    start = [layer.w.numpy().copy() for layer in m.layers]
    fit(m, data, s, progress=Watch())
    moved = [
        [bool((a != b).any()) for a, b in zip(was, now)] for was, now in zip([start, *seen], seen)
    ]
    assert (
        moved
        == [[True, False, False]] * 2 + [[False, True, False]] * 2 + [[False, False, True]] * 2
    )
    mean = m.up(x, 1).mean(axis=0)
    assert np.allclose(m.layers[1].mu.numpy(), mean, atol=1e-6)
    assert np.allclose(
        m.layers[1].base.numpy(), np.log((60 * mean + 1) / (61 - 60 * mean)), atol=1e-4
    )


def test_the_standard_error_of_the_bound_is_the_scatter_of_repeated_evaluations():
    """Of the draws from q and of AIS together; with one draw nothing is said."""
    m, v = small(temperatures=20, samples=4, ais_chains=20), Split(ais.states(SIZES[0])[::3])
    runs = []
    for k in range(60):
        m.noise = gg.Generator(k)
        runs.append(m.evaluate(v))
    seen = np.std([r["bound"] for r in runs], ddof=1)
    assert 0.7 < np.mean([r["bound_error"] for r in runs]) / seen < 1.4
    assert all(r["bound_error"] > r["log_z_spread"] for r in runs)
    m.s = replace(m.s, samples=1)
    assert "bound_error" not in m.evaluate(v)


@pytest.mark.parametrize("rule", ["cd", "pcd"])
@pytest.mark.parametrize("layer", [0, 1])
def test_each_stage_follows_the_gradient_of_the_checked_objective(layer, rule):
    f, arrays = RECIPE.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=3).error < 1e-6
    m = small(centred=False, rule=rule)
    v = ais.states(SIZES[0])[[1, 6, 9, 30]]
    state = m.noise.state, m.layers[layer].noise.state
    trainer = Still()  # two epochs for each machine, and this is not the first step of a stage
    trainer.epoch, trainer.batch = (1, 3)[layer], 1
    trainer.settings = TrainingSettings(epochs=4, lr=0.1)
    fantasy = m.layers[layer].fantasy.numpy().copy()
    m.train_step(Batch(v), trainer)
    got = [[k.grad for k in (p.w, p.b, p.a)] for p in m.layers]
    assert got[1 - layer] == [None] * 3
    m.noise.state, m.layers[layer].noise.state = state
    data = [v, m.up(v, 1, m.noise)]
    if rule == "cd":
        fantasy = (
            m.layers[layer].noise.uniform(data[layer].shape, dtype="float64") < data[layer]
        ).astype(float)
    model = m.layers[layer].gibbs(fantasy, 1, m.layers[layer].noise)
    others = [gg.Tensor(d[:1]) for d in data]
    others[layer] = gg.Tensor(model)
    parameters = [(p.w, p.b, p.a) for p in m.layers]
    gap = dbn.gap(parameters, [gg.Tensor(d) for d in data], others)
    for have, g in zip(got[layer], gg.grad(gap, list(parameters[layer])), strict=True):
        assert_close(have.numpy(), g.numpy(), rtol=1e-12)


def test_training_raises_the_bound_with_the_second_layer():
    trained = training.train(RECIPE, overrides={"epochs": 60, "hidden": [40, 40], "ais_every": 30})
    history, found = trained.history, trained.test_figures
    assert found["bound"] < 25 and found["log_z_spread"] < 0.3
    assert history[59]["valid_bound"] < history[29]["valid_bound"]
    made = RECIPE.figures(trained.system, trained.data, trained.settings)
    assert set(made) == {"filters", "samples", "reconstructions"}


@pytest.mark.slow
def test_the_classifier_is_gradient_checked_and_learns():
    recipe = models.recipe("dbn-classifier")
    f, arrays = recipe.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=3).error < 1e-6
    trained = training.train(recipe)
    assert trained.test_figures["error"] < 8
    assert "filters" in recipe.figures(trained.system, trained.data, trained.settings)


def test_the_pictures_of_the_classifier():
    recipe = models.recipe("dbn-classifier")
    short = training.train(recipe, overrides={"epochs": 30, "finetune": 15})
    made = recipe.figures(short.system, short.data, short.settings)
    assert set(made) == {"filters", "activations", "codes", "mistakes"}
    guess = short.system.logits(short.system.rows(short.data.test)).numpy().argmax(axis=1)
    wrong = np.flatnonzero(guess != short.data.test.y)
    shown = [np.asarray(ax.images[0].get_array()) for ax in made["mistakes"].axes if ax.images]
    assert 0 < len(shown) == min(len(wrong), 40)
    assert np.array_equal(shown[0], short.data.test.x[wrong[0], 0])
    assert np.array_equal(made["activations"].axes[0].images[0].get_array().shape, (300, 64))


def test_bad_settings_are_refused():
    with pytest.raises(SettingError, match="'hidden' must be a list of at least one"):
        small(hidden=())
    with pytest.raises(SettingError, match="dbn-classifier: no labels has no class labels"):
        s = models.recipe("dbn-classifier").resolve("digits")
        data = DataSet("no labels", Split(np.ones((3, 4), np.float32)))
        dbn.build_classifier(data, s, gg.Generator(0))
    with pytest.raises(SettingError, match="stages that take at least 2 epochs; got epochs=1"):
        RECIPE.resolve("digits", {"epochs": 1})
    with pytest.raises(SettingError, match="'finetune' must be at least 1"):
        models.recipe("dbn-classifier").resolve("digits", {"finetune": 0})
    with pytest.raises(SettingError, match="'samples' has no effect with fine-tuning"):
        models.recipe("dbn-classifier").resolve("digits", {"samples": 2})
