"""The Wasserstein autoencoder (lecture 2, D1 286-297; Tolstikhin et al. 2018).

The optimal transport between data and model passes through a code whose distribution over all data
is the prior. With this condition as a penalty ::

    D_WAE(P_X, P_G) = inf_Q  E_x E_{q(z|x)} c(x, G(z))  +  λ D_Z(Q_Z, P_Z),      c = ‖x - G(z)‖²

where Q_Z = E_x q(z|x). D_Z may be any divergence (D1 296), two recipes:

    wae-mmd    MMD² by the unbiased estimate (common/mmd.py), codes of a minibatch against as many
               draws of the prior: one objective for one optimiser, no game. Kernel: C/(C + d),
               inverse multiquadratic, with C = scale · E‖z - z'‖² of the prior (2K for N(0, I));
               `mmd_kernel="rbf"` is exp(-d/C). `scales=(1.0,)` is the paper's single kernel,
               which is as wide as the prior: its MMD² goes to 0 while the codes still have gaps
               that a narrower one detects. Several are added, as in the authors' program
    wae-gan    the critic of an AAE: the same p, the same D, but two phases, since encoder and
               decoder minimise  c - λ ln D(z)  together. The lecture remarks that WAE = AAE for
               the squared cost, and leaves out that the penalty is then a critic's: it is one
               problem with two schedules of steps

The lecture's cost is a sum over pixels, as here. λ is in that unit: an MMD² of 10⁻³ weighs as much
as λ/1000 of squared error.

The pictures and the number are those of the AAE: a two-sample test compares the codes of held-out
images with the prior. The test's kernel (Gaussians) is not the penalty's. (Published: FID of
CelebA 55 with MMD, 42 with a critic, 63 for a VAE: not attempted here.)
"""

from dataclasses import replace

from ...core.data import DataSet, minibatches
from ...core.training.alternating import AlternatingSystem, Phase
from ...core.training.by_name import with_momentum
from ...core.training.recipe import Recipe
from ...core.training.settings import setting
from ..common import critic, mmd
from ..common.rows import prepare, rows
from . import prior_autoencoder, prior_pictures
from .prior_autoencoder import GameSettings, PriorAutoencoder, PriorSettings


class Settings(PriorSettings):
    """Settings with MMD² as the penalty."""

    batch: int = setting(100, least=2, help="samples in a minibatch, two or more for MMD²")
    weight: float = setting(1000.0, least=0, help="weight λ of the penalty")
    mmd_kernel: mmd.KernelName = setting("imq", help="kernel of the penalty")
    scales: tuple[float, ...] = setting(
        (1.0,), above=0, some=True, help="C of each kernel, as a share of E‖z - z'‖² of the prior"
    )


class CriticSettings(GameSettings):
    """Settings with a critic as the penalty."""

    weight: float = setting(10.0, least=0, help="weight λ of the penalty")


class WAE(PriorAutoencoder):
    """An autoencoder that minimises c + λ MMD²."""

    in_shards = "MMD² is that of a shard's own codes"
    least_in_shard = 2

    def __init__(self, data: DataSet, s: Settings, rng, dtype="float32"):
        super().__init__(data, s, rng, dtype)
        self.scales = [scale * self.prior.squared_distance for scale in s.scales]

    def objective(self, batch):
        """(E c(x, G(z)) + λ MMD²(z, z'), both parts): z ~ q(z|x), z' ~ p(z)."""
        x = rows(batch.x)
        z = self.posterior(x, self.noise)
        cost = self.losses(z, x).mean()
        penalty = mmd.penalty(z, self.from_prior(x), self.s.mmd_kernel, self.scales)
        return cost + self.s.weight * penalty, {"cost": cost, "penalty": penalty}

    def batches(self, data, size, seed, epoch, start):
        """Full minibatches only: the estimate needs two images, and is best with a full batch."""
        size = min(size, len(data.train))
        return minibatches(data.train, size, seed, epoch, start, drop_last=True)

    def batches_per_epoch(self, data, size):
        """The number of full minibatches."""
        return len(data.train) // min(size, len(data.train))


