"""What autoencoders with a prior claim: images come back, and codes are where the prior is."""

import math

import numpy as np

import glassgrad as gg

from .baselines import (
    as_many_components,
    error_of_components,
    independent_bits,
    mean_image,
    untrained,
)
from .claims import claims, trained


def noise_of_grey(done) -> float:
    """Σ_j H(x_j): the cross-entropy of grey levels is never below their own entropy, nats."""
    x = done.rows.clip(1e-12, 1 - 1e-7).astype(np.float64)
    return float(-(x * np.log(x) + (1 - x) * np.log1p(-x)).sum(axis=1).mean())


def bound_above_grey(done) -> float:
    """The bound less the entropy of grey levels, which no model can do without."""
    return done.test_figures["bound"] - noise_of_grey(done)


def independent_above_grey(done) -> float:
    """The same of independent bits."""
    return independent_bits(done) - noise_of_grey(done)


def reconstruction(done) -> float:
    """‖x̂ - x‖² of the image decoded from the mean of q(z|x)."""
    mean = done.system.encode(gg.Tensor(done.rows))[0]
    return float(((done.system.decode(mean) - done.rows) ** 2).sum(axis=1).mean())


def as_many_components_as_codes(done) -> float:
    """‖x̂ - x‖² of as many principal components as there are codes."""
    return error_of_components(done, done.settings.latent)


def per_pixel(nats: float, done) -> float:
    """exp(nats / D): the inverse of the geometric mean of the density of a pixel."""
    return math.exp(nats / done.rows.shape[1])


def pixel_perplexity(done) -> float:
    """exp(bound / D): at most the inverse of the geometric mean of the density of a pixel."""
    return per_pixel(done.test_figures["bound"], done)


def normal(x, mean, variance) -> float:
    """-ln p of rows x under independent normals, nats."""
    return float(((x - mean) ** 2 / variance + np.log(2 * np.pi * variance)).sum(axis=1).mean() / 2)


def mean_with_the_same_spread(done) -> float:
    """The same of a normal around the mean image, with the spread of the decoder."""
    variance = np.full(done.rows.shape[1], done.settings.sigma**2)
    return per_pixel(normal(done.rows, done.seen.mean(axis=0), variance), done)


def independent_normals(done) -> float:
    """The same of independent normals, of each pixel's mean and variance; this has the floor."""
    mean, variance = done.seen.mean(axis=0), done.seen.var(axis=0)
    variance = np.maximum(variance, math.exp(done.settings.floor))
    return per_pixel(normal(done.rows, mean, variance), done)


def vae_with_the_same_prior(done) -> float:
    """The distance of the codes of `vae-mixture` from the same prior."""
    return trained("vae-mixture", "digits", done.settings.seed).test_figures["mmd2"]


def petals_at_random(done) -> float:
    """Per cent wrong of petals that are drawn at random, one of as many as classes."""
    return 100 * (1 - 1 / (1 + int(done.held.y.max())))


CLAIMS = (
    *claims(
        "vae", "digits", bound_above_grey, (independent_above_grey, (0.831, 0.825, 0.816), 0.91)
    ),
    *claims(
        "vae",
        "digits",
        reconstruction,
        (mean_image, (0.549, 0.530, 0.528), 0.61),
        (as_many_components_as_codes, (0.771, 0.744, 0.742), 0.86),
    ),
    *claims(
        "vae-gaussian",
        "digits",
        pixel_perplexity,
        (mean_with_the_same_spread, (0.160, 0.164, 0.173), 0.2),
    ),
    *claims(
        "vae-gaussian",
        "digits",
        reconstruction,
        (mean_image, (0.460, 0.467, 0.481), 0.54),
        (as_many_components_as_codes, (0.646, 0.656, 0.676), 0.76),
    ),
    *claims(
        "vae-diagonal",
        "digits",
        pixel_perplexity,
        (independent_normals, (0.778, 0.786, 0.794), 0.88),
    ),
    *claims(
        "vae-diagonal",
        "digits",
        reconstruction,
        (mean_image, (0.558, 0.559, 0.587), 0.66),
        (as_many_components_as_codes, (0.784, 0.785, 0.826), 0.92),
    ),
    *claims("vae-plane", "digits", "squared_error", (mean_image, (0.722, 0.752, 0.557), 0.92)),
    *claims("vae-mixture", "digits", "squared_error", (mean_image, (0.729, 0.754, 0.743), 0.84)),
    *claims("aae", "digits", "mmd2", (untrained("mmd2"), (0.002, -0.002, 0.001), 0.01)),
    *claims(
        "aae",
        "digits",
        "squared_error",
        (mean_image, (0.563, 0.594, 0.544), 0.68),
        (as_many_components, (0.791, 0.835, 0.764), 0.918),
    ),
    *claims(
        "aae-mixture",
        "digits",
        "mmd2",
        (untrained("mmd2"), (0.006, 0.006, 0.008), 0.015),
        (vae_with_the_same_prior, (0.133, 0.102, 0.208), 0.29),
    ),
    *claims(
        "aae-mixture",
        "digits",
        "squared_error",
        (mean_image, (0.582, 0.560, 0.511), 0.67),
        (as_many_components, (0.818, 0.788, 0.719), 0.909),
    ),
    *claims("aae-labels", "digits", "mmd2", (untrained("mmd2"), (0.002, 0.002, 0.006), 0.014)),
    *claims(
        "aae-labels",
        "digits",
        "squared_error",
        (mean_image, (0.523, 0.512, 0.513), 0.58),
        (as_many_components, (0.735, 0.720, 0.721), 0.81),
    ),
    *claims(
        "aae-convolutional", "digits", "mmd2", (untrained("mmd2"), (0.007, 0.005, 0.009), 0.016)
    ),
    *claims(
        "aae-convolutional",
        "digits",
        "squared_error",
        (mean_image, (0.699, 0.636, 0.641), 0.77),
        (as_many_components, (0.982, 0.894, 0.901), 0.991),
    ),
    *claims("wae-mmd", "digits", "mmd2", (untrained("mmd2"), (-0.001, -0.001, 0.002), 0.009)),
    *claims(
        "wae-mmd",
        "digits",
        "squared_error",
        (mean_image, (0.576, 0.548, 0.557), 0.65),
        (as_many_components, (0.809, 0.771, 0.783), 0.9),
    ),
    *claims("wae-gan", "digits", "mmd2", (untrained("mmd2"), (0.001, 0.003, 0.003), 0.01)),
    *claims(
        "wae-gan",
        "digits",
        "squared_error",
        (mean_image, (0.473, 0.488, 0.460), 0.55),
        (as_many_components, (0.666, 0.686, 0.646), 0.77),
    ),
    *claims("aae-labels", "digits", "petal_error", (petals_at_random, (0.104, 0.081, 0.115), 0.15)),
)
