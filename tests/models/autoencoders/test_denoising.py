"""Denoising autoencoders: what noise does, that clean images are the target, that it helps."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import training
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.autoencoders import denoising, twins, two_layers

GAUSSIAN, MASKING, STATIC = denoising.RECIPES
X = np.random.default_rng(0).random((8, 6))


def small(x=X, **changes):
    s = denoising.Settings(**{"code": 3, **changes})
    return denoising.build(DataSet("small", Split(x)), s, gg.Generator(1), dtype="float64")


@pytest.mark.parametrize("noise", ["gaussian", "masking"])
def test_the_corrupted_image_goes_in_and_the_clean_one_is_the_target(noise):
    m = small(noise=noise)
    state = m.noise.state
    got = m.objective(Batch(X)).item()
    assert m.noise.state != state  # other noise next time
    m.noise.state = state
    corrupted = m.corrupted(gg.Tensor(X), m.noise).numpy()
    want = ((m.reconstruct(corrupted) - X) ** 2).sum(axis=1).mean()
    assert got == pytest.approx(want, rel=1e-12)


def test_gaussian_noise_has_its_spread_and_masking_its_share():
    x = gg.Tensor(np.full((400, 50), 0.7))
    d = small(sigma=0.3).corrupted(x, gg.Generator(0)).numpy() - 0.7
    assert abs(d.mean()) < 0.01 and abs(d.std() - 0.3) < 0.01
    y = small(noise="masking", p0=0.4).corrupted(x, gg.Generator(0)).numpy()
    assert set(np.unique(y)) == {0.0, 0.7}  # unlike dropout, nothing is scaled
    assert abs((y == 0).mean() - 0.4) < 0.01
    z = denoising.salt_and_pepper(x.numpy(), 0.4, gg.Generator(0))
    assert abs((z == 0).mean() - 0.2) < 0.01 and abs((z == 1).mean() - 0.2) < 0.01


def test_the_sample_is_enlarged_once():
    m = small(noise="static", copies=2)
    data = DataSet("small", Split(X))
    assert len(m.sample) == 7 * 8 and m.batches_per_epoch(data, 10) == 6
    first, second = (
        sorted(row.tobytes() for b in m.batches(data, 10, 0, epoch, 0) for row in b.x)
        for epoch in (0, 1)
    )
    assert first == second and len(first) == 7 * 8  # the same noise in every epoch
    assert {row.tobytes() for row in X} < set(first)
    for b in m.batches(data, 10, 0, 0, 3):
        assert {row.tobytes() for row in b.y} <= {row.tobytes() for row in X}
        want = ((m.reconstruct(b.x) - b.y) ** 2).sum(axis=1).mean()
        assert m.objective(b).item() == pytest.approx(want, rel=1e-12)
    own = small(noise="static", target="itself")  # every image is its own target
    assert all(np.array_equal(b.x, b.y) for b in own.batches(data, 10, 0, 0, 0))


@pytest.mark.parametrize("recipe", denoising.RECIPES, ids=lambda r: r.name)
def test_the_objective_passes_the_gradient_check(recipe):
    for changes in ({}, {"tied": True, "loss": "cross_entropy"}):
        f, arrays = recipe.check(np.random.default_rng(0), **changes)
        assert gg.gradcheck(f, *arrays, order=2, directions=6).error < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("recipe", denoising.RECIPES, ids=lambda r: r.name)
def test_it_takes_noise_off_better_than_an_autoencoder_that_never_saw_any(recipe):
    changes = {"epochs": 10 if recipe is STATIC else 25}
    done = training.train(recipe, overrides=changes)
    found = done.test_figures
    plain = training.train(two_layers.OVER, overrides={"code": 100, "epochs": 25}).system
    noise = done.system.noise.child("evaluate")
    x = done.data.test.x.reshape(300, -1)
    corrupted = done.system.corrupted(gg.Tensor(x), noise).numpy()
    other = ((plain.reconstruct(corrupted) - x) ** 2).sum(axis=1).mean()
    assert found["denoising_error"] < 0.95 * other
    assert found["denoising_error"] < 0.5 * found["noise_error"]
    figures = recipe.figures(done.system, done.data, done.settings)
    assert set(figures) == {
        "activations",
        "codes",
        "reconstructions",
        "filters",
        "denoising",
        "beside",
    }


@pytest.mark.slow
def test_a_net_whose_noised_images_are_their_own_targets_keeps_the_noise():
    """As its page says: the same net without noise removes more of it."""
    done = training.train(STATIC, overrides={"target": "itself"})
    other, name = twins.twin(
        denoising.build, done.system, done.data, done.settings, noise="gaussian", sigma=0.0
    )
    x = done.data.test.x.reshape(300, -1)
    noise = done.system.noise.child("evaluate")
    corrupted = done.system.corrupted(gg.Tensor(x), noise).numpy()
    plain = ((other.reconstruct(corrupted) - x) ** 2).sum(axis=1).mean()
    assert name == "without" and done.test_figures["denoising_error"] > 1.2 * plain


def test_bad_settings_are_refused():
    for key in ("noise", "target"):
        with pytest.raises(SettingError, match=f"'{key}' must be .* or .*; got 'other'"):
            small(**{key: "other"})
    with pytest.raises(SettingError, match=r"'p0' must be below 1; got 1\.0"):
        MASKING.resolve("digits", {"p0": 1})
    with pytest.raises(SettingError, match="'p0' has no effect with noise=gaussian"):
        GAUSSIAN.resolve("digits", {"p0": 0.1})
