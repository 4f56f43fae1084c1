"""Sparse coding and PSD: optimal codes, monotone descent, scikit-learn, codes in one shot."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import load
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.sparse import patches, psd, sparse_coding
from glassgrad.models.sparse.codes import energy, fista, shrink
from glassgrad.models.sparse.sparse_coding import update_dictionary


def problem(n=20, size=12, atoms=18, seed=0):
    draw = np.random.default_rng(seed)
    d = draw.normal(size=(atoms, size))
    return draw.normal(size=(n, size)), d / np.linalg.norm(d, axis=1, keepdims=True)


def value(x, z, d, lam):
    """F of each row, written out."""
    return ((x - z @ d) ** 2).sum(axis=1) + lam * np.abs(z).sum(axis=1)


def test_fista_meets_the_conditions_of_the_optimum():
    """2 (zD - x)·d_j = -λ sign(z_j) where z_j ≠ 0, and at most λ in magnitude elsewhere."""
    x, d = problem()
    z = fista(x, d, 0.8, np.zeros((20, 18)), 3000)
    slope = 2 * (z @ d - x) @ d.T
    on = z != 0
    assert 0.1 < on.mean() < 0.7
    assert np.allclose(slope[on], -0.8 * np.sign(z[on]), atol=1e-6)
    assert (np.abs(slope[~on]) <= 0.8 + 1e-6).all()


def test_fista_is_scikit_learns_lasso():
    from sklearn.decomposition import sparse_encode

    x, d = problem()
    want = sparse_encode(x, d, algorithm="lasso_cd", alpha=0.4, max_iter=10_000)  # ½ there: λ/2
    got = fista(x, d, 0.8, np.zeros((20, 18)), 3000)
    assert np.allclose(value(x, got, d, 0.8), value(x, want, d, 0.8), rtol=1e-6)


def test_no_step_of_fista_raises_any_row():
    x, d = problem()
    z, before = np.random.default_rng(1).normal(size=(20, 18)) * 3, np.inf
    for _ in range(30):
        after = value(x, z, d, 0.8)
        assert (after <= before + 1e-12).all()
        z, before = fista(x, d, 0.8, z, 1), after


def test_fista_with_a_pull_to_a_centre_is_fista_on_the_stacked_problem():
    """‖x - zD‖² + ‖c - z‖² is ‖(x, c) - z (D, I)‖²."""
    x, d = problem()
    c, zero = np.random.default_rng(2).normal(size=(20, 18)), np.zeros((20, 18))
    got = fista(x, d, 0.5, zero, 500, 1.0, c)
    want = fista(np.hstack([x, c]), np.hstack([d, np.eye(18)]), 0.5, zero, 500)
    assert np.allclose(got, want, atol=1e-8)


def test_shrink_is_the_proximal_step():
    a, grid = np.linspace(-2, 2, 9), np.linspace(-3, 3, 60_001)
    best = [grid[np.argmin(0.5 * (grid - v) ** 2 + 0.7 * np.abs(grid))] for v in a]
    assert np.allclose(shrink(a, 0.7), best, atol=1e-4)


def test_the_new_dictionary_is_of_unit_norm_and_no_rotation_improves_them():
    x, d = problem(200)
    z = fista(x, d, 0.8, np.zeros((200, 18)), 50)
    new = update_dictionary(d, z, x, 300)
    assert np.allclose(np.linalg.norm(new, axis=1), 1)
    best = ((x - z @ new) ** 2).sum()
    assert best < ((x - z @ d) ** 2).sum()
    draw = np.random.default_rng(3)
    for _ in range(50):  # small moves on the product of spheres
        other = new + 1e-3 * draw.normal(size=new.shape)
        other /= np.linalg.norm(other, axis=1, keepdims=True)
        assert ((x - z @ other) ** 2).sum() > best


def test_an_atom_without_codes_stays():
    x, d = problem()
    z = fista(x, d, 0.8, np.zeros((20, 18)), 50)
    z[:, 4] = 0
    assert np.array_equal(update_dictionary(d, z, x, 1)[4], d[4])


def test_the_yardstick_is_the_objective_of_scikit_learns_dictionary():
    from sklearn.decomposition import DictionaryLearning

    x, _ = problem(60)
    peer = DictionaryLearning(
        8, alpha=0.4, max_iter=30, fit_algorithm="cd", tol=1e-8, random_state=5
    ).fit(x)
    codes = fista(x, peer.components_, 0.8, np.zeros((60, 8)), 3000)
    assert np.linalg.norm(peer.components_, axis=1).max() < 1 + 1e-9
    got = sparse_coding.sklearn_objective(x, 8, 0.8, 30, 5)  # its codes are a step older
    assert got == pytest.approx(value(x, codes, peer.components_, 0.8).mean(), rel=5e-3)


def test_the_objective_falls_monotonically_and_meets_scikit_learns():
    """The recipe's target: the same patches, as many atoms, as many rounds; within 2 %."""
    recipe = models.recipe("sparse-coding")
    target = recipe.targets[0]
    done = training.train(recipe, target.data, overrides=target.settings)
    falls = [row["objective"] for row in done.history]
    assert len(falls) == 40 and all(b <= a * (1 + 1e-12) for a, b in pairwise(falls))
    assert target.bound == 0.02 and abs(done.test_figures[target.metric]) < 0.02
    x, m = done.data.train.x.reshape(500, 64).astype(float), done.system
    z, d, lam = m.codes.numpy(), m.atoms.numpy(), done.settings.lam
    assert falls[-1] == pytest.approx(value(x, z, d, lam).mean(), rel=1e-9)
    theirs = sparse_coding.sklearn_objective(x, 60, lam, 1, 0)  # one round is not enough
    assert falls[-1] < 0.98 * theirs
    assert 0.02 < done.history[-1]["active"] < 0.25


