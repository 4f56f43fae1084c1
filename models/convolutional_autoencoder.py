"""The convolutional autoencoder (lecture 2, D1 22-33: a drawing; Masci et al. 2011).

Convolution and pooling on the way to the code, their transposes on the way back ::

    x [N, C, H, W]
    for each C_l of `channels`:   convolution k x k (k odd, zeros at the border), σ, halving
                                  [N, C_l, H/2^l, W/2^l]
    code                          z = A h + a, linear, [N, K];  code=0: z is the last stack of maps
    for each C_l, backwards:      transposed convolution 2 x 2, stride 2 (doubling), σ,
                                  then convolution k x k to the maps of the level above
    x̂ = σ_g(last maps)            logistic for pixels in [0, 1]

    Σ_i ‖x̂_i - x_i‖²  →  min      (V0 200)

The lecture has no formula. Halving is max-pooling (V2 60; Masci's remedy against trivial filters),
`pool="average"`, or `pool="stride"`: every second pixel of the convolution only. One filter serves
every place of the image, so there are few weights: compare `glassgrad show` with the fully
connected one.

The pictures: first-layer kernels; the maps of one image; reconstructions beside PCA's with as many
numbers; the code plot.
"""

import numpy as np

from .. import core as gg
from ..core import nn, pictures
from ..core.data import DataSet, Split
from ..core.recipe import Recipe, SettingError, expect_choices
from ..core.system import Batch
from . import code_pictures
from .autoencoder import ACTIVATIONS, CHOICES, Autoencoder
from .lenet import maps

POOLS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d, "stride": None}


class Images(nn.Module):
    """[N, D] -> [N, C, H, W], or with ``inverse`` back again: autoencoders deal in rows."""

    def __init__(self, shape: tuple[int, int, int]):
        self.shape = tuple(shape)

    def forward(self, x):
        return x.reshape(len(x), *self.shape)

    def extra(self):
        return " x ".join(map(str, self.shape))


def down(channels, image, s: dict, rng, dtype) -> nn.Sequential:
    """Convolution, σ and halving for each of `channels`: [N, C, H, W] -> [N, C_L, H/2^L, W/2^L]."""
    sigma, found, c = ACTIVATIONS[s["activation"]], [], image[0]
    for i, maps_ in enumerate(channels):
        stride = 2 if s["pool"] == "stride" else 1
        options = {"padding": s["kernel"] // 2, "stride": stride, "dtype": dtype}
        found += [nn.Conv2d(c, maps_, s["kernel"], rng=rng.child("conv", i), **options), sigma()]
        found += [POOLS[s["pool"]](2)] if POOLS[s["pool"]] else []
        c = maps_
    return nn.Sequential(*found)


def up(channels, image, s: dict, rng, dtype) -> list[nn.Module]:
    """Doubling, σ and convolution for each of `channels` backwards; the last is linear."""
    sigma, found = ACTIVATIONS[s["activation"]], []
    above = [image[0], *channels[:-1]]
    for i, (maps_, out) in reversed(list(enumerate(zip(channels, above)))):
        wide = nn.ConvTranspose2d(maps_, maps_, 2, stride=2, rng=rng.child("up", i), dtype=dtype)
        conv = nn.Conv2d(maps_, out, s["kernel"], padding=s["kernel"] // 2,
                         rng=rng.child("conv", i), dtype=dtype)  # fmt: skip
        found += [wide, sigma(), conv] + ([sigma()] if i else [])
    return found


def sides(who: str, image, s: dict, outputs: int, rng, dtype):
    """(levels of the encoder, encoder, decoder) for images [C, H, W].

    With `code` above 0 the encoder ends in a linear map to `outputs` numbers (the codes, or what
    their law is made of), and the decoder begins with one from `code` numbers. SettingError, in the
    name of `who`, where the images cannot be halved so often, or a kernel has no centre.
    """
    channels, levels = s["channels"], len(s["channels"])
    if len(image) != 3 or not levels or any(n % 2**levels for n in image[1:]):
        raise SettingError(
            f"{who} needs images divisible by 2 to their number, the levels that channels names,"
            f" at least one; got {tuple(image)} and {list(channels)}"
        )
    if s["kernel"] % 2 == 0:
        raise SettingError(f"{who}: kernel must be odd, so that it has a centre; got {s['kernel']}")
    top = (channels[-1], *(n // 2**levels for n in image[1:]))
    n, sigma = int(np.prod(top)), ACTIVATIONS[s["activation"]]
    convolutions = down(channels, image, s, rng.child("encoder"), dtype)
    into, out = [nn.Flatten()], [Images(top)]
    if s["code"]:
        into.append(nn.Linear(n, outputs, rng=rng.child("code"), dtype=dtype))
        back = nn.Linear(s["code"], n, rng=rng.child("back"), dtype=dtype)
        out = [back, sigma(), *out]
    encoder = nn.Sequential(Images(image), *convolutions, *into)
    back_up = up(channels, image, s, rng.child("decoder"), dtype)
    return convolutions, encoder, nn.Sequential(*out, *back_up, nn.Flatten())


class ConvolutionalAutoencoder(Autoencoder):
    """`convolutions` are the levels of the encoder, which `encoder` begins with."""

    def __init__(self, image: tuple[int, int, int], s: dict, rng, dtype="float32"):
        expect_choices("convolutional-autoencoder", s, {"pool": POOLS, **CHOICES})
        who = "convolutional-autoencoder"
        self.convolutions, *both = sides(who, image, s, s["code"], rng, dtype)
        super().__init__(*both, s)


def build(data: DataSet, s: dict, rng, dtype="float32") -> ConvolutionalAutoencoder:
    """The network for a set of images."""
    if data.train.x.ndim != 4:
        raise SettingError(f"convolutional-autoencoder: {data.name} has no images [N, C, H, W]")
    return ConvolutionalAutoencoder(data.train.x.shape[1:], s, rng, dtype)


def figures(system: ConvolutionalAutoencoder, data: DataSet, s: dict) -> dict:
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
    s = {**SETTINGS, "channels": (2, 3), "code": 3, "activation": "tanh", **changes}
    x = rng.random((3, 1, 4, 4))
    system = build(DataSet("check", Split(x)), s, gg.Generator(3), dtype="float64")

    def f(*parameters):
        return system.with_parameters(parameters).objective(Batch(x))

    return f, [p.numpy().copy() for p in system.parameters()]


SETTINGS = {
    "channels": (16, 32), "kernel": 3, "pool": "max", "activation": "relu", "code": 16,
    "output": "sigmoid", "loss": "squared", "schedule": "cosine",
}  # fmt: skip
BIG = {"epochs": 10, "batch": 100, "lr": 2e-3, "code": 30, "select": "squared_error"}

CONVOLUTIONAL = Recipe(
    name="convolutional-autoencoder",
    title="Convolutional autoencoder",
    lecture="lecture 2 (D1 22-33)",
    rows=(13,),
    build=build,
    settings=SETTINGS,
    presets={
        "digits": {"epochs": 30, "batch": 20, "lr": 5e-3},
        "mnist": BIG,
        "fashion_mnist": BIG,
        "frey_faces": {"epochs": 60, "batch": 50, "lr": 3e-3, "code": 8},
        "cifar10_jpeg_subset": {**BIG, "code": 128, "channels": (32, 64)},
    },
    metric="squared_error",
    least={"channels": 1, "kernel": 1, "code": 0},
    figures=figures,
    check=check,
)
RECIPES = (CONVOLUTIONAL,)
