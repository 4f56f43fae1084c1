"""A deep convolutional network as a vectoriser of images (lecture 3, V2 132-150).

The lecture cites Vizilter & Gorbatsevich (2017): what a deep network computes before its last layer
is a vector in which like images lie close together, and it serves for search as well as for the
task that the network was trained for. Three vectors of the same images are compared here:

    ours      the 1280 features of EfficientNet-Lite0 with its ImageNet weights (vectors.py)
    scratch   the last hidden layer of a LeNet that is trained on these images alone
    pixels    the image as it is

each of length 1, so that neighbours are those of the smallest angle. For a query, a test image, the
nearest training images are found, and two numbers say how well a space is ordered by class:

    precision@10   the mean share of the ten nearest that are of the query's class
    error          the share of queries whose class is not that of most of the `k` nearest

The epochs train the LeNet; the metric `precision` is that of the pre-trained network, and `margin`
is what it has more than the better of the two others.

The pictures: queries with their five nearest images in each of the three spaces.
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.recipe import Recipe
from ...core.training.settings import setting
from ...core.training.system import Batch
from ..common.gradients import by_parameters
from ..common.labels import classes_of
from ..common.neighbours import nearest, precision_at, unit_length, vote
from ..convolutional.lenet import LeNet
from ..convolutional.lenet import Settings as LeNetSettings
from .vectors import Vectors, network

NEAR = 10  # neighbours that precision@10 looks at
SPACES = ("network", "scratch", "pixels")


class Settings(LeNetSettings):
    """Settings of the network from scratch, and of the comparison."""

    side: int = setting(96, least=32, help="pixels that images get for the pre-trained network")
    neighbours: int = setting(10, least=1, help="number k of neighbours that vote")


class Vectoriser(LeNet):
    """A LeNet that is trained on the data, and the spaces that it is compared with."""

    def __init__(self, data: DataSet, s: Settings, rng, dtype="float32"):
        super().__init__(data.train.x.shape[1:], classes_of("vectoriser", data), s, rng, dtype)
        self.data, self.f = data, Vectors(network(), s.side)

    def hidden(self, x: np.ndarray, size: int = 500) -> np.ndarray:
        """The last hidden layer of the LeNet for images [N, C, H, W]: [N, D], without a tape."""
        found = []
        with gg.no_grad():
            for at in range(0, len(x), size):
                h = self.convolutions(gg.Tensor(self.on_device(Batch(x[at : at + size])).x))
                for layer in list(self.classifier)[:-1]:
                    h = layer(h)
                found.append(h.numpy())
        return np.concatenate(found)

    def vectors(self, x: np.ndarray, space: str) -> np.ndarray:
        """Images [N, C, H, W] as vectors of length 1 in one of `SPACES`."""
        if space == "network":
            return unit_length(self.f(x))
        return unit_length(self.hidden(x) if space == "scratch" else x.reshape(len(x), -1))

    def near(self, x: np.ndarray, space: str) -> np.ndarray:
        """The numbers of the nearest training images of each query, int64 [N, 10 or k]."""
        x, own = self.vectors(x, space), self.vectors(self.data.train.x, space)
        return nearest(x, own, max(NEAR, self.s.neighbours))

    def evaluate_finished(self, split):
        """Those of the LeNet; precision@10 and the k-NN error in % in each space."""
        labels, found = self.data.train.y, self.evaluate(split)
        for space in SPACES:
            near = self.near(split.x, space)
            wrong = vote(near[:, : self.s.neighbours], labels) != split.y
            found[f"precision_{space}"] = precision_at(near[:, :NEAR], split.y, labels)
            found[f"error_{space}"] = 100.0 * float(wrong.mean())
        others = max(found["precision_scratch"], found["precision_pixels"])
        found["precision"] = found["precision_network"]
        return {**found, "margin": found["precision"] - others}


def figures(system: Vectoriser, data: DataSet, s: Settings) -> dict:
    """For each space: six queries, each in front of its five nearest training images."""
    system.eval()
    queries, drawn = data.test.x[:6], {}
    for space in SPACES:
        near = system.near(queries, space)[:, :5]
        sheet = [image for q, n in zip(queries, near) for image in (q, *data.train.x[n])]
        right = precision_at(near, data.test.y[:6], data.train.y)
        title = f"{space}: a query and its five nearest, {right:.0%} of its class"
        drawn[f"nearest_{space}"] = pictures.image_sheet(np.stack(sheet).mean(axis=1), 6, title)
    return drawn


def check(rng):
    """The objective of a small network as a function of its parameters, for gradcheck."""
    small = {"channels": (2,), "kernel": 3, "padding": (1,), "hidden": (4,)}
    system = LeNet((1, 4, 4), 3, Settings(**small), gg.Generator(3), dtype="float64")
    return by_parameters(system, Batch(rng.standard_normal((3, 1, 4, 4)), np.array([0, 2, 1])))


SMALL = {
    "channels": (16, 32), "kernel": 3, "padding": (1, 1), "hidden": (64,),
    "epochs": 10, "batch": 32, "lr": 3e-3, "side": 64,
}  # fmt: skip
RECIPES = (
    Recipe(
        name="vectoriser",
        title="A deep network as a vectoriser of images, compared",
        lecture="lecture 3 (V2 132-150)",
        rows=(75,),
        build=Vectoriser,
        needs=("efficientnet_lite0",),
        settings=Settings,
        presets={
            "digits": SMALL,
            "images": SMALL,
            "cifar10_jpeg_subset": {
                "channels": (32, 64), "epochs": 20, "batch": 100, "lr": 2e-3, "dropout": 0.3,
                "side": 96,
            },
        },
        metric="precision",
        better="higher",
        figures=figures,
        check=check,
    ),
)  # fmt: skip