def coherence(atoms):
    """(λ₁ - λ₂)/(λ₁ + λ₂) of each atom's structure tensor: 1 where it varies in one direction."""
    gy, gx = np.gradient(atoms.reshape(-1, 8, 8), axis=(1, 2))
    a, b, c = ((p * q).sum(axis=(1, 2)) for p, q in ((gx, gx), (gx, gy), (gy, gy)))
    return np.hypot(a - c, 2 * b) / (a + c)


@pytest.mark.slow
def test_the_basis_of_a_photograph_is_edges_at_a_place_and_of_a_direction():
    done = training.train(models.recipe("sparse-coding"), overrides={"epochs": 8})
    atoms = done.system.atoms.numpy()
    noise = np.random.default_rng(0).standard_normal(atoms.shape)
    assert np.median(coherence(noise)) < 0.3 and np.median(coherence(atoms)) > 0.5
    squares = np.sort((atoms**2 / (atoms**2).sum(axis=1, keepdims=True)), axis=1)[:, -16:]
    assert np.median(squares.sum(axis=1)) > 0.75  # of its square in a quarter of its pixels
    x = done.data.train.x.reshape(-1, 64)
    strength = np.linalg.eigvalsh(x.T @ x / len(x))
    raw = models.recipe("sparse-coding").prepare(
        load("flower"), replace(done.settings, contrast=0.0, whiten=0.0)
    )
    x = raw.train.x.reshape(-1, 64)
    before = np.linalg.eigvalsh(x.T @ x / len(x))
    assert strength[-1] / np.median(strength) < 0.1 * before[-1] / np.median(before)
    drawn = models.recipe("sparse-coding").figures(done.system, done.data, done.settings)
    assert set(drawn) == {"atoms", "parts"}


def test_whitened_rows_have_no_correlations_and_like_contrast_one_length():
    x = np.random.default_rng(0).standard_normal((500, 6)) @ np.diag([1, 2, 3, 4, 5, 6.0])
    y = x @ patches.whitening(x, 0.0)
    assert np.allclose(y.T @ y / 500, np.eye(6))
    c = x.T @ x / 500
    some = patches.whitening(x, 0.5)
    assert np.allclose(np.linalg.inv(some @ some), c + 0.5 * np.trace(c) / 6 * np.eye(6))
    assert np.allclose(some, some.T)
    same = patches.like_contrast(x, 1e-9)
    assert np.allclose((same**2).mean(axis=1), 1)
    half = patches.like_contrast(x, np.sqrt((x[0] ** 2).mean()))
    assert np.allclose(half[0], x[0] / np.sqrt(2 * (x[0] ** 2).mean()))


@pytest.mark.parametrize("name", ["sparse-coding", "psd", "sparse-coding-autoencoder"])
def test_objectives_pass_the_gradient_check(name):
    f, arrays = models.recipe(name).check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=3).error < 1e-6


