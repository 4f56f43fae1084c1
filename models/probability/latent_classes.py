"""Before a digit is drawn, the model decides which: z ∈ {0, ..., 9} (lecture 4, U3 109-125).

If the left half of a digit is that of a 5, the right half cannot be that of a 0. So a model first
draws z, one of `states`, and then everything that belongs to it: a mixture of Bernoullis ::

    p(z) = softmax(c)_z    p(x|z) = Π_j p_zj^{x_j} (1-p_zj)^{1-x_j},   p_zj = σ(a_zj)
    p(x) = Σ_z p(x|z) p(z) → max

z is called latent because nobody says which z belongs to which x: naive_bayes.py has the same
p(x|z) with labels for z. The sum over z is exact, so no bound is needed. What z stands for is up
to the model: `purity` says how often it is the digit, where there are labels.

The objective has the same prior on p_zj as naive Bayes, α/N Σ ln p + ln(1-p). All z start alike but
for noise on a, or they would stay alike.

Sampling the prior (U3 187-191): of ten draws of z, one gives x any probability. `nll_prior` is
-ln (1/M) Σ p(x|z_m) of `draws` z, `ess_prior` the share of them that counts, and the picture
`prior_sampling` shows how it gets worse with more numbers in z (prior_sampling.py).

The other pictures: the mean image of each z with its probability; draws; p(z|x) of held-out images.
The number: on 112 binary columns of mushrooms a mixture of Bernoullis reaches -14.46 nats (Germain
et al. 2015, table 4, after Larochelle & Murray 2011).
"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core.arrays import to_numpy
from ...core.data import DataSet, minibatches
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common.binary import GREY, prepare
from ..common.gradients import by_parameters
from ..common.labels import labels_of
from ..common.rows import flat
from . import latent_pictures
from .prior_sampling import effective, log_mean


class Settings(TrainingSettings):
    """Settings of a mixture of Bernoullis."""

    states: int = setting(10, least=1, help="how many values z has")
    alpha: float = setting(0.1, least=0, help="examples of each bit seen in advance")
    binarise: Literal["sampled", "fixed"] = setting(
        "sampled", kinds=GREY, help="how grey levels become 0 and 1"
    )
    draws: int = setting(10, least=2, help="random z for each x in the comparison after training")
    schedule: str = "cosine"


class LatentClasses(System):
    """c [K] and a [K, D]; a starts at the log odds of the data's mean, with noise."""

    def __init__(self, mean: np.ndarray, samples: int, s: Settings, rng, dtype="float32"):
        super().__init__()
        self.s, self.samples, self.noise = s, samples, rng.child("noise")
        p = (mean * samples + 1) / (samples + 2)
        start = np.log(p / (1 - p)) + 0.5 * rng.child("a").normal((s.states, len(mean)), "float64")
        self.c = gg.Tensor(np.zeros(s.states, dtype), requires_grad=True)
        self.a = gg.Tensor(start.astype(dtype), requires_grad=True)

    def log_given(self, x):
        """ln p(x|z) of bits x [N, D]: [N, K]."""
        return x @ self.a.T - gg.softplus(self.a).sum(axis=1)

    def log_joint(self, x):
        """ln p(x, z): [N, K]."""
        return self.log_given(x) + gg.log_softmax(self.c)

    def batches(self, data, size, seed, epoch, start):
        """Minibatches, binarised again here with `binarise="sampled"`."""
        for batch in minibatches(data.train, size, seed=seed, epoch=epoch, start=start):
            sampled = self.s.binarise == "sampled"
            yield Batch(self.noise.bernoulli(batch.x)) if sampled else batch

    def objective(self, batch):
        """-ln p(x), and the prior's share of a sample."""
        loss = -gg.logsumexp(self.log_joint(gg.Tensor(flat(batch.x))), axis=1).mean()
        if self.s.alpha:
            prior = (gg.softplus(self.a) + gg.softplus(-self.a)).sum()
            loss = loss + self.s.alpha / self.samples * prior
        return loss

    def evaluate(self, split, size=500):
        """nll, exact, in nats."""

        def figures(batch):
            joint = self.log_joint(gg.Tensor(flat(batch.x)))
            return {"nll": -gg.logsumexp(joint, axis=1).mean().item()}

        return self.average(figures, split, size)

    def evaluate_finished(self, split):
        """nll, its estimate by draws of the prior, the share of them that counts; purity."""
        rng, m = self.noise.child("finished"), self.s.draws

        def figures(batch):
            with gg.no_grad():
                given = to_numpy(self.log_given(gg.Tensor(flat(batch.x))).data).astype(np.float64)
            z = np.searchsorted(
                np.cumsum(self.shares())[:-1],
                rng.uniform((len(given), m), dtype="float64"),
                "right",
            )
            drawn = np.take_along_axis(given, z, axis=1)
            size = float(effective(drawn).mean()) / m
            return {"nll_prior": float(-log_mean(drawn).mean()), "ess_prior": size}

        found = self.evaluate(split) | self.average(figures, split)
        return found | ({"purity": purity(self, split)} if labels_of(split) is not None else {})

    def shares(self) -> np.ndarray:
        """p(z) [K], float64."""
        return np.exp(gg.log_softmax(self.c.detach()).numpy().astype(np.float64))

    def posterior(self, x: np.ndarray) -> np.ndarray:
        """p(z|x) [N, K] of rows or images of bits."""
        with gg.no_grad():
            rows = self.on_device(Batch(flat(np.asarray(x)))).x
            return gg.softmax(self.log_joint(gg.Tensor(rows)), axis=1).numpy()

    def drawn(self, n: int, rng) -> np.ndarray:
        """n draws [n, D] of the model, in the order of z."""
        u = np.sort(rng.uniform(n, dtype="float64"))
        z = np.searchsorted(np.cumsum(self.shares())[:-1], u, side="right")
        return rng.bernoulli(gg.sigmoid(self.a.detach()).numpy()[z])


