"""The Boltzmann machine (lecture 2, D1 20; Ackley, Hinton & Sejnowski 1985).

The lecture names it among the models whose density is explicit and intractable. N binary units s,
all connected to each other; the first n of them are visible, s = (v, h) ::

    E(s) = -½ sᵀJs - cᵀs        J symmetric, J_ii = 0            P(s) = e^{-E(s)}/Z
    P(s_i = 1 | the rest) = σ(Σ_j J_ij s_j + c_i)

    ∂ ln P(v)/∂J_ij = <s_i s_j>_v clamped - <s_i s_j>_free       ∂/∂c_i = <s_i>_v - <s_i>_free

J_ij counts once for the pair (i, j). Unlike in the restricted machine, neither phase has a closed
form:

    positive, v clamped    "mean_field"  q(h) = Π μ_i^{h_i}(1-μ_i)^{1-h_i}, each unit in turn set to
                                         μ_i = σ(Σ_j J_ij μ_j + c_i): every step raises the bound
                           "gibbs"       sweeps over the hidden units, from a random state
    negative, all free     "gibbs"       persistent chains, units in turn
                           "mean_field"  the same fixed points, from random states (Peterson &
                                         Anderson 1987): fast, and wrong if P has many modes

Without hidden units only the negative phase is left, and the likelihood is exact except for Z.
`centred` (default) replaces s by s - m, as in rbm.py: the same model, better coordinates.

The metric `bound` is minus the mean-field bound in nats: with H(μ) the entropy of q ::

    ln P(v)  ≥  -E(v, μ) + H(μ) - ln Z

ln Z by AIS from independent units: at β the chain sees βJ and (1-β)c₀ + βc. (By
enumeration if there are at most 20 units.) No number is published; the reference is a restricted
machine with as many hidden units.

The pictures: for every pixel its couplings to all others; hidden units' weights; samples.
"""

from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of
from ...core.data import DataSet
from ...core.training.recipe import Recipe
from ...core.training.settings import setting
from ..common.binary import prepare
from ..common.rows import flat
from . import ais, boltzmann_pictures
from .units import (
    BinarySystem,
    ChainSettings,
    descent,
    entropy,
    independent,
    log_odds,
    logistic,
    logsumexp,
    softplus,
)

Phase = Literal["mean_field", "gibbs"]
ENUMERATED = 20  # units up to which Z is computed, not estimated


def without_sweeps(s: "Settings") -> str:
    """Why there are no sweeps: no hidden units, and chains in the negative phase."""
    idle = not s.hidden and s.negative == "gibbs"
    return "with hidden=0 and negative=gibbs" if idle else ""


class Settings(ChainSettings):
    """Settings of a Boltzmann machine."""

    hidden: int = setting(32, least=0, help="number of hidden units")
    positive: Phase = setting("mean_field", when="hidden", help="how h is found with v clamped")
    negative: Phase = setting("gibbs", help="how states of the model are found")
    sweeps: int = setting(
        5, least=1, when=without_sweeps, help="rounds over all units in a phase without chains"
    )
    steps: int = setting(
        1, least=1, when=("negative", "gibbs"), help="sweeps of the chains for each minibatch"
    )


class VisibleSettings(Settings):
    """Settings without hidden units."""

    hidden: int = 0


def energy(s, j, c):
    """E(s) = -½ sᵀJs - cᵀs as tensors: [M, N], [N, N], [N] -> [M]; the diagonal is ignored.

    >>> energy(gg.ones((1, 2)), gg.ones((2, 2)), gg.zeros((2,))).numpy()
    array([-1.], dtype=float32)
    """
    off = j * gg.Tensor(1 - np.eye(j.shape[0], dtype=j.dtype))
    return (s @ off * s).sum(axis=1) * -0.5 - s @ c


