"""Contractive autoencoders (lecture 1, V0 309-325; lecture 2, D1 248; Rifai et al. 2011).

Codes that hardly move when x does: the Jacobian of the encoder is made small ::

    L_AE(α, β) + λ Σ_i ‖J_f(x_i)‖²  →  min,      ‖J_f(x)‖² = Σ_d Σ_j (∂f_j(x, α)/∂x_d)²

(the Frobenius norm; V0 316 calls it L2). For z = σ(A x + a), σ a sigmoid, there is a closed form ::

    ‖J_f(x)‖² = Σ_d Σ_j (α_jd f_j (1 - f_j))² = Σ_j (f_j (1 - f_j))² Σ_d α_jd²

and for any other encoder the engine differentiates it, and the penalty once more on the way down:

    form="closed"     the line above: one layer, sigmoid
    form="exact"      all m rows of J_f by one backward pass over m copies of the minibatch, on the
                      tape (create_graph), whatever the encoder
    form="estimate"   E_v ‖J_fᵀ v‖² = ‖J_f‖² for v of independent entries of mean 0 and variance 1:
                      `probes` draws of v ~ N(0, I) instead of m rows

A test holds the three equal, in value and in gradient. `hidden` puts layers before the code.

L_AE pulls the other way, so the encoder stays sensitive only along directions in which the data
themselves vary: a few singular values of J_f are large, the others nearly 0 (Rifai, figure 4).
The picture `jacobian` shows just that, beside those of the same net trained without the penalty,
and `beside` what becomes of the codes. Test errors after fine-tuning, and in what order the norms
are, beside those of other layers, as Rifai's tables have them: recipe `pretraining`.
"""

from dataclasses import replace

import numpy as np

from .. import core as gg
from ..core import nn, pictures
from ..core.data import DataSet
from ..core.recipe import Recipe, SettingError, expect_choice
from ..core.tape import recording
from . import code_pictures, regularised, twins
from .autoencoder import ACTIVATIONS
from .regularised import Regularised, check_of, expect_sigmoid, layers

FORMS = ("closed", "exact", "estimate")


def closed_form(weight, z):
    """‖J_f(x_i)‖² of each row, [N], from the weight A [K, D] and codes z = σ(A x + a) [N, K].

    >>> closed_form(gg.tensor([[3.0, 4.0]]), gg.tensor([[0.5]])).item()  # (½·½)² · 25
    1.5625
    """
    slope = z * (1 - z)
    return gg.matmul(slope * slope, (weight * weight).sum(axis=1))


def exact(encode, x, create_graph: bool = True):
    """‖J_f(x_i)‖² of each row, [N], for any encoder that treats rows apart: x [N, D].

    The rows of x are repeated for each code, so that one backward pass gives all of J_f.

    >>> w = gg.tensor([[3.0, 4.0], [0.0, 1.0]])
    >>> exact(lambda x: gg.linear(x, w), gg.ones((1, 2))).item()
    26.0
    """
    n = len(x)
    with gg.no_grad():
        m = encode(x[:1]).shape[1]
    eye = x.xp.eye(m, dtype=x.dtype)
    with recording(True):
        copies = gg.Tensor(x.xp.repeat(x.data, m, axis=0), requires_grad=True)
        z = encode(copies)
        g = gg.grad(z, copies, gg.Tensor(x.xp.tile(eye, (n, 1))), create_graph=create_graph)
        return (g * g).reshape(n, -1).sum(axis=1)


def estimate(encode, x, probes: int, rng, create_graph: bool = True):
    """An unbiased estimate of ‖J_f(x_i)‖² of each row, [N]: the mean of `probes` ‖J_fᵀ v‖².

    >>> w = gg.tensor([[3.0, 4.0], [0.0, 1.0]])
    >>> found = estimate(lambda x: gg.linear(x, w), gg.ones((1, 2)), 4000, gg.Generator(0))
    >>> abs(found.item() / 26 - 1) < 0.1
    True
    """
    n = len(x)
    with recording(True):
        copies = gg.Tensor(x.xp.repeat(x.data, probes, axis=0), requires_grad=True)
        z = encode(copies)
        v = gg.Tensor(rng.normal(z.shape, z.dtype))
        g = gg.grad(z, copies, v, create_graph=create_graph)
        return (g * g).reshape(n, -1).sum(axis=1) * (1 / probes)


class ContractiveAutoencoder(Regularised):
    """An autoencoder whose penalty is the mean of ‖J_f(x_i)‖²."""

    def __init__(self, encoder, decoder, s: dict, rng):
        expect_choice("contractive-autoencoder", s, "form", FORMS)
        if s["form"] == "closed":
            expect_sigmoid("contractive-autoencoder", s, "the closed form")
            if s["hidden"]:
                raise SettingError("contractive-autoencoder: the closed form needs one layer; got"
                                   f" hidden {list(s['hidden'])}")  # fmt: skip
        super().__init__(encoder, decoder, s)
        self.noise = rng.child("probes")

    def penalty(self, x, z):
        """(1/N) Σ_i ‖J_f(x_i)‖², for inputs [N, D] and codes [N, K]."""
        if self.s["form"] == "closed":
            return closed_form(self.encoder[0].weight, z).mean()
        if self.s["form"] == "exact":
            return exact(self.encode, x).mean()
        return estimate(self.encode, x, self.s["probes"], self.noise).mean()

    def measured(self, x) -> dict:
        """The shared figures, and the mean of ‖J_f(x_i)‖, the Frobenius norm without a square."""
        if self.s["hidden"] or self.s["activation"] != "sigmoid":
            squares = exact(self.encode, x, create_graph=False)
        else:
            squares = closed_form(self.encoder[0].weight, self.encode(x))
        return {**super().measured(x), "jacobian": float(np.sqrt(squares.numpy()).mean())}


