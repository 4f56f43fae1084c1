"""The adversarial autoencoder (lecture 2, D1 250-283; lecture 4, U3 555-596; Makhzani et al. 2016).

An autoencoder whose codes, taken together, should have a prescribed distribution. It compares
q(z) = E_x q(z|x) with p(z) not by a KL divergence, which needs the formula of p, but by a critic,
which needs only draws of p. Every minibatch goes through three phases (U3 584-592), each with its
own optimiser ::

    1. reconstruction     L(g(z), x) = ‖g(z) - x‖²,  z ~ q(z|x)           encoder and decoder
    2. discrimination     -E ln D(z') - E ln(1 - D(z)),  z' ~ p(z)        critic
    3. deception          -E ln D(z)                                      encoder

In the lecture's words phase 3 makes the critic "assume the data to be from the prior": this is the
form that does not saturate; `game="minimax"` is the other (common/critic.py). The encoder is
deterministic by default, as in the paper; `encoder="normal"` is the probabilistic one of U3 568.

Priors (D1 275; priors.py): the plane's normal distribution, `aae`; a mixture of ten normals,
`aae-mixture`; with labels, `aae-labels`, a one-hot class is appended to the critic's input and
real codes come from the component of that class, so that the critic ties each class to its petal
(Makhzani, section 2.3). Only `labels` training images show their class: the others have the class
"unknown", whose real codes come from the whole mixture. `aae-convolutional` (U3 594, a link) has
convolutions on both sides.

The pictures: held-out codes over the prior, the shuffled test statistics, a walk through the prior,
samples, reconstructions. The number: codes of held-out images that an MMD two-sample test cannot
distinguish from draws of the prior. (Published: Parzen log-likelihood 340 ± 2 on MNIST, an estimate
that is poor in 784 dimensions, common/parzen.py; it is left out here.)
"""

from dataclasses import replace

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of
from ...core.data import DataSet, Split
from ...core.training.alternating import AlternatingSystem, Phase
from ...core.training.by_name import with_momentum
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, setting
from ..common import critic
from ..common.labels import classes_of, few
from ..common.rows import prepare as standardised
from ..common.rows import rows
from . import prior_autoencoder, prior_pictures
from .prior_autoencoder import GameSettings, Network, PriorAutoencoder
from .priors import Prior


class Settings(GameSettings):
    """Settings of a game, optionally with labels."""

    labels: int = setting(0, least=0, help="training images that show their class, 0 for no labels")
    deception_lr: float = setting(1e-3, least=0, help="learning rate of the third phase")


class MixtureSettings(Settings):
    """Settings with a mixture as the prior."""

    prior: Prior = "mixture"


class LabelSettings(MixtureSettings):
    """Settings with labels for the petals of the mixture."""

    labels: int = 10_000


class ConvolutionalSettings(Settings):
    """Settings with convolutions on both sides."""

    network: Network = "convolutional"


class AAE(AlternatingSystem, PriorAutoencoder):
    """An autoencoder with a prior, and a critic [N, K (+ classes + 1)] -> logits [N, 1]."""

    def __init__(self, data: DataSet, s: Settings, rng, dtype="float32"):
        super().__init__(data, s, rng, dtype)
        self.classes = 0
        if s.labels:
            self.classes = classes_of("aae", data)
            if self.prior.components != self.classes:
                raise SettingError(
                    "aae: labels need a component for each class;"
                    f" expected components={self.classes}, got {self.prior.components}"
                )
        inputs = s.code + (self.classes + 1 if self.classes else 0)
        self.critic = critic.critic(inputs, s.critic, rng.child("critic"), dtype)

    def phases(self, settings: Settings) -> tuple[Phase, ...]:
        """The three phases of U3 584-592."""
        s = settings
        game = with_momentum(s.optimiser, s.game_momentum)
        both = (self.encoder, self.decoder)
        return (
            Phase("reconstruction", self.reconstruction, both, s.lr),
            Phase("discrimination", self.discrimination, (self.critic,), s.critic_lr, game),
            Phase("deception", self.deception, (self.encoder,), s.deception_lr, game),
        )

    def judge(self, z, labels):
        """Logits [N, 1] of codes [N, K], each with its class if there are labels."""
        if self.classes:
            shown = xp_of(labels).where(labels < 0, self.classes, labels)
            z = gg.concatenate([z, gg.one_hot(shown, self.classes + 1, z.dtype)], axis=1)
        return self.critic(z)

    def reconstruction(self, batch):
        """E ‖g(z) - x‖², z ~ q(z|x): a step of encoder and decoder."""
        x = rows(batch.x)
        return self.losses(self.posterior(x, self.noise), x).mean()

    def discrimination(self, batch):
        """-E ln D(z') - E ln(1 - D(z)), z' ~ p(z), z ~ q(z|x): a step of the critic."""
        x = rows(batch.x)
        fake = self.posterior(x, self.noise)
        real = self.from_prior(x, batch.y if self.classes else None)
        return critic.discrimination(self.judge(real, batch.y), self.judge(fake, batch.y))

    def deception(self, batch):
        """-E ln D(z), z ~ q(z|x): a step of the encoder."""
        fake = self.posterior(rows(batch.x), self.noise)
        return critic.deception(self.judge(fake, batch.y), self.s.game)

    def objective(self, batch):
        """(the objective of the first phase, those of the other two); their sum has no meaning."""
        others = {"discrimination": self.discrimination, "deception": self.deception}
        return self.reconstruction(batch), {name: f(batch) for name, f in others.items()}

    def evaluate_finished(self, split):
        """Error and match; with labels also the % of images on the wrong petal."""
        found = super().evaluate_finished(split)
        if self.classes and split.y is not None:
            petal = self.prior.responsibilities(self.codes(split.x)).argmax(axis=1)
            found["petal_error"] = 100 * float((petal != split.y).mean())
        return found


