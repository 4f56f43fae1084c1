"""One normal number z and a network that makes x of it (lecture 4, U3 187-200, 221-229, 286-292).

    z ~ N(0, 1)    p(x|z) = N(x | f(z;θ), Σ(z;θ)),  Σ diagonal        z ∈ R, x ∈ R²
    p(x) = ∫ p(x|z) p(z) dz → max over θ

A network f bends the line of all z into a curve through the data, with a spread around it ::

    spread="constant"   Σ = σ² I: the likelihood of x grows as f(z) comes near x (U3 193-196)
    spread="diagonal"   "neural net + normal distribution with diagonal covariance" (U3 286-292)

Both are the lecture's. On the moons the second fails: wide ellipses around a curve that is nearly
straight explain the data before the curve has bent, and the gradient leaves them there, tenths
of a nat above the first.

The lecture asks what to do about the integral over z. For a single z it is no difficulty: the mean
over M quantiles of the prior, z_m = Φ⁻¹((m - ½)/M), is as good as exact. Its gradient is that of
the likelihood itself, without an encoder or a bound. In ten dimensions such a grid has M^10
points, and random draws of the prior miss (prior_sampling.py). After training that is measured here
too: `ess_prior` is the share of draws of the prior that count, `ess_posterior` that of draws from a
normal q(z|x) with the posterior's mean and 1.2 times its deviation, and `nll_prior` what the
former make of -ln p(x).

The pictures: the curve with its spread, the density p(x); draws of the model; p(z|x) of points of
the plane; the lecture's ring (ring.py). The number: 1.831 nats, what the distribution that the
test moons were drawn from has itself (by quadrature over both arcs, in units of the columns'
deviations); no model goes below its entropy on average. The target is to come within a tenth of a
nat of it, which the second kind of spread does not.
"""

import math
from statistics import NormalDist
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.arrays import to_numpy, xp_of
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common.gradients import by_parameters
from ..common.rows import flat, prepare
from . import latent_pictures
from .prior_sampling import effective, log_mean

BOUND = 4.0  # of |ln σ|
STEEP = 3.0  # factor of the first weights: a curve that starts straight learns few bends
WIDER = 1.2  # deviation of q, in those of the posterior


class Settings(TrainingSettings):
    """Settings of a curve through the data."""

    hidden: tuple[int, ...] = setting((64, 64), least=1, help="widths of the network f")
    points: int = setting(64, least=2, help="quantiles M of the prior")
    spread: Literal["constant", "diagonal"] = setting("constant", help="σ² I, or Σ(z)")
    draws: int = setting(100, least=2, help="random z for each x in the comparison after training")
    schedule: str = "cosine"


