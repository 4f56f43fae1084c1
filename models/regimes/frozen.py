"""A pre-trained network on other data (lecture 3, V2 683-705; Yosinski et al. 2014).

The lecture cuts a trained convolutional network in two ::

    f(x, α)    convolutional layers: a vectoriser of images
    g(x, β)    fully connected layers for one task

For another task f stays as it is, α frozen, and a new g' is trained on the new data alone ::

    Σ_i L'(g'(f(x'_i, α), β'), y'_i) → min over β'

Here f is EfficientNet-Lite0 with its ImageNet weights (models/convolutional/efficientnet.py), its
1280 features standardised by the training set, and g' one fully connected layer with a softmax:
L' = -ln p(y|x). f(x) is computed once, in the first epoch, so that the others cost next to nothing;
a run that is loaded has g' and the scale of f(x), and computes f(x) of what it is asked for.
`vectors="random"` keeps f's random first weights: what the architecture is worth without ImageNet;
`vectors="pixels"` is g' on the pixels themselves.

The weights (18 MB) do not ship: the data set `efficientnet_lite0` names them. What they are worth
depends on how near the new images are to photographs: on the digits, enlarged from 8 x 8 pixels,
random weights do as well (93.7 % right, 93.3 % with ImageNet's); on small photographs of CIFAR-10
neither they nor pixels are a match for them.

The pictures: what the whole network, g as it was, sees in two photographs, its five likeliest
classes; the confusion matrix and the mistakes of f and g' on the new data.
"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split, minibatches
from ...core.training.recipe import Recipe
from ...core.training.settings import TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common.gradients import by_parameters
from ..common.labels import classes_of
from ..convolutional.efficientnet import FEATURES, EfficientNetLite0
from .frozen_pictures import figures
from .vectors import Vectors, network


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


class Frozen(System):
    """f and g' of the page above; `f` takes images, all else their vectors f(x) [N, D].

    `mean` and `deviation` [D] are those of the vectors of `images`, the training set, found when
    they are first asked for: building a system that is then loaded must not cost a pass of f.
    """

    def __init__(self, f: Vectors, images, inputs: int, classes: int, rng, dtype="float32"):
        self.f, self.images = f, images
        self.mean = gg.Tensor(np.zeros(inputs, dtype))
        self.deviation = gg.Tensor(np.zeros(inputs, dtype))  # 0: not found yet
        self.head = nn.Linear(inputs, classes, rng=rng, dtype=dtype)

    def find_scale(self) -> None:
        """`mean` and `deviation`, unless they were found or loaded; where all are equal, 1."""
        if self.deviation.numpy().any():
            return
        x = self.f(self.images)
        spread = x.std(axis=0, dtype=np.float64)
        self.mean.assign(x.mean(axis=0, dtype=np.float64).astype(self.mean.dtype))
        self.deviation.assign(np.where(spread == 0, 1, spread).astype(self.mean.dtype))

    def forward(self, x):
        """Logits [N, classes] of vectors [N, D], which are standardised first."""
        return self.head((x - self.mean) / self.deviation)

    def batches(self, data, size, seed, epoch, start):
        """Minibatches of vectors."""
        self.find_scale()
        vectors = Split(self.f(data.train.x), data.train.y)
        return minibatches(vectors, size, seed=seed, epoch=epoch, start=start)

    def objective(self, batch):
        """(the mean of -ln p(y|x), {"accuracy": the share of correct answers})."""
        logits = self(gg.Tensor(batch.x))
        right = (logits.data.argmax(axis=1) == batch.y).mean()
        return nn.losses.cross_entropy(logits, batch.y), {"accuracy": right}

    def evaluate(self, split, size=500):
        """The objective and the accuracy on a split of images."""
        self.find_scale()
        return super().evaluate(Split(self.f(split.x), split.y), size)

    def answers(self, x: np.ndarray) -> np.ndarray:
        """The most probable class of each image of x [N, C, H, W], int64 [N]."""
        self.find_scale()
        with gg.no_grad():
            vectors = self.on_device(Batch(self.f(x))).x
            return self(gg.Tensor(vectors)).numpy().argmax(axis=1)


def build(data: DataSet, s: Settings, rng) -> Frozen:
    """f by the setting `vectors`, and the new classifier for a labelled set of images."""
    classes, net = classes_of("efficientnet", data), None
    if s.vectors == "trained":
        net = network()
    elif s.vectors == "random":
        net = EfficientNetLite0(rng.child("f")).eval()
    inputs = FEATURES if net else int(np.prod(data.train.x.shape[1:]))
    return Frozen(Vectors(net, s.side), data.train.x, inputs, classes, rng)


def check(rng):
    """The objective of a small classifier as a function of its parameters, for gradcheck."""
    x = rng.standard_normal((4, 5))
    system = Frozen(Vectors(None), x, 5, 3, gg.Generator(3), "float64")
    system.find_scale()
    return by_parameters(system, Batch(x, np.array([0, 2, 1, 1])))


RECIPES = (
    Recipe(
        name="efficientnet",
        title="A new classifier on a network trained on ImageNet",
        lecture="lecture 3 (V2 683-705)",
        rows=(57,),
        build=build,
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
