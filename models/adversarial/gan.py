"""The generative adversarial net (V0 554-591; V2 752-809; K4 121-169; U3 463-525; Goodfellow 2014).

A generator G turns noise z, the "condition" of K4 104-120, drawn by `law`, into samples. A
discriminator D estimates the probability that a sample is real. It is trained to tell the two
apart, and G to deceive it; the counterfeiter and the banker of U3 482. As a game for one value (K4
142) ::

    min_G max_D   E_x ln D(x) + E_z ln(1 - D(G(z)))

For a fixed G the best D is p/(p + p_G), and then the value is 2 JS(p, p_G) - 2 ln 2: G minimises a
distance between the distributions that nobody could write down. With the best G, D = ½ everywhere.

Three pairs of objectives, `loss` ::

    minimax          D: -ln D(x) - ln(1 - D(g))    G: ln(1 - D(g))     the lectures' (V0, V2, K4)
    non-saturating   D: the same                   G: -ln D(g)         Goodfellow's advice
    product          D: -D(x)(1 - D(g))            G: -D(g)            lecture 4 (U3 491-506)

In all three D sees the real and the made samples in two passes ("D learns twice in a step"). With
the logit c of D(g) = σ(c), the slopes |∂/∂c| that reach G are D, 1 - D and D(1 - D), the picture
`slopes`: where D is certain that g is made, D = 0, only the second has one. The gradient of the
product is the product times that of its logarithm, for D as well. For one pair of samples product
and logarithm have the same best D. For all pairs they do not: the best D of the product decides, it
is 0 or 1 (common/critic.py), where that of the logarithms is a probability.

How it fails (K4 150-159), on eight normals on a circle, `gan-ring` ::

    saddle point     both sides learn at once; losses do not fall, they balance. Watch d_real and
                     d_fake, the means of D over real and made samples: ½ and ½ at the end
    vanishing        a good D leaves no gradient: the picture `vanishing` trains D alone against a
    gradient         fixed G, and shows what is left of G's gradient under each loss
    mode collapse    G makes a part of the data only. With `lr=0.02 discriminator_lr=1e-4
                     epochs=15`, a G 200 times as fast as D, the samples are one clump that D
                     chases, 1 mode of 8 (d_real and d_fake, ½ both, do not show it), or that
                     runs away from the data, 0 modes, with another seed
    balance          the default, the same rate for both, finds all 8 modes with three seeds; 0.73
                     to 0.84 of the samples lie near one, 0.92 after 40 epochs. With
                     lr=0.01 and discriminator_lr=1e-4 there are 4; a D too small for the data
                     (discriminator=8, or 16,16 and a thirtieth of the rate) leaves G without a
                     direction, and it runs away, a hundred spreads and further

Stabilisers (K4 163), switches in G and D: batch normalisation and dropout (bench/stabilisers.py has
them one by one). On the digits the lecture's game alone leaves D certain (d_real 0.99, d_fake 0.01
after 100 epochs). Dropout in D and normalisation in G mend it (2.25 to 2.28); they are the default
there. The product form fails on the ring: with three seeds it reaches 0 or 1 mode of 8, and at most
21 % of its samples lie near one, since D's decisions leave G little gradient. The switch that
mends it is `loss=minimax`. On the digits, with a slow D, which is what the product needs, it makes
some classes only: entropies of 1.56 to 1.91 on two machines. There the mend is `gan` itself,
`loss=minimax discriminator_lr=1e-3`.

On MNIST the rates stay as they are, D grows certain, and G's last steps leave its images noisy.
The running mean of G's weights, `generator_average`, is free of that noise, and the game does not
notice it. Seed 0, judged by validation images, with the last weights and with their mean under a
decay of 0.9995 ::

                     8 epochs         12 epochs        20 epochs
                     last    mean     last    mean     last    mean
    Parzen, nats       41     178       42     143       40      56
    neighbours       0.99    0.83     0.97    0.89     0.98    0.97
    entropy          2.22    2.26     2.28    2.28     2.27    2.28
    confidence       0.85    0.82     0.87    0.86     0.87    0.87

With time the steps of G grow small, and the mean is as noisy as the last weights. The preset for
MNIST has 12 epochs: the confidence is then within 0.01 of what more of them bring.

The pictures: samples (or points), `slopes`, `vanishing`, and `balance`: what D says of held-out and
of made samples. The numbers: entropy of the classes that a classifier sees in the samples, and its
confidence as a share of that on real images (judging.py); ln 10 = 2.303 and 1 for a perfect
generator. On the digits a normal distribution fitted to the pixels has 2.30 and 0.83, a generator
that has learnt nothing an entropy of 0: only both figures together say something.

The published number is a Parzen-window log-likelihood (common/parzen.py), 225 ± 2 on MNIST, with
maxout units in D, which ours does not have. It is reported since the literature reports it, and it
is no goal: it prefers blurred images.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import setting
from ..common import critic
from . import game, game_pictures
from .game import Game, GameSettings
from .judging import likelihood

Loss = Literal["minimax", "non-saturating", "product"]


class Settings(GameSettings):
    """Settings of a game for probabilities D(x)."""

    loss: Loss = setting("minimax", help="objectives of the two players")


class ProductSettings(Settings):
    """Settings with the product in place of the logarithms."""

    loss: Loss = "product"


class GAN(Game):
    """A generator, and a discriminator whose logits are those of D(x) = P(x is real)."""

    def discrimination(self, batch):
        """-E ln D(x) - E ln(1 - D(g)), or -E D(x)(1 - D(g)); and the means of D."""
        real, fake = self.pair(batch)
        product = self.s.loss == "product"
        loss = (critic.product_discrimination if product else critic.discrimination)(real, fake)
        with gg.no_grad():
            return loss, {"d_real": gg.sigmoid(real).mean(), "d_fake": gg.sigmoid(fake).mean()}

    def deception(self, batch):
        """E ln(1 - D(g)), -E ln D(g) or -E D(g)."""
        return self.deception_of(self.deceived(batch), self.s.loss)

    @staticmethod
    def deception_of(fake, loss: Loss):
        """The generator's objective, of the logits of made samples."""
        return critic.product_deception(fake) if loss == "product" else critic.deception(fake, loss)

    def evaluate_finished(self, split):
        """The judges' figures; on images also Parzen's log-likelihood, in nats."""
        made = self.drawn(self.s.samples)
        found = self.figures_of(made, split)
        return found | likelihood(made, split, self.data) if self.bounded else found


