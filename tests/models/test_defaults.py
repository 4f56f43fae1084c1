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
from glassgrad.models.sparse.codes import energy, fista


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


def random_atoms(done) -> float:
    """F of optimal codes, by FISTA, of atoms in random directions."""
    x, lam = held_rows(done), done.settings.lam
    d = gg.Generator(0).normal((done.settings.atoms, x.shape[1]), "float64").astype(np.float32)
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    z = fista(x, d, lam, np.zeros((len(x), len(d)), np.float32), done.settings.encode_steps)
    return energy(*map(gg.Tensor, (x, z, d)), lam).mean().item()


def untrained_atoms(done, steps=None) -> float:
    """F of optimal codes, by FISTA, of the atoms that training starts from: random samples."""
    x, rng = held_rows(done), gg.Generator(done.settings.seed)
    first = done.data.train.x.reshape(len(done.data.train), -1)
    start = type(done.system)(first, done.settings, rng).atoms.numpy()
    steps, z = steps or done.settings.encode_steps, np.zeros((len(x), len(start)), np.float32)
    z = fista(x, start, done.settings.lam, z, steps)
    return energy(*map(gg.Tensor, (x, z, start)), done.settings.lam).mean().item()


def one_step_of_untrained_atoms(done) -> float:
    """F of the codes of those atoms after one step of FISTA, as cheap as an encoder."""
    return untrained_atoms(done, 1)


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


def claims(recipe: str, data: str, metric: str, *against) -> list[Default]:
    """A claim for each (baseline, ratios, bound)."""
    return [Default(recipe, data, metric, *one) for one in against]


def chance(done) -> float:
    """Twice the spread of a correlation of ranks between things that are independent."""
    return 2 / np.sqrt(done.test_figures["pairs"] - 1)


def vectors_of_zeros(done) -> float:
    """The loss of a pair with its negatives where every product is 0."""
    return (1 + done.settings.negatives) * np.log(2)


def words_all_alike(done) -> float:
    """The loss of a pair where every word is as likely as any other."""
    return np.log(len(done.system.vocabulary))


DEFAULTS = (
    *claims("wtm", "digits", "q", (random_samples, (0.561, 0.661, 0.628), 0.75)),
    *claims("wtm", "digits", "dead", (all_units, (0.0, 0.0, 0.0), 0.1)),
    *claims("wtm", "iris", "q", (random_samples, (0.368, 0.391, 0.383), 0.45)),
    *claims("wtm", "iris", "dead", (all_units, (0.0, 0.0, 0.0), 0.0)),
    *claims("wtm", "house_votes_84", "q", (random_samples, (0.436, 0.437, 0.438), 0.48)),
    *claims("wtm", "house_votes_84", "dead", (all_units, (0.0, 0.0, 0.0), 0.0)),
    *claims(
        "sparse-coding-autoencoder",
        "digits",
        "one_shot",
        (zero_codes, (0.327, 0.328, 0.328), 0.36),
        (random_atoms, (0.418, 0.419, 0.419), 0.46),
        (one_step_of_untrained_atoms, (0.707, 0.700, 0.711), 0.78),
    ),
    *claims(
        "psd",
        "digits",
        "one_shot",
        (zero_codes, (0.315, 0.318, 0.316), 0.36),
        (random_atoms, (0.402, 0.406, 0.404), 0.46),
        (one_step_of_untrained_atoms, (0.681, 0.679, 0.685), 0.75),
    ),
    *claims("psd", "digits", "fista", (untrained_atoms, (0.970, 0.969, 0.971), 0.985)),
    *claims(
        "denoising-autoencoder-static",
        "digits",
        "denoising_error",
        (noisy_images, (0.230, 0.227, 0.234), 0.27),
        (mean_image, (0.284, 0.285, 0.288), 0.33),
        (twin_without_noise, (0.798, 0.810, 0.792), 0.88),
    ),
    *claims("word2vec", "enwiki_piece", "loss", (words_all_alike, (0.769, 0.766, 0.765), 0.8)),
    *claims(
        "word2vec-negative",
        "enwiki_piece",
        "loss",
        (vectors_of_zeros, (0.509, 0.509, 0.509), 0.55),
    ),
    *claims("word2vec-library", "enwiki_piece", "rho", (chance, (0.641, 0.584, 0.607), 0.7)),
    *claims("made", "binary_mushrooms", "nll", (independent_bits, (0.288, 0.289, 0.288), 0.3)),
)


@lru_cache(maxsize=3)
def trained(recipe: str, name: str, seed: int):
    """The recipe with its shipped settings and that seed."""
    return training.train(models.recipe(recipe), name, overrides={"seed": seed})


def measured(claim: Default, seed: int) -> tuple[float, float, float]:
    """(ratio, figure, baseline) of a training with that seed."""
    done = trained(claim.recipe, claim.data, seed)
    figure, baseline = done.test_figures[claim.metric], claim.baseline(done)
    return figure / baseline if claim.better == "lower" else baseline / figure, figure, baseline


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("claim", DEFAULTS, ids=str)
def test_the_default_beats_its_baseline(claim):
    if not data.available(claim.data):
        pytest.skip(f"{claim.data} is not here")
    assert measured(claim, claim.seed)[0] <= claim.bound


@pytest.mark.parametrize("claim", DEFAULTS, ids=str)
def test_a_claim_is_a_claim(claim):
    """The bound excludes the baseline, and lies above all three seeds but not far above."""
    assert max(claim.ratios) <= claim.bound < 1
    assert claim.bound <= 1.15 * max(claim.ratios) + 0.1 and 0 <= claim.seed <= 2
    recipe = models.recipe(claim.recipe)
    assert claim.data in recipe.presets or claim.data == recipe.data


if __name__ == "__main__":  # for the table: python -m tests.models.test_defaults [RECIPE ...]
    import sys

    for row in DEFAULTS:
        if not sys.argv[1:] or row.recipe in sys.argv[1:]:
            found = [measured(row, seed) for seed in range(3)]
            print(row, *(f"{r:.3f} = {a:.4g} / {b:.4g}" for r, a, b in found), sep="   ")
