"""The autoencoder of two layers (lecture 1, V0 188-250; lecture 2, D1 22-33; lecture 4, U3 232).

An encoder z = f(x, α) and a decoder x̂ = g(z, β) are trained so that one undoes the other ::

    L_AE(α, β) = Σ_i L(g(f(x_i, α), β), x_i)  →  min,        L(x̂, x) = ‖x̂ - x‖²

    f(x) = σ_f(A x + a)      A [m, n], a [m]          n = D inputs
    g(z) = σ_g(B z + b)      B [n, m], b [n]          m = K codes, B untied from A

The sum over i becomes the mean over a minibatch, so that a learning rate suits any batch size. The
sum over the inputs of one sample stays, and every figure is in that unit: squared error per image.

Two drawings of the lecture (V0 228-250), two recipes:

    autoencoder                 m < n, under-complete: the code is a bottleneck, and only what the
                                data have in common gets through
    autoencoder-overcomplete    m > n: nothing forces the network to learn about the data; it may
                                simply copy its input, which is why the lecture goes on to
                                sparse, denoising and contractive autoencoders

With a linear output (`output="linear"`) no encoder of this shape beats PCA of the same rank
(Bourlard & Kamp 1988); with the logistic output, right for pixels in [0, 1], it can.
`loss="cross_entropy"` is -Σ_j (x_j ln x̂_j + (1 - x_j) ln(1 - x̂_j)) (Hinton & Salakhutdinov 2006).

The pictures: images over their reconstructions and those of PCA; the rows of A; the activations of
the codes; the plane of the codes; and `copying` (copying.py): what the network does with images
made of unrelated pixels.
"""

from dataclasses import replace

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe
from ...core.training.system import Batch
from ..common.activations import ACTIVATIONS
from ..common.encoder_decoder import Autoencoder, AutoencoderSettings
from ..common.gradients import by_parameters
from ..common.rows import prepare
from .copying import figures

TABLE = {"activation": "tanh", "output": "linear", "epochs": 200, "batch": 20, "lr": 3e-2}
BINARY = {"loss": "cross_entropy", "epochs": 30, "batch": 50, "lr": 1e-2}


class OvercompleteSettings(AutoencoderSettings):
    """Settings with more codes than the images have pixels."""

    code: int = 256


def build(data: DataSet, s: AutoencoderSettings, rng, dtype="float32") -> Autoencoder:
    """The network for a data set."""
    n, m = int(np.prod(data.train.x.shape[1:])), s.code
    sigma = ACTIVATIONS[s.activation]()
    encoder = nn.Sequential(nn.Linear(n, m, rng=rng.child("encoder"), dtype=dtype), sigma)
    decoder = nn.Sequential(nn.Linear(m, n, rng=rng.child("decoder"), dtype=dtype))
    return Autoencoder(encoder, decoder, s)


def check(rng, **changes):
    """The objective of a small autoencoder as a function of its parameters, for gradcheck."""
    x = rng.random((4, 6))
    s = AutoencoderSettings(**{"code": 3, **changes})
    system = build(DataSet("check", Split(x)), s, gg.Generator(3), dtype="float64")
    return by_parameters(system, Batch(x))


UNDER = Recipe(
    name="autoencoder",
    title="Autoencoder of two layers, under-complete",
    lecture="lecture 1 (V0 188-250), lecture 2 (D1 22-33)",
    rows=(8, 11),
    build=build,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=AutoencoderSettings,
    presets={
        "digits": {"epochs": 200, "batch": 50, "lr": 2e-2},
        "mnist": {"code": 64, "epochs": 20, "lr": 1e-2, "select": "squared_error"},
        "fashion_mnist": {"code": 64, "epochs": 20, "lr": 1e-2, "select": "squared_error"},
        "frey_faces": {"epochs": 100, "batch": 50, "lr": 3e-3},
        "table": {"code": 2, **TABLE},
        "binary": BINARY,
    },
    metric="squared_error",
    figures=figures,
    check=check,
)
OVER = replace(
    UNDER,
    name="autoencoder-overcomplete",
    title="Autoencoder of two layers, over-complete: more codes than inputs",
    lecture="lecture 1 (V0 228-250)",
    settings=OvercompleteSettings,
    presets={
        "digits": {"epochs": 100, "batch": 50, "lr": 1e-2},
        "mnist": {"code": 1000, "epochs": 20, "lr": 2e-3, "select": "squared_error"},
        "fashion_mnist": {"code": 1000, "epochs": 20, "lr": 2e-3, "select": "squared_error"},
        "table": TABLE,
        "binary": BINARY,
    },
    check=lambda rng: check(rng, code=8),
)
RECIPES = (UNDER, OVER)