class CriticWAE(AlternatingSystem, PriorAutoencoder):
    """An autoencoder that minimises c - λ ln D(z), and a critic [N, K] -> logits [N, 1]."""

    def __init__(self, data: DataSet, s: CriticSettings, rng, dtype="float32"):
        super().__init__(data, s, rng, dtype)
        self.critic = critic.critic(s.code, s.critic, rng.child("critic"), dtype)

    def phases(self, settings: CriticSettings) -> tuple[Phase, ...]:
        """The two steps of algorithm 1 of the paper."""
        s, both = settings, (self.encoder, self.decoder)
        game = with_momentum(s.optimiser, s.game_momentum)
        return (
            Phase("discrimination", self.discrimination, (self.critic,), s.critic_lr, game),
            Phase("transport", self.transport, both, s.lr, game),
        )

    def discrimination(self, batch):
        """-E ln D(z') - E ln(1 - D(z)), z' ~ p(z), z ~ q(z|x): a step of the critic."""
        x = rows(batch.x)
        real, fake = self.from_prior(x), self.posterior(x, self.noise)
        return critic.discrimination(self.critic(real), self.critic(fake))

    def transport(self, batch):
        """(E c(x, G(z)) - λ E ln D(z), the first part): a step of encoder and decoder."""
        x = rows(batch.x)
        z = self.posterior(x, self.noise)
        cost = self.losses(z, x).mean()
        penalty = critic.deception(self.critic(z), self.s.game)
        return cost + self.s.weight * penalty, {"cost": cost}

    def objective(self, batch):
        """(the objective of encoder and decoder, that of the critic)."""
        found, parts = self.transport(batch)
        return found, {**parts, "discrimination": self.discrimination(batch)}


FINE = (0.01, 0.1, 1.0)
DIGITS = {"epochs": 100, "batch": 100, "lr": 2e-3, "hidden": (128, 128)}
TABLE = {"epochs": 200, "batch": 50, "output": "linear"}
BINARY = {"epochs": 40, "loss": "cross_entropy"}
MNIST = {"epochs": 60, "batch": 200, "hidden": (512, 512)}
GAME = {**MNIST, "weight": 100.0, "lr": 2e-4, "critic_lr": 2e-3}  # slow nets, a fast critic

MMD = Recipe(
    name="wae-mmd",
    title="Wasserstein autoencoder, MMD penalty",
    lecture="lecture 2 (D1 286-297)",
    rows=(32,),
    build=WAE,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={
        "digits": {**DIGITS, "scales": FINE, "weight": 30.0},
        "mnist": {**MNIST, "scales": FINE, "weight": 3000.0},
        "fashion_mnist": {**MNIST, "scales": FINE, "weight": 3000.0},
        "table": {**DIGITS, **TABLE, "scales": FINE, "weight": 100.0},
        "binary": {**DIGITS, **BINARY, "scales": FINE},
    },
    metric="mmd_ratio",
    targets=(prior_autoencoder.MATCHES,),
    figures=prior_pictures.figures,
    sample=prior_pictures.sample,
    check=lambda rng, **changes: prior_autoencoder.check(WAE, Settings(**changes), rng),
)
GAN = replace(
    MMD,
    name="wae-gan",
    title="Wasserstein autoencoder with a critic",
    build=CriticWAE,
    settings=CriticSettings,
    presets={
        "digits": {**DIGITS, "batch": 50, "critic": (128, 128)},
        "mnist": GAME,
        "fashion_mnist": GAME,
        "table": {**DIGITS, **TABLE, "critic": (128, 128)},
        "binary": {**DIGITS, **BINARY, "batch": 50, "critic": (128, 128)},
    },
    check=lambda rng, **changes: prior_autoencoder.check(
        CriticWAE, CriticSettings(**{"critic": (4, 3), **changes}), rng
    ),
)
RECIPES = (MMD, GAN)
