"""The restricted Boltzmann machine against enumeration, its own formulas, and its training."""

from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import load
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.common.free_energy import free_energy
from glassgrad.models.energy import ais, rbm, units
from tests.tools import assert_close

RECIPE = models.recipe("rbm")
N, M = 6, 4


def small(dtype="float64", scale=1.0, **changes):
    s = RECIPE.settings(hidden=M, chains=50, **changes)
    m = rbm.RBM(np.full(N, 0.4), 10, s, gg.Generator(1), dtype)
    rng = np.random.default_rng(0)
    for p in m.parameters():
        p.assign((scale * rng.standard_normal(p.shape)).astype(dtype))
    return m


def joint(m):
    """All v [64, 6], all h [16, 4] and P(v, h) [64, 16], from the lecture's formula."""
    v, h = ais.states(N), ais.states(M)
    w, b, a = (p.numpy() for p in (m.w, m.b, m.a))
    e = np.exp(v @ w @ h.T + (v @ b)[:, None] + h @ a)
    return v, h, e / e.sum(), np.log(e.sum())


@pytest.fixture(scope="module")
def trained():
    return training.train(RECIPE, overrides={"epochs": 30, "hidden": 20})


def test_conditionals_and_free_energy_are_those_of_the_joint():
    m = small()
    v, h, p, log_z = joint(m)
    pv = p.sum(axis=1)
    assert np.allclose(m.hidden(v), (p / pv[:, None]) @ h, rtol=1e-9)
    assert np.allclose(m.visible(h), (p / p.sum(axis=0)).T @ v, rtol=1e-9)
    assert np.allclose(-m.free(v)[0] - log_z, np.log(pv), rtol=1e-9)
    tensors = free_energy(gg.Tensor(v), m.w, m.b, m.a)
    assert np.allclose(tensors.numpy(), m.free(v)[0], rtol=1e-9)


def test_the_exact_statistics_are_the_gradient_of_the_likelihood():
    """With all states as model samples, each as often as P says, the rule is the true gradient."""
    m = small(centred=False)
    v, _, p, _ = joint(m)
    data = v[[3, 17, 40, 41, 60]]
    pv = p.sum(axis=1)
    # weights of the model's samples: pick the mean by hand, as the rule takes plain means
    w, b, a = (gg.Tensor(q.numpy().copy(), requires_grad=True) for q in (m.w, m.b, m.a))
    f = free_energy(gg.Tensor(v), w, b, a)
    log_z = gg.log(gg.exp(-f).sum())
    nll = free_energy(gg.Tensor(data), w, b, a).mean() + log_z
    want = [g.numpy() for g in gg.grad(nll, [w, b, a])]
    h, k = m.hidden(data), m.hidden(v)
    dw = (v * pv[:, None]).T @ k - data.T @ h / len(data)
    db, da = pv @ v - data.mean(axis=0), pv @ k - h.mean(axis=0)
    for got, wanted in zip((dw, db, da), want):
        assert_close(got, wanted, rtol=1e-9)
    counts = np.round(pv * 200_000).astype(int)  # the rule itself, on a sample of that size
    many = np.repeat(v, counts, axis=0)
    for got, wanted in zip(units.descent(data, h, many, m.hidden(many)), want):
        assert np.abs(got - wanted).max() < 1e-3


def test_the_rule_is_the_gradient_of_the_objective():
    m = small(centred=False)
    rng = np.random.default_rng(1)
    v = (rng.random((8, N)) < 0.5).astype(float)
    m.learn(v)
    fantasy = gg.Tensor(m.fantasy.numpy().copy())
    gap = (
        free_energy(gg.Tensor(v), m.w, m.b, m.a).mean() - free_energy(fantasy, m.w, m.b, m.a).mean()
    )
    for p, g in zip((m.w, m.b, m.a), gg.grad(gap, [m.w, m.b, m.a])):
        assert_close(p.grad.numpy(), g.numpy(), rtol=1e-9)


def test_centring_is_the_gradient_in_centred_coordinates():
    """E = -(v-μ)ᵀW(h-λ) - (v-μ)ᵀb' - (h-λ)ᵀa' has b = b' - Wλ, a = a' - Wᵀμ: a step by the
    gradient of W, b', a' changes b by db' - dW λ and a by da' - dWᵀ μ, all to first order."""
    rng = np.random.default_rng(2)
    v, f = ((rng.random((7, N)) < 0.5).astype(float) for _ in range(2))
    h, k = rng.random((7, M)), rng.random((7, M))
    mu, lam = rng.random(N), rng.random(M)
    dw, db, da = units.descent(v, h, f, k, (mu, lam))
    want = (f - mu)[:, :, None] * (k - lam)[:, None] - (v - mu)[:, :, None] * (h - lam)[:, None]
    assert np.allclose(dw, want.mean(axis=0))
    assert np.allclose(db, f.mean(axis=0) - v.mean(axis=0) - want.mean(axis=0) @ lam)
    assert np.allclose(da, k.mean(axis=0) - h.mean(axis=0) - mu @ want.mean(axis=0))
    plain = units.descent(v, h, f, k)
    assert np.allclose(plain[0], (f.T @ k - v.T @ h) / 7)
    still = units.descent(v, h, v, h, (mu, lam))
    assert all(np.abs(g).max() < 1e-15 for g in still)


