"""Sparse autoencoders (lecture 1, V0 270-287; lecture 2, D1 244-248).

An over-complete autoencoder may copy its input. Here its weights or its nonzero codes are
penalised; ε is near 0 ::

    weights   L_AE(α, β) + λ ‖α‖ + λ ‖β‖              norm="l1": Σ|α_k|, "l2": (Σ α_k²)^½
    code      L_AE(α, β) + λ Σ_i Σ_j |f_j(x_i, α)|
    kl        L_AE(α, β) + λ Σ_j KL(ε ‖ f̄_j),     f̄_j = (1/ℓ) Σ_{i≤ℓ} f_j(x_i, α),  f_j in [0, 1]

    KL(ε ‖ ρ) = ε ln(ε/ρ) + (1 - ε) ln((1 - ε)/(1 - ρ))

Everything is divided by ℓ, as L_AE is: `weight` is the lecture's λ where λ multiplies a sum over i
(code), and its λ/ℓ where it does not (weights, kl). α is all of the encoder's parameters including
the biases, as in the lecture; `biases=False` leaves the biases out, as libraries often do. The
lecture's L2 term is the norm itself; `norm="l2-squared"` is the libraries' ½ ‖·‖².

**The mean over the whole sample.** f̄_j is not the mean over a minibatch, and KL is convex, so the
KL of a minibatch mean is too large on average. The gradient to estimate is ::

    ∂/∂α KL(ε ‖ f̄_j) = KL'(f̄_j) · (1/ℓ) Σ_i ∂f_j(x_i)/∂α

A minibatch estimates its second factor without bias if the first uses the f̄_j of the sample:

    mean="whole"     f̄_j over all ℓ samples, computed again every `refresh` steps (1: always with
                     the current weights; then the minibatch gradients of an epoch at fixed weights
                     average to the gradient of the lecture's objective, as a test shows)
    mean="running"   f̄ := keep · f̄ + (1 - keep) · minibatch mean: no pass over the sample
    mean="batch"     the libraries' form: the mean of the minibatch

The pictures: filters; activations, most of them near 0; reconstructions; code plot; the mean of
each code compared with ε; and the same net trained without the penalty (`beside`). The numbers to
reach, on test images: f̄_j = ε, and still a smaller squared error than PCA with as many components
as codes are active at a time.
"""

from dataclasses import replace
from typing import Literal

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import setting
from ...core.training.system import Batch
from ..common import code_pictures
from ..common.rows import prepare, rows
from . import twins
from .regularised import (
    BINARY,
    TABLE,
    Regularised,
    RegularisedSettings,
    check_of,
    expect_sigmoid,
    layers,
)

Penalty = Literal["weights", "code", "kl"]


def _without(mean: str):
    """Why a setting has no effect unless the KL term uses that mean."""

    def why(s: "Settings") -> str:
        if s.penalty != "kl":
            return f"with penalty={s.penalty}"
        return "" if s.mean == mean else f"with mean={s.mean}"

    return why


class Settings(RegularisedSettings):
    """Settings of a sparse autoencoder."""

    penalty: Penalty = setting("code", help="what the penalty keeps small")
    weight: float = setting(0.03, least=0, help="weight λ of the penalty")
    norm: Literal["l1", "l2", "l2-squared"] = setting(
        "l2", when=("penalty", "weights"), help="‖·‖ of the weights"
    )
    biases: bool = setting(True, when=("penalty", "weights"), help="count the biases as weights")
    epsilon: float = setting(
        0.05, above=0, below=1, when=("penalty", "kl"), help="target ε of the mean of each code"
    )
    mean: Literal["whole", "running", "batch"] = setting(
        "whole", when=("penalty", "kl"), help="samples in the mean code f̄"
    )
    refresh: int = setting(
        1, least=1, when=_without("whole"), help="steps after which f̄ is computed again"
    )
    keep: float = setting(
        0.99, least=0, below=1, when=_without("running"), help="share of f̄ that a step keeps"
    )

    def check(self):
        """Check that the KL term gets codes in [0, 1]."""
        super().check()
        if self.penalty == "kl":
            expect_sigmoid(self, "the KL term, f in [0, 1],")