class BoltzmannMachine(BinarySystem):
    """J [N, N] ~ N(0, 0.01²), c [N], N = n visible and then the hidden units.

    mean     [N]: of the data, ½ for hidden units; base [N] its log odds, where AIS starts
    fantasy  [N, chains]: one chain per column, so that the states of a unit are contiguous
    """

    whole = ""
    averaged = ("mean",)
    by_rows = MappingProxyType({"fantasy": 1})

    def __init__(self, mean, samples: int, s: Settings, rng, dtype="float32"):
        super().__init__()
        self.s, self.noise, self.visible = s, rng.child("noise"), len(mean)
        mean = np.concatenate([mean, np.full(s.hidden, 0.5)])
        j = 0.01 * rng.child("j").normal((len(mean), len(mean)), dtype)
        j = np.triu(j, 1)
        self.j = gg.Tensor(j + j.T, requires_grad=True)
        self.base = gg.Tensor(log_odds(mean, samples).astype(dtype))
        self.c = gg.Tensor(self.base.numpy().copy(), requires_grad=True)
        self.mean = gg.Tensor(mean.astype(dtype))
        start = independent(mean, s.chains, rng.child("fantasy"), dtype)
        self.fantasy = gg.Tensor(np.ascontiguousarray(start.T))

    # --------------------------------------------------------------------- the phases

    def sweep(self, s, rng, first: int = 0, j=None, c=None):
        """Draw each unit from `first` on in turn, in place: s [N, M].

        u < σ(a) is ln u/(1-u) < a: one logarithm for all, a product and a comparison per unit.
        """
        xp = xp_of(s)
        j, c = self.j.data if j is None else j, self.c.data if c is None else c
        u = rng.uniform((len(s) - first, s.shape[1]), dtype=s.dtype)
        xp.maximum(u, 2.0**-25, out=u)
        u = xp.log(u) - xp.log1p(-u)
        u -= c[first:, None]
        for i in range(first, len(s)):
            xp.greater(j[i] @ s, u[i - first], out=s[i])
        return s

    def mean_field(self, s, steps: int, first: int = 0):
        """Mean field: set each unit from `first` on in turn to its mean given the others' means."""
        j, c = self.j.data, self.c.data[:, None]
        for _ in range(steps):
            for i in range(first, len(s)):
                logistic(j[i] @ s + c[i], out=s[i])
        return s

    def clamped(self, v, phase: str, rng):
        """s = (v, h) [N, M] with h for v [M, n] by `phase`."""
        hidden, n = self.s.hidden, self.visible
        h = xp_of(v).full((hidden, len(v)), 0.5, v.dtype)
        s = xp_of(v).concatenate([v.T, h])
        if not hidden:
            return s
        if phase == "mean_field":
            return self.mean_field(s, self.s.sweeps, n)
        s[n:] = rng.uniform(h.shape, dtype=v.dtype) < 0.5
        for _ in range(self.s.sweeps):
            self.sweep(s, rng, n)
        return s

    def free(self):
        """States of the model [N, chains]: the chains after a few more sweeps, or mean field."""
        if self.s.negative == "mean_field":
            start = self.noise.uniform(self.fantasy.shape, dtype=self.fantasy.dtype)
            return self.mean_field(start, self.s.sweeps)
        for _ in range(self.s.steps):
            self.sweep(self.fantasy.data, self.noise)
        self.fantasy.version += 1
        return self.fantasy.data

    def train_step(self, batch, training):
        """One step by the difference of both phases; returns E(clamped) - E(free), the gap."""
        figures, _ = training.shards.gradients(batch, lambda part: (self.learn(part.x), None))
        training.clip()
        training.optimiser.step()
        return figures

    def learn(self, v) -> dict[str, float]:
        """Leave the negative gradient of samples v [M, n] in `.grad`; returns the gap."""
        s, f = self.clamped(v, self.s.positive, self.noise).T, self.free().T
        m = self.mean.data
        if self.s.centred:
            m += 0.01 * (s.mean(axis=0) - m)
            self.mean.version += 1
        dj, dc, _ = descent(s, s, f, f, (m, m) if self.s.centred else None)
        diagonal = dj.diagonal().copy()
        xp_of(dj).fill_diagonal(dj, 0)
        if self.s.centred:
            dc = dc + diagonal * m  # J_ii stays 0 and does not enter the change of coordinates
        dj = (dj + dj.T) * 0.5  # symmetric except for rounding
        self.j.grad, self.c.grad = gg.Tensor(dj), gg.Tensor(dc)
        gap = self.minus_energy(f.T).mean() - self.minus_energy(s.T).mean()
        return {"gap": float(gap)}

    def minus_energy(self, s):
        """½ sᵀJs + cᵀs for each column of s [N, M]."""
        return ((self.j.data @ s) * s).sum(axis=0) * 0.5 + self.c.data @ s

    # --------------------------------------------------------------------- evaluation

    def partition(self) -> ais.Estimate:
        """ln Z by AIS from independent units, one sweep at each temperature."""
        rng, base, c = self.noise.child("ais"), self.base.data, self.c.data
        count = self.s.ais_chains
        s = np.ascontiguousarray(independent(logistic(self.base.numpy()), count, rng).T)
        s = xp_of(base).asarray(s, base.dtype)
        log_w, betas = xp_of(base).zeros(count), ais.ladder(self.s.temperatures).tolist()
        for low, high in pairwise(betas):
            log_w += (high - low) * (self.minus_energy(s) - base @ s)
            self.sweep(s, rng, 0, high * self.j.data, (1 - high) * base + high * c)
        wide = self.base.numpy().astype(np.float64)
        return ais.estimate(log_w, float(softplus(wide, logistic(wide)).sum()))

    def exact(self) -> float:
        """ln Z by enumeration of all 2^N states."""
        s = ais.states(len(self.c.data)).T
        j, c = self.j.numpy().astype(np.float64), self.c.numpy().astype(np.float64)
        return logsumexp(((j @ s) * s).sum(axis=0) * 0.5 + c @ s)

    def terms(self, v):
        """-E(v, μ) + H(μ): the bound without ln Z, [M, n] -> [M]."""
        s = self.clamped(v, "mean_field", None)
        return self.minus_energy(s) + entropy(s[self.visible :].T)

    def evaluate(self, split, size=500):
        """`free_energy`, minus the bound without ln Z, and if `due` ln Z and minus the bound."""
        found = self.average(
            lambda b: {"free_energy": -self.terms(flat(b.x)).mean(dtype="f8")}, split, size
        )
        if self.due:
            z = self.partition()
            found |= z.figures()
            if len(self.c.data) <= ENUMERATED:
                found["log_z"] = self.exact()
                found["ais_error"] = abs(z.log_z - found["log_z"])
            found["bound"] = found["free_energy"] + found["log_z"]
        return found