def test_gibbs_chains_have_the_models_distribution():
    m = small(scale=0.7)
    _, _, p, _ = joint(m)
    chain = m.gibbs(np.zeros((20_000, N)), 30, gg.Generator(5))
    seen = np.bincount((chain @ 2 ** np.arange(N)).astype(int), minlength=64) / 20_000
    want = p.sum(axis=1)
    assert ((seen - want) ** 2 / want).sum() * 20_000 < 120  # χ² of 63 degrees: 5 σ is 119


@pytest.mark.parametrize("rule", ["cd", "pcd"])
def test_contrastive_divergence_starts_at_the_data_and_chains_go_on(rule):
    m = small(rule=rule, steps=1)
    assert m.fantasy.shape == ((0 if rule == "cd" else 50), N)
    before = m.fantasy.numpy().copy()
    for p in m.parameters():
        p.assign(np.zeros(p.shape))
    m.b.assign(np.full(N, 40.0))  # every unit is on after a step
    got = m.negative(np.zeros((3, N)))
    assert (got == 1).all() and len(got) == (3 if rule == "cd" else 50)
    if rule == "pcd":
        assert (m.fantasy.numpy() == 1).all() and not (before == 1).all()


def test_the_objective_passes_the_gradient_check():
    f, arrays = RECIPE.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=3).error < 1e-6


def test_training_reaches_a_likelihood_far_above_independent_pixels(trained):
    """By enumeration of 2^20 hidden states, and AIS within half a nat of it."""
    found = trained.test_figures
    assert found["ais_error"] < 0.5 and found["log_z_spread"] < 0.3
    mean = np.clip(load("digits").train.x.reshape(-1, 64).mean(axis=0), 1e-3, 1 - 1e-3)
    x = trained.data.test.x.reshape(-1, 64)
    alone = (x * np.log(mean) + (1 - x) * np.log(1 - mean)).sum(axis=1).mean()
    assert found["log_likelihood"] > alone + 2.5
    assert found["log_likelihood"] == pytest.approx(-found["free_energy"] - found["log_z"])
    assert "valid_log_z" not in trained.history[0] and "valid_log_z" in trained.history[-1]


def test_contrastive_divergence_learns_too_and_pcd_is_better(trained):
    cd = training.train(RECIPE, overrides={"epochs": 30, "hidden": 20, "rule": "cd"})
    assert -32 < cd.test_figures["log_likelihood"] < trained.test_figures["log_likelihood"]


def test_figures_are_drawn(trained):
    made = RECIPE.figures(trained.system, trained.data, trained.settings)
    assert set(made) == {"free_energies", "filters", "samples", "chains", "reconstructions"}
    assert RECIPE.sample(trained.system, trained.data, 3, gg.Generator(0)).axes
    assert trained.system.codes(trained.data.test.x[:3]).shape == (3, 20)


def test_ais_runs_in_the_epochs_asked_for():
    r = training.train(RECIPE, overrides={"epochs": 5, "ais_every": 2, "temperatures": 10})
    assert ["valid_log_z" in row for row in r.history] == [False, True, False, True, True]


def test_settings_are_checked():
    for key, value in (("rule", "pcdd"), ("binarise", "gray")):
        with pytest.raises(SettingError, match=f"'{key}' must be '"):
            small(**{key: value})
    with pytest.raises(SettingError, match="'chains' has no effect with rule=cd"):
        RECIPE.resolve("digits", {"rule": "cd", "chains": 7})
    with pytest.raises(SettingError, match="'steps' must be at least 1"):
        RECIPE.resolve("digits", {"steps": 0})


def test_batches_are_drawn_each_time_and_validation_is_fixed():
    s = RECIPE.resolve("digits")
    data = rbm.prepare(load("digits"), s)
    m = rbm.build(data, s, gg.Generator(0))
    a, b = (next(m.batches(data, 50, 1, 0, 0)).x for _ in range(2))
    assert a.shape == (50, 64) and set(np.unique(a)) == {0.0, 1.0} and (a != b).any()
    assert set(np.unique(data.test.x)) == {0.0, 1.0}
    grey = rbm.prepare(load("digits"), replace(s, binarise="grey"))
    assert len(np.unique(grey.train.x)) > 2
    assert isinstance(next(m.batches(data, 50, 1, 0, 2)), Batch)


def test_the_best_epoch_may_be_chosen_by_the_likelihood():
    done = training.train(RECIPE, overrides={"epochs": 2, "select": "+log_likelihood"})
    assert all("valid_log_likelihood" in row for row in done.history)
