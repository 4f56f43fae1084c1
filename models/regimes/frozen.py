"""A pre-trained network on other data (lecture 3, V2 683-725; Yosinski et al. 2014).

The lecture cuts a trained convolutional network in two ::

    f(x, α)    convolutional layers: a vectoriser of images
    g(x, β)    fully connected layers for one task

For another task f stays as it is, α frozen, and a new g' is trained on the new data alone ::

    Σ_i L'(f(x'_i, α), g'(·, β')) → min over β'

Here f is EfficientNet-Lite0 with its ImageNet weights (models/convolutional/efficientnet.py), its
1280 features standardised by the training set, and g' one fully connected layer with a softmax:
L' = -ln p(y|x). f(x) is computed once, before training, so that an epoch costs next to nothing.
`vectors="random"` keeps f's random first weights: what the architecture is worth without ImageNet;
`vectors="pixels"` is g' on the pixels themselves.

The weights (18 MB) do not ship: the data set `efficientnet_lite0` names them. What they are worth
depends on how near the new images are to photographs: on the digits, enlarged from 8 x 8 pixels,
random weights do as well (93.7 % right, 93.3 % with ImageNet's); on small photographs of CIFAR-10
neither they nor pixels are a match for them.

The pictures: what the whole network, g as it was, sees in two photographs, its five likeliest
classes; the confusion matrix and the mistakes of f and g' on the new data.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe
from ...core.training.settings import TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common.gradients import by_parameters
from ..common.labels import classes_of
from ..convolutional.efficientnet import EfficientNetLite0
from .frozen_pictures import figures
from .vectors import features, network


class Settings(TrainingSettings):
    """Settings of a new classifier on a frozen network."""

    vectors: Literal["trained", "random", "pixels"] = setting(
        "trained", help="f: its ImageNet weights, random ones, or no network"
    )
    side: int = setting(
        96, least=32, when=("vectors", "trained", "random"), help="pixels that images get"
    )
    schedule: str = "cosine"
    select: str = "+accuracy"


def prepare(data: DataSet, s: Settings) -> DataSet:
    """f(x) of all images, standardised: x [N, 1280]. The images stay in ``info.extra["images"]``.

    With `vectors="pixels"` it is the pixels that are standardised.
    """
    net = None
    if s.vectors == "trained":
        net = network()
    elif s.vectors == "random":
        net = EfficientNetLite0(gg.Generator(s.seed).child("f")).eval()

    def vectors(x):
        return x.reshape(len(x), -1) if net is None else features(net, x, s.side)

    splits = {name: Split(vectors(split.x), split.y) for name, split in data.splits()}
    extra = {**data.info.extra, "images": {name: split.x for name, split in data.splits()}}
    return DataSet(data.name, **splits, info=replace(data.info, extra=extra)).standardised()


class Frozen(System):
    """g' of the page above: vectors f(x) [N, D] -> logits [N, classes]."""

    def __init__(self, inputs: int, classes: int, rng, dtype="float32"):
        self.head = nn.Linear(inputs, classes, rng=rng, dtype=dtype)

    def forward(self, x):
        """Logits [N, classes] of vectors [N, D]."""
        return self.head(x)

    def objective(self, batch):
        """(the mean of -ln p(y|x), {"accuracy": the share of correct answers})."""
        logits = self(gg.Tensor(batch.x))
        right = (logits.data.argmax(axis=1) == batch.y).mean()
        return nn.losses.cross_entropy(logits, batch.y), {"accuracy": right}


def build(data: DataSet, s: Settings, rng) -> Frozen:
    """The new classifier for a labelled set of vectors."""
    return Frozen(data.train.x.shape[1], classes_of("efficientnet", data), rng)


def check(rng):
    """The objective of a small classifier as a function of its parameters, for gradcheck."""
    batch = Batch(rng.standard_normal((4, 5)), np.array([0, 2, 1, 1]))
    return by_parameters(Frozen(5, 3, gg.Generator(3), "float64"), batch)


RECIPES = (
    Recipe(
        name="efficientnet",
        title="A new classifier on a network trained on ImageNet",
        lecture="lecture 3 (V2 683-725)",
        rows=(57,),
        build=build,
        prepare=prepare,
        takes=("images",),
        needs=("efficientnet_lite0",),
        settings=Settings,
        presets={
            "digits": {"side": 64, "epochs": 30, "batch": 50, "lr": 1e-3, "weight_decay": 1e-3},
            "cifar10_jpeg_subset": {
                "side": 128, "epochs": 30, "batch": 100, "lr": 1e-3, "weight_decay": 1e-2,
            },
        },
        metric="accuracy",
        better="higher",
        figures=figures,
        check=check,
    ),
)  # fmt: skip
