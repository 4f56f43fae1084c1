"""Contractive autoencoders (lecture 1, V0 309-325; lecture 2, D1 248; Rifai et al. 2011).

Codes that hardly move when x does: the Jacobian of the encoder is kept small ::

    L_AE(α, β) + λ Σ_i ‖J_f(x_i)‖²  →  min,      ‖J_f(x)‖² = Σ_d Σ_j (∂f_j(x, α)/∂x_d)²

(the Frobenius norm; V0 316 calls it L2). For z = σ(A x + a), σ a sigmoid, there is a closed form ::

    ‖J_f(x)‖² = Σ_d Σ_j (α_jd f_j (1 - f_j))² = Σ_j (f_j (1 - f_j))² Σ_d α_jd²

For any other encoder the engine differentiates f, and differentiates the penalty again in training:

    form="closed"     the line above: one layer, sigmoid
    form="exact"      all m rows of J_f by one backward pass over m copies of the minibatch, on the
                      tape (create_graph), whatever the encoder
    form="estimate"   E_v ‖J_fᵀ v‖² = ‖J_f‖² for v of independent entries of mean 0 and variance 1:
                      `probes` draws of v ~ N(0, I) instead of m rows

A test checks that the three agree, in value and in gradient. `hidden` puts layers before the code.

L_AE pulls the other way, so the encoder stays sensitive only along directions in which the data
themselves vary: a few singular values of J_f are large, the others nearly 0 (Rifai, figure 4).
The picture `jacobian` shows this, next to the same net trained without the penalty; the picture
`beside` shows the effect on the codes. For test errors after fine-tuning and the order of the norms
of several kinds of layers, as in Rifai's tables, see the recipe `pretraining`.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from ...core import nn, pictures
from ...core.data import DataSet
from ...core.training.recipe import Recipe
from ...core.training.settings import SettingError, setting
from ..common import code_pictures
from ..common.activations import ACTIVATIONS, Activation
from ..common.rows import prepare
from . import twins
from .jacobians import closed_form, estimate, exact, singular_values
from .regularised import (
    BINARY,
    TABLE,
    Regularised,
    RegularisedSettings,
    check_of,
    expect_sigmoid,
    layers,
)

Form = Literal["closed", "exact", "estimate"]


class Settings(RegularisedSettings):
    """Settings of a contractive autoencoder."""

    hidden: tuple[int, ...] = setting((), least=1, help="widths of layers before the code")
    weight: float = setting(0.1, least=0, help="weight λ of the penalty")
    form: Form = setting("closed", help="how ‖J_f‖² is computed")
    probes: int = setting(
        4, least=1, when=("form", "estimate"), help="random vectors v for each image"
    )

    def check(self):
        """Check that the closed form and tied weights have the one layer that they need."""
        super().check()
        if self.form == "closed":
            expect_sigmoid(self, "the closed form")
            if self.hidden:
                raise SettingError(f"the closed form needs one layer; got hidden {self.hidden}")
        if self.tied and self.hidden:
            raise SettingError(f"tied weights need one layer, hidden (); got hidden {self.hidden}")


class DeepSettings(Settings):
    """Settings with a layer before the code, so that the tape differentiates the encoder."""

    hidden: tuple[int, ...] = (64,)
    code: int = 16
    activation: Activation = "tanh"
    form: Form = "exact"
    weight: float = 0.02


class ContractiveAutoencoder(Regularised):
    """An autoencoder whose penalty is the mean of ‖J_f(x_i)‖²."""

    def __init__(self, encoder, decoder, s: Settings, rng):
        super().__init__(encoder, decoder, s)
        self.noise = rng.child("probes")

    def penalty(self, x, z):
        """(1/N) Σ_i ‖J_f(x_i)‖², for inputs [N, D] and codes [N, K]."""
        if self.s.form == "closed":
            return closed_form(self.encoder[0].weight, z).mean()
        if self.s.form == "exact":
            return exact(self.encode, x).mean()
        return estimate(self.encode, x, self.s.probes, self.noise).mean()

    def measured(self, x) -> dict:
        """The shared metrics, and the mean of ‖J_f(x_i)‖, the Frobenius norm, not squared."""
        if self.s.hidden or self.s.activation != "sigmoid":
            squares = exact(self.encode, x, create_graph=False)
        else:
            squares = closed_form(self.encoder[0].weight, self.encode(x))
        return {**super().measured(x), "jacobian": float(np.sqrt(squares.numpy()).mean())}


def build(data: DataSet, s: Settings, rng, dtype="float32") -> ContractiveAutoencoder:
    """The network for a data set; `hidden` widths come before the code and, mirrored, after it."""
    if not s.hidden:
        return ContractiveAutoencoder(*layers(data, s, rng, dtype), s, rng)
    n, sigma = int(np.prod(data.train.x.shape[1:])), ACTIVATIONS[s.activation]
    widths = [n, *s.hidden, s.code]
    encoder = nn.mlp(widths, sigma, rng=rng.child("encoder"), dtype=dtype)
    decoder = nn.mlp(widths[:0:-1], sigma, rng=rng.child("decoder"), dtype=dtype)
    out = nn.Linear(widths[1], n, rng=rng.child("decoder", "out"), dtype=dtype)
    return ContractiveAutoencoder(encoder, nn.Sequential(*decoder, out), s, rng)


def figures(system: ContractiveAutoencoder, data: DataSet, s: Settings) -> dict:
    """The figures of code_pictures.py; the Jacobian's singular values and codes, also for λ = 0."""
    found = code_pictures.figures(system, data, s)
    cheap = {} if s.form == "closed" else {"form": "estimate", "probes": 1}  # multiplied by λ = 0
    other, name = twins.twin(build, system, data, s, weight=0.0, **cheap)
    x = system.on_device(data.test[:10]).x.reshape(10, -1)
    fig = pictures.figure(5.0, 3.2)
    ax = fig.subplots()
    pairs = [(system, "with the penalty"), (other, name)]
    for (who, label), colour in zip(pairs, (pictures.ACCENT, pictures.INK)):
        values = singular_values(who.encode, x).mean(axis=0)
        ax.semilogy(
            range(1, len(values) + 1),
            np.maximum(values, 1e-12),
            ".-",
            color=colour,
            label=f"{label}: ‖J‖ = {np.sqrt((values**2).sum()):.2f}",
        )
    ax.set(xlabel="singular value of ∂f/∂x", ylabel="mean over 10 samples", ylim=(1e-4, None))
    ax.legend(frameon=False)
    return {**found, "jacobian": fig, "beside": twins.beside(pairs, data)}