def prepare(data: DataSet, s: Settings) -> DataSet:
    """Tables standardised; with labels all but `labels` training samples lose theirs (-1)."""
    data = standardised(data, s)
    if not s.labels:
        return data
    classes_of("aae", data)
    hidden = np.full(len(data.train), -1, np.int64)
    known = few(data.train, s.labels)
    hidden[known] = data.train.y[known]
    return replace(data, train=Split(data.train.x, hidden))


def check(rng, **changes):
    """All three objectives of a small network as functions of all parameters, for gradcheck."""
    return prior_autoencoder.check(AAE, Settings(**{"critic": (4, 3), **changes}), rng)


DIGITS = {"epochs": 100, "batch": 50, "lr": 1e-3, "hidden": (128, 128), "critic": (128, 128)}
KINDS = {
    "table": {**DIGITS, "epochs": 200, "batch": 20, "output": "linear"},
    "binary": {**DIGITS, "epochs": 40, "loss": "cross_entropy"},
}
MNIST = {"epochs": 80, "lr": 1e-4, "critic_lr": 2e-3, "deception_lr": 2e-4}
PETALS = {**MNIST, "epochs": 60, "lr": 2e-5}  # petals need a smaller reconstruction step
IMAGES = {"epochs": 30, "lr": 5e-5, "critic_lr": 4e-3, "deception_lr": 1e-4}

NORMAL = Recipe(
    name="aae",
    title="Adversarial autoencoder, normal prior in the plane",
    lecture="lecture 2 (D1 250-283), lecture 4 (U3 555-592)",
    rows=(29, 30),
    build=AAE,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={"digits": DIGITS, "mnist": MNIST, "fashion_mnist": MNIST, **KINDS},
    metric="mmd_ratio",
    targets=(prior_autoencoder.MATCHES,),
    figures=prior_pictures.figures,
    sample=prior_pictures.sample,
    check=check,
)
MIXTURE = replace(
    NORMAL,
    name="aae-mixture",
    title="Adversarial autoencoder, mixture of ten normals as the prior",
    settings=MixtureSettings,
    presets={"digits": DIGITS, "mnist": PETALS, "fashion_mnist": PETALS, **KINDS},
)
LABELS = replace(
    MIXTURE,
    name="aae-labels",
    title="Adversarial autoencoder, a petal of the mixture for each class",
    settings=LabelSettings,
    targets=(
        prior_autoencoder.MATCHES,
        Target(
            "MNIST test images on another petal than their class's, %, 10 000 labels",
            "mnist",
            "petal_error",
            "each class in its component (a drawing)",
            10.0,
            own=True,
            source="Makhzani et al. 2016, figure 4",
        ),
    ),
    check=lambda rng: check(rng, prior="mixture", components=2, labels=4),
)
CONVOLUTIONAL = replace(
    NORMAL,
    name="aae-convolutional",
    title="Adversarial autoencoder with convolutions",
    lecture="lecture 4 (U3 594-596)",
    rows=(31,),
    takes=("images",),
    settings=ConvolutionalSettings,
    presets={
        "digits": {**DIGITS, "epochs": 45},
        "mnist": IMAGES,
        "fashion_mnist": IMAGES,
    },
)
RECIPES = (NORMAL, MIXTURE, LABELS, CONVOLUTIONAL)
