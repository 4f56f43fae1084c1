"""Regression as a probabilistic model P_θ(X|Z): a mean and a spread (lecture 4, U3 76-100).

Some people see regression as a cloud of points with a line through it. Statisticians add a model of
the errors. As a graph: Z → X, both observed, with the parameters θ ::

    P_θ(X|Z) = N(X | μ(Z), σ(Z)²)           objective: -ln P_θ(X|Z), the mean over the data

Z are the columns, X the quantity, or several, each with its own mean and spread. A network of the
widths `hidden` gives μ and ln σ; with none (``hidden=[]``) both are linear in Z. What the model of
errors adds, after the lecture:

    how likely is a data point          nll = -ln P_θ(x|z), in the units of x
    bands                               μ ± 1.645 σ hold 90 % of the points, if the model is right
    models can be compared              by their nll, on points that neither has seen

spread="constant"  one σ for all Z, as in least squares: at the minimum μ is the least-squares fit
                   and σ² the mean squared residual. The tests compare with the closed form
spread="learned"   σ(Z): bands are wide where the data scatter. -ln P weighs an error by 1/σ², and
                   ln σ keeps the network from calling everything uncertain

ln σ is bounded by ±`BOUND` softly: without a bound a network that fits a point exactly takes σ to 0
and its likelihood to infinity. Targets are standardised inside; nll is put back into their units.

A network that overfits is too sure of itself: training residuals are smaller than those of new
points, and bands of the nominal 90 % cover less. So `coverage` is measured on held-out points, with
the weights of the epoch of the lowest validation nll. On one split of 89 points it has a standard
error of 3 %: one training is not enough to judge the bands by, and there is no target for it.

The pictures: bands over the predicted mean; how often standardised errors occur, next to N(0, 1);
coverage over the nominal share, for all bands from 5 to 95 %. The number: 87 to 93 % in the 90 %
bands, of all 442 patients, each held out once in five folds (standard error 1.4 %), of both
spreads: tests/models/probability/test_regression.py.
"""

import math
from statistics import NormalDist
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, kind_of
from ...core.training.recipe import Recipe
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common.gradients import by_parameters
from ..common.rows import flat
from . import regression_pictures

BOUND = 5.0  # of |ln σ|, in units of the target's deviation
HALF_LN_2PI = 0.5 * math.log(2 * math.pi)


class Settings(TrainingSettings):
    """Settings of probabilistic regression."""

    hidden: tuple[int, ...] = setting((16,), least=1, help="widths of the layers; [] is linear")
    spread: Literal["learned", "constant"] = setting("learned", help="σ(Z), or one σ for all Z")
    band: float = setting(0.9, above=0, below=1, help="share that the bands are to cover")
    schedule: str = "cosine"
    select: str = "nll"