@pytest.mark.parametrize("encoder", ["sigmoid", "tanh", "shrink"])
def test_the_predictive_energy_is_the_equation(encoder):
    x = np.random.default_rng(0).standard_normal((3, 4))
    s = psd.Settings(atoms=5, encoder=encoder)
    m = psd.PSD(x, s, gg.Generator(1), dtype="float64")
    for p in m.parameters():
        p.assign(np.random.default_rng(4).standard_normal(p.shape))
    z, w, d = np.random.default_rng(1).standard_normal((3, 5)), m.weight.numpy(), m.atoms.numpy()
    if encoder == "sigmoid":
        f = 1 / (1 + np.exp(-x @ w.T))
    else:
        a, g = x @ w.T + m.bias.numpy(), m.gain.numpy()
        f = g * np.tanh(a) if encoder == "tanh" else shrink(a, np.abs(g))
    want = value(x, z, d, s.lam) + ((f - z) ** 2).sum(axis=1)
    assert np.allclose(m.losses(gg.Tensor(x), z).numpy(), want, rtol=1e-12)
    assert np.allclose(energy(*map(gg.Tensor, (x, z, d)), 0.1).numpy(), value(x, z, d, 0.1))


def test_the_objective_of_psd_is_taken_at_the_best_codes():
    x = np.random.default_rng(0).standard_normal((3, 4))
    m = psd.PSD(x, psd.Settings(atoms=5, steps=300), gg.Generator(1), dtype="float64")
    at_best = m.objective(Batch(x)).item()
    draw = np.random.default_rng(5)
    for _ in range(20):
        assert m.losses(gg.Tensor(x), draw.standard_normal((3, 5)) * 0.3).mean().item() > at_best


def test_one_shot_codes_come_within_a_fifth_of_exact_ones():
    sets = {"encoder": "shrink", "scale": 1.0, "lam": 2.0, "epochs": 12, "samples": 4000}
    done = training.train(models.recipe("psd"), "china", overrides=sets)
    assert 0 < done.test_figures["excess"] < 0.2
    norms = np.linalg.norm(done.system.atoms.numpy(), axis=1)
    assert np.allclose(norms, 1, atol=1e-5)
    assert set(psd.figures(done.system, done.data, done.settings)) == {
        "codes",
        "atoms",
        "reconstructions",
    }


def test_codes_without_bias_or_sign_are_a_half_on_average_where_x_is_as_likely_as_minus_x():
    x = np.random.default_rng(0).standard_normal((50, 4))
    m = psd.PSD(x, psd.Settings(atoms=5), gg.Generator(1), dtype="float64")
    m.weight.assign(np.random.default_rng(1).standard_normal((5, 4)) * 9)
    z = m.guess(gg.Tensor(np.concatenate([x, -x]))).numpy()
    assert np.allclose(z.mean(axis=0), 0.5, atol=1e-12) and z.std() > 0.3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["psd", "sparse-coding-autoencoder"])
def test_the_lectures_encoder_fails_on_centred_patches_and_shrink_mends_it(name):
    """Codes that are all 0 have F = ‖x‖²; the penalty of the lecture's alone is λK/2 = 100."""
    recipe = models.recipe(name)
    lectures = training.train(recipe, "china", overrides={"samples": 2000, "epochs": 5})
    mended = training.train(recipe, "china", overrides={"epochs": 12, "encoder": "shrink"})
    x = lectures.data.test.x.reshape(-1, 64)
    zero = (x**2).sum(axis=1).mean()
    assert lectures.test_figures["one_shot"] > 100 > 1.5 * zero
    assert mended.test_figures["one_shot"] < 0.75 * zero


def test_settings_without_effect_are_refused():
    with pytest.raises(SettingError, match="no effect in alternating optimisation"):
        models.recipe("sparse-coding").resolve(None, {"lr": 0.1})
    with pytest.raises(SettingError, match="'steps' has no effect with codes=encoder"):
        models.recipe("psd").resolve(None, {"codes": "encoder", "steps": 5})
    assert models.recipe("psd").resolve(None, {"steps": 5}).steps == 5
    with pytest.raises(SettingError, match="did you mean 'shrink'"):
        training.train(models.recipe("psd"), overrides={"encoder": "shrnk", "epochs": 0})