def purity(system: LatentClasses, split) -> float:
    """The share of objects that are of the most frequent class of their most probable z."""
    z, y = system.posterior(split.x).argmax(axis=1), labels_of(split)
    counts = np.zeros((system.s.states, int(y.max()) + 1), int)
    np.add.at(counts, (z, y), 1)
    return float(counts.max(axis=1).sum() / len(y))


def build(data: DataSet, s: Settings, rng) -> LatentClasses:
    """The mixture for images or binary rows."""
    x = flat(data.train.x)
    return LatentClasses(x.mean(axis=0, dtype=np.float64), len(x), s, rng)


def check(rng):
    """The objective as a function of c and a, for gradcheck."""
    s = Settings(states=3, binarise="fixed")
    system = LatentClasses(np.full(4, 0.4), 20, s, gg.Generator(2), "float64")
    return by_parameters(system, Batch((rng.random((6, 4)) < 0.5).astype(float)))


CLASSES = Recipe(
    name="latent-classes",
    title="Mixture of Bernoullis: which digit, then its pixels",
    lecture="lecture 4 (U3 109-125)",
    rows=(95,),
    build=build,
    settings=Settings,
    prepare=prepare,
    takes=("images", "binary"),
    presets={
        "digits": {"epochs": 100, "batch": 50, "lr": 0.05},
        "binary": {"states": 50, "epochs": 200, "lr": 0.05, "binarise": "fixed"},
    },
    metric="nll",
    targets=(
        Target(
            "binary mushrooms: test -ln p(x), nats",
            "binary_mushrooms",
            "nll",
            "14.46 (mixture of Bernoullis)",
            14.46,
            source="Germain et al. 2015, table 4",
            note="theirs has its number of components chosen on validation rows, as here",
        ),
    ),
    figures=latent_pictures.classes,
    sample=latent_pictures.sample_bits,
    check=check,
)
RECIPES = (CLASSES,)
