"""One layer of codes, and the ways to learn it without labels: the building block of stacks.

    random        not learnt
    plain         Σ L(g(f(x_i)), x_i)                                            (V0 188)
    gaussian      denoising, x̃ ~ N(x, σ² I)                                      (V0 303)
    masking       denoising, components zeroed with probability p0               (V0 305)
    contractive   + λ Σ ‖J_f(x_i)‖², closed form                                 (V0 309)
    rbm           contrastive divergence of a restricted Boltzmann machine       (D1 141)

All have the encoder h = σ(W x + a). By default weights are tied, x̂ = σ(Wᵀ h + b), and L is the
cross-entropy, as in Vincent et al. 2010 and Rifai et al. 2011, so that codes can be compared. An
RBM is always tied, and CD is its loss.

The RBM learns by  ∇ [F(x) - F(x')],  F its free energy (models/energy/rbm.py, its W the transpose),
where x' is the image after k steps of Gibbs sampling from x, treated as a constant: this gradient
is CD-k (Hinton 2002). Hidden units are sampled; visible ones keep their probability, so that grey
images can be learnt too.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split
from ...core.training.settings import setting
from ..common.encoder_decoder import Autoencoder, Loss
from ..common.free_energy import free_energy
from ..common.rows import rows
from . import contractive, denoising
from .regularised import RegularisedSettings, layers

Kind = Literal["random", "plain", "gaussian", "masking", "contractive", "rbm"]


class LayerSettings(RegularisedSettings):
    """The settings of all ways to learn a layer."""

    tied: bool = True
    loss: Loss = "cross_entropy"
    sigma: float = setting(0.3, least=0, help="spread σ of Gaussian noise")
    p0: float = setting(0.3, least=0, below=1, help="share that masking sets to 0")
    weight: float = setting(0.1, least=0, help="weight λ of the contractive penalty")
    steps: int = setting(1, least=1, help="steps k of Gibbs sampling")


class BoltzmannCodes(Autoencoder):
    """An RBM: its two conditionals are an encoder and a tied decoder, trained by CD-k."""

    def __init__(self, encoder, decoder, s: LayerSettings, rng):
        super().__init__(encoder, decoder, s)
        self.noise = rng.child("gibbs")

    def free_energy(self, v):
        """F(v) of each row (models/energy/rbm.py): v [N, D] -> [N]."""
        w, a = self.encoder[0].weight, self.encoder[0].bias
        return free_energy(v, w.T, self.decoder[0].bias, a)

    def chain(self, v, steps: int):
        """Visible probabilities [N, D] after `steps` steps of Gibbs sampling, as a constant."""
        with gg.no_grad():
            for _ in range(steps):
                v = self.decode(gg.Tensor(self.noise.bernoulli(self.encode(v))))
        return v.detach()

    def objective(self, batch):
        """(1/N) Σ_i F(x_i) - F(x'_i): its gradient is that of CD-k, its value no likelihood."""
        x = rows(batch.x)
        return (self.free_energy(x) - self.free_energy(self.chain(x, self.s.steps))).mean()


def one_layer(kind: Kind, inputs: int, s: LayerSettings, rng, dtype="float32") -> Autoencoder:
    """An untrained layer of that kind, [N, inputs] -> [N, codes] and back.

    >>> s = LayerSettings(code=3)
    >>> one_layer("contractive", 4, s, gg.Generator(0)).encode(gg.ones((2, 4))).shape
    (2, 3)
    """
    data = DataSet("inputs", Split(np.zeros((1, inputs), dtype)))  # only its width is used
    shared = {"code": s.code, "tied": s.tied, "loss": s.loss, "output": s.output}
    if kind == "contractive":
        own = contractive.Settings(**shared, weight=s.weight)
        return contractive.ContractiveAutoencoder(*layers(data, own, rng, dtype), own, rng)
    if kind in ("gaussian", "masking"):
        own = denoising.Settings(**shared, noise=kind, sigma=s.sigma, p0=s.p0)
        return denoising.DenoisingAutoencoder(data, own, rng, dtype)
    if kind == "rbm":
        own = replace(s, tied=True, loss="cross_entropy")
        return BoltzmannCodes(*layers(data, own, rng, dtype), own, rng)
    return Autoencoder(*layers(data, s, rng, dtype), s)


def classifier(widths: list[int], classes: int, rng, dtype="float32") -> nn.Sequential:
    """Sigmoid layers of these widths and linear logits: rows [N, widths[0]] -> [N, classes].

    The weights of the logits start at 0: all classes are equally likely, and in the first steps
    the layers below do not follow random gradients.
    """
    hidden = nn.mlp(widths, nn.Sigmoid, rng=rng.child("hidden"), dtype=dtype)
    out = nn.Linear(widths[-1], classes, rng=rng.child("out"), dtype=dtype)
    out.weight.assign(np.zeros((classes, widths[-1]), dtype))
    return nn.Sequential(*hidden, out)
