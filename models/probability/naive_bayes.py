"""Naive Bayes: a generative classifier, which learns p(x, y) (lecture 5, K4 78-90; U3 40-72).

Bayes' rule turns what can be learnt of each class alone into what is asked of an object ::

    p(y|x) = p(x|y) p(y) / p(x),      p(x) = Σ_y p(x|y) p(y)

A generative model learns p(y) and p(x|y). "Naive" is that the columns are independent given the
class. p(y) = softmax(c)_y; each column j of class y has a distribution of its own ::

    features="bernoulli"    p(x|y) = Π_j p_yj^{x_j} (1-p_yj)^{1-x_j},    p_yj = σ(a_yj)
    features="gaussian"     p(x|y) = Π_j N(x_j | μ_yj, σ_yj²)

It maximises the likelihood of objects and classes together, by gradients ::

    -1/N Σ_n ln p(y_n) + ln p(x_n|y_n)  -  α/N Σ_yj ln p_yj + ln(1-p_yj)          → min

The last term, for bits, is the logarithm of a prior on p_yj: at the minimum p_yj = (n_yj + α)/(n_y
+ 2α), Laplace's rule with α = 1, so that what was never seen is not impossible. Gaussian columns
have the mean over noise of deviation `noise` on x in the place of a prior, which adds noise² to
σ_yj² at the minimum: a pixel that never changes has no density otherwise. Both minima are known in
closed form; the tests compare with scikit-learn's BernoulliNB and GaussianNB. Here they are reached
by the same steps as every other system's.

Bits are x_j > `threshold`: half ink of a pixel, the mean of a standardised column.

Slips of the lectures: K4 87 says of the generative model that it approximates p(y|x) by q_θ(x|y);
it is p(x|y). U3 54 heads the second table p(x y); its values are p(y|x) (bayes.py has both tables).

The pictures: the mean of each class; objects drawn from p(x, y), which only a generative model can;
confusions; how far the probabilities can be trusted. Columns that repeat each other are counted as
often as they come: naive Bayes is too sure of itself, and its log loss suffers more than its
accuracy. Compare logistic_regression.py, the discriminative model with the same decision function.
The number: scikit-learn's accuracy and log loss on the same rows.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe
from ...core.training.settings import TrainingSettings, setting
from ...core.training.system import Batch
from ..common.gradients import by_parameters
from ..common.labels import classes_of
from ..common.rows import flat
from . import classifier_pictures
from .classifier import Classifier, prepare, target

HALF_LN_2PI = 0.5 * float(np.log(2 * np.pi))


class Settings(TrainingSettings):
    """Settings of naive Bayes."""

    features: Literal["bernoulli", "gaussian"] = setting("bernoulli", help="p(x_j|y)")
    threshold: float = setting(
        0.5, when=("features", "bernoulli"), help="what is above it is a 1, other numbers a 0"
    )
    alpha: float = setting(
        1.0, least=0, when=("features", "bernoulli"), help="examples of each bit seen in advance"
    )
    noise: float = setting(
        0.1, above=0, when=("features", "gaussian"), help="deviation of noise added to x"
    )
    epochs: int = 150
    lr: float = 0.05
    schedule: str = "cosine"


class GaussianSettings(Settings):
    """Settings of naive Bayes for numbers."""

    features: Literal["bernoulli", "gaussian"] = "gaussian"


class NaiveBayes(Classifier):
    """c [K], and a [K, D] of bits, or μ and ln σ [K, D] of numbers. All start at 0."""

    def __init__(self, classes: int, columns: int, samples: int, s: Settings, dtype="float32"):
        super().__init__()
        self.s, self.samples = s, samples

        def zeros(*shape):
            return gg.Tensor(np.zeros(shape, dtype), requires_grad=True)

        self.c = zeros(classes)
        if s.features == "bernoulli":
            self.a = zeros(classes, columns)
        else:
            self.mean, self.log_spread = zeros(classes, columns), zeros(classes, columns)

    def bits(self, x):
        """x > threshold as 0 and 1, an array."""
        return (x > self.s.threshold).astype(x.dtype)

    def as_seen(self, data: DataSet) -> DataSet:
        """The data as the model sees them, to compare draws with: rows above `threshold` as 1."""
        if self.s.features == "gaussian" or data.train.x.ndim == 4:
            return data
        parts = {name: Split(self.bits(split.x), split.y) for name, split in data.splits()}
        return replace(data, **parts, info=replace(data.info, kind="binary"))

    def scores(self, x):
        """ln p(x, y=k) [N, K] of rows x [N, D]."""
        return self.log_joint(x, 0.0)

    def log_joint(self, x, noise: float):
        """ln p(y=k) + ln p(x|y=k) [N, K], its mean over noise of that deviation on x."""
        if self.s.features == "bernoulli":
            given = gg.Tensor(self.bits(x.data)) @ self.a.T - gg.softplus(self.a).sum(axis=1)
        else:
            n, d = x.shape
            error = (x.reshape(n, 1, d) - self.mean) ** 2 + noise**2
            given = -(0.5 * error * gg.exp(-2 * self.log_spread) + self.log_spread).sum(axis=2)
            given = given - d * HALF_LN_2PI
        return gg.log_softmax(self.c) + given

    def objective(self, batch):
        """-ln p(x, y), and the prior's share of a sample."""
        joint = self.log_joint(gg.Tensor(flat(batch.x)), self.s.noise)
        loss = -gg.take_along(joint, batch.y).mean()
        if self.s.features == "bernoulli" and self.s.alpha:
            prior = (gg.softplus(self.a) + gg.softplus(-self.a)).sum()
            loss = loss + self.s.alpha / self.samples * prior
        return loss

    def evaluate(self, split, size=500):
        """Accuracy, the log loss -ln p(y|x), and -ln p(x, y), which is what was learnt."""

        def figures(batch):
            joint = self.scores(gg.Tensor(flat(batch.x)))
            return {"joint": -gg.take_along(joint, batch.y).mean().item()}

        return super().evaluate(split, size) | self.average(figures, split, size)

    def class_means(self) -> np.ndarray:
        """The mean of x in each class, [K, D]."""
        if self.s.features == "bernoulli":
            return gg.sigmoid(self.a.detach()).numpy()
        return self.mean.numpy()

    def drawn(self, n: int, rng) -> tuple[np.ndarray, np.ndarray]:
        """n draws (x [n, D], y [n]) of p(x, y), the classes in order."""
        p = np.cumsum(gg.softmax(self.c.detach()).numpy().astype(np.float64))
        y = np.searchsorted(p[:-1], np.sort(rng.uniform(n, dtype="float64")), side="right")
        means = self.class_means()[y]
        if self.s.features == "bernoulli":
            return rng.bernoulli(means), y
        spread = np.exp(self.log_spread.numpy())[y]
        return means + spread * rng.normal(means.shape), y


