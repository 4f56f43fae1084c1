"""The deep convolutional generative adversarial net (K4 170-207; Radford, Metz & Chintala 2016).

The game of gan.py between two nets of convolutions. What made it work on photographs are four
rules, which the lecture lists (K4 182-185) ::

    1. no pooling in G or D         G enlarges by transposed convolutions, D shrinks by strides of 2
    2. no fully connected layers    G begins with a transposed convolution of a 1 x 1 map, D ends in
                                    a convolution to a 1 x 1 map
    3. batch normalisation          of every layer but G's output and D's input
    4. ReLU in G, leaky ReLU in D

For images of 16 x 16 pixels with C channels ::

    G   z [noise, 1, 1] → [32, 4, 4] → [16, 8, 8] → [C, 16, 16]         kernels 4 x 4, each doubles
    D   x [C, 16, 16] → [24, 8, 8] → [48, 4, 4] → logit [1, 1, 1]       kernels 4 x 4, each halves

Slips of the lecture, corrected: rule 2, taken at its word, bars the dense layer with which the
paper's G begins ("project and reshape"). It is the transposed convolution above, written in another
way. Rule 3 would normalise D's logit, too: the mean of D over every minibatch would then be fixed,
whatever G makes; the authors' program does not. Rule 4 leaves out G's output, which is tanh in the
paper, since images there lie in [-1, 1]; ours in [0, 1], and D sees 2x - 1. Weights start from
N(0, 0.02²), Adam has β₁ = 0.5.

The objectives, `loss`, are those of gan.py. The lecture's minimax game (K4 142) fails here: D wins
within an epoch, and G is left without a gradient (K4 155). On the photographs with `loss=minimax
epochs=1` d_real is 0.97, 0.99 and 0.96 with three seeds, d_fake 0.03, 0.02 and 0.06, and the
distance below 0.33, 0.44 and 0.65, more than that of a normal distribution. The switch that mends
it, `loss=non-saturating`, is the default, and what the paper's program has.

Figures. `swd`, the distance of made and held-out images, scale by scale (dcgan_judging.py): for
the default, patches of two photographs, 0.17, 0.22 and 0.17 with three seeds. A normal distribution
with the covariance of the patches has 0.25, patches of the training set have 0.11. At the coarse
scale two of the three are as near as those; at the fine one flat places still show the grid of the
kernels. With labels also `entropy` and `confidence` as in gan.py, and `arithmetic`
(dcgan_latent.py): z̄_k is the mean of the noise whose samples the classifier takes for class k; of
samples of class k moved by z̄_m - z̄_k, the share that it takes for class m.

The pictures, in place of the lecture's two pages of photographs of others' results (K4 189-211):
`samples`; `walk`, between points of the latent space (the paper's figure 4); `arithmetic` (figure
7); `levels`, the distance by scale; `balance`.

Published numbers are for features of a net trained on ImageNet (82.8 % on CIFAR-10), which is out
of reach here; ours are those of `gan` on MNIST.
"""

from itertools import pairwise
from typing import Literal

import numpy as np

from ...core import nn
from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe
from ...core.training.settings import SettingError, setting
from ..common.convolutional_sides import Images
from . import dcgan_pictures, game, gan
from .dcgan_judging import swd
from .dcgan_latent import arithmetic
from .game import SLOPE

STD = 0.02  # of the initial weights


class Settings(gan.Settings):
    """Settings of a game between two nets of convolutions."""

    loss: Literal["minimax", "non-saturating", "product"] = "non-saturating"
    noise: int = 32
    generator: tuple[int, ...] = setting(
        (32, 16), least=1, some=True, help="maps of G's levels, each twice as fine as the last"
    )
    discriminator: tuple[int, ...] = setting(
        (24, 48), least=1, some=True, help="maps of D's levels, each half as fine as the last"
    )
    generator_norm: bool = True
    discriminator_norm: bool = True
    epochs: int = 3
    batch: int = 16
    lr: float = 2e-3
    discriminator_lr: float = 1e-3
    schedule: str = "cosine"


class DCGAN(gan.GAN):
    """A generator [N, noise] -> [N, D] and a discriminator [N, D] -> logits [N, 1].

    Images are rows outside, as for all games; both nets reshape them.
    """

    def networks(self, data, s, rng, dtype):
        """Two nets of convolutions; SettingError for images that cannot be halved that often."""
        image = data.train.x.shape[1:]
        for who in ("generator", "discriminator"):
            levels = len(getattr(s, who))
            if any(n % 2**levels for n in image[1:]):
                raise SettingError(
                    f"dcgan: sides of the images must be divisible by 2^L, L the number of levels"
                    f" in {who}; expected multiples of {2**levels}, got {tuple(image)}"
                )
        made = generator(image, s, rng.child("generator"), dtype)
        return made, discriminator(image, s, rng.child("discriminator"), dtype)

    def in_units(self, x):
        """Pixels in [-1, 1]."""
        return 2 * x - 1

    def figures_of(self, made, split):
        """Those of a game, and the distance of made and real images, the mean over the scales."""
        n = min(len(made), len(split))
        a, b = (x[:n].reshape(n, *self.data.train.x.shape[1:]) for x in (split.x, made))
        return {"swd": float(np.mean(swd(a, b))), **super().figures_of(made, split)}

    def evaluate_finished(self, split):
        """The judges' figures of `samples` samples; with labels also that of the arithmetic."""
        found = self.figures_of(self.drawn(self.s.samples), split)
        judge = self.classifier()
        return found if judge is None else {**found, "arithmetic": arithmetic(self, judge).share}


