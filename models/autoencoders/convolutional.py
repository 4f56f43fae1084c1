"""The convolutional autoencoder (lecture 2, D1 22-33: a drawing; Masci et al. 2011).

Convolution and pooling on the way to the code, their transposes on the way back ::

    x [N, C, H, W]
    for each C_l of `channels`:   convolution k x k (k odd, zeros at the border), σ, halving
                                  [N, C_l, H/2^l, W/2^l]
    code                          z = A h + a, linear, [N, K];  code=0: z is the last stack of maps
    for each C_l, backwards:      transposed convolution 2 x 2, stride 2 (doubling), σ,
                                  then convolution k x k to the maps of the level above, σ
    x̂ = σ_g(last maps)            logistic for pixels in [0, 1]

    Σ_i ‖x̂_i - x_i‖²  →  min      (V0 200)

The lecture has no formula. Halving is max-pooling (V2 60; Masci's remedy against trivial filters),
`pool="average"`, or `pool="stride"`: only every second pixel of the convolution. One filter serves
every position of the image, so there are few weights: compare the output of `glassgrad show` with
that of the fully connected autoencoder.

The pictures: first-layer kernels; the maps of one image; reconstructions next to those of PCA with
as many numbers; the code plot.
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe
from ...core.training.settings import SettingError, setting
from ...core.training.system import Batch
from ..common import code_pictures
from ..common.convolutional_sides import ConvolutionalSettings, sides
from ..common.encoder_decoder import Autoencoder
from ..common.feature_maps import maps
from ..common.gradients import by_parameters


class Settings(ConvolutionalSettings):
    """Settings of a convolutional autoencoder."""

    code: int = setting(16, least=0, help="number of codes, 0 to keep the last maps as the code")


class ConvolutionalAutoencoder(Autoencoder):
    """An autoencoder whose `encoder` begins with `convolutions`, its levels."""

    def __init__(self, image: tuple[int, int, int], s: Settings, rng, dtype="float32"):
        who = "convolutional-autoencoder"
        self.convolutions, *both = sides(who, image, s, s.code, rng, dtype)
        super().__init__(*both, s)


def build(data: DataSet, s: Settings, rng, dtype="float32") -> ConvolutionalAutoencoder:
    """The network for a set of images."""
    if data.train.x.ndim != 4:
        raise SettingError(f"convolutional-autoencoder: {data.name} has no images [N, C, H, W]")
    return ConvolutionalAutoencoder(data.train.x.shape[1:], s, rng, dtype)


def figures(system: ConvolutionalAutoencoder, data: DataSet, s: Settings) -> dict:
    """Kernels, maps of one image, activations, reconstructions, codes."""
    w = system.convolutions[0].weight.numpy().mean(axis=1)
    w = 0.5 + 0.5 * w / np.maximum(np.abs(w).max(axis=(1, 2), keepdims=True), 1e-12)
    return {
        "filters": pictures.image_sheet(w, min(8, len(w)), "first-layer kernels, grey = 0", 0.7),
        "maps": maps(system, data.test.x[0]),
        "reconstructions": code_pictures.comparison(system, data),
        **code_pictures.of_codes(system.codes, data),
    }


def check(rng, **changes):
    """The objective of a small network as a function of its parameters, for gradcheck."""
    s = Settings(**{"channels": (2, 3), "code": 3, "activation": "tanh", **changes})
    x = rng.random((3, 1, 4, 4))
    system = build(DataSet("check", Split(x)), s, gg.Generator(3), dtype="float64")
    return by_parameters(system, Batch(x))


BIG = {"epochs": 10, "batch": 100, "lr": 2e-3, "code": 30, "select": "squared_error"}

CONVOLUTIONAL = Recipe(
    name="convolutional-autoencoder",
    title="Convolutional autoencoder",
    lecture="lecture 2 (D1 22-33)",
    rows=(13,),
    build=build,
    settings=Settings,
    presets={
        "digits": {"epochs": 30, "batch": 20, "lr": 5e-3},
        "mnist": BIG,
        "fashion_mnist": BIG,
        "frey_faces": {"epochs": 60, "batch": 50, "lr": 3e-3, "code": 8},
        "cifar10_jpeg_subset": {**BIG, "code": 128, "channels": (32, 64)},
    },
    metric="squared_error",
    figures=figures,
    check=check,
)
RECIPES = (CONVOLUTIONAL,)
