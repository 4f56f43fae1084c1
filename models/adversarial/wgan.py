"""The Wasserstein generative adversarial net (D1 300-314; K4 161; Arjovsky et al. 2017).

The distance between the data p and the samples p' is W1, the least mean way over which mass has to
be moved. It exists even where p and p' do not overlap, so a generator has a gradient where ln D has
none. In two forms, which are equal (Kantorovich and Rubinstein) ::

    primal    W1(p, p') = inf_Π E_{(x, y) ~ Π} ‖x - y‖              over all couplings of p and p'
    dual      W1(p, p') = sup_{‖f‖_L ≤ 1} E_p f(x) - E_p' f(x)      over f of slope at most 1

The lecture's first formula lacks the E. `distances.py` solves the primal exactly for two samples,
`dual.py` the dual with a network; the picture `primal_dual` has both over ten pairs. The game ::

    critic       -[E f(x) - E f(G(z))]  →  min,   `steps` steps        (`gap` is the value)
    generator    -E f(G(z))             →  min

How the slope of f is bounded, `constraint` ::

    clipping   all weights of f stay in a cube of side ε around 0, [-ε/2, ε/2]   the lecture's
    penalty    + λ E (‖∇f(x̂)‖ - 1)²,  x̂ between a real and a made sample    (Gulrajani et al. 2017)
    one-sided  + λ E max(0, ‖∇f(x̂)‖ - 1)²                                   (Petzka et al. 2018)

The authors' programs clip to ±0.01, so ε = 0.02, with RMSProp, a rate of 5·10⁻⁵ and 5 steps of f.
Weights in a cube bound the slope by some K, which depends on ε and on the layers (for L layers of
width n and D inputs at most (ε/2)ᴸ nᴸ⁻¹ √D), so `gap` is K·W1, and with ε = 0.02 tiny. The critic
that is learnt stays below that bound. On one side of 0 `gap` is proportional (R² 0.999 over ten
distances, K = 0.098 for ε = 0.2 and layers 1-16-16-1). For samples on both sides it is so less
exactly (R² 0.94), since the two sides share the weights. Most of them end at the ends of the cube,
the picture `weights`. With the penalty K is about 1 and `gap` estimates W1 itself. The penalty
needs the gradient of a gradient, which the engine has. Batch normalisation in f would mix the
samples' gradients and is refused with it.

On the ring, 20 epochs: clipping with ε = 0.2 finds 8 modes (7 with two others), but only a third of
the samples lie within three spreads of one, since a clipped critic is a coarse one. With Adam, 3
steps and `constraint=one-sided weight=1` or `constraint=penalty weight=0.1` it is 47 and 46 % after
12 epochs. The usual λ = 10, made for images, does as well in the one-sided form: 8, 7 and 8 modes
and 50, 40 and 52 % of the samples, with three seeds.

A table is standardised, since W1 adds distances along its columns: `gap` is then in units of the
training set's deviations. The ring has a unit already, and is taken as it is.

The pictures: points or samples, `primal_dual`, `critic` (the values of f over the plane or line of
the data) and `weights`. The number: `neighbours` and, on a ring, `modes` as for gan.py; `gap` on
held-out data.
"""

from ... import core as gg
from ...core.data import DataSet, Split
from ...core.optim import clip_weights
from ...core.training.recipe import Recipe
from ...core.training.settings import Optimiser, SettingError, setting
from ..common import critic
from ..common.rows import rows
from . import game, wgan_pictures
from .dual import Constraint
from .game import Game, GameSettings


class Settings(GameSettings):
    """Settings of a game for the Wasserstein distance."""

    optimiser: Optimiser = "rmsprop"
    steps: int = 5
    lr: float = 5e-5
    discriminator_lr: float = 5e-5
    constraint: Constraint = setting("clipping", help="what bounds the slope of the critic")
    side: float = setting(
        0.02, above=0, when=("constraint", "clipping"), help="side ε of the cube of weights"
    )
    weight: float = setting(
        10.0,
        least=0,
        when=("constraint", "penalty", "one-sided"),
        help="weight λ of the gradient penalty",
    )

    def check(self):
        """Check that no normalisation mixes the gradients that are penalised."""
        super().check()
        if self.constraint != "clipping" and self.discriminator_norm:
            raise SettingError(
                f"constraint {self.constraint!r} needs the gradient of each sample alone:"
                " discriminator_norm must be false"
            )


