"""The convolutional network for images (lecture 3, V2 25-112; LeCun et al. 1998).

A convolutional neuron looks through a small window that slides over the image (V2 38) ::

    (x ∗ w)[i, j] = Σ_{a=-A..A} Σ_{b=-B..B} w_ab x[i + a, j + b]

a cross-correlation with an odd, centred kernel of (2A + 1)(2B + 1) weights; an even `kernel` has no
centre, its window begins where the frame does. The lecture's formula has no bias, so a convolution
here has none; `bias=True` adds one per map. A pooling neuron is not trained; it covers h by h
pixels at a stride of h (V2 60) ::

    y[i, j] = F(x[hi, hj], ..., x[hi + h - 1, hj + h - 1])        F = max, or average

The standard scheme (V2 69-75), sizes for MNIST:

    x  [N, 1, 28, 28]
    convolution 5x5, C1 maps, a frame of 2 zeros      [N, C1, 28, 28]      then σ
    pooling 2x2                                       [N, C1, 14, 14]
    convolution 5x5, C2 maps                          [N, C2, 10, 10]      then σ
    pooling 2x2                                       [N, C2, 5, 5]
    fully connected layers                            [N, 10] logits       σ between them

trained by the cross-entropy of the softmax, -ln p(y|x). Of the lecture's tricks (V2 98-112),
activations "without horizontal asymptotes" (ReLU, which has one on the left: that it does not
saturate on the right is meant; `activation="tanh"` is LeNet's) and adaptive gradients are the
default; `dropout` (before each fully connected layer), `batch_norm` (after each convolution) and
`shift` (images moved by up to that many pixels in each direction: augmentation of the sample
without changing the class) are settings.

The pictures: first-layer kernels, the maps of one image, the confusion matrix, the mistakes, and
the reasons for a decision: the gradient of the class's logit with respect to the image, and how
much of the class's probability is lost if a window of the image is covered (Zeiler & Fergus 2014).

The number: LeNet-5's test error on MNIST is 0.95 % without distortions.
"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, minibatches
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common.activations import ACTIVATIONS
from ..common.gradients import by_parameters
from ..common.labels import classes_of
from ..common.shifts import shifted
from .lenet_pictures import figures

POOLS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


class Settings(TrainingSettings):
    """Settings of a convolutional network."""

    channels: tuple[int, ...] = setting(
        (16, 32), least=1, some=True, help="maps of each convolution"
    )
    kernel: int = setting(5, least=1, help="width of the square kernels")
    padding: tuple[int, ...] = setting(
        (2, 0), least=0, help="frame of zeros around the maps before each convolution"
    )
    window: int = setting(2, least=1, help="width h of the square pooling window, and its stride")
    pool: Literal["max", "average"] = setting("max", help="F of a pooling neuron")
    activation: Literal["relu", "tanh"] = setting("relu", help="σ after each layer but the last")
    hidden: tuple[int, ...] = setting(
        (120, 84), least=1, help="widths of the fully connected layers before the logits"
    )
    bias: bool = setting(False, help="one bias for each map of a convolution")
    dropout: float = setting(
        0.0, least=0, below=1, help="share of inputs dropped before each fully connected layer"
    )
    batch_norm: bool = setting(False, help="batch normalisation after each convolution")
    shift: int = setting(0, least=0, help="most pixels that a training image moves either way")
    schedule: str = "cosine"
    select: str = "+accuracy"

    def check(self):
        """Check that each convolution has its padding."""
        if len(self.channels) != len(self.padding):
            raise SettingError("padding must have one entry for each of channels")


class LeNet(System):
    """Convolution, σ, pooling for each entry of `channels`; then the fully connected `hidden`.

    x [N, C, H, W] -> logits [N, classes]. The parts are `convolutions` and `classifier`.
    """

    def __init__(
        self, image: tuple[int, int, int], classes: int, s: Settings, rng, dtype="float32"
    ):
        if s.shift >= min(image[1:]):
            raise SettingError(
                f"lenet: shift must be below the size of the images {image}; got {s.shift}"
            )
        self.s = s
        sigma, pool = ACTIVATIONS[s.activation], POOLS[s.pool]
        k, h = s.kernel, s.window
        c, *size = image
        layers = []
        for i, (maps, padding) in enumerate(zip(s.channels, s.padding)):
            options = {"padding": padding, "bias": s.bias, "dtype": dtype}
            layers.append(nn.Conv2d(c, maps, k, rng=rng.child("conv", i), **options))
            layers += [nn.BatchNorm(maps, dtype=dtype)] if s.batch_norm else []
            layers += [sigma(), pool(h)]
            c, size = maps, [(n + 2 * padding - k + 1) // h for n in size]
            if min(size) < 1:
                raise SettingError(f"lenet: images {image} are too small for layer {i + 1}")
        self.convolutions = nn.Sequential(*layers)
        layers, n = [nn.Flatten()], c * size[0] * size[1]
        for i, m in enumerate((*s.hidden, classes)):
            layers += [nn.Dropout(s.dropout, rng=rng.child("drop", i))] if s.dropout else []
            layers.append(nn.Linear(n, m, rng=rng.child("linear", i), dtype=dtype))
            layers += [sigma()] if i < len(s.hidden) else []
            n = m
        self.classifier = nn.Sequential(*layers)

    def forward(self, x):
        """Logits [N, classes] of images [N, C, H, W]."""
        return self.classifier(self.convolutions(x))

    def objective(self, batch):
        """(the mean of -ln p(y|x) over the batch, {"accuracy": share of correct answers}).

        x [N, C, H, W], y [N] classes; p is the softmax of the logits [N, classes].
        """
        logits = self(gg.Tensor(batch.x))
        right = (logits.data.argmax(axis=1) == batch.y).mean()
        return nn.losses.cross_entropy(logits, batch.y), {"accuracy": right}

    def batches(self, data, size, seed, epoch, start):
        """Minibatches (x [N, C, H, W], y [N]), the images shifted at random if `shift` > 0."""
        found = minibatches(data.train, size, seed=seed, epoch=epoch, start=start)
        for i, batch in enumerate(found, start):
            if self.s.shift:
                rng = gg.Generator(seed).child("shift", epoch, i)
                batch = Batch(shifted(batch.x, self.s.shift, rng), batch.y)
            yield batch

    def logits(self, x: np.ndarray, size: int = 500) -> np.ndarray:
        """Logits [N, classes] of any number of images, without a tape."""
        with gg.no_grad():
            parts = (self.on_device(Batch(x[i : i + size])).x for i in range(0, len(x), size))
            return np.concatenate([self(gg.Tensor(part)).numpy() for part in parts])

    def predictions(self, x):
        """Logits of images."""
        return {"logits": self.logits(x)}


def build(data: DataSet, s: Settings, rng) -> LeNet:
    """The network for a labelled set of images."""
    if data.train.x.ndim != 4:
        raise SettingError(f"lenet: {data.name} has no images [N, C, H, W]")
    return LeNet(data.train.x.shape[1:], classes_of("lenet", data), s, rng)


def check(rng, **changes):
    """The objective of a small network as a function of its parameters, for gradcheck."""
    small = {"channels": (2, 3), "kernel": 3, "padding": (1, 1), "hidden": (4,)}
    s = Settings(**{**small, **changes})
    system = LeNet((1, 4, 4), 3, s, gg.Generator(3), dtype="float64")
    batch = Batch(rng.standard_normal((3, 1, 4, 4)), np.array([0, 2, 1]))
    return by_parameters(system, batch)


BIG = {"epochs": 10, "batch": 100, "lr": 2e-3}

LENET = Recipe(
    name="lenet",
    title="Convolutional network in the manner of LeNet-5",
    lecture="lecture 3 (V2 25-112)",
    rows=(67, 68, 69, 71),
    build=build,
    settings=Settings,
    presets={
        "digits": {
            "channels": (16, 32),
            "kernel": 3,
            "padding": (1, 1),
            "hidden": (64,),
            "epochs": 20,
            "batch": 32,
            "lr": 3e-3,
            "dropout": 0.2,
        },
        "mnist": BIG,
        "fashion_mnist": BIG,
        "cifar10_jpeg_subset": {**BIG, "channels": (32, 64), "epochs": 20, "dropout": 0.3},
    },
    metric="accuracy",
    better="higher",
    targets=(
        Target(
            "MNIST test accuracy",
            "mnist",
            "accuracy",
            "99.05 % (LeNet-5, no distortions)",
            0.9905,
            better="higher",
            source="LeCun, Bottou, Bengio & Haffner 1998, section III",
        ),
        Target(
            "digits test accuracy, in seconds",
            "digits",
            "accuracy",
            "none on this split",
            0.97,
            better="higher",
            own=True,
            note="8x8 images, 3x3 kernels",
        ),
    ),
    figures=figures,
    check=check,
)
RECIPES = (LENET,)
