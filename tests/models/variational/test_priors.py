"""Priors: samples against the density that is drawn behind them, walks, and distances."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.training.settings import SettingError
from glassgrad.models.variational import priors
from glassgrad.models.variational.prior_autoencoder import PriorSettings

PRIORS = [priors.Normal(2), priors.Mixture(10), priors.Mixture(3)]


@pytest.mark.parametrize("prior", PRIORS)
def test_samples_have_the_density(prior):
    """χ² of the counts in the cells of a grid against the density summed over each cell."""
    n, edges, fine = 40_000, np.linspace(-4.2, 4.2, 22), 20
    z = prior.sample(n, gg.Generator(1), "float64")
    seen = np.histogram2d(*z.T, bins=(edges, edges))[0]
    axis = np.linspace(-4.2, 4.2, 21 * fine, endpoint=False) + 4.2 / (21 * fine)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    p = (
        priors.density(prior, grid).reshape(21, fine, 21, fine).sum(axis=(1, 3))
        * (8.4 / (21 * fine)) ** 2
    )
    assert p.sum() == pytest.approx(1, abs=2e-3)
    often = n * p > 5
    chi2 = ((seen - n * p)[often] ** 2 / (n * p)[often]).sum()
    assert chi2 < often.sum() + 5 * np.sqrt(2 * often.sum())
    assert seen[~often].sum() < n * p[~often].sum() + 5 * np.sqrt(n * p[~often].sum() + 1)


@pytest.mark.parametrize("prior", [*PRIORS, priors.Normal(5)])
def test_the_expected_squared_distance(prior):
    x, y = (prior.sample(20_000, gg.Generator(i), "float64") for i in (1, 2))
    d = ((x - y) ** 2).sum(axis=1)
    assert abs(d.mean() - prior.squared_distance) < 4 * d.std() / np.sqrt(20_000)


def test_labels_choose_the_petal():
    prior, labels = priors.Mixture(5), np.arange(4000) % 6 - 1
    z = prior.sample(4000, gg.Generator(0), "float64", labels)
    petal = prior.responsibilities(z).argmax(axis=1)
    assert (petal == labels)[labels >= 0].mean() > 0.99
    free = np.bincount(petal[labels < 0], minlength=5)
    assert (np.abs(free - free.sum() / 5) < 5 * np.sqrt(free.sum() / 5)).all()
    assert np.allclose(prior.responsibilities(z).sum(axis=1), 1)


def test_walks_stay_inside():
    normal, petals, wide = priors.Normal(2), priors.Mixture(4), priors.Normal(6)
    rng = gg.Generator(0)
    grid = normal.walk(3, 5, rng)
    assert grid.shape == (15, 2) and np.allclose(grid[7], 0)
    assert grid[0, 0] < 0 < grid[0, 1]  # from the upper left corner on
    out = petals.walk(9, 7, rng)
    assert (petals.responsibilities(out).argmax(axis=1) == np.repeat(np.arange(4), 7)).all()
    ellipse = wide.walk(2000, 4, rng).reshape(2000, 4, 6)
    assert np.allclose(ellipse[:, 0], -ellipse[:, -1])
    assert np.allclose(ellipse.var(axis=0), 1, atol=0.15)  # every step is a draw of the prior


def test_a_mixture_lies_in_the_plane():
    with pytest.raises(SettingError, match="code must be 2; got 3"):
        PriorSettings(prior="mixture", code=3)
    made = priors.make_prior("mixture", 2, 7)
    assert (made.size, made.components) == (2, 7)