class WeightsSettings(Settings):
    """Settings with a norm of the weights."""

    penalty: Penalty = "weights"


class KLSettings(Settings):
    """Settings with the KL term of the mean codes."""

    penalty: Penalty = "kl"
    weight: float = 2.0


def norm_of(parameters, kind: str):
    """‖·‖ of all elements of the tensors together: l1, l2, or l2-squared, which is ½ Σ x².

    >>> norm_of([gg.tensor([3.0]), gg.tensor([-4.0])], "l2").item()
    5.0
    """
    if kind == "l1":
        return sum(gg.absolute(p).sum() for p in parameters)
    squares = sum((p * p).sum() for p in parameters)
    return gg.sqrt(squares) if kind == "l2" else squares * 0.5


def kl(epsilon: float, rho):
    """Σ_j KL(ε ‖ ρ_j) of Bernoulli means ρ [K] in (0, 1).

    >>> round(kl(0.1, gg.tensor([0.1, 0.5])).item(), 4)
    0.3681
    """
    log = gg.log(epsilon / rho) * epsilon + gg.log((1 - epsilon) / (1 - rho)) * (1 - epsilon)
    return log.sum()


class SparseAutoencoder(Regularised):
    """An autoencoder with one of the three penalties. The buffer `mean` [K] is f̄."""

    whole = ""

    def __init__(self, data: DataSet, s: Settings, rng, dtype="float32"):
        super().__init__(*layers(data, s, rng, dtype), s)
        if s.penalty == "kl":
            self.sample = data.train.x  # an array, not a tensor: data, not state
            self.mean = gg.tensor(self.mean_code())

    @property
    def in_shards(self) -> str:
        """Which statistic of a batch is that of a shard: the mean code of mean=batch."""
        batch = self.s.penalty == "kl" and self.s.mean == "batch"
        return "the mean code f̄ of the KL term is that of a shard's own samples" if batch else ""

    def mean_code(self, x=None):
        """f̄ [K] over the whole sample, or over other images x, with the current weights."""
        x, total = self.sample if x is None else x, 0.0
        with gg.no_grad():
            for i in range(0, len(x), 5000):
                part = self.on_device(Batch(x[i : i + 5000])).x
                total = total + self.encode(rows(part)).data.sum(axis=0)
        return total / len(x)

    def mean_codes(self, batch) -> list:
        """[the mean code [K] of a minibatch]."""
        with gg.no_grad():
            return [self.encode(rows(batch.x)).mean(axis=0).data]

    def estimated(self, z):
        """f̄ [K]: the value that `mean` selects, with the gradient of the mean of z [N, K]."""
        m = z.mean(axis=0)
        if self.s.mean == "batch" or len(z) == len(self.sample):
            return m
        return m + (self.mean - m).detach()

    def penalty(self, x, z):
        """The factor of λ, for inputs [N, D] and codes [N, K]."""
        kind = self.s.penalty
        if kind == "code":
            return gg.absolute(z).sum(axis=1).mean()
        if kind == "kl":
            return kl(self.s.epsilon, self.estimated(z))
        kinds = ("weight", "bias") if self.s.biases else ("weight",)
        total = 0.0
        for side in (self.encoder, self.decoder):  # a tied decoder has only a bias
            own = [getattr(side[0], k) for k in kinds if hasattr(side[0], k)]
            total = total + norm_of(own, self.s.norm) if own else total
        return total

    def train_step(self, batch, training):
        """Update f̄, then make a step of gradient descent."""
        if self.s.penalty == "kl" and self.s.mean != "batch":
            if self.s.mean == "running":
                (m,) = training.shards.mean(batch, self.mean_codes)
                self.mean.assign(self.s.keep * self.mean.data + (1 - self.s.keep) * m)
            elif training.batch % self.s.refresh == 0:
                self.mean.assign(self.mean_code())
        return super().train_step(batch, training)

    def measured(self, x) -> dict:
        """The shared metrics, and the mean code (f̄ averaged over the codes, for f in [0, 1])."""
        return {**super().measured(x), "mean_code": self.encode(x).mean().item()}

    def evaluate(self, split, size=500):
        """The metrics of the page and, with the KL term, `off_epsilon` = mean_j |f̄_j - ε| / ε."""
        found = super().evaluate(split, size)
        if self.s.penalty == "kl":
            off = abs(self.mean_code(split.x) - self.s.epsilon) / self.s.epsilon
            found["off_epsilon"] = float(off.mean())
        return found


