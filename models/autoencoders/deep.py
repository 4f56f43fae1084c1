"""The deep autoencoder (lecture 1, V0 240-250; lecture 2, D1 22-35; Hinton & Salakhutdinov 2006).

Several layers on each side of the code ::

    h¹ = σ(W¹ x + b¹),  h² = σ(W² h¹ + b²),  ...,  z = W h^L + b        L levels, linear code
    and the same widths in reverse order for the decoder, whose output is logistic

    784 - 1000 - 500 - 250 - 30 - 250 - 500 - 1000 - 784                 on MNIST

    Σ_i ‖x̂_i - x_i‖²  →  min                                             (V0 200)

The lecture only draws the net (D1 25 calls it "Fully Contented", meaning fully connected); widths,
logistic units and the linear code are the paper's. The paper first trained the layers one by one as
Boltzmann machines, and then the whole net by the cross-entropy, here `loss="cross_entropy"`.

From the usual small random weights such a net stays near the mean image for a long time: a logistic
unit outputs about ½ for any input, and each layer shrinks what is left of the signal. Two settings
help, and neither changes which functions the network can represent:

    start="balanced"   σ(a) = ½ + ½ tanh(a/2): a logistic net with weights W = γ V, γ = 2 where the
                       result goes through σ, times 2 where logistic units are summed, is a tanh
                       net with weights V. V gets the scale that keeps a signal's size there
                       (Glorot & Bengio 2010). "usual" is U(±1/√fan_in).
    centred=True       σ(a) - ½ is passed on instead of σ(a). This is the same family,
                       W (h - ½) + b' = W h + (b' - ½ Σ_j W_j), but a unit's weights no longer
                       move its bias, and gradients point in better directions (LeCun et al. 1998,
                       "Efficient BackProp", 4.3). With False the biases start at -½ Σ_j W_j,
                       that is, at the same function.

So it trains without Boltzmann machines. tanh and ReLU units (`activation`) need neither setting and
use V as it is, by Glorot's or He's rule.

The pictures: reconstructions next to those of PCA with as many numbers; codes and their
activations; first-layer filters; copying (copying.py).
The number: squared error per MNIST test image from 30 codes: 3.00 in the paper, PCA 13.87.
"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import setting
from ...core.training.system import Batch
from ..common.activations import ACTIVATIONS
from ..common.encoder_decoder import Autoencoder, AutoencoderSettings
from ..common.gradients import by_parameters
from ..common.rows import prepare
from .copying import figures


class Settings(AutoencoderSettings):
    """Settings of a deep autoencoder."""

    hidden: tuple[int, ...] = setting(
        (1000, 500, 250), least=1, some=True, help="widths of the encoder, mirrored in the decoder"
    )
    code: int = 30
    start: Literal["balanced", "usual"] = setting("balanced", help="scale of the first weights")
    centred: bool = setting(
        True, when=("activation", "sigmoid"), help="hand on σ(a) - ½ instead of σ(a)"
    )


class CentredSigmoid(nn.Module):
    """σ(a) - ½: a logistic unit whose mean is near 0."""

    def forward(self, x):
        """σ(x) - ½, element by element."""
        return gg.sigmoid(x) - 0.5


def build(data: DataSet, s: Settings, rng, dtype="float32") -> Autoencoder:
    """The network for a data set: `hidden` widths of the encoder, mirrored in the decoder."""
    n, widths = int(np.prod(data.train.x.shape[1:])), list(s.hidden)
    sigma = ACTIVATIONS[s.activation]
    if s.activation == "sigmoid" and s.centred:
        sigma = CentredSigmoid
    sides = []
    for name, sizes, last in (
        ("encoder", [n, *widths], s.code),
        ("decoder", [s.code, *widths[::-1]], n),
    ):
        side = nn.mlp(sizes, sigma, rng=rng.child(name), dtype=dtype)
        out = nn.Linear(sizes[-1], last, rng=rng.child(name, "out"), dtype=dtype)
        sides.append(nn.Sequential(*side, out))
    system = Autoencoder(*sides, s)
    if s.start == "balanced":
        for name, side in zip(("encoder", "decoder"), sides):
            logistic_end = name == "decoder" and s.output == "sigmoid"
            balance(side, s.activation, s.centred, logistic_end, rng.child("start", name))
    return system


def balance(side: nn.Sequential, activation: str, centred: bool, logistic_end: bool, rng) -> None:
    """Set initial weights that keep a signal's size through the layers of one side."""
    layers = [layer for layer in side if isinstance(layer, nn.Linear)]
    for i, layer in enumerate(layers):
        shape, dtype = layer.weight.shape, layer.weight.dtype
        end = layer is layers[-1]
        above = logistic_end if end else activation == "sigmoid"  # the sum passes through σ
        below = i > 0 and activation == "sigmoid"  # logistic units are summed
        if activation == "relu" and not end:
            w = nn.init.kaiming_normal(shape, rng, dtype=dtype)
        else:
            gain = (2 if above else 1) * (2 if below else 1)
            w = nn.init.xavier_normal(shape, rng, gain=gain, dtype=dtype)
        layer.weight.assign(w)
        layer.bias.assign(w.sum(axis=1) * (-0.5 if below and not centred else 0))


def check(rng, **changes):
    """The objective of a small deep autoencoder as a function of its parameters, for gradcheck."""
    x = rng.random((3, 5))
    s = Settings(**{"hidden": (4, 3), "code": 2, **changes})
    system = build(DataSet("check", Split(x)), s, gg.Generator(3), dtype="float64")
    return by_parameters(system, Batch(x))


PAPER = {"epochs": 50, "batch": 100, "lr": 2e-3, "select": "squared_error"}

DEEP = Recipe(
    name="deep-autoencoder",
    title="Deep autoencoder",
    lecture="lecture 1 (V0 240-250), lecture 2 (D1 22-35)",
    rows=(12,),
    build=build,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={
        "digits": {"hidden": (128, 64, 32), "code": 2, "epochs": 80, "batch": 50, "lr": 1e-2},
        "mnist": PAPER,
        "fashion_mnist": PAPER,
        "frey_faces": {"hidden": (256, 128), "code": 2, "epochs": 100, "batch": 25},
        "table": {
            "hidden": (64, 32),
            "code": 2,
            "output": "linear",
            "epochs": 100,
            "batch": 20,
            "lr": 5e-3,
        },
        "binary": {
            "hidden": (128, 64),
            "code": 10,
            "loss": "cross_entropy",
            "epochs": 30,
            "batch": 50,
            "lr": 5e-3,
        },
    },
    metric="squared_error",
    targets=(
        Target(
            "MNIST test squared error per image, 30 codes",
            "mnist",
            "squared_error",
            "3.00 (PCA-30: 13.87)",
            3.0,
            source="Hinton & Salakhutdinov 2006",
            protocol="trained at once by Adam; theirs: RBM layers, then fine-tuning",
        ),
    ),
    figures=figures,
    check=check,
)
RECIPES = (DEEP,)
