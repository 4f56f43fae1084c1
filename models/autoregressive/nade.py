"""The neural autoregressive distribution estimator, NADE (lecture 2, D1 20, where it is named).

Each number has a network of one hidden layer on those before it, and all of them share weights ::

    a_1 = c,    h_i = σ(a_i),    p(x_i = 1 | x_<i) = σ(b_i + V_i h_i),    a_{i+1} = a_i + W_i x_i

(Larochelle & Murray 2011). Shared weights make it cheap: a_{i+1} is a_i plus one row, so all D
networks together cost D H, not D² H. The loop over i has its own kernel (kernels/nade), with a cost
linear in the hidden units, forward and backward.

The pictures: samples, continuations of half an image, what the model expects of each pixel, and the
filters: for each hidden unit, its column of W as an image.

The number: 88.33 nats on binarised MNIST with 500 hidden units (Uria et al. 2016).
"""

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import setting
from ..common import binary
from ..common.images import filter_sheet
from . import conditionals
from .conditionals import Conditionals, OrderSettings


class Settings(OrderSettings):
    """Settings of a model with one hidden layer."""

    hidden: int = setting(500, least=1, help="number H of hidden units")


class NADE(Conditionals):
    """Parameters w, v [D, H], c [H], b [D]; row i of w is what x_i adds to the hidden units."""

    def __init__(self, inputs: int, s: Settings, rng, dtype="float32"):
        super().__init__(inputs, s, rng, s.order)
        hidden = s.hidden
        self.w = nn.init.scaled((inputs, hidden), inputs, rng.child("w"), dtype)
        self.c = nn.init.parameter(np.zeros(hidden, dtype))
        self.v = nn.init.scaled((inputs, hidden), hidden, rng.child("v"), dtype)
        self.b = nn.init.parameter(np.zeros(inputs, dtype))

    def logits(self, x):
        """y_i = b_i + V_i σ(c + Σ_{j<i} W_j x_j)."""
        return gg.nade(x, self.w, self.c, self.v, self.b)


def build(data: DataSet, s: Settings, rng) -> NADE:
    """The model for a data set."""
    return NADE(int(np.prod(data.train.x.shape[1:])), s, rng)


def figures(system: NADE, data: DataSet, s: Settings) -> dict:
    """The figures of all conditionals, and the filters."""
    w = np.empty_like(system.w.numpy())
    w[system.order] = system.w.numpy()
    filters = filter_sheet(w.T, data, "columns of W, one for each hidden unit")
    return {**conditionals.figures(system, data, s), "filters": filters}


RECIPES = (
    Recipe(
        name="nade",
        title="Neural autoregressive distribution estimator",
        lecture="lecture 2 (D1 20)",
        rows=(42,),
        build=build,
        prepare=binary.prepare,
        takes=("images", "binary"),
        settings=Settings,
        presets={
            "digits": {"hidden": 64, "epochs": 100, "batch": 50, "lr": 5e-3},
            "mnist": {"epochs": 60, "lr": 2e-3, "select": "nll"},
            "binary": {
                "hidden": 500,
                "epochs": 60,
                "batch": 50,
                "lr": 5e-3,
                "binarise": "fixed",
                "select": "nll",
            },
        },
        metric="nll",
        targets=(
            Target(
                "MNIST test negative log-likelihood, 500 hidden units, nats",
                "mnist",
                "nll",
                "88.33",
                88.33,
                source="Uria, Côté, Gregor, Murray & Larochelle 2016, table 2",
                protocol="training images binarised again in each epoch; theirs once",
                note="the published figure is quoted from memory",
            ),
            Target(
                "MNIST binarised once: test negative log-likelihood, 500 hidden units, nats",
                "mnist",
                "nll",
                "88.33",
                88.33,
                settings={"binarise": "fixed"},
                source="Uria, Côté, Gregor, Murray & Larochelle 2016, table 2",
                note="the published figure is quoted from memory",
            ),
        ),
        figures=figures,
        sample=conditionals.sample,
        check=conditionals.check_of(NADE, Settings(hidden=4)),
    ),
)