def build(data: DataSet, s: dict, rng, dtype="float32") -> ContractiveAutoencoder:
    """The network for a data set; `hidden` widths come before the code and, mirrored, after it."""
    if not s["hidden"]:
        return ContractiveAutoencoder(*layers(data, s, rng, dtype), s, rng)
    expect_choice("contractive-autoencoder", s, "activation", ACTIVATIONS)
    if s["tied"]:
        raise SettingError("contractive-autoencoder: tied weights need one layer, hidden []")
    n, sigma = int(np.prod(data.train.x.shape[1:])), ACTIVATIONS[s["activation"]]
    widths = [n, *s["hidden"], s["code"]]
    encoder = nn.mlp(widths, sigma, rng=rng.child("encoder"), dtype=dtype)
    decoder = nn.mlp(widths[:0:-1], sigma, rng=rng.child("decoder"), dtype=dtype)
    out = nn.Linear(widths[1], n, rng=rng.child("decoder", "out"), dtype=dtype)
    return ContractiveAutoencoder(encoder, nn.Sequential(*decoder, out), s, rng)


def singular_values(encode, x: np.ndarray) -> np.ndarray:
    """Singular values of J_f(x_i), the largest first: rows [N, D] -> [N, min(K, D)]."""
    found = []
    for row in x:
        j = gg.jacobian(lambda r: encode(r.reshape(1, -1)).reshape(-1), gg.Tensor(row))
        found.append(np.linalg.svd(j.numpy(), compute_uv=False))
    return np.stack(found)


def figures(system: ContractiveAutoencoder, data: DataSet, s: dict) -> dict:
    """The pictures of every autoencoder; beside λ = 0 the Jacobian's singular values, the codes."""
    found = code_pictures.figures(system, data, s)
    cheap = {} if s["form"] == "closed" else {"form": "estimate", "probes": 1}  # times λ = 0
    other, name = twins.twin(build, system, data, s, weight=0.0, **cheap)
    x = system.on_device(data.test[:10]).x.reshape(10, -1)
    fig = pictures.figure(5.0, 3.2)
    ax = fig.subplots()
    pairs = [(system, "with the penalty"), (other, name)]
    for (who, label), colour in zip(pairs, (pictures.ACCENT, pictures.INK)):
        values = singular_values(who.encode, x).mean(axis=0)
        ax.semilogy(range(1, len(values) + 1), np.maximum(values, 1e-12), ".-", color=colour,
                    label=f"{label}: ‖J‖ = {np.sqrt((values**2).sum()):.2f}")  # fmt: skip
    ax.set(xlabel="singular value of ∂f/∂x", ylabel="mean over 10 images", ylim=(1e-4, None))
    ax.legend(frameon=False)
    return {**found, "jacobian": fig, "beside": twins.beside(pairs, data)}


def ignored(s: dict) -> dict:
    """Only the estimate draws probes."""
    return {} if s["form"] == "estimate" else {"probes": f"with form={s['form']}"}


SETTINGS = {
    **regularised.SETTINGS, "hidden": (), "weight": 0.1, "form": "closed", "probes": 4,
}  # fmt: skip
MNIST = {"code": 500, "epochs": 20, "lr": 2e-3}
DEEP_SETTINGS = {
    **SETTINGS, "hidden": (64,), "code": 16, "activation": "tanh", "form": "exact",
    "weight": 0.02,
}  # fmt: skip
DEEP_MNIST = {
    "hidden": (500,), "code": 100, "epochs": 10, "lr": 1e-3, "form": "estimate", "probes": 1,
}  # fmt: skip

ONE = Recipe(
    name="contractive-autoencoder",
    title="Contractive autoencoder, closed form of a sigmoid layer",
    lecture="lecture 1 (V0 309-325), lecture 2 (D1 248)",
    rows=(20,),
    build=build,
    settings=SETTINGS,
    presets={
        "digits": {"epochs": 60, "batch": 50, "lr": 5e-3},
        "mnist": MNIST,
        "fashion_mnist": MNIST,
    },
    metric="squared_error",
    least={"code": 1, "hidden": 1, "weight": 0, "probes": 1},
    ignored=ignored,
    figures=figures,
    check=check_of(build, SETTINGS),
)
DEEP = replace(
    ONE,
    name="contractive-autoencoder-deep",
    title="Contractive autoencoder of several layers, by second derivatives",
    settings=DEEP_SETTINGS,
    presets={
        "digits": {"epochs": 20, "batch": 50, "lr": 5e-3},
        "mnist": DEEP_MNIST,
        "fashion_mnist": DEEP_MNIST,
    },
    check=check_of(build, {**DEEP_SETTINGS, "hidden": (5,)}),
)
RECIPES = (ONE, DEEP)