class WGAN(Game):
    """A generator, and a critic [N, D] -> values [N, 1] of bounded slope."""

    def __init__(self, data: DataSet, s: Settings, rng, dtype="float32"):
        super().__init__(data, s, rng, dtype)
        self.between = rng.child("between")
        if s.constraint == "clipping":
            self.after_discrimination()

    def standardises(self, data: DataSet) -> bool:
        """All tables but mixtures with known centres, whose plane has a unit: W1 is in it."""
        return "centres" not in data.info.extra

    def discrimination(self, batch):
        """-(E f(x) - E f(g)), with the penalty if there is one; and the gap: a step of f."""
        x = rows(batch.x)
        fake = self.generate(self.noise(len(x)))
        found = critic.gap(self.judge(x), self.judge(fake))
        if self.s.constraint == "clipping":
            return -found, {"gap": found}
        u = gg.Tensor(self.between.uniform((len(x), 1), 0.0, 1.0, str(x.dtype)))
        one_sided = self.s.constraint == "one-sided"
        real, fake = self.in_units(x), self.in_units(fake)
        penalty = critic.gradient_penalty(self.discriminator, real, fake, u, one_sided)
        return self.s.weight * penalty - found, {"gap": found, "penalty": penalty}

    def deception(self, batch):
        """-E f(g): a step of G."""
        return -self.deceived(batch).mean()

    def after_discrimination(self) -> None:
        """Clipping: every weight of f goes back into the cube of side ε."""
        if self.s.constraint == "clipping":
            clip_weights(self.discriminator.parameters(), self.s.side / 2)

    def figures_of(self, made, split):
        """The judges' figures, and the critic's gap between held-out data and samples."""
        found = super().figures_of(made, split)
        with gg.no_grad():
            real, fake = (
                self.average(lambda b: {"f": self.judge(rows(b.x)).mean()}, Split(x))["f"]
                for x in (split.x, made)
            )
        return found | {"gap": real - fake}


def check(rng, **changes):
    """Both objectives of a small game as functions of all parameters, for gradcheck."""
    small = {"noise": 3, "generator": (5,), "discriminator": (4, 3), "steps": 1, "side": 1.5}
    if changes.get("constraint", "clipping") != "clipping":
        del small["side"]
    data = DataSet("check", Split(rng.random((4, 1, 2, 2)), None))
    return game.check(WGAN, Settings(**{**small, **changes}), data)


RING = {
    "epochs": 20, "batch": 50, "noise": 2, "side": 0.2, "weight": 0.1,
    "lr": 1e-3, "discriminator_lr": 1e-3,
}  # fmt: skip
TABLE = {**RING, "epochs": 400, "batch": 10}  # of a hundred rows as many steps
IMAGES = {
    "epochs": 100, "batch": 50, "side": 0.1, "lr": 5e-4, "discriminator_lr": 5e-4,
    "generator_norm": True,
}  # fmt: skip

RECIPES = (
    Recipe(
        name="wgan",
        title="Wasserstein generative adversarial net",
        lecture="lecture 2 (D1 300-314), lecture 5 (K4 161)",
        rows=(49,),
        build=WGAN,
        data="ring",
        takes=("table", "images", "binary"),
        settings=Settings,
        presets={"ring": RING, "table": TABLE, "images": IMAGES, "binary": IMAGES},
        metric="neighbours",
        targets=(game.all_modes("Gulrajani et al. 2017, figure 1"),),
        figures=wgan_pictures.figures,
        sample=wgan_pictures.sample,
        check=check,
    ),
)
