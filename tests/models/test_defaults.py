"""The shipped defaults do what their pages say: each beats a trivial baseline, by a stated factor.

One row of `DEFAULTS` is one claim. The settings are those that ship, only the seed is the test's.
`ratios` are those of seeds 0, 1 and 2, figure over baseline, as measured when the bound was set; a
test trains one seed and computes figure and baseline again. Where a larger figure is better the
ratio is baseline over figure, so that every ratio has to stay below its bound, and no bound reaches
1: at 1 the default is no better than the baseline.

A system that is trained for one row is kept for the next rows of the same recipe and data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core import data
from glassgrad.models.autoencoders import denoising, twins
from glassgrad.models.competitive import centres
from glassgrad.models.sparse.codes import energy


@dataclass(frozen=True)
class Default:
    """One claim about the shipped settings of a recipe on a data set."""

    recipe: str
    data: str
    metric: str  # of the test figures
    baseline: Callable  # Trained -> float, what the metric is compared with
    ratios: tuple[float, float, float]  # metric / baseline with seeds 0, 1, 2
    bound: float  # of that ratio
    seed: int = 0  # of the three, the one that the test trains

    @property
    def better(self) -> str:
        """ "lower" or "higher"."""
        recipe = models.recipe(self.recipe)
        return recipe.better if self.metric == recipe.metric else "lower"

    def __str__(self):
        return f"{self.recipe}-{self.data}-{self.metric}-{self.baseline.__name__}"


# ------------------------------------------------------------------------------- baselines


def held_rows(done) -> np.ndarray:
    """Rows [N, D] of the split that the test figures are for."""
    x = training.held_out(done.data)[1].x
    return x.reshape(len(x), -1)


def random_samples(done) -> float:
    """Q of as many random samples as there are units, the mean of 50 draws."""
    x, n = done.data.train.x, len(done.system.w.numpy())
    draws = [centres.sample_weights(x, n, gg.Generator(0).child(i)) for i in range(50)]
    return float(np.mean([(done.system.winners(held_rows(done), w)[1] ** 2).mean() for w in draws]))


def all_units(done) -> float:
    """The number of units."""
    return float(len(done.system.w.numpy()))


def zero_codes(done) -> float:
    """F of codes that are all 0: the mean of ‖x‖²."""
    return float((held_rows(done) ** 2).sum(axis=1).mean())


def untrained_atoms(done) -> float:
    """F of optimal codes, by FISTA, of atoms as they start: random samples of unit norm."""
    start, x = training.build(models.recipe("psd"), done.data, done.settings), held_rows(done)
    z = gg.Tensor(start.exact(x))
    return energy(gg.Tensor(x), z, start.atoms, done.settings.lam).mean().item()


def noisy_images(done) -> float:
    """‖x̃ - x‖²: the noise is left as it is."""
    return done.test_figures["noise_error"]


def mean_image(done) -> float:
    """‖m - x‖², m the mean of the training set."""
    mean = done.data.train.x.reshape(len(done.data.train), -1).mean(axis=0)
    return float(((held_rows(done) - mean) ** 2).sum(axis=1).mean())


def twin_without_noise(done) -> float:
    """The denoising error of the same net, trained for as many steps without noise."""
    other, name = twins.twin(
        denoising.build, done.system, done.data, done.settings, noise="gaussian", sigma=0.0
    )
    x, noise = held_rows(done), done.system.noise.child("evaluate")
    corrupted = done.system.corrupted(gg.Tensor(x), noise).numpy()
    assert name == "without"  # as many steps
    return float(((other.reconstruct(corrupted) - x) ** 2).sum(axis=1).mean())


def independent_bits(done) -> float:
    """-ln p of independent bits, each with its (smoothed) frequency in the training set, nats."""
    x, n = held_rows(done), len(done.data.train)
    p = (done.data.train.x.reshape(n, -1).sum(axis=0) + 1) / (n + 2)
    return float(-(x * np.log(p) + (1 - x) * np.log1p(-p)).sum(axis=1).mean())


# ------------------------------------------------------------------------------- the claims

DEFAULTS = ()


@lru_cache(maxsize=2)
def trained(recipe: str, name: str, seed: int):
    """The recipe with its shipped settings and that seed."""
    return training.train(models.recipe(recipe), name, overrides={"seed": seed})


def ratio(claim: Default, seed: int) -> float:
    """The figure over the baseline, or the other way round where more is better."""
    done = trained(claim.recipe, claim.data, seed)
    figure, baseline = done.test_figures[claim.metric], claim.baseline(done)
    return figure / baseline if claim.better == "lower" else baseline / figure


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("claim", DEFAULTS, ids=str)
def test_the_default_beats_its_baseline(claim):
    if not data.available(claim.data):
        pytest.skip(f"{claim.data} is not here")
    assert ratio(claim, claim.seed) <= claim.bound


@pytest.mark.parametrize("claim", DEFAULTS, ids=str)
def test_a_claim_is_a_claim(claim):
    """The bound excludes the baseline, and lies above all three seeds but not far above."""
    assert max(claim.ratios) <= claim.bound < 1
    assert claim.bound <= 1.15 * max(claim.ratios) + 0.1 and 0 <= claim.seed <= 2
    recipe = models.recipe(claim.recipe)
    assert claim.data in recipe.presets or claim.data == recipe.data


if __name__ == "__main__":  # the ratios, for the table: python -m tests.models.test_defaults [NAME]
    import sys

    for row in DEFAULTS:
        if not sys.argv[1:] or row.recipe in sys.argv[1:]:
            print(row, ", ".join(f"{ratio(row, s):.3f}" for s in range(3)), flush=True)