class ProbabilisticRegression(System):
    """z [N, D] -> μ, ln σ [N, K] in units of the standardised targets."""

    def __init__(self, columns: int, y: np.ndarray, names, s: Settings, rng, dtype="float32"):
        super().__init__()
        self.s, self.names = s, tuple(names)
        deviation = y.std(axis=0, dtype=np.float64)
        deviation[deviation == 0] = 1.0
        self.centre = gg.Tensor(y.mean(axis=0, dtype=np.float64).astype(dtype))
        self.unit = gg.Tensor(deviation.astype(dtype))
        self.trunk = nn.mlp([columns, *s.hidden], nn.Tanh, rng=rng.child("trunk"), dtype=dtype)
        width = s.hidden[-1] if s.hidden else columns
        self.mean = nn.Linear(width, y.shape[1], rng=rng.child("mean"), dtype=dtype)
        self.spread = nn.Linear(width, y.shape[1], rng=rng.child("spread"), dtype=dtype)
        self.spread.weight.assign(np.zeros(self.spread.weight.shape, dtype))
        self.spread.bias.assign(np.zeros(y.shape[1], dtype))

    def forward(self, z):
        """(μ, ln σ) of z [N, D]: [N, K] each, of standardised targets."""
        h = self.trunk(z)
        raw = self.spread(h) if self.s.spread == "learned" else self.spread(0 * h)
        return self.mean(h), BOUND * gg.tanh(raw / BOUND)

    def objective(self, batch):
        """-ln P_θ(X|Z) in the units of the targets, summed over them, the mean over the batch."""
        y = (columns(batch.y) - self.centre.data) / self.unit.data
        mean, log_spread = self(gg.Tensor(flat(batch.x)))
        nats = 0.5 * ((mean - y) * gg.exp(-log_spread)) ** 2 + log_spread + HALF_LN_2PI
        return nats.sum(axis=1).mean() + float(np.log(self.unit.numpy()).sum())

    def predicted(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(μ, σ) [N, K] of rows, in the units of the targets, float64 on the host."""
        with gg.no_grad():
            mean, log_spread = self(gg.Tensor(self.on_device(Batch(flat(np.asarray(x)))).x))
        unit, centre = self.unit.numpy().astype(np.float64), self.centre.numpy()
        return mean.numpy() * unit + centre, np.exp(log_spread.numpy().astype(np.float64)) * unit

    def predictions(self, x):
        """The mean of each target, and the deviation about it."""
        mean, spread = self.predicted(x)
        return {"value": mean, "deviation": spread}

    def evaluate(self, split, size=500):
        """nll, the rmse of the mean, and of the bands coverage and mean width (all targets)."""
        y = columns(np.asarray(split.y)).astype(np.float64)
        mean, spread = self.predicted(split.x)
        u = (y - mean) / spread
        half = half_width(self.s.band)
        nats = (0.5 * u * u + np.log(spread) + HALF_LN_2PI).sum(axis=1)
        return {
            "nll": float(nats.mean()),
            "rmse": float(np.sqrt(((y - mean) ** 2).mean())),
            "coverage": float((np.abs(u) <= half).mean()),
            "width": float((2 * half * spread).mean()),
        }


def half_width(share: float) -> float:
    """How many σ on each side of the mean hold that share of a normal distribution.

    >>> round(half_width(0.9), 3)
    1.645
    """
    return NormalDist().inv_cdf(0.5 + 0.5 * share)


def columns(y):
    """Targets [N] or [N, K] as [N, K]."""
    return y.reshape(len(y), -1)


def prepare(data: DataSet, s: Settings) -> DataSet:
    """A table standardised by its training split. SettingError where the labels are no quantities.

    >>> from glassgrad.core.data import load
    >>> prepare(load("diabetes"), Settings()).train.y.shape
    (264, 1)
    """
    y = data.train.y
    if not isinstance(y, np.ndarray) or y.dtype.kind != "f":
        raise SettingError(
            f"regression: {data.name} has no quantities to predict: name a column of numbers with"
            " --label COLUMN"
        )
    return data.standardised() if kind_of(data) == "table" else data


def build(data: DataSet, s: Settings, rng) -> ProbabilisticRegression:
    """The network for a table with one or several quantities."""
    y = columns(data.train.y)
    names = data.info.target_names or tuple(map(str, range(1, y.shape[1] + 1)))
    return ProbabilisticRegression(data.train.x[0].size, y, names, s, rng)


def check(rng, **changes):
    """The objective as a function of the parameters, for gradcheck."""
    y = 3 + 2 * rng.standard_normal((6, 2))
    s = Settings(**{"hidden": (3,), **changes})
    system = ProbabilisticRegression(4, y, ("a", "b"), s, gg.Generator(1), "float64")
    for p in system.parameters():
        p.assign(0.5 * rng.standard_normal(p.shape))
    return by_parameters(system, Batch(rng.standard_normal((6, 4)), y))


TABLE = {"epochs": 60, "batch": 20, "lr": 3e-3, "weight_decay": 0.1}
REGRESSION = Recipe(
    name="regression",
    title="Regression with bands: a mean and a spread",
    lecture="lecture 4 (U3 76-100)",
    rows=(94,),
    build=build,
    settings=Settings,
    prepare=prepare,
    data="diabetes",
    takes=("table", "binary"),
    presets={"diabetes": TABLE, "table": TABLE, "binary": TABLE},
    metric="nll",
    targets=(),
    figures=regression_pictures.figures,
    check=check,
)
RECIPES = (REGRESSION,)