def build(data: DataSet, s: Settings, rng, dtype="float32") -> SparseAutoencoder:
    """The network for a data set."""
    return SparseAutoencoder(data, s, rng, dtype)


def figures(system: SparseAutoencoder, data: DataSet, s: Settings) -> dict:
    """The figures of code_pictures.py; means and codes with the penalty and with λ = 0."""
    found = code_pictures.figures(system, data, s)
    other, name = twins.twin(build, system, data, s, penalty="code", weight=0.0)
    fig = pictures.figure(5.4, 3.0)
    ax = fig.subplots()
    for who, label, colour in (
        (system, "with the penalty", pictures.ACCENT),
        (other, name, pictures.INK),
    ):
        z = abs(who.codes(data.test.x[:2000])).mean(axis=0)
        ax.step(range(len(z)), sorted(z, reverse=True), where="mid", color=colour, label=label)
    if s.penalty == "kl":
        ax.axhline(s.epsilon, color="black", lw=1, ls="--", label=f"ε = {s.epsilon:g}")
    ax.legend(frameon=False, fontsize=8)
    ax.set(xlabel="code, the most active first", ylabel="mean |code|", ylim=(0, None))
    pairs = [(system, "with the penalty"), (other, name)]
    return {**found, "means": fig, "beside": twins.beside(pairs, data)}


SMALL = {"epochs": 60, "batch": 50, "lr": 5e-3}
KINDS = {"table": TABLE, "binary": BINARY}
MNIST = {"code": 196, "epochs": 20, "lr": 2e-3, "refresh": 25}

CODE = Recipe(
    name="sparse-autoencoder-code",
    title="Sparse autoencoder: L1 norm of the codes",
    lecture="lecture 1 (V0 276-279), lecture 2 (D1 244)",
    rows=(15,),
    build=build,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={
        "digits": SMALL,
        "mnist": {**MNIST, "weight": 0.1},
        "fashion_mnist": {**MNIST, "weight": 0.1},
        **KINDS,
    },
    metric="squared_error",
    figures=figures,
    check=check_of(build, Settings),
)
WEIGHTS = replace(
    CODE,
    name="sparse-autoencoder-weights",
    title="Sparse autoencoder: L1 or L2 norm of the weights",
    lecture="lecture 1 (V0 270-275)",
    rows=(14,),
    settings=WeightsSettings,
    presets={"digits": SMALL, "mnist": MNIST, "fashion_mnist": MNIST, **KINDS},
    check=check_of(build, WeightsSettings),
)
KL = replace(
    CODE,
    name="sparse-autoencoder-kl",
    title="Sparse autoencoder: KL of the mean code over the whole sample",
    lecture="lecture 1 (V0 281-287)",
    rows=(16,),
    settings=KLSettings,
    presets={"digits": SMALL, "mnist": MNIST, "fashion_mnist": MNIST, **KINDS},
    targets=(
        Target(
            "digits: mean over codes of |mean code - ε|/ε on test images",
            "digits",
            "off_epsilon",
            "0: the mean codes are to be ε = 0.05",
            0.25,
            own=True,
            source="lecture 1, V0 281; no figure is published for any data",
            note="the relative standard error of a mean of 300 codes 0 or 1, 5 % of them 1",
        ),
        Target(
            "digits: squared error per test image at mean codes of 0.05, 100 codes",
            "digits",
            "squared_error",
            "none",
            2.115,
            own=True,
            source="PCA of the training images",
            note="PCA with as many components as codes are on at a time, 0.05 of 100",
        ),
    ),
    check=check_of(build, KLSettings),
)
RECIPES = (WEIGHTS, CODE, KL)
