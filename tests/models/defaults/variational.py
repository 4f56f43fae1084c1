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
from .claims import claims


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


def petals_at_random(done) -> float:
    """Per cent wrong of petals that are drawn at random, one of as many as classes."""
    return 100 * (1 - 1 / (1 + int(done.held.y.max())))


X = (0.0, 0.0, 0.0)
OF_TWO_CODES = ((mean_image, X, 0.01), (as_many_components_as_codes, X, 0.01))
CLAIMS = (
    *claims("vae", "digits", bound_above_grey, (independent_above_grey, X, 0.01)),
    *claims("vae", "digits", reconstruction, *OF_TWO_CODES),
    *claims("vae-gaussian", "digits", pixel_perplexity, (mean_with_the_same_spread, X, 0.01)),
    *claims("vae-gaussian", "digits", reconstruction, *OF_TWO_CODES),
    *claims("vae-diagonal", "digits", pixel_perplexity, (independent_normals, X, 0.01)),
    *claims("vae-diagonal", "digits", reconstruction, *OF_TWO_CODES),
    *(
        one
        for name in (
            "aae",
            "aae-mixture",
            "aae-labels",
            "aae-convolutional",
            "wae-mmd",
            "wae-gan",
        )
        for one in (
            *claims(name, "digits", "mmd2", (untrained("mmd2"), X, 0.01)),
            *claims(
                name,
                "digits",
                "squared_error",
                (mean_image, X, 0.01),
                (as_many_components, X, 0.01),
            ),
        )
    ),
    *claims("aae-labels", "digits", "petal_error", (petals_at_random, X, 0.01)),
)