def build(data: DataSet, s: Settings, rng) -> NaiveBayes:
    """The model for labelled images or rows."""
    x = flat(data.train.x)
    return NaiveBayes(classes_of("naive-bayes", data), x.shape[1], len(x), s)


def check(rng, settings=Settings):
    """The objective as a function of the parameters, for gradcheck."""
    system = NaiveBayes(3, 4, 20, settings(), "float64")
    for p in system.parameters():
        p.assign(0.5 * rng.standard_normal(p.shape))
    return by_parameters(system, Batch(rng.random((6, 4)), np.array([0, 2, 1, 1, 0, 2])))


ALL = {"batch": 1000, "epochs": 500, "lr": 0.1}  # steps on all rows: small tables
COLUMNS = {**ALL, "threshold": 0.0, "alpha": 0.1}
BERNOULLI = Recipe(
    name="naive-bayes",
    title="Naive Bayes of bits",
    lecture="lecture 5 (K4 20-118)",
    rows=(93,),
    build=build,
    settings=Settings,
    prepare=prepare,
    takes=("images", "table", "binary"),
    presets={"digits": {}, "house_votes_84": COLUMNS, "table": COLUMNS, "binary": {"batch": 50}},
    metric="loss",
    targets=(
        target("digits", "accuracy", 0.9067, "BernoulliNB"),
        target("digits", "loss", 0.4205, "BernoulliNB"),
        target("house_votes_84", "accuracy", 0.8966, "BernoulliNB"),
        target("house_votes_84", "loss", 0.6425, "BernoulliNB"),
    ),
    figures=classifier_pictures.generative,
    sample=classifier_pictures.sample,
    check=check,
)
GAUSSIAN = replace(
    BERNOULLI,
    name="naive-bayes-gaussian",
    title="Naive Bayes of numbers",
    settings=GaussianSettings,
    presets={"digits": {"noise": 0.3}, "house_votes_84": ALL, "table": ALL},
    targets=(
        target("digits", "accuracy", 0.9133, "GaussianNB"),
        target("digits", "loss", 0.3166, "GaussianNB"),
        target("house_votes_84", "accuracy", 0.954, "GaussianNB"),
        target("house_votes_84", "loss", 0.6306, "GaussianNB"),
    ),
    check=lambda rng: check(rng, GaussianSettings),
)
RECIPES = (BERNOULLI, GAUSSIAN)
