"""The linear support vector machine: a border with a margin, without probabilities (U3 62-68).

A discriminative algorithm may skip p(y|x) and look for the function that parts the classes. With
targets t = ±1 ::

    ℓ = max(0, 1 - t s(x)),    s(x) = wᵀx + b          objective: mean ℓ + λ/2 ‖w‖²

The hinge ℓ is 0 for an object that is on its side by a margin of 1. Such objects have no gradient:
the border depends on the others alone, the support vectors. The distance between the lines s = 1
and s = -1 is 2/‖w‖, so pulling w to 0 makes the margin wide. The objective is convex, with kinks;
the steps follow a subgradient (Shalev-Shwartz et al. 2007), which is 0 at the kink.

With K classes there is one machine for each, "class k" against the rest, and ℓ is the sum of
theirs. The answer is the class with the largest s_k.

The scores are no logarithms of probabilities, so there is no log loss to compare; `loss` is the
hinge. The pictures: the weights; confusions and mistakes; the margins t s(x), with the share of
training objects that are support vectors. The number: scikit-learn's accuracy.
"""

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.arrays import xp_of
from ...core.data import DataSet
from ...core.training.recipe import Recipe
from ...core.training.system import Batch
from ..common.gradients import by_parameters
from ..common.rows import flat
from . import classifier_pictures
from .classifier import prepare, target
from .linear import LinearClassifier, LinearSettings, sizes


class Settings(LinearSettings):
    """Settings of a linear support vector machine."""


class LinearSVM(LinearClassifier):
    """One machine for two classes, otherwise one for each class against the rest."""

    def signs(self, y):
        """t [N, K] (or [N, 1]) of labels y [N]: 1 for the class of a machine, -1 otherwise."""
        xp, rows = xp_of(y), self.weight.shape[0]
        own = xp.arange(rows) if rows > 1 else xp.ones(1, int)
        return (2 * (y[:, None] == own) - 1).astype(self.weight.dtype)

    def loss(self, x, y):
        """The mean over objects of the hinge, summed over the machines."""
        return nn.losses.hinge(self.decisions(x), self.signs(y), "none").sum(axis=1).mean()

    def margins(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """t s(x) of each object and machine, [N, K] or [N, 1]: below 1 a support vector."""
        s = self.answers(x)
        return self.signs(y) * (s[:, 1:] if self.weight.shape[0] == 1 else s)

    def predictions(self, x):
        """The scores; they are no logarithms of probabilities."""
        return {"scores": self.answers(x)}

    def evaluate(self, split, size=500):
        """The share of right answers, and the hinge."""

        def figures(batch):
            x = gg.Tensor(flat(batch.x))
            right = (self.scores(x).data.argmax(axis=1) == batch.y).mean()
            return {"loss": self.loss(x, batch.y).item(), "accuracy": right}

        return self.average(figures, split, size)


def build(data: DataSet, s: Settings, rng) -> LinearSVM:
    """The machine for labelled images or rows."""
    return LinearSVM(*sizes("linear-svm", data), s)


def check(rng):
    """The objective as a function of W and b, for gradcheck; no score is near a kink."""
    system = LinearSVM(3, 4, Settings(l2=0.3), "float64")
    for p in system.parameters():
        p.assign(rng.standard_normal(p.shape))
    return by_parameters(system, Batch(rng.standard_normal((5, 4)), np.array([0, 2, 1, 1, 0])))


COLUMNS = {"l2": 0.03, "batch": 50}
SVM = Recipe(
    name="linear-svm",
    title="Linear support vector machine",
    lecture="lecture 4 (U3 62-68)",
    rows=(93,),
    build=build,
    settings=Settings,
    prepare=prepare,
    takes=("images", "table", "binary"),
    presets={"digits": {"l2": 1e-3}, "house_votes_84": COLUMNS, "table": COLUMNS},
    metric="accuracy",
    better="higher",
    targets=(
        target("digits", "accuracy", 0.95, "SVC, one against the rest"),
        target("house_votes_84", "accuracy", 0.977, "SVC"),
    ),
    figures=classifier_pictures.margins,
    check=check,
)
RECIPES = (SVM,)
