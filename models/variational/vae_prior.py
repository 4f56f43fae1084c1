"""A VAE with the priors of an adversarial autoencoder (lecture 2, D1 258-285).

The lecture sets the two next to each other: the same networks, the same data, the same prior ::

    VAE    E_x [ E_q -ln p(x|z) ]  +  E_x KL(q(z|x) ‖ p(z))         p(z) needs a formula
    AAE    E_x L(g(z), x)          +  a critic's verdict on q(z)    draws of p(z) are enough

    KL(q(z|x) ‖ p(z)) = E_q [ ln q(z|x) - ln p(z) ],    q(z|x) = N(μ(x), σ²(x))

by the draw of z that the decoder gets as well: of the mixture of normals p(z) is known, its KL is
not. p(x|z) is Bernoulli (grey levels are its means), so both terms are in nats and have no weight.

The KL is asked of every q(z|x), not of their mean q(z). The normal prior is met all the same: on
the digits the two-sample test sees no difference. The petals are not: q(z|x) is one normal, which
cannot fill a petal whose neighbours belong to other images, so codes lie between them and in the
middle, where the prior has no mass: `mmd2` (prior_autoencoder.py) is five to ten times that of
`aae-mixture`. This is what the lecture's drawing shows.
"""

import math
from dataclasses import replace

from ... import core as gg
from ...core.training.recipe import Recipe
from ...core.training.settings import SettingError
from ..common.encoder_decoder import Loss
from ..common.rows import rows
from . import prior_autoencoder, prior_pictures
from .prior_autoencoder import Encoder, PriorAutoencoder, PriorSettings
from .priors import Prior


class Settings(PriorSettings):
    """Settings of a VAE with a prior in the plane."""

    encoder: Encoder = "normal"
    loss: Loss = "cross_entropy"

    def check(self):
        """Check that q(z|x) and p(x|z) have densities."""
        super().check()
        if self.encoder != "normal" or self.loss != "cross_entropy":
            raise SettingError(
                "a VAE needs densities: encoder 'normal' and loss 'cross_entropy';"
                f" got {self.encoder!r} and {self.loss!r}"
            )


class MixtureSettings(Settings):
    """Settings with a mixture as the prior."""

    prior: Prior = "mixture"


class PriorVAE(PriorAutoencoder):
    """encoder [N, D] -> (μ, ln σ²) [N, 2K]; decoder [N, K] -> logits of the pixels [N, D]."""

    def divergence(self, z, mu, logvar):
        """ln q(z|x) - ln p(z) of each row, whose mean over z ~ q(z|x) is the KL: [N, K] -> [N]."""
        d = z - mu
        log_q = (logvar + d * d * gg.exp(-logvar) + math.log(2 * math.pi)).sum(axis=1) * -0.5
        return log_q - self.prior.log_density(z)

    def objective(self, batch):
        """(mean over the batch of -ln p(x|z) + ln q(z|x) - ln p(z), both parts), z ~ q(z|x)."""
        x, k = rows(batch.x), self.s.code
        h = self.encoder(x)
        mu, logvar = h[:, :k], h[:, k:]
        z = gg.reparameterise(mu, logvar, self.noise)[0]
        reconstruction, kl = self.losses(z, x).mean(), self.divergence(z, mu, logvar).mean()
        return reconstruction + kl, {"reconstruction": reconstruction, "kl": kl}


DIGITS = {"epochs": 100, "batch": 50, "lr": 2e-3, "hidden": (128, 128)}
MNIST = {"epochs": 60, "batch": 200, "hidden": (256, 256)}

PLANE = Recipe(
    name="vae-plane",
    title="Variational autoencoder, codes over the plane's normal distribution",
    lecture="lecture 2 (D1 258-285)",
    rows=(30,),
    build=PriorVAE,
    takes=("images", "binary"),
    settings=Settings,
    presets={
        "digits": DIGITS,
        "mnist": MNIST,
        "fashion_mnist": MNIST,
        "binary": {**DIGITS, "epochs": 40},
    },
    metric="mmd_ratio",
    figures=prior_pictures.figures,
    sample=prior_pictures.sample,
    check=lambda rng, **changes: prior_autoencoder.check(PriorVAE, Settings(**changes), rng),
)
MIXTURE = replace(
    PLANE,
    name="vae-mixture",
    title="Variational autoencoder, mixture of ten normals as the prior",
    settings=MixtureSettings,
)
RECIPES = (PLANE, MIXTURE)
