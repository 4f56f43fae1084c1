"""Winner takes all: the Kohonen net with hard competition (lecture 1, V0 27-95).

A layer of K units with weights w_y; the sample x_i moves only the nearest unit:

    a(x) = argmin_y ρ(x, w_y)
    w_y += η (x_i - w_y) [a(x_i) = y]                  a step of SG on ½ ρ²(x_i, w_a(x_i))
    Q   := (1 - λ) Q + λ ρ²(x_i, w_a(x_i))             the running estimate of the criterion

for samples drawn at random, until Q or w is stable: `tolerance` is the relative change of Q between
epochs that counts as stable (centres.py); with 0, the default, training runs every epoch. The
training curve shows Q, the mean over each epoch, next to the true criterion of the validation set.

Corrections to the lecture: its Q starts as a *sum* over the sample but is updated with the ρ² of a
single one, so it would first fall by a factor ℓ. Here it starts at the mean, and the criterion,
called a mean distance and written as a sum, is a mean. It takes ρ² after the step, when it is (1 -
η)² of what it was; here it is that of the sample as it was found, before the step. The next slide
attributes slow convergence and w_y that are never chosen to WTM; they are drawbacks of this rule. A
unit that starts far from all data never wins and never moves. The metric `dead` counts such units,
and `init=lecture` (weights near 0, as lecture 1 starts its maps) produces them at once.

The step η is constant, so w does not converge but follows about its last 1/η samples. With
`decay=asymptotic` or `linear` the step decreases. `rate=count` uses 1/n_y, n_y the samples that
unit y has won so far, minibatch by minibatch, so that each w_y is the mean of all of them, as in
scikit-learn's MiniBatchKMeans.

The reference is Lloyd's k-means (k_means.py) from the same initial weights: `lloyd` is its Q on the
same data, next to ours.

The pictures: the weights, as images if the data are images, above Lloyd's nearest; and the plane of
the two main axes of the data with samples and weights.
"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of
from ...core.data import DataSet
from ...core.training.recipe import Recipe
from ...core.training.settings import setting
from ...kernels import som as kernel
from . import competitive_pictures
from .centres import (
    INITS,
    KOHONEN_PRESETS,
    Competitive,
    Decay,
    KohonenSettings,
    expect_centres,
    held_winners,
    lloyd,
    prepare,
)


class Settings(KohonenSettings):
    """Settings of winner takes all: how far the winner moves."""

    rate: Literal["constant", "count"] = setting(
        "constant", help="step of the winner: η, or 1/n_y after its n_y-th sample"
    )
    lr: float = setting(0.02, least=0, when=("rate", "constant"), help="rate η")
    decay: Decay = setting(
        "constant", when=("rate", "constant"), help="how the rate η falls in training"
    )


def running(q: float, d2: np.ndarray, lam: float) -> float:
    """Q after Q := (1 - λ) Q + λ ρ² with each ρ² of d2 [N] in turn.

    >>> running(1.0, np.array([3.0, 5.0]), 0.5)
    3.5
    """
    weights = lam * (1 - lam) ** np.arange(len(d2) - 1, -1, -1)
    return float((1 - lam) ** len(d2) * q + weights @ d2)


class WTA(Competitive):
    """Weights w [K, D], their initial values, and the estimate Q.

    won      how many samples each unit has won in training
    k_means  the centres that Lloyd's algorithm reaches from the same start
    """

    whole = "samples come one by one, each to the centres that the one before it has moved"

    def __init__(self, x: np.ndarray, s: KohonenSettings, rng):
        expect_centres(type(self).__name__.lower(), s.centres, x)
        w = INITS[s.init](x, s.centres, rng.child("w"))
        super().__init__(w, s)
        self.k_means = gg.Tensor(lloyd(x, w))
        self.won = gg.Tensor(np.zeros(len(w), w.dtype))
        self.q = gg.Tensor(np.array([kernel.winners(x, w)[1].mean(dtype="float64")]))

    def move(self, x, training):
        """Let the samples x [N, D] move the weights; returns ρ² [N] to each winner."""
        if self.s.rate == "constant":
            return self.online(x, np.eye(len(self.w.data)), self.rates(training, len(x)))
        xp, w = xp_of(x), self.w.data
        winner, d2 = kernel.winners(x, w)
        won = self.won.data + xp.bincount(winner, minlength=len(w)).astype(w.dtype)
        self.won.assign(won)
        self.w.assign(kernel.update(w, x, winner, xp.diag(1 / xp.maximum(won, 1)), 1.0))
        return d2

    def train_step(self, batch, training):
        """The samples of a batch; returns the running estimate Q after the last."""
        d2 = gg.Tensor(self.move(batch.x, training)).numpy().astype(np.float64)
        q = running(self.q.item(), d2, self.s.lam)
        self.q.assign(np.array([q]))
        return {"q": q}

    def evaluate(self, split, size=500):
        """The metrics of every system, and `lloyd`, Q of k-means from the same start."""
        found = super().evaluate(split, size)
        rho = self.winners(split.x, self.k_means.data)[1].astype(np.float64)
        return {**found, "lloyd": float((rho**2).mean())}


def build(data: DataSet, s: Settings, rng) -> WTA:
    """The net for a data set."""
    return WTA(data.train.x, s, rng)


def check(rng):
    """½ Σ_i ρ²(x_i, w_a(x_i)) with the winners fixed; its negative gradient is the step."""
    x, w = rng.standard_normal((5, 3)), rng.standard_normal((4, 3))
    return held_winners(x, w), [w]


RECIPE = Recipe(
    name="wta",
    title="Kohonen net, winner takes all",
    lecture="lecture 1 (V0 27-95)",
    rows=(1,),
    build=build,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets=KOHONEN_PRESETS,
    metric="q",
    figures=competitive_pictures.figures,
    check=check,
)
RECIPES = (RECIPE,)
