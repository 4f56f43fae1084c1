"""The autoencoder of two layers (lecture 1, V0 188-250; lecture 2, D1 22-33; lecture 4, U3 232).

An encoder z = f(x, α) and a decoder x̂ = g(z, β) are trained so that one undoes the other ::

    L_AE(α, β) = Σ_i L(g(f(x_i, α), β), x_i)  →  min,        L(x̂, x) = ‖x̂ - x‖²

    f(x) = σ_f(A x + a)      A [m, n], a [m]          n = D inputs
    g(z) = σ_g(B z + b)      B [n, m], b [n]          m = K codes, B untied from A

The sum over i becomes the mean over a minibatch (so that a learning rate suits any batch size); the
sum over the inputs of one sample stays, and every figure is in that unit: squared error per image.

Two drawings of the lecture (V0 228-250), two recipes:

    autoencoder                 m < n, under-complete: the code is a bottleneck, and only what the
                                data have in common gets through
    autoencoder-overcomplete    m > n: nothing forces the network to learn about the data; it may
                                copy whatever it is shown, which is why the lecture goes on to
                                sparse, denoising and contractive autoencoders

With a linear output (`output="linear"`) no encoder of this shape beats PCA of the same rank
(Bourlard & Kamp 1988); with the logistic output, right for pixels in [0, 1], it can.
`loss="cross_entropy"` is -Σ_j (x_j ln x̂_j + (1 - x_j) ln(1 - x̂_j)) (Hinton & Salakhutdinov 2006).

The pictures: images over their reconstructions and those of PCA; the rows of A; the activations of
the codes; the plane of the codes; and `copying`: reconstructions of images each pixel of which
comes from another image. So every pixel has its usual values, but what ties them together is gone:
a bottleneck fails on them, an over-complete autoencoder very nearly repeats them.
"""

from dataclasses import replace

import numpy as np

from .. import core as gg
from ..core import nn, pictures
from ..core.data import DataSet, Split
from ..core.recipe import Recipe, SettingError, expect_choice, expect_choices
from ..core.system import Batch, System
from . import code_pictures
from .binary import bernoulli_nll
from .code_pictures import mean_error
from .images import as_images

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
CHOICES = {
    "activation": tuple(ACTIVATIONS),
    "output": ("sigmoid", "linear"),
    "loss": ("squared", "cross_entropy"),
}


def squared_error(y, x):
    """‖y - x‖² of each row: [N, D], [N, D] -> [N].

    >>> squared_error(gg.ones((2, 3)), gg.zeros((2, 3))).numpy()
    array([3., 3.], dtype=float32)
    """
    d = y - x
    return (d * d).sum(axis=1)


class Autoencoder(System):
    """z = encoder(x), x̂ = σ_g(decoder(z)): the decoder's last layer is linear, σ_g comes after.

    encoder  [N, D] -> [N, K]        decoder  [N, K] -> [N, D]
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, s: dict):
        expect_choices("autoencoder", s, CHOICES)
        if s["loss"] == "cross_entropy" and s["output"] != "sigmoid":
            raise SettingError("loss 'cross_entropy' needs output 'sigmoid': x̂ is a probability")
        self.encoder, self.decoder, self.s = encoder, decoder, s

    def encode(self, x):
        """z = f(x)."""
        return self.encoder(x)

    def decode(self, z):
        """x̂ = g(z)."""
        a = self.decoder(z)
        return gg.sigmoid(a) if self.s["output"] == "sigmoid" else a

    def losses(self, z, x):
        """L(g(z), x) of each row: ‖x̂ - x‖², or the cross-entropy; z [N, K], x [N, D] -> [N]."""
        if self.s["loss"] == "cross_entropy":
            return bernoulli_nll(self.decoder(z), x)
        return squared_error(self.decode(z), x)

    def objective(self, batch):
        """(1/N) Σ_i L(g(f(x_i)), x_i) of images [N, C, H, W] or rows [N, D]."""
        x = rows(batch.x)
        return self.losses(self.encode(x), x).mean()

    def evaluate(self, split, size=500):
        """The squared error per image, whatever the loss."""

        def figures(batch):
            x = rows(batch.x)
            return {"squared_error": squared_error(self.decode(self.encode(x)), x).mean()}

        return self.average(figures, split, size)

    def codes(self, x: np.ndarray) -> np.ndarray:
        """Codes [N, K] of images or rows, without a tape."""
        with gg.no_grad():
            return self.encode(self._input(x)).numpy()

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """Reconstructions [N, D] of images or rows, without a tape."""
        with gg.no_grad():
            return self.decode(self.encode(self._input(x))).numpy()

    def _input(self, x: np.ndarray):
        return rows(self.on_device(Batch(np.asarray(x))).x)


def rows(x):
    """Images [N, C, H, W] (or rows) as a tensor [N, D]."""
    return gg.Tensor(x.reshape(len(x), -1))


def build(data: DataSet, s: dict, rng, dtype="float32") -> Autoencoder:
    """The network for a data set."""
    n, m = int(np.prod(data.train.x.shape[1:])), s["code"]
    expect_choice("autoencoder", s, "activation", ACTIVATIONS)
    sigma = ACTIVATIONS[s["activation"]]()
    encoder = nn.Sequential(nn.Linear(n, m, rng=rng.child("encoder"), dtype=dtype), sigma)
    decoder = nn.Sequential(nn.Linear(m, n, rng=rng.child("decoder"), dtype=dtype))
    return Autoencoder(encoder, decoder, s)


# ---------------------------------------------------------------------- figures


def scrambled(x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Rows [N, D] with each column in an order of its own: its values stay, the joint law goes.

    >>> scrambled(np.array([[0, 1], [2, 3], [4, 5]])).sum(axis=0).tolist()
    [6, 9]
    """
    x, rng = x.reshape(len(x), -1), gg.Generator(seed).child("scrambled")
    return np.stack([column[rng.permutation(len(x))] for column in x.T], axis=1)