class LatentCurve(System):
    """f and ln σ: z [M, 1] -> [M, D] each."""

    def __init__(self, columns: int, s: Settings, rng, dtype="float32"):
        super().__init__()
        self.s, self.noise = s, rng.child("noise")
        self.trunk = nn.mlp([1, *s.hidden], nn.Tanh, rng=rng.child("trunk"), dtype=dtype)
        width = s.hidden[-1] if s.hidden else 1
        self.mean = nn.Linear(width, columns, rng=rng.child("mean"), dtype=dtype)
        self.spread = nn.Linear(width, columns, rng=rng.child("spread"), dtype=dtype)
        self.spread.weight.assign(np.zeros(self.spread.weight.shape, dtype))
        self.spread.bias.assign(np.full(columns, -1.0, dtype))
        if s.hidden:
            self.trunk[0].weight.assign(STEEP * self.trunk[0].weight.numpy())
        self.grid = gg.Tensor(quantiles(s.points)[:, None].astype(dtype))
        self.fine = gg.Tensor(quantiles(8 * s.points)[:, None].astype(dtype))

    def forward(self, z):
        """(f(z), ln σ(z)) of z [M, 1]."""
        h = self.trunk(z)
        if self.s.spread == "diagonal":
            return self.mean(h), BOUND * gg.tanh(self.spread(h) / BOUND)
        one = self.spread(0 * h).mean(axis=1, keepdims=True)
        return self.mean(h), BOUND * gg.tanh((one + 0 * self.spread(h)) / BOUND)

    def log_given(self, x, z):
        """ln p(x|z) of x [N, D] for z [M, 1]: a tensor [N, M]."""
        mean, log_spread = self(z)
        (n, d), m = x.shape, z.shape[0]
        u = (x.reshape(n, 1, d) - mean.reshape(1, m, d)) * gg.exp(-log_spread)
        return -(0.5 * u * u + log_spread).sum(axis=2) - 0.5 * d * math.log(2 * math.pi)

    def log_likelihood(self, x, z):
        """ln p(x) [N]: the mean of p(x|z) over quantiles z [M, 1] of the prior."""
        return gg.logsumexp(self.log_given(x, z), axis=1) - math.log(z.shape[0])

    def objective(self, batch):
        """-ln p(x), the mean over the batch."""
        return -self.log_likelihood(gg.Tensor(flat(batch.x)), self.grid).mean()

    def evaluate(self, split, size=500):
        """nll on a grid eight times as fine as that of training."""

        def figures(batch):
            return {"nll": -self.log_likelihood(gg.Tensor(flat(batch.x)), self.fine).mean().item()}

        return self.average(figures, split, size)

    def evaluate_finished(self, split):
        """nll; its estimate by draws of the prior; which share of draws counts, of both kinds."""
        return self.evaluate(split) | self.average(
            lambda batch: self.sampled(flat(batch.x), self.noise.child("finished")), split
        )

    def posterior(self, x):
        """(mean, deviation) of p(z|x) on the fine grid, arrays [N] in float64 on the host."""
        log_p = to_numpy(self.log_given(gg.Tensor(x), self.fine).data).astype(np.float64)
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        z = self.fine.numpy()[:, 0].astype(np.float64)
        mean = p @ z
        return mean, np.sqrt(np.maximum(p @ z**2 - mean**2, 1e-8))

    def sampled(self, x, rng) -> dict[str, float]:
        """What `draws` z of the prior, and of q(z|x), make of p(x): x an array [N, D]."""
        n, m = len(x), self.s.draws
        mean, deviation = self.posterior(x)
        e = rng.normal((n, m), "float64")
        q = mean[:, None] + WIDER * deviation[:, None] * e
        ratio = 0.5 * e * e + np.log(WIDER * deviation)[:, None] - 0.5 * q * q
        by_prior = self.log_pairs(x, rng.normal((n, m), "float64"))
        by_q = self.log_pairs(x, q) + ratio
        return {
            "nll_prior": float(-log_mean(by_prior).mean()),
            "nll_posterior": float(-log_mean(by_q).mean()),
            "ess_prior": float(effective(by_prior).mean() / m),
            "ess_posterior": float(effective(by_q).mean() / m),
        }

    def log_pairs(self, x, z: np.ndarray) -> np.ndarray:
        """ln p(x_n|z_nm) of x [N, D], z [N, M]: [N, M] in float64 on the host."""
        (n, m), xp = z.shape, xp_of(x)
        column = gg.Tensor(xp.asarray(z.reshape(-1, 1), self.grid.dtype))
        mean, log_spread = (to_numpy(t.data).reshape(n, m, -1) for t in self(column))
        u = (to_numpy(x)[:, None] - mean) * np.exp(-log_spread)
        d = mean.shape[2]
        nats = (0.5 * u * u + log_spread).sum(axis=2, dtype=np.float64)
        return -nats - 0.5 * d * math.log(2 * math.pi)

    def drawn(self, n: int, rng) -> np.ndarray:
        """n draws of the model: z, then x; [n, D] on the host."""
        with gg.no_grad():
            z = self.on_device(Batch(rng.normal((n, 1), self.grid.dtype))).x
            mean, log_spread = (t.numpy() for t in self(gg.Tensor(z)))
        return mean + np.exp(log_spread) * rng.normal(mean.shape, mean.dtype)


def quantiles(m: int) -> np.ndarray:
    """Φ⁻¹((k - ½)/m), k = 1 .. m: the middles of m parts of N(0, 1) with equal probability.

    >>> quantiles(2).round(4).tolist()
    [-0.6745, 0.6745]
    """
    normal = NormalDist()
    return np.array([normal.inv_cdf((k + 0.5) / m) for k in range(m)])


def build(data: DataSet, s: Settings, rng) -> LatentCurve:
    """The model for a table."""
    return LatentCurve(data.train.x.shape[1], s, rng)


def check(rng, **changes):
    """The objective as a function of the parameters, for gradcheck."""
    s = Settings(**{"hidden": (3,), "points": 5, **changes})
    system = LatentCurve(2, s, gg.Generator(2), "float64")
    return by_parameters(system, Batch(rng.standard_normal((6, 2))))


MOONS = {"epochs": 40, "batch": 200, "lr": 0.01}
CURVE = Recipe(
    name="latent-curve",
    title="A curve through the data: one latent number",
    lecture="lecture 4 (U3 187-229, 286-292)",
    rows=(95,),
    build=build,
    settings=Settings,
    prepare=prepare,
    data="moons",
    takes=("table",),
    presets={"moons": MOONS, "ring": MOONS, "table": {**MOONS, "epochs": 100, "batch": 50}},
    metric="nll",
    targets=(
        Target(
            "moons: test -ln p(x), nats",
            "moons",
            "nll",
            "1.831 (the distribution that they were drawn from)",
            1.931,
            own=True,
            source="quadrature over both arcs",
            note="a tenth of a nat above what no model can go below on average",
            seeds=3,
        ),
    ),
    figures=latent_pictures.curve,
    sample=latent_pictures.sample,
    check=check,
)
RECIPES = (CURVE,)