MNIST = {"code": 500, "epochs": 20, "lr": 2e-3}
DEEP_MNIST = {
    "hidden": (500,), "code": 100, "epochs": 10, "lr": 1e-3, "form": "estimate", "probes": 1,
}  # fmt: skip

ONE = Recipe(
    name="contractive-autoencoder",
    title="Contractive autoencoder, closed form of a sigmoid layer",
    lecture="lecture 1 (V0 309-325), lecture 2 (D1 248)",
    rows=(20,),
    build=build,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={
        "digits": {"epochs": 60, "batch": 50, "lr": 5e-3},
        "mnist": MNIST,
        "fashion_mnist": MNIST,
        "table": TABLE,
        "binary": BINARY,
    },
    metric="squared_error",
    figures=figures,
    check=check_of(build, Settings),
)
DEEP = replace(
    ONE,
    name="contractive-autoencoder-deep",
    title="Contractive autoencoder of several layers, by second derivatives",
    settings=DeepSettings,
    presets={
        "digits": {"epochs": 20, "batch": 50, "lr": 5e-3},
        "mnist": DEEP_MNIST,
        "fashion_mnist": DEEP_MNIST,
        "table": {**TABLE, "hidden": (32,), "code": 8},
        "binary": {**BINARY, "epochs": 15},
    },
    check=check_of(build, DeepSettings, hidden=(5,)),
)
RECIPES = (ONE, DEEP)
