"""The fully visible sigmoid belief net (lecture 2, D1 20, where it is named: "fully-observed").

Each number is a logistic regression on those before it ::

    p(x_i = 1 | x_<i) = σ(b_i + Σ_{j<i} α_ij x_j)            α [D, D], strictly lower triangular

(Frey 1998; Neal 1992). With the triangle as a mask all D regressions are one matrix product, and
-ln p(x) is convex in α and b: every minimum is global, and the only choice is the optimiser. (For a
pixel that is 0 in every image the minimum is at b → -∞, so the number of epochs decides.)

The pictures: samples, continuations of half an image, and α_i as images. They show what pixel i
depends on: its neighbours above and to the left, and little else.

The number: 97.45 nats on binarised MNIST (published, as quoted by Uria et al. 2016).
"""

import numpy as np

from ... import core as gg
from ...core import nn, pictures
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ..common import binary, row_pictures
from ..common.images import as_images, has_images
from ..common.names import names_of
from . import conditionals
from .conditionals import Conditionals, OrderSettings


class FVSBN(Conditionals):
    """Parameters b [D] and alpha [D, D], of which only the strictly lower triangle is used."""

    def __init__(self, inputs: int, s: OrderSettings, rng, dtype="float32"):
        super().__init__(inputs, s, rng, s.order)
        self.alpha = nn.init.parameter(np.zeros((inputs, inputs), dtype))
        self.b = nn.init.parameter(np.zeros(inputs, dtype))
        self.before = gg.Tensor(np.tri(inputs, k=-1, dtype=dtype))  # 1 where j < i

    def logits(self, x):
        """y_i = b_i + Σ_{j<i} α_ij x_j."""
        return gg.linear(x, self.alpha * self.before, self.b)


def build(data: DataSet, s: OrderSettings, rng) -> FVSBN:
    """The model for a data set."""
    return FVSBN(int(np.prod(data.train.x.shape[1:])), s, rng)


def figures(system: FVSBN, data: DataSet, s: OrderSettings) -> dict:
    """The figures of all conditionals, and the weights of sixty pixels that are not always 0."""
    alpha = np.empty_like(system.alpha.numpy())  # both axes in the order of the image
    alpha[np.ix_(system.order, system.order)] = (system.alpha * system.before).numpy()
    if not has_images(data):
        x = np.asarray(data.train.x[:2000])
        chosen = row_pictures.most_varied(x, row_pictures.MOST_ROWS)
        labels = [names_of(data)[i] for i in chosen]
        sheet = row_pictures.matrix(alpha[chosen], data, "α_i of the columns", labels)
        return {**conditionals.figures(system, data, s), "weights": sheet}
    lit = np.flatnonzero((data.train.x != 0).any(axis=0))
    weights = alpha[lit[np.linspace(0, len(lit) - 1, 60).round().astype(int)]]
    weights = 0.5 + 0.5 * weights / np.maximum(np.abs(weights).max(axis=1, keepdims=True), 1e-12)
    sheet = pictures.image_sheet(as_images(weights, data), columns=12, title="α_i of 60 pixels")
    return {**conditionals.figures(system, data, s), "weights": sheet}


RECIPES = (
    Recipe(
        name="fvsbn",
        title="Fully visible sigmoid belief net",
        lecture="lecture 2 (D1 20)",
        rows=(41,),
        build=build,
        prepare=binary.prepare,
        takes=("images", "binary"),
        settings=OrderSettings,
        presets={
            "digits": {"epochs": 100, "batch": 50, "lr": 1e-2},
            "mnist": {"epochs": 40, "lr": 3e-3, "select": "nll"},
            "binary": {
                "epochs": 100,
                "batch": 50,
                "lr": 3e-2,
                "binarise": "fixed",
                "select": "nll",
            },
        },
        metric="nll",
        targets=(
            Target(
                "MNIST test negative log-likelihood, nats",
                "mnist",
                "nll",
                "97.45",
                97.45,
                source="Uria, Côté, Gregor, Murray & Larochelle 2016, table 2",
                protocol="training images binarised again in each epoch; theirs once",
                note="the published figure is quoted from memory",
            ),
            Target(
                "MNIST binarised once: test negative log-likelihood, nats",
                "mnist",
                "nll",
                "97.45",
                97.45,
                settings={"binarise": "fixed"},
                source="Uria, Côté, Gregor, Murray & Larochelle 2016, table 2",
                note="the published figure is quoted from memory",
            ),
        ),
        figures=figures,
        sample=conditionals.sample,
        check=conditionals.check_of(FVSBN, OrderSettings()),
    ),
)
