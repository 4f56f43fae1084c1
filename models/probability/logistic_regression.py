"""Logistic regression: a discriminative classifier, which learns p(y|x) alone (K4 70-77, U3 62-68).

    p(y=k|x) = e^{s_k(x)} / Σ_l e^{s_l(x)},      s(x) = W x + b
    ℓ = -ln p(y|x)                               objective: mean ℓ + λ/2 ‖W‖²

With two classes it is the logistic function: p(y=1|x) = σ(wᵀx + b). Nothing is said about p(x): it
cannot draw an object, nor tell whether an object is a likely one. In exchange it spends all of its
numbers on the border between the classes.

Naive Bayes has the same form. The logarithm of its odds, ln p(y=1|x)/p(y=0|x), is linear in bits
x, with w_j = ln p_1j/p_0j - ln (1-p_1j)/(1-p_0j); but it takes each w_j from column j alone.
Logistic regression fits all of them together, so columns that repeat each other share a weight,
which naive Bayes counts twice. On votes and digits its log loss is a fraction of naive Bayes' (the
family's page has the figures): the lecture's remark that discriminative models mostly classify
better.

The pictures: the weights of each class; confusions and mistakes; how far the probabilities can be
trusted. The number: scikit-learn's LogisticRegression with C = 1/(λN) on the same rows.
"""

import numpy as np

from ...core import nn
from ...core.data import DataSet
from ...core.training.recipe import Recipe
from ...core.training.system import Batch
from ..common.gradients import by_parameters
from . import classifier_pictures
from .classifier import prepare, target
from .linear import LinearClassifier, LinearSettings, sizes


class Settings(LinearSettings):
    """Settings of logistic regression."""


class LogisticRegression(LinearClassifier):
    """Linear scores, read as logarithms of unnormalised probabilities."""

    def loss(self, x, y):
        """The mean of -ln p(y|x): the cross-entropy."""
        return nn.losses.cross_entropy(self.scores(x), y)


def build(data: DataSet, s: Settings, rng) -> LogisticRegression:
    """The classifier for labelled images or rows."""
    return LogisticRegression(*sizes("logistic-regression", data), s)


def check(rng):
    """The objective as a function of W and b, for gradcheck."""
    system = LogisticRegression(3, 4, Settings(l2=0.3), "float64")
    for p in system.parameters():
        p.assign(rng.standard_normal(p.shape))
    return by_parameters(system, Batch(rng.standard_normal((5, 4)), np.array([0, 2, 1, 1, 0])))


COLUMNS = {"l2": 4e-4, "batch": 50, "epochs": 400}
LOGISTIC = Recipe(
    name="logistic-regression",
    title="Logistic regression",
    lecture="lecture 5 (K4 20-118)",
    rows=(93,),
    build=build,
    settings=Settings,
    prepare=prepare,
    takes=("images", "table", "binary"),
    presets={"digits": {"l2": 1e-4}, "house_votes_84": COLUMNS, "table": COLUMNS},
    metric="loss",
    targets=(
        target("digits", "accuracy", 0.9767, "LogisticRegression"),
        target("digits", "loss", 0.0823, "LogisticRegression"),
        target("house_votes_84", "accuracy", 0.9655, "LogisticRegression"),
        target("house_votes_84", "loss", 0.0622, "LogisticRegression"),
    ),
    figures=classifier_pictures.discriminative,
    check=check,
)
RECIPES = (LOGISTIC,)
