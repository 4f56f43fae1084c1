"""The relational autoencoder (lecture 1, V0 327-345; Meng, Catchpoole, Skillicorn & Kennedy 2018).

The network reconstructs the objects and also their relations, the scalar products of pairs ::

    L_AE(α, β) + λ Σ_{i<j} L(σ(x̂_iᵀ x̂_j), σ(x_iᵀ x_j))  →  min,        x̂_i = g(f(x_i))

    σ(s) = (s - s0)_+        a ReLU: pairs with little similarity do not count
    L(ŝ, s) = (ŝ - s)²

A minibatch has only the pairs of its own images, but the mean over them is an unbiased estimate of
the mean over all pairs. So `weight` is λ (ℓ - 1)/2, the factor of that mean, when L_AE is the mean
over the ℓ images. The paper weights the two terms by 1 - α and α, which is λ = α/(1 - α) up to
scale. It also keeps s where s ≥ s0 instead of subtracting: `relation="threshold"`, which jumps at
s0.

The intended effect on the codes: images near each other stay near each other, so that codes
classify better (V0 342: MNIST, CIFAR-10, without numbers). What we measure on the digits, 16 codes,
means of four seeds compared with weight=0, standard errors below 1 %: with weight=0.1 relations are
reconstructed better (`relation_error` 0.52, not 0.82) at hardly more squared error (0.88, not
0.85). The codes are neither better nor worse: a linear map of them finds 91.2 % of the classes
(90.7 without), the nearest neighbour by code 94.4 % (93.9), and 69 % of an image's five nearest
images are among its five nearest codes (68). With weight=1 distances of codes follow those of
images more closely (rank correlation 0.88, not 0.84), but the squared error doubles (1.78), and
classes are found less often (87.6 and 90.9 %). The lecture's gain does not appear here.

The pictures: `relations` plots ŝ over s for pairs of test images, and `relation_error` is the mean
of L over them; `beside` compares the codes with those of weight=0, the plain autoencoder.
"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.recipe import Recipe
from ...core.training.settings import setting
from ..common import code_pictures
from ..common.rows import prepare
from . import twins
from .regularised import BINARY, TABLE, Regularised, RegularisedSettings, check_of, layers

Relation = Literal["shifted", "threshold"]


class Settings(RegularisedSettings):
    """Settings of a relational autoencoder."""

    code: int = 16
    weight: float = setting(0.1, least=0, help="weight λ (ℓ - 1)/2 of the relations")
    s0: float = setting(10.0, help="scalar product below which a pair does not count")
    relation: Relation = setting("shifted", help="σ of a scalar product above s0")


def relation(s, s0: float, kind: Relation = "shifted"):
    """σ(s): (s - s0)_+, or with kind "threshold" s where s ≥ s0 and 0 elsewhere.

    >>> relation(gg.tensor([1.0, 2.0, 5.0]), 2.0).numpy()
    array([0., 0., 3.], dtype=float32)
    >>> relation(gg.tensor([1.0, 2.0, 5.0]), 2.0, "threshold").numpy()
    array([0., 2., 5.], dtype=float32)
    """
    if kind == "shifted":
        return gg.relu(s - s0)
    return gg.where(s.data >= s0, s, 0 * s)


def relation_loss(y, x, s0: float, kind: Relation = "shifted"):
    """The mean over pairs i < j of (σ(y_iᵀ y_j) - σ(x_iᵀ x_j))²; 0 if there is no pair.

    y, x [N, D] -> scalar.

    >>> x, y = gg.tensor([[1.0, 0.0], [2.0, 0.0]]), gg.tensor([[1.0, 0.0], [3.0, 0.0]])
    >>> relation_loss(y, x, 1.0).item()  # (2 - 1)²
    1.0
    """
    n = len(x)
    pairs = x.xp.triu(x.xp.ones((n, n), x.dtype), 1)
    d = relation(gg.matmul(y, y.T), s0, kind) - relation(gg.matmul(x, x.T), s0, kind)
    return (d * d * gg.Tensor(pairs)).sum() * (2 / max(1, n * (n - 1)))


class RelationalAutoencoder(Regularised):
    """An autoencoder whose penalty compares the relations of reconstructions and of images."""

    in_shards = "the penalty compares the pairs of images inside a shard"

    def penalty(self, x, z):
        """The mean of L over the pairs of the batch, for inputs [N, D] and codes [N, K]."""
        return relation_loss(self.decode(z), x, self.s.s0, self.s.relation)

    def measured(self, x) -> dict:
        """The shared metrics, and the mean of L over the pairs."""
        loss = self.penalty(x, self.encode(x)).item()
        return {**super().measured(x), "relation_error": loss}


def build(data: DataSet, s: Settings, rng, dtype="float32") -> RelationalAutoencoder:
    """The network for a data set."""
    return RelationalAutoencoder(*layers(data, s, rng, dtype), s)


def figures(system: RelationalAutoencoder, data: DataSet, s: Settings) -> dict:
    """The figures of every autoencoder, and the reconstructed relations."""
    found = code_pictures.figures(system, data, s)
    x = data.test.x[:200].reshape(-1, data.test.x[0].size)
    y = system.reconstruct(x)
    i, j = np.triu_indices(len(x), 1)
    before, after = (np.einsum("nd,nd->n", a[i], a[j]) for a in (x, y))
    fig = pictures.figure(4.6, 4.2)
    ax = fig.subplots()
    ax.plot(before, after, ".", ms=1.5, color=pictures.INK, alpha=0.3)
    ends = [min(before.min(), after.min()), max(before.max(), after.max())]
    ax.plot(ends, ends, color=pictures.ACCENT, lw=1)
    ax.axvline(s.s0, color=pictures.ACCENT, lw=1, ls="--")
    error = relation_loss(gg.Tensor(y), gg.Tensor(x), s.s0, s.relation).item()
    ax.set(xlabel="$x_i^T x_j$", ylabel="of the reconstructions")
    ax.set_title(f"pairs of test images; mean (ŝ - s)² above s0: {error:.2f}", fontsize=9)
    pairs = [(system, "with relations"), twins.twin(build, system, data, s, weight=0.0)]
    return {**found, "relations": fig, "beside": twins.beside(pairs, data)}


MNIST = {"code": 64, "epochs": 20, "lr": 5e-3, "s0": 40.0, "weight": 0.02}

RELATIONAL = Recipe(
    name="relational-autoencoder",
    title="Relational autoencoder",
    lecture="lecture 1 (V0 327-345)",
    rows=(21,),
    build=build,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={
        "digits": {"epochs": 80, "batch": 50, "lr": 1e-2},
        "mnist": MNIST,
        "fashion_mnist": {**MNIST, "s0": 100.0},
        "table": {**TABLE, "code": 2, "s0": 0.0},
        "binary": {**BINARY, "s0": 10.0},
    },
    metric="relation_error",
    figures=figures,
    check=check_of(build, Settings, s0=1.0, weight=1.0),
)
RECIPES = (RELATIONAL,)