def generator(image, s: Settings, rng, dtype) -> nn.Sequential:
    """Transposed convolutions, [N, noise] -> [N, C·H·W]; the last is neither normed nor cut."""
    maps = [*s.generator, image[0]]
    top = tuple(n // 2 ** len(s.generator) for n in image[1:])
    norm = s.generator_norm
    up = nn.ConvTranspose2d(s.noise, maps[0], top, bias=not norm, rng=rng.child(0), dtype=dtype)
    layers = [Images((s.noise, 1, 1)), started(up, rng.child(0))]
    for i, (n, m) in enumerate(pairwise(maps), 1):
        layers += _between(n, norm, nn.ReLU(), s.generator_dropout, rng.child("dropout", i), dtype)
        free = i == len(s.generator) or not norm  # a normalised layer has its shift elsewhere
        up = nn.ConvTranspose2d(n, m, 4, 2, 1, bias=free, rng=rng.child(i), dtype=dtype)
        layers.append(started(up, rng.child(i)))
    return nn.Sequential(*layers, nn.Flatten())


def discriminator(image, s: Settings, rng, dtype) -> nn.Sequential:
    """Convolutions of stride 2, [N, C·H·W] -> logits [N, 1]; the first has no normalisation."""
    maps = [image[0], *s.discriminator]
    top = tuple(n // 2 ** len(s.discriminator) for n in image[1:])
    layers = [Images(image)]
    for i, (n, m) in enumerate(pairwise(maps)):
        norm, leaky = s.discriminator_norm and i > 0, nn.LeakyReLU(SLOPE)
        down = nn.Conv2d(n, m, 4, 2, 1, bias=not norm, rng=rng.child(i), dtype=dtype)
        layers.append(started(down, rng.child(i)))
        layers += _between(m, norm, leaky, s.discriminator_dropout, rng.child("dropout", i), dtype)
    last = nn.Conv2d(maps[-1], 1, top, rng=rng.child("logit"), dtype=dtype)
    return nn.Sequential(*layers, started(last, rng.child("logit")), nn.Flatten())


def _between(maps: int, norm: bool, activation, dropout: float, rng, dtype) -> list[nn.Module]:
    """What follows a convolution: normalisation, activation, dropout."""
    found = [nn.BatchNorm(maps, dtype=dtype)] if norm else []
    return [*found, activation, *([nn.Dropout(dropout, rng=rng)] if dropout else [])]


def started(layer: nn.Module, rng) -> nn.Module:
    """The layer with weights from N(0, 0.02²) and a bias of 0."""
    w = layer.weight
    w.assign(nn.init.normal(w.shape, rng.child("start"), std=STD, dtype=w.dtype))
    if layer.bias is not None:
        layer.bias.assign(nn.init.zeros(layer.bias.shape, dtype=w.dtype))
    return layer


def check(rng, **changes):
    """Both objectives of a small game as functions of all parameters, for gradcheck."""
    small = {"noise": 3, "generator": (3,), "discriminator": (2, 3), **changes}
    y = np.array([0, 1, 0, 1, 1, 0])
    return game.check(
        DCGAN, Settings(**small), DataSet("check", Split(rng.random((6, 2, 4, 4)), y))
    )


DIGITS = {"epochs": 20, "batch": 50, "noise": 16, "discriminator": (16, 32), "lr": 1e-3}
MNIST = {
    "epochs": 10, "batch": 64, "noise": 64, "generator": (64, 32), "discriminator": (32, 64),
    "lr": 1e-3,
}  # fmt: skip

RECIPES = (
    Recipe(
        name="dcgan",
        title="Deep convolutional generative adversarial net",
        lecture="lecture 5 (K4 170-207)",
        rows=(52,),
        build=DCGAN,
        data="photographs",
        takes=("images",),
        settings=Settings,
        presets={
            "photographs": {"samples": 2000},
            "digits": DIGITS,
            "mnist": MNIST,
            "fashion_mnist": MNIST,
            "images": DIGITS,
        },
        metric="swd",
        targets=game.RECOGNISED,
        figures=dcgan_pictures.figures,
        sample=dcgan_pictures.sample,
        check=check,
    ),
)
