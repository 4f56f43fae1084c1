"""A small AlexNet: the standard convolutional net with the tricks that made it win (V2 76-112).

In 2012 nets of five convolutions and three dense layers won on ImageNet: the right class was not
among five answers for 15.3 % of the test images, next to 26.2 % by the best hand-made features. The
lecture names ReLU, dropout, augmentation, the GPU, the choice of sizes, and 60 million parameters,
most of them in the dense layers; the paper also has response normalisation and overlapping pooling.
Here they are on a net for small images, each a switch, with a bias for each map as in the paper ::

    x  [N, C, H, W], each channel less its mean, over its deviation on the training images
    each of `channels`, at size h:
        convolution k x k, a frame of k//2 zeros             [N, maps, h, h]
        σ                                                    relu: no asymptote to the right
        local response norm, but for the last of several     x_c / (2 + α Σ_j x_j²)^¾
        pooling                                              [N, maps, h/2, h/2]
    each of `hidden`: dense layer, σ, dropout                [N, hidden]
    dense layer                                              [N, classes] logits

activation    relu. With tanh the paper's net on CIFAR-10 takes six times as long to 25 % of errors.
lrn           α of local response normalisation, 0 for none: a loud map silences its neighbours. The
              sum runs over five maps. The paper's α = 10⁻⁴ is for pixels up to 255: with pixels of
              deviation 1, about 64 times smaller, the same net has α = 10⁻⁴ · 64² = 0.4.
pooling       overlapping: the largest of 3 x 3, two pixels apart; apart: of 2 x 2. Both halve the
              image, so that the rest of the net has the same size.
dropout       share of the units of dense layers that are 0 in a training step.
crop, flip    augmentation (models/common/augmentation.py). Digits are not flipped: it would not
              keep their class. Off with crop=0, flip=false.

`accuracy` is of the images as they are. `accuracy_views` is by the mean of p(y|·) over the middle
and the four corners of the framed image, and their mirror images with `flip`, as in the paper.

Which of the tricks help here, and how much ::

    python -m glassgrad.bench.tricks                 the net without each trick in turn
    python -m glassgrad.bench.tricks --rows sizes    with more and fewer layers and maps

How are depth and width chosen? By validation data: no formula knows them. Depth sets how much of
the image a unit of the last level sees (receptive.py). Doubling the width makes a level four times
as costly. On the digits, per cent of 200 validation images wrong after 8 epochs, seeds 0 and 1 ::

    maps            parameters    wrong
    16, 32              13,706    2.25      the default
    16                  17,258    0.75      a pooled unit sees 5 x 5 pixels, the dense layer all
    16, 32, 32          16,810    5.25      the last level is a single place
    8, 16                6,058    5.50
    32, 64              35,914    3.75

One image is half a point and two seeds say little: the table shows no size to be better for sure.

The pictures: first-layer kernels; `patches`, the parts of images that excite some units of each
level most, in the size that they see: higher levels see larger parts (V2 69-75); `wherever`: a
pooled unit finds its element wherever it lies in the window (V2 68); confusions and mistakes.

Hand-made features with a linear classifier on the same splits are the recipe `hog`, whose page
compares them with this net.

The numbers: on CIFAR-10 a net of four layers has 13 % of errors without and 11 % with response
normalisation. Overlapping windows save 0.4 and 0.3 points of top-1 and top-5 errors on ImageNet,
normalisation 1.4 and 1.2 (Krizhevsky et al., section 3). A tenth of CIFAR-10, from JPEG copies, is
not comparable. Left out: ImageNet itself (150 gigabytes), training on two GPUs, and the change of
colours along their principal components.

Source: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural
networks", 2012.
"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common.activations import ACTIVATIONS, Activation
from ..common.augmentation import augmented, views
from ..common.gradients import by_parameters
from ..common.labels import classes_of
from .alexnet_pictures import figures

POOLS = {"overlapping": {"kernel_size": 3, "stride": 2, "padding": 1}, "apart": {"kernel_size": 2}}


class Settings(TrainingSettings):
    """Settings of a small AlexNet."""

    channels: tuple[int, ...] = setting(
        (32, 32, 64), least=1, some=True, help="maps of each convolution"
    )
    kernel: int = setting(5, least=1, help="width k of the square kernels, odd")
    activation: Activation = setting("relu", help="σ after each layer but the last")
    lrn: float = setting(
        0.4, least=0, help="α of local response normalisation in units of the pixels, 0 for none"
    )
    pooling: Literal["overlapping", "apart"] = setting(
        "overlapping", help="windows of 3 x 3, or of 2 x 2, at a stride of 2"
    )
    hidden: tuple[int, ...] = setting((128,), least=1, help="widths of the dense layers")
    dropout: float = setting(
        0.5, least=0, below=1, when="hidden", help="share of the units of dense layers dropped"
    )
    crop: int = setting(0, least=0, help="frame of zeros out of which a training image is cut")
    flip: bool = setting(False, help="mirror half of the training images")
    schedule: str = "cosine"
    select: str = "+accuracy"

    def check(self):
        """Check that the kernels have a middle."""
        if self.kernel % 2 == 0:
            raise SettingError(f"kernel must be odd; got {self.kernel}")


class AlexNet(System):
    """x [N, C, H, W] -> logits [N, classes]. The parts are `convolutions` and `classifier`.

    mean, deviation [C] are those of the channels of the training images.
    """

    def __init__(
        self, image: tuple[int, int, int], classes: int, s: Settings, rng, dtype="float32",
        mean=0.0, deviation=1.0,
    ):  # fmt: skip
        c, *size = image
        if s.crop >= min(size):
            raise SettingError(
                f"alexnet: crop must be below the size of the images {image}; got {s.crop}"
            )
        self.s = s
        along = (c, 1, 1)
        self.mean = gg.Tensor(np.full(c, mean, dtype).reshape(along))
        self.deviation = gg.Tensor(np.full(c, deviation, dtype).reshape(along))
        sigma = ACTIVATIONS[s.activation]
        layers, last, k = [], len(s.channels) - 1, s.kernel
        for i, maps in enumerate(s.channels):
            layers += [nn.Conv2d(c, maps, k, padding=k // 2, rng=rng.child("conv", i), dtype=dtype)]
            layers += [sigma()]
            layers += [nn.LocalResponseNorm(alpha=s.lrn)] if s.lrn and i < max(1, last) else []
            layers += [nn.MaxPool2d(**POOLS[s.pooling])]
            up = s.pooling == "overlapping"  # an odd size: its last row is in a window, or is not
            c, size = maps, [(n + up) // 2 for n in size]
            if min(size) < 1:
                raise SettingError(f"alexnet: images {image} are too small for level {i + 1}")
        self.convolutions = nn.Sequential(*layers)
        layers, n = [nn.Flatten()], c * size[0] * size[1]
        for i, m in enumerate(s.hidden):
            layers += [nn.Linear(n, m, rng=rng.child("linear", i), dtype=dtype), sigma()]
            layers += [nn.Dropout(s.dropout, rng=rng.child("drop", i))] if s.dropout else []
            n = m
        layers += [nn.Linear(n, classes, rng=rng.child("output"), dtype=dtype)]
        self.classifier = nn.Sequential(*layers)

    def standardised(self, x):
        """Pixels [N, C, H, W] of mean 0 and deviation 1 on the training images."""
        return (x - self.mean) / self.deviation

    def forward(self, x):
        """Logits [N, classes] of images [N, C, H, W] with pixels in [0, 1]."""
        return self.classifier(self.convolutions(self.standardised(x)))

    def objective(self, batch):
        """(the mean of -ln p(y|x) over the batch, {"accuracy": share of right answers})."""
        logits = self(gg.Tensor(batch.x))
        right = (logits.data.argmax(axis=1) == batch.y).mean()
        return nn.losses.cross_entropy(logits, batch.y), {"accuracy": right}

    def batches(self, data, size, seed, epoch, start):
        """Minibatches (x [N, C, H, W], y [N]), the images cropped and mirrored at random."""
        s = self.s
        if s.crop or s.flip:
            return augmented(data.train, size, s.crop, s.flip, seed, epoch, start)
        return super().batches(data, size, seed, epoch, start)

    def evaluate_finished(self, split):
        """Loss and accuracy of the images as they are, and of the mean over their views."""
        found, s = self.evaluate(split), self.s
        if s.crop or s.flip:
            p = sum(probabilities(self.logits(x)) for x in views(split.x, s.crop, s.flip))
            found["accuracy_views"] = float((p.argmax(axis=1) == split.y).mean())
        return found

    def logits(self, x: np.ndarray, size: int = 500) -> np.ndarray:
        """Logits [N, classes] of any number of images, without a tape."""
        with gg.no_grad():
            parts = (self.on_device(Batch(x[i : i + size])).x for i in range(0, len(x), size))
            return np.concatenate([self(gg.Tensor(part)).numpy() for part in parts])

    def predictions(self, x):
        """Logits of images as they are, not of their views."""
        return {"logits": self.logits(x)}


def probabilities(logits: np.ndarray) -> np.ndarray:
    """p(y|x) [N, classes], float64.

    >>> probabilities(np.log([[1.0, 3.0]])).round(2).tolist()
    [[0.25, 0.75]]
    """
    e = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def build(data: DataSet, s: Settings, rng) -> AlexNet:
    """The network for a labelled set of images."""
    x = data.train.x
    if x.ndim != 4:
        raise SettingError(f"alexnet: {data.name} has no images [N, C, H, W]")
    classes, axes = classes_of("alexnet", data), (0, 2, 3)
    deviation = x.std(axis=axes, dtype=np.float64)
    deviation[deviation == 0] = 1
    mean = x.mean(axis=axes, dtype=np.float64)
    return AlexNet(x.shape[1:], classes, s, rng, mean=mean, deviation=deviation)


def check(rng, **changes):
    """The objective of a small network as a function of its parameters, for gradcheck."""
    small = {"channels": (2, 3), "kernel": 3, "hidden": (4,), "dropout": 0.3}
    s = Settings(**{**small, **changes})
    system = AlexNet((1, 4, 4), 3, s, gg.Generator(3), dtype="float64", mean=0.1, deviation=2.0)
    batch = Batch(rng.standard_normal((3, 1, 4, 4)), np.array([0, 2, 1]))
    return by_parameters(system, batch)


ALEXNET = Recipe(
    name="alexnet",
    title="A small AlexNet, with each of its tricks a switch",
    lecture="lecture 3 (V2 76-112)",
    rows=(70, 71),
    build=build,
    settings=Settings,
    presets={
        "digits": {
            "channels": (16, 32), "kernel": 3, "hidden": (64,), "dropout": 0.2, "epochs": 20,
            "batch": 32, "lr": 1e-2,
        },
        "mnist": {
            "channels": (16, 32), "kernel": 5, "crop": 2, "epochs": 10, "batch": 100, "lr": 2e-3,
        },
        "cifar10_jpeg_subset": {
            "channels": (16, 32, 64), "kernel": 3, "crop": 4, "flip": True, "epochs": 16,
            "batch": 50, "lr": 2e-3,
        },
    },
    metric="accuracy",
    better="higher",
    targets=(
        Target(
            "MNIST test accuracy, augmented",
            "mnist",
            "accuracy",
            "99.2 % (LeNet-5, distorted images)",
            0.992,
            better="higher",
            source="LeCun, Bottou, Bengio & Haffner 1998, section III",
            note="crops alone: the published distortions also turn and shear",
        ),
        Target(
            "CIFAR-10, a tenth: test accuracy, next to hand-made features",
            "cifar10_jpeg_subset",
            "accuracy",
            "none on these images (89 % on all of CIFAR-10)",
            0.449,
            better="higher",
            own=True,
            note="44.9 % is the recipe hog on the same split; 36.8 % a linear classifier of pixels",
        ),
        Target(
            "digits test accuracy, in seconds",
            "digits",
            "accuracy",
            "none on this split",
            0.96,
            better="higher",
            own=True,
            note="8x8 images, 3x3 kernels",
        ),
    ),
    figures=figures,
    check=check,
)  # fmt: skip
RECIPES = (ALEXNET,)
