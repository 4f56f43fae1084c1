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
    error          per cent of the queries whose class is not that of most of the k nearest; for
                   each space that k of `neighbours` whose error on validation images is least

The epochs train the LeNet; the metric `precision` is that of the pre-trained network, and `margin`
and `error_margin` are by how much it is better than the better of the two others.

What a picture costs in the network grows with the square of `side`: at 96 pixels a fifth of that at
its own 224. A preset may keep `examples` of the training images, drawn by the seed; queries are all
test images.

The pictures: queries with their five nearest images in each of the three spaces, and which of these
are of the query's class.

The numbers: none published for these sets. On small photographs (CIFAR-10 in part, 1000 of them;
one run, of seed 0) the pre-trained network has a precision of 0.47, the LeNet 0.32, pixels 0.20;
errors of 40, 61 and 77 %. Drawn characters are no photographs: Omniglot shows how far the vectors
carry.
"""

import numpy as np

from ... import core as gg
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import setting
from ...core.training.system import Batch
from ..common.gradients import by_parameters
from ..common.labels import classes_of
from ..common.neighbours import nearest, precision_at, unit_length, vote
from ..common.rows import with_examples
from ..convolutional.lenet import LeNet
from ..convolutional.lenet import Settings as LeNetSettings
from .vectoriser_pictures import SPACES, figures
from .vectors import Vectors, network

NEAR = 10  # neighbours that precision@10 looks at
MEASURES = ("precision", "error")


class Settings(LeNetSettings):
    """Settings of the network from scratch, and of the comparison."""

    side: int = setting(96, least=32, help="pixels that images get for the pre-trained network")
    neighbours: tuple[int, ...] = setting(
        (1, 3, 5, 10, 20), least=1, some=True, help="numbers k of voters, the best is validated"
    )
    examples: int = setting(0, least=0, help="training images that are kept, 0 for all")


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
        """The numbers of the nearest training images of each query, int64 [N, 10 or more]."""
        x, own = self.vectors(x, space), self.vectors(self.data.train.x, space)
        return nearest(x, own, max(NEAR, *self.s.neighbours))

    def wrong(self, near: np.ndarray, y: np.ndarray, k: int) -> float:
        """Per cent of queries of the classes y [M] that k of their neighbours [M, ·] get wrong."""
        return 100 * float((vote(near[:, :k], self.data.train.y) != y).mean())

    def voters(self, space: str) -> int:
        """Of `neighbours` the k of the least error on validation images; the first without any."""
        valid, ks = self.data.valid, self.s.neighbours
        if len(ks) == 1 or valid is None or not len(valid):
            return ks[0]
        near = self.near(valid.x, space)
        return min(ks, key=lambda k: self.wrong(near, valid.y, k))

    def evaluate_finished(self, split):
        """Those of the LeNet; precision@10, k and the k-NN error in % in each space; margins."""
        found = self.evaluate(split)
        for space in SPACES:
            near, k = self.near(split.x, space), self.voters(space)
            found[f"precision_{space}"] = precision_at(near[:, :NEAR], split.y, self.data.train.y)
            found[f"voters_{space}"] = k
            found[f"error_{space}"] = self.wrong(near, split.y, k)
        precision, error = ([found[f"{m}_{space}"] for space in SPACES] for m in MEASURES)
        return {
            **found,
            "precision": precision[0],
            "margin": precision[0] - max(precision[1:]),
            "error_margin": min(error[1:]) - error[0],
        }


def prepare(data: DataSet, s: Settings) -> DataSet:
    """The data set with `examples` of its training images."""
    return with_examples("vectoriser", data, s.examples, s.seed)


def check(rng):
    """The objective of a small network as a function of its parameters, for gradcheck."""
    small = {"channels": (2,), "kernel": 3, "padding": (1,), "hidden": (4,)}
    system = LeNet((1, 4, 4), 3, Settings(**small), gg.Generator(3), dtype="float64")
    return by_parameters(system, Batch(rng.standard_normal((3, 1, 4, 4)), np.array([0, 2, 1])))


SMALL = {
    "channels": (16, 32), "kernel": 3, "padding": (1, 1), "hidden": (64,),
    "epochs": 10, "batch": 32, "lr": 3e-3, "side": 64,
}  # fmt: skip


def _margins(name: str, data: str) -> list[Target]:
    """Targets for both margins of the pre-trained network over the better of the two others.

    The smaller test set, of Omniglot, has 544 queries: two standard errors of a share of them are
    at most 4.3 per cent, so that 5 are no chance of which images were drawn.
    """
    common = {"better": "higher", "own": True, "seeds": 3}
    draws = "three draws of the LeNet and, where not all are kept, of the training images"
    none = "none for these images"
    return [
        Target(
            f"{name}: margin of precision@10", data, "margin", none, 0.05,
            note=f"own bound: half a neighbour more of ten is right; {draws}", **common,
        ),
        Target(
            f"{name}: margin of the k-NN error, % points", data, "error_margin", none, 5.0,
            note=f"own bound: above two standard errors of 544 queries, 4.3; {draws}", **common,
        ),
    ]  # fmt: skip


RECIPES = (
    Recipe(
        name="vectoriser",
        title="A deep network as a vectoriser of images, compared",
        lecture="lecture 3 (V2 132-150)",
        rows=(75,),
        build=Vectoriser,
        prepare=prepare,
        needs=("efficientnet_lite0",),
        settings=Settings,
        presets={
            "digits": SMALL,
            "images": SMALL,
            "cifar10_jpeg_subset": {
                "channels": (32, 64), "epochs": 20, "batch": 50, "lr": 2e-3, "dropout": 0.3,
                "side": 96, "examples": 1000,
            },
            "omniglot": {**SMALL, "side": 96},
        },
        metric="precision",
        better="higher",
        targets=(
            *_margins("CIFAR-10 in part, 1000 images", "cifar10_jpeg_subset"),
            *_margins("Omniglot, 136 characters by 12 drawers", "omniglot"),
        ),
        figures=figures,
        check=check,
    ),
)  # fmt: skip