def copying(system: Autoencoder, data: DataSet, seed: int = 0):
    """Scrambled test images over their reconstructions, and both errors: does it merely copy?"""
    x = data.test.x[:500].reshape(-1, data.test.x[0].size)
    other = scrambled(x, seed)
    y = system.reconstruct(other)
    title = (
        f"scrambled / reconstruction: {mean_error(y, other):.2f} per image, on data"
        f" {mean_error(system.reconstruct(x), x):.2f}"
    )
    sheet = as_images(np.concatenate([other[:12], y[:12]]), data)
    return pictures.image_sheet(sheet, columns=len(sheet) // 2, title=title)


def figures(system: Autoencoder, data: DataSet, s: dict) -> dict:
    """Those of code_pictures.py and, for images, the test of copying."""
    found = code_pictures.figures(system, data, s)
    if data.train.x.ndim == 4:
        found["copying"] = copying(system, data, s["seed"])
    return found


def check(rng, **changes):
    """The objective of a small autoencoder as a function of its parameters, for gradcheck."""
    x = rng.random((4, 6))
    s = {**SETTINGS, "code": 3, **changes}
    system = build(DataSet("check", Split(x)), s, gg.Generator(3), dtype="float64")

    def f(*parameters):
        return system.with_parameters(parameters).objective(Batch(x))

    return f, [p.numpy().copy() for p in system.parameters()]


SETTINGS = {
    "code": 16, "activation": "sigmoid", "output": "sigmoid", "loss": "squared",
    "schedule": "cosine",
}  # fmt: skip

UNDER = Recipe(
    name="autoencoder",
    title="Autoencoder of two layers, under-complete",
    lecture="lecture 1 (V0 188-250), lecture 2 (D1 22-33)",
    rows=(8, 11),
    build=build,
    settings=SETTINGS,
    presets={
        "digits": {"epochs": 100, "batch": 50, "lr": 1e-2},
        "mnist": {"code": 64, "epochs": 20, "lr": 1e-2, "select": "squared_error"},
        "fashion_mnist": {"code": 64, "epochs": 20, "lr": 1e-2, "select": "squared_error"},
        "frey_faces": {"epochs": 100, "batch": 50, "lr": 3e-3},
    },
    metric="squared_error",
    least={"code": 1},
    figures=figures,
    check=check,
)
OVER = replace(
    UNDER,
    name="autoencoder-overcomplete",
    title="Autoencoder of two layers, over-complete: more codes than inputs",
    lecture="lecture 1 (V0 228-250)",
    settings={**SETTINGS, "code": 256},
    presets={
        "digits": {"epochs": 100, "batch": 50, "lr": 1e-2},
        "mnist": {"code": 1000, "epochs": 20, "lr": 2e-3, "select": "squared_error"},
        "fashion_mnist": {"code": 1000, "epochs": 20, "lr": 2e-3, "select": "squared_error"},
    },
    check=lambda rng: check(rng, code=8),
)
RECIPES = (UNDER, OVER)