def check(rng, **changes):
    """Both objectives of a small game as functions of all parameters, for gradcheck."""
    small = {"noise": 3, "generator": (5,), "discriminator": (4,), **changes}
    data = DataSet("check", Split(rng.random((6, 1, 2, 2)), np.array([0, 1, 0, 1, 1, 0])))
    return game.check(GAN, Settings(**small), data)


CONFIDENT = (
    *game.RECOGNISED,
    Target(
        "Parzen-window log-likelihood of MNIST test images, nats, 10 000 samples",
        "mnist",
        "parzen",
        "225 ± 2",
        223.0,
        better="higher",
        source="Goodfellow et al. 2014, table 1",
        protocol="ReLU in D; theirs has maxout units",
        note="the estimate is poor in 784 dimensions",
        spread="parzen_error",
    ),
)
STABLE = {"generator_norm": True, "discriminator_dropout": 0.4}
DIGITS = {"epochs": 100, "batch": 50, "lr": 1e-3, "discriminator_lr": 1e-3, **STABLE}
MNIST = {
    "epochs": 30, "batch": 100, "noise": 64, "generator": (256, 512), "discriminator": (512, 256),
    "lr": 5e-4, "discriminator_lr": 5e-4, **STABLE,
}  # fmt: skip
RING = {"epochs": 20, "noise": 2, "lr": 1e-3, "discriminator_lr": 1e-3}
PRESETS = {
    **dict.fromkeys(("digits", "images", "binary"), DIGITS),
    **dict.fromkeys(("mnist", "fashion_mnist"), MNIST),
    **dict.fromkeys(("ring", "table"), RING),
}

MINIMAX = Recipe(
    name="gan",
    title="Generative adversarial net, the minimax game",
    lecture="lecture 1 (V0 554-591), lecture 3 (V2 752-809), lecture 5 (K4 121-169)",
    rows=(44, 47, 51),
    build=GAN,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={**PRESETS, "mnist": {**MNIST, "epochs": 12, "generator_average": 0.9995}},
    metric="neighbours",
    targets=CONFIDENT,
    figures=game_pictures.figures,
    sample=game_pictures.sample,
    check=check,
)
SLOW_D = {"discriminator_lr": 2e-4}  # what the product form needs
PRODUCT = replace(
    MINIMAX,
    name="gan-product",
    title="Generative adversarial net, product instead of logarithms",
    lecture="lecture 4 (U3 463-525)",
    rows=(45,),
    settings=ProductSettings,
    presets={name: {**preset, **SLOW_D} for name, preset in PRESETS.items()},
    targets=(),
    check=lambda rng, **changes: check(rng, **{"loss": "product", **changes}),
)
ON_A_RING = replace(
    MINIMAX,
    name="gan-ring",
    title="Generative adversarial net on a ring of eight modes, and how it fails",
    lecture="lecture 5 (K4 150-160)",
    rows=(48,),
    data="ring",
    takes=("table", "images", "binary"),
    targets=(
        game.all_modes(
            "Metz et al. 2017, figure 2, for the unrolled game; the plain one collapses"
        ),
    ),
)
RECIPES = (MINIMAX, PRODUCT, ON_A_RING)
