"""One layer of codes, and the ways to learn it without labels: what stacks are made of.

    random        not at all
    plain         Σ L(g(f(x_i)), x_i)                                            (V0 188)
    gaussian      denoising, x̃ ~ N(x, σ² I)                                      (V0 303)
    masking       denoising, components zeroed with probability p0               (V0 305)
    contractive   + λ Σ ‖J_f(x_i)‖², closed form                                 (V0 309)
    rbm           contrastive divergence of a restricted Boltzmann machine       (D1 141)

All have the encoder h = σ(W x + a). Unless told otherwise weights are tied, x̂ = σ(Wᵀ h + b), and L
is the cross-entropy, as in Vincent et al. 2010 and Rifai et al. 2011; so codes can be compared.
An RBM is always tied, and CD is its loss.

The RBM learns by  ∇ [F(x) - F(x')],  F its free energy (models/rbm.py, its W the transpose), with
x' the image after k steps of Gibbs sampling from x, held fixed: that gradient is CD-k (Hinton
2002). Hidden units are sampled, visible ones keep their probability, so that grey images are learnt
too.
"""

import numpy as np

from .. import core as gg
from ..core import nn
from ..core.data import DataSet, Split
from ..core.recipe import SettingError, expect_choice
from . import contractive_autoencoder, denoising_autoencoder
from .autoencoder import Autoencoder, rows
from .rbm import free_energy
from .regularised import layers

KINDS = ("random", "plain", "gaussian", "masking", "contractive", "rbm")
SHARED = {"activation": "sigmoid", "output": "sigmoid", "loss": "cross_entropy", "tied": True}


class BoltzmannCodes(Autoencoder):
    """The two conditional laws of an RBM are an encoder and a tied decoder; CD-k trains them."""

    def __init__(self, encoder, decoder, s: dict, rng):
        super().__init__(encoder, decoder, s)
        self.noise = rng.child("gibbs")

    def free_energy(self, v):
        """F(v) of each row (models/rbm.py): v [N, D] -> [N]."""
        w, a = self.encoder[0].weight, self.encoder[0].bias
        return free_energy(v, w.T, self.decoder[0].bias, a)

    def chain(self, v, steps: int):
        """Visible probabilities [N, D] after so many steps of Gibbs sampling, as a constant."""
        with gg.no_grad():
            for _ in range(steps):
                v = self.decode(gg.Tensor(self.noise.bernoulli(self.encode(v))))
        return v.detach()

    def objective(self, batch):
        """(1/N) Σ_i F(x_i) - F(x'_i): its gradient is that of CD-k, its value is no likelihood."""
        x = rows(batch.x)
        return (self.free_energy(x) - self.free_energy(self.chain(x, self.s["steps"]))).mean()


def one_layer(kind: str, inputs: int, codes: int, s: dict, rng, dtype="float32") -> Autoencoder:
    """An untrained layer of that kind, [N, inputs] -> [N, codes] and back.

    `s` has sigma, p0, weight (λ) and steps (k), and may have what is SHARED otherwise, such as tied
    and loss. Raises SettingError for an unknown kind.

    >>> s = {"sigma": 0.3, "p0": 0.3, "weight": 0.1, "steps": 1}
    >>> one_layer("contractive", 4, 3, s, gg.Generator(0)).encode(gg.ones((2, 4))).shape
    (2, 3)
    """
    expect_choice("one_layer", {"kind": kind}, "kind", KINDS)
    data = DataSet("inputs", Split(np.zeros((1, inputs), dtype)))  # only its width is looked at
    s = {**SHARED, "code": codes, **s}
    if kind == "contractive":
        s |= {"hidden": (), "form": "closed", "probes": 1}
        return contractive_autoencoder.build(data, s, rng, dtype)
    if kind in ("gaussian", "masking"):
        s |= {"noise": kind, "copies": 1, "target": "clean"}
        return denoising_autoencoder.build(data, s, rng, dtype)
    if kind == "rbm":
        s |= {"tied": True, "loss": "cross_entropy"}
        return BoltzmannCodes(*layers(data, s, rng, dtype), s, rng)
    return Autoencoder(*layers(data, s, rng, dtype), s)


def classifier(widths: list[int], classes: int, rng, dtype="float32") -> nn.Sequential:
    """Sigmoid layers of these widths and linear logits: rows [N, widths[0]] -> [N, classes].

    The weights of the logits start at 0: all classes are alike, and no layer below is sent after
    random weights in the first steps.
    """
    hidden = nn.mlp(widths, nn.Sigmoid, rng=rng.child("hidden"), dtype=dtype)
    out = nn.Linear(widths[-1], classes, rng=rng.child("out"), dtype=dtype)
    out.weight.assign(np.zeros((classes, widths[-1]), dtype))
    return nn.Sequential(*hidden, out)


def classes_of(name: str, data: DataSet) -> int:
    """How many classes a labelled set has; SettingError for one without labels."""
    y = data.train.y
    if not isinstance(y, np.ndarray) or y.ndim != 1 or y.dtype.kind != "i":
        raise SettingError(f"{name}: {data.name} has no class labels")
    return max(len(data.info.classes), int(y.max()) + 1)


def few(split: Split, n: int) -> np.ndarray:
    """Which n examples keep their labels: the first of each class in turn, int64 [n], sorted.

    n = 0 or more than there are means all of them.

    >>> few(Split(np.zeros(5), np.array([1, 1, 1, 0, 0])), 4).tolist()
    [0, 1, 3, 4]
    """
    if not 0 < n < len(split):
        return np.arange(len(split))
    y = split.y
    rank = np.empty(len(y), np.int64)  # the how-manieth of its class an example is
    for k in np.unique(y):
        rank[y == k] = np.arange((y == k).sum())
    return np.sort(np.lexsort((y, rank))[:n])
