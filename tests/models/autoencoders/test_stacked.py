"""Stacked autoencoders: what each stage trains, and that the greedy layers help."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core import nn
from glassgrad.core.data import DataSet, Split, load
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.autoencoders import one_layer, stacked
from glassgrad.models.common.labels import few

RECIPE = stacked.STACKED
X, Y = np.random.default_rng(0).random((12, 6)), np.arange(12) % 3


def small(**changes):
    own = {"hidden": (5, 4), "epochs": 9, "pretrain": 2, "head": 1}
    s = replace(RECIPE.resolve("digits"), **{**own, **changes})
    return stacked.build(DataSet("small", Split(X, Y)), s, gg.Generator(1), "float64"), s


def test_the_stages_follow_each_other():
    m, _ = small()
    assert [m.stage_of(e)[0] for e in range(9)] == [0, 0, 1, 1, 2, 3, 3, 3, 3]
    assert [m.stage_of(e)[1:] for e in (1, 3, 5, 8)] == [(1, 2), (1, 2), (0, 4), (3, 4)]
    m, _ = small(fine="reconstruction")
    assert [m.stage_of(e)[0] for e in range(9)] == [0, 0, 1, 1, 3, 3, 3, 3, 3]
    m, _ = small(layer="random")
    assert [m.stage_of(e)[0] for e in range(4)] == [2, 3, 3, 3]


def test_each_stage_changes_its_own_layer_only():
    _, s = small()
    data, parts = DataSet("small", Split(X, Y)), {}
    for epochs in range(10):
        fresh, _ = small()
        fit(fresh, data, replace(s, epochs=epochs, batch=12))
        parts[epochs] = fresh.state_dict()

    def changed(a, b):
        moved = {n for n, v in parts[a].items() if not np.array_equal(v, parts[b][n])}
        return {n.split(".weight")[0].split(".bias")[0] for n in moved}

    one = {"layers.0.encoder.0", "layers.0.decoder.0"}
    assert changed(0, 1) == one
    two = {n.replace("s.0", "s.1", 1) for n in one}
    assert changed(2, 3) == two
    assert changed(4, 5) == {"head", "greedy"}
    assert np.array_equal(parts[9]["greedy"], parts[4]["layers.0.encoder.0.weight"])
    assert changed(5, 6) == {"head", "layers.0.encoder.0", "layers.1.encoder.0"}


@pytest.mark.parametrize("kind", [k for k in get_args(one_layer.Kind) if k != "random"])
def test_a_layer_learns_from_the_codes_below(kind):
    """The objective of stage 1 is that of the second layer alone on the codes of the first."""
    m, _ = small(layer=kind)
    m.stage = 1
    states = [g.state for _, g in m.named_generators()]
    got = m.objective(Batch(X, Y)).item()
    for (_, g), state in zip(m.named_generators(), states):
        g.state = state
    alone = m.layers[1].objective(Batch(m.layers[0].codes(X)))
    alone = alone[0] if isinstance(alone, tuple) else alone
    assert got == pytest.approx(alone.item(), rel=1e-12)


def test_the_lectures_layers_are_untied_and_squared():
    m, _ = small()
    m.stage, layer = 0, m.layers[0]
    w, v = layer.encoder[0].weight.numpy(), layer.decoder[0].weight.numpy()
    a, b = layer.encoder[0].bias.numpy(), layer.decoder[0].bias.numpy()
    y = 1 / (1 + np.exp(-(1 / (1 + np.exp(-(X @ w.T + a))) @ v.T + b)))
    want = ((y - X) ** 2).sum(axis=1).mean()
    assert m.objective(Batch(X, Y)).item() == pytest.approx(want, rel=1e-12)
    tied, _ = small(tied=True, loss="cross_entropy")
    tied.stage, names = 0, [n for n, _ in tied.layers[0].named_parameters()]
    assert sum("weight" in n for n in names) == 1
    layer = tied.layers[0]
    p = layer.decode(layer.encode(gg.Tensor(X))).numpy()
    want = -(X * np.log(p) + (1 - X) * np.log(1 - p)).sum(axis=1).mean()
    assert tied.objective(Batch(X, Y)).item() == pytest.approx(want, rel=1e-10)


def test_cd1_is_the_positive_minus_the_negative_phase():
    """∇ (F(x) - F(x')) = -(x hᵀ - x' h'ᵀ) with h = σ(W x + a), x' the image after one step."""
    s = one_layer.LayerSettings(code=4)
    m = one_layer.one_layer("rbm", 6, s, gg.Generator(2), "float64")
    m.decoder[0].bias.assign(np.random.default_rng(1).standard_normal(6))
    state = m.noise.state
    m.objective(Batch(X)).backward()
    m.noise.state = state
    w, a, b = (t.numpy() for t in (m.encoder[0].weight, m.encoder[0].bias, m.decoder[0].bias))
    h = 1 / (1 + np.exp(-(X @ w.T + a)))
    on = m.noise.bernoulli(h)
    back = 1 / (1 + np.exp(-(on @ w + b)))
    h2 = 1 / (1 + np.exp(-(back @ w.T + a)))
    n = len(X)
    assert np.allclose(m.encoder[0].weight.grad.numpy(), (h2.T @ back - h.T @ X) / n, rtol=1e-10)
    assert np.allclose(m.encoder[0].bias.grad.numpy(), (h2 - h).mean(axis=0), rtol=1e-10)
    assert np.allclose(m.decoder[0].bias.grad.numpy(), (back - X).mean(axis=0), rtol=1e-10)


def test_the_free_energy_sums_over_all_hidden_states():
    """exp(-F(v)) = Σ_h exp(vᵀWᵀh + bᵀv + aᵀh), enumerated."""
    s = one_layer.LayerSettings(code=4)
    m = one_layer.one_layer("rbm", 6, s, gg.Generator(2), "float64")
    m.decoder[0].bias.assign(np.random.default_rng(1).standard_normal(6))
    w, a, b = (t.numpy() for t in (m.encoder[0].weight, m.encoder[0].bias, m.decoder[0].bias))
    every = np.array(list(np.ndindex(2, 2, 2, 2)), float)
    want = -np.log(np.exp(X @ w.T @ every.T + (X @ b)[:, None] + every @ a).sum(axis=1))
    assert np.allclose(m.free_energy(gg.Tensor(X)).numpy(), want, rtol=1e-12)


@pytest.mark.parametrize("changes", [{}, {"fine": "reconstruction"}, {"layer": "masking"}], ids=str)
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = RECIPE.check(np.random.default_rng(0), **changes)
    assert gg.gradcheck(f, *arrays, order=2, directions=4, tolerance=1e-5).error < 1e-6


def test_few_labels_are_spread_over_the_classes():
    split = load("digits").train
    assert np.bincount(split.y[few(split, 100)]).tolist() == [10] * 10
    assert len(few(split, 0)) == len(split)
    m, _ = small(labels=3)
    data = DataSet("small", Split(X, Y))
    seen = [tuple(b.x[:, 0]) for b in m.batches(data, 2, 0, 8, 0)]
    assert len(seen) == 6 and set(sum(seen, ())) == set(X[:3, 0])
    assert [tuple(b.x[:, 0]) for b in m.batches(data, 2, 0, 8, 4)] == seen[4:]  # a resumed epoch


def test_greedy_layers_help_three_sigmoid_layers():
    """Equal fine-tuning, equal rates: from pre-trained layers it gets much further."""
    short = {"head": 1, "hidden": (64, 64, 64), "fine_lr": 3e-3}
    greedy = training.train(RECIPE, overrides={**short, "pretrain": 6, "epochs": 18 + 9})
    none = training.train(RECIPE, overrides={**short, "layer": "random", "epochs": 9})
    assert greedy.test_figures["error"] < none.test_figures["error"] - 5
    assert greedy.history[-1]["loss"] < 0.8 * none.history[-1]["loss"]
    figures = RECIPE.figures(greedy.system, greedy.data, greedy.settings)
    assert set(figures) == {
        "activations", "codes-1", "codes-2", "codes-3", "filters", "filters-greedy",
            "reconstructions",
    }  # fmt: skip


def test_bad_settings_are_refused():
    with pytest.raises(SettingError, match=r"'layer' must be 'random', .* or 'rbm'"):
        small(layer="dense")
    with pytest.raises(SettingError, match="'fine' must be 'classes' or 'reconstruction'"):
        small(fine="none")
    with pytest.raises(SettingError, match="'hidden' must be a list of at least one"):
        small(hidden=())
    with pytest.raises(SettingError, match="has no class labels"):
        s = RECIPE.resolve("digits")
        stacked.build(DataSet("x", Split(X)), s, gg.Generator(0))
    with pytest.raises(SettingError, match="'p0' has no effect with layer=plain"):
        RECIPE.resolve("digits", {"p0": 0.1})
    for step_1 in ({"lr": 0.5}, {"pretrain": 3}):
        with pytest.raises(SettingError, match=r"'\w+' has no effect with layer=random"):
            RECIPE.resolve("digits", {"layer": "random", **step_1})
        RECIPE.resolve("digits", step_1)


def test_the_registry_knows_it():
    assert models.recipe("stacked-autoencoder") is RECIPE and isinstance(small()[0].head, nn.Linear)
