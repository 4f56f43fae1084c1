"""What games claim: samples that are nearer to the data than those of a normal fitted to them."""

from functools import lru_cache

import numpy as np

import glassgrad as gg
from glassgrad.models.adversarial import dcgan_judging

from .baselines import untrained
from .claims import Done, claims


@lru_cache(maxsize=1)
def of_a_normal(done: Done) -> dict[str, float]:
    """The judges' figures of samples of a normal fitted to the training set; pixels in [0, 1]."""
    x, n = done.seen.astype(np.float64), done.settings.samples
    spread = np.linalg.cholesky(np.cov(x.T) + 1e-9 * np.eye(x.shape[1]))
    made = x.mean(axis=0) + gg.Generator(0).normal((n, x.shape[1]), "float64") @ spread.T
    made = made.clip(0, 1) if done.system.bounded else made
    return done.system.figures_of(made.astype(np.float32), done.held)


def neighbours_of_a_normal(done) -> float:
    """How well a nearest neighbour tells samples of a fitted normal from data, 1 at most."""
    return of_a_normal(done)["neighbours"]


def missing_entropy(done) -> float:
    """ln K less the entropy of the classes in the samples, nats."""
    return np.log(1 + int(done.held.y.max())) - done.test_figures["entropy"]


def one_class(done) -> float:
    """The same if all samples are of one class, as those of an untrained generator."""
    return float(np.log(1 + int(done.held.y.max())))


def doubt(done) -> float:
    """How far the classifier's confidence is below that on real images, as a share of it."""
    return 1 - done.test_figures["confidence"]


def doubt_about_a_normal(done) -> float:
    """The same of samples of a fitted normal."""
    return 1 - of_a_normal(done)["confidence"]


def missing_modes(done) -> float:
    """The number of modes without samples."""
    return len(done.data.info.extra["centres"]) - done.test_figures["modes"]


def all_modes(done) -> float:
    """The number of modes: an untrained generator reaches none, nor does a fitted normal."""
    assert of_a_normal(done)["modes"] == 0
    return float(len(done.data.info.extra["centres"]))


def astray(done) -> float:
    """The share of samples that are near no mode."""
    return 1 - done.test_figures["quality"]


def normal_astray(done) -> float:
    """The share of samples of a fitted normal that are near no mode."""
    return 1 - of_a_normal(done)["quality"]


def labels_alone(done) -> float:
    """The error of the same net from the labels alone, in per cent."""
    return done.test_figures["error_plain"]


def normal_patches(done) -> float:
    """The distance of samples of a normal distribution with the training set's covariance."""
    x = done.held.x
    return float(
        np.mean(dcgan_judging.swd(x, dcgan_judging.normal_like(done.data.train.x, len(x))))
    )


CLAIMS = (
    *claims("gan", "digits", "neighbours", (untrained("neighbours"), (0.895, 0.917, 0.915), 0.959)),
    *claims("gan", "digits", missing_entropy, (one_class, (0.023, 0.009, 0.022), 0.037)),
    *claims("gan", "digits", doubt, (doubt_about_a_normal, (0.481, 0.531, 0.496), 0.61)),
    *claims("gan-product", "digits", missing_entropy, (one_class, (0.260, 0.321, 0.268), 0.39)),
    *claims("gan-product", "digits", doubt, (doubt_about_a_normal, (0.367, 0.445, 0.951), 0.976)),
    *claims("gan-ring", "ring", missing_modes, (all_modes, (0.000, 0.000, 0.000), 0.1)),
    *claims("gan-ring", "ring", astray, (normal_astray, (0.202, 0.172, 0.287), 0.38)),
    *claims(
        "gan-ring", "ring", "neighbours", (neighbours_of_a_normal, (0.842, 0.843, 0.864), 0.932)
    ),
    *claims(
        "gan-line",
        "normal",
        "histogram_distance",
        (untrained("histogram_distance"), (0.110, 0.198, 0.204), 0.3),
    ),
    *claims("wgan", "ring", missing_modes, (all_modes, (0.000, 0.125, 0.125), 0.21)),
    *claims("wgan", "ring", astray, (normal_astray, (0.688, 0.755, 0.710), 0.86)),
    *claims("wgan", "ring", "neighbours", (neighbours_of_a_normal, (0.915, 0.917, 0.912), 0.959)),
    *claims("gmmn", "digits", missing_entropy, (one_class, (0.003, 0.012, 0.015), 0.024)),
    *claims("gmmn", "digits", doubt, (doubt_about_a_normal, (0.425, 0.454, 0.475), 0.54)),
    *claims("dcgan", "photographs", "swd", (normal_patches, (0.702, 0.873, 0.667), 0.937)),
    *claims("feature-matching", "digits", "error", (labels_alone, (0.529, 0.656, 0.460), 0.82)),
)
