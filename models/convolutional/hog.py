"""Hand-made features: histograms of gradients, and a linear classifier on them (V2 20-25).

Before networks learnt their features, people made them. The best known for the shapes of objects
(Dalal & Triggs 2005) counts, in each cell of an image, which way its edges run ::

    g = (x[i, j+1] - x[i, j-1], x[i+1, j] - x[i-1, j])    of the channel where ‖g‖ is largest
    θ = angle of g modulo 180°                            an edge has no direction
    h[cell, b] = Σ_{pixels of the cell} ‖g‖ w_b(θ)        w: shares of the two nearest of B bins
    v = the h of 2 x 2 cells next to each other           blocks overlap by a cell
    v ← v/√(‖v‖² + ε²), cut at 0.2, and once more         light and contrast do not count

A linear classifier, here logistic regression (models/probability/logistic_regression.py), makes
classes of the vectors. Two parts of theirs are left out: a vote is not shared between neighbouring
cells, and pixels far from the middle of a block count as much as others. Everything but the last
layer is fixed: what a cell is, that edges count and not colours, that small shifts inside a cell do
not. A convolutional net has the same parts (local windows, a bend, sums over neighbouring places,
normalisation by neighbours) and learns them end to end. Test images that are right, in per cent, on
the same splits (nets: the mean of seeds 0 to 2) ::

                                            digits    a tenth of CIFAR-10
    pixels, logistic regression              97.7            36.8
    these features, logistic regression      97.1            44.9
    learnt end to end, `lenet`               98.6
    learnt end to end, `alexnet`             97.7       its target: above 44.9

In colour photographs edges are worth more than pixels. Images of 8 x 8 pixels are hardly larger
than a few cells, and there is nothing to gain.

The pictures: `histograms`, images next to their cells, each a star of lines along its edges;
confusions and mistakes.

The numbers: on pixels a linear classifier has 36.8 % right on the part of CIFAR-10 and 88.0 % on
MNIST (LeCun et al. 1998). The net to compare with is `alexnet`.

Source: Dalal, Triggs, "Histograms of oriented gradients for human detection", 2005.
"""

from dataclasses import replace

import numpy as np

from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, setting
from ...core.training.system import Batch
from ..common.gradients import by_parameters
from ..common.labels import classes_of
from ..probability.linear import LinearSettings
from ..probability.logistic_regression import LogisticRegression
from .gradient_histograms import BLOCK, features
from .hog_pictures import figures


class Settings(LinearSettings):
    """Settings of histograms of gradients with logistic regression."""

    cell: int = setting(4, least=1, help="side of the square cells, pixels")
    bins: int = setting(9, least=2, help="directions B of an edge")
    l2: float = 1e-4


def prepare(data: DataSet, s: Settings) -> DataSet:
    """The data with vectors in the place of images, which `info.extra["images"]` keeps.

    Raises SettingError for what are no images, and for images of fewer than 2 x 2 cells.
    """
    classes_of("hog", data)
    shape = data.train.x.shape[1:]
    if len(shape) != 3 or min(shape[1:]) < BLOCK * s.cell:
        raise SettingError(
            f"hog: blocks of {BLOCK} x {BLOCK} cells take images [N, C, H, W] of"
            f" {BLOCK * s.cell} pixels or more in each direction; {data.name} has {shape}"
        )
    parts = {k: Split(features(v.x, s.cell, s.bins), v.y) for k, v in data.splits()}
    extra = {**data.info.extra, "images": dict(data.splits())}
    return replace(data, **parts, info=replace(data.info, kind="table", extra=extra))


def build(data: DataSet, s: Settings, rng) -> LogisticRegression:
    """The classifier of the vectors."""
    return LogisticRegression(classes_of("hog", data), data.train.x.shape[1], s)


def check(rng):
    """The objective as a function of W and b, for gradcheck."""
    x = features(rng.random((5, 1, 4, 4)), 2, 3)
    system = LogisticRegression(3, x.shape[1], Settings(l2=0.3), "float64")
    for p in system.parameters():
        p.assign(rng.standard_normal(p.shape))
    return by_parameters(system, Batch(x, np.array([0, 2, 1, 1, 0])))


HOG = Recipe(
    name="hog",
    title="Hand-made features: histograms of gradients and a linear classifier",
    lecture="lecture 3 (V2 20-25)",
    rows=(69,),
    build=build,
    settings=Settings,
    prepare=prepare,
    presets={
        "digits": {"cell": 2, "epochs": 40},
        "mnist": {"cell": 4, "epochs": 20},
        "cifar10_jpeg_subset": {"cell": 4, "epochs": 30, "l2": 3e-3},
    },
    metric="accuracy",
    better="higher",
    targets=(
        Target(
            "MNIST test accuracy of a linear classifier",
            "mnist",
            "accuracy",
            "88.0 % (on pixels)",
            0.97,
            better="higher",
            own=True,
            source="LeCun, Bottou, Bengio & Haffner 1998, section III, for pixels",
        ),
        Target(
            "CIFAR-10, a tenth: test accuracy of a linear classifier",
            "cifar10_jpeg_subset",
            "accuracy",
            "none on these images",
            0.42,
            better="higher",
            own=True,
            note="logistic regression on the pixels has 36.8 %",
        ),
    ),
    figures=figures,
    check=check,
)
RECIPES = (HOG,)
