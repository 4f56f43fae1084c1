"""Prior distributions of codes that only have to be sampled (lecture 2, D1 275; lecture 4, U3 578).

An adversarial or a transport autoencoder never evaluates p(z): it only needs samples. Two priors of
the lecture's drawing, as in Makhzani et al. 2016:

    normal     z ~ N(0, I), of any dimension
    mixture    z in the plane: one of M normal distributions, equally likely, laid out as the
               petals of a flower: component k has its mean at (r cos θ_k, r sin θ_k), θ_k = 2πk/M,
               deviation s_1 along that ray and s_2 across it

With labels (Makhzani et al. 2016, section 2.3) component k is that of class k.

The density is known anyway: it is drawn behind the codes, and a variational autoencoder with one of
these priors evaluates it (vae_prior.py). `walk` returns codes in an order that leads
through the prior, for the decoder to draw.
"""

import math
from typing import Literal

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of

Prior = Literal["normal", "mixture"]
RADIUS, ALONG, ACROSS = 1.4, 0.5, 0.1  # of the mixture: r, s_1, s_2


class Normal:
    """N(0, I) in `size` dimensions."""

    components = 1

    def __init__(self, size: int):
        self.size = size
        self.squared_distance = 2.0 * size  # E ‖z - z'‖² of two independent draws

    def sample(self, n: int, rng, dtype="float32", labels=None):
        """n independent draws [n, size].

        >>> from glassgrad.core import Generator
        >>> Normal(3).sample(5, Generator(0)).shape
        (5, 3)
        """
        return rng.normal((n, self.size), dtype)

    def log_density(self, z):
        """ln p(z) of rows, as tensors: [N, size] -> [N].

        >>> round(Normal(2).log_density(gg.zeros((1, 2))).item(), 4)  # -ln 2π
        -1.8379
        """
        return (z * z).sum(axis=1) * -0.5 - 0.5 * self.size * math.log(2 * math.pi)

    def walk(self, rows: int, steps: int, rng) -> np.ndarray:
        """Codes [rows * steps, size] that lead through the prior.

        In the plane, the grid of the quantiles of both codes (Kingma & Welling 2014). In more
        dimensions each row is the half ellipse cos(t) a + sin(t) b through two draws a and b, from
        a to -a: at every t it has the distribution of the prior.
        """
        if self.size == 2:
            from scipy.stats import norm

            u = norm.ppf(np.linspace(0.03, 0.97, steps))
            v = -norm.ppf(np.linspace(0.03, 0.97, rows))
            return np.stack([np.tile(u, rows), np.repeat(v, steps)], axis=1)
        a, b = rng.normal((2, rows, 1, self.size), "float64")
        t = np.linspace(0, math.pi, steps)[:, None]
        return (np.cos(t) * a + np.sin(t) * b).reshape(-1, self.size)


class Mixture:
    """Petals: `components` normal distributions in the plane, around the origin."""

    size = 2

    def __init__(self, components: int):
        self.components = components
        self.angles = 2 * math.pi * np.arange(components) / components
        self.rays = np.stack([np.cos(self.angles), np.sin(self.angles)], axis=1)
        self.tangents = np.stack([-np.sin(self.angles), np.cos(self.angles)], axis=1)
        mean = RADIUS * self.rays.mean(axis=0)
        second = RADIUS**2 + ALONG**2 + ACROSS**2  # E ‖z‖²
        self.squared_distance = float(2 * (second - mean @ mean))

    def sample(self, n: int, rng, dtype="float32", labels=None):
        """n independent draws [n, 2]; row i from the component labels[i], or from any if it is -1.

        >>> from glassgrad.core import Generator
        >>> z = Mixture(4).sample(1000, Generator(0), labels=np.ones(1000, int))
        >>> abs(z.mean(axis=0) - [0, RADIUS]).max() < 0.05  # component 1 of 4 points upwards
        np.True_
        """
        along, across = rng.normal((2, n), "float64")
        xp = xp_of(along)  # the generator may be on a GPU; its integers are on the host
        k = xp.asarray(rng.integers(self.components, n))
        if labels is not None:
            k = xp.where(labels >= 0, labels, k)
        z = (RADIUS + ALONG * along)[:, None] * xp.asarray(self.rays)[k]
        return (z + ACROSS * across[:, None] * xp.asarray(self.tangents)[k]).astype(dtype)

    def responsibilities(self, z: np.ndarray) -> np.ndarray:
        """p(component | z) of rows [N, 2] -> [N, components]."""
        e = -0.5 * (((z @ self.rays.T - RADIUS) / ALONG) ** 2 + (z @ self.tangents.T / ACROSS) ** 2)
        p = np.exp(e - e.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)

    def log_density(self, z):
        """ln p(z) of rows, as tensors: [N, 2] -> [N]; ln Σ_k exp without an overflow.

        >>> at = gg.tensor([[1.4, 0.0]])  # the mean of component 0, where no other has mass
        >>> round(Mixture(4).log_density(at).item() + math.log(4 * 2 * math.pi * 0.05), 4)
        0.0
        """
        xp, dtype = z.xp, z.dtype
        along = (z @ xp.asarray(self.rays.T, dtype) - RADIUS) * (1 / ALONG)
        across = z @ xp.asarray(self.tangents.T, dtype) * (1 / ACROSS)
        volume = self.components * 2 * math.pi * ALONG * ACROSS
        return gg.logsumexp((along * along + across * across) * -0.5, axis=1) - math.log(volume)

    def walk(self, rows: int, steps: int, rng) -> np.ndarray:
        """Codes [components * steps, 2]: each row goes outwards along one petal, ±2 deviations."""
        r = RADIUS + ALONG * np.linspace(-2, 2, steps)
        return (r[None, :, None] * self.rays[:, None]).reshape(-1, 2)


def density(prior: Normal | Mixture, z: np.ndarray) -> np.ndarray:
    """p(z) of rows [N, size] -> [N], as arrays.

    >>> density(Normal(2), np.zeros((1, 2))).round(4)  # 1/2π
    array([0.1592])
    """
    with gg.no_grad():
        return np.exp(prior.log_density(gg.Tensor(z)).numpy())


def make_prior(prior: Prior, code: int, components: int) -> Normal | Mixture:
    """The prior of that name: a normal one of `code` numbers, or a mixture of `components`.

    >>> make_prior("normal", 8, 10).size
    8
    """
    return Normal(code) if prior == "normal" else Mixture(components)
