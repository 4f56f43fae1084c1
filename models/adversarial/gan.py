"""The generative adversarial net."""

from dataclasses import replace
from typing import Literal

from ... import core as gg
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import setting
from ..common import critic
from .game import Game, GameSettings
from . import game

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
        """-E ln D(x) - E ln(1 - D(G(z))), or -E D(x)(1 - D(G(z))): a step of the discriminator."""
        real, fake = self.pair(batch)
        product = self.s.loss == "product"
        loss = (critic.product_discrimination if product else critic.discrimination)(real, fake)
        with gg.no_grad():
            return loss, {"d_real": gg.sigmoid(real).mean(), "d_fake": gg.sigmoid(fake).mean()}

    def deception(self, batch):
        """E ln(1 - D(G(z))), -E ln D(G(z)) or -E D(G(z)): a step of the generator."""
        fake = self.deceived(batch)
        if self.s.loss == "product":
            return critic.product_deception(fake)
        return critic.deception(fake, self.s.loss)