def build(data: DataSet, s: Settings, rng) -> BoltzmannMachine:
    """The machine for a data set."""
    x = flat(data.train.x)
    return BoltzmannMachine(x.mean(axis=0, dtype=np.float64), len(x), s, rng)


def check(rng):
    """E(clamped) - E(free) of given states as a function of J and c, for gradcheck."""
    s, f = (gg.Tensor((rng.random((6, 5)) < 0.5).astype(float)) for _ in range(2))

    def objective(j, c):
        return energy(s, j, c).mean() - energy(f, j, c).mean()

    return objective, [rng.standard_normal((5, 5)), rng.standard_normal(5)]


HIDDEN = Recipe(
    name="boltzmann-machine",
    title="Boltzmann machine with hidden units",
    lecture="lecture 2 (D1 20)",
    rows=(37,),
    build=build,
    prepare=prepare,
    takes=("images", "binary"),
    settings=Settings,
    presets={
        "digits": {"epochs": 120, "batch": 100, "lr": 1.0},
        "mnist": {"hidden": 100, "epochs": 20, "lr": 0.02},
        "binary": {"epochs": 40, "batch": 100, "lr": 0.1, "binarise": "fixed"},
    },
    metric="bound",
    figures=boltzmann_pictures.figures,
    sample=boltzmann_pictures.sample,
    check=check,
)
VISIBLE = replace(
    HIDDEN,
    name="boltzmann-machine-visible",
    title="Boltzmann machine without hidden units",
    settings=VisibleSettings,
    presets={
        "digits": {"epochs": 120, "batch": 100, "lr": 1.0},
        "mnist": {"epochs": 20, "lr": 0.02},
        "binary": {"epochs": 40, "batch": 100, "lr": 0.1, "binarise": "fixed"},
    },
)
RECIPES = (HIDDEN, VISIBLE)
