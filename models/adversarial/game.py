"""What the games of this family share: two networks, noise, and how their samples are judged.

A generator G turns noise z into samples, a discriminator D maps a sample to one number. They are
trained in turn (core/training/alternating.py) ::

    discrimination    `steps` steps of D, each on a part of the minibatch and as many new samples
    deception         one step of G, on new noise

Both are perceptrons: ReLU in G, leaky ReLU in D, so that a gradient reaches G from everywhere. G
ends in a sigmoid for images and binary rows, whose values lie in [0, 1]. For a table it is linear,
and in units of the training set: D sees (x - mean)/std, G's output is mean + std·y. Dropout and
batch normalisation (K4 163) may be switched on in each. A system overrides `discrimination` and
`deception`, and possibly the networks.

With `generator_average` the samples of a trained game are made by the running mean of G's weights
(common/running_mean.py). The game itself does not see that mean.

Judges (judging.py). `neighbours` is the accuracy of a nearest neighbour that tells samples from
held-out data, ideally ½; `sliced_w1` is their distance (distances.py). Both see a table in units of
the training set, so that no column counts more than another. With labels, `entropy` and
`confidence` are those of a classifier. Where the centres of a mixture are known, `modes` and
`quality`.
"""

from itertools import pairwise
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, kind_of, minibatches
from ...core.training.alternating import AlternatingSystem, Phase
from ...core.training.by_name import MOMENTA, with_momentum
from ...core.training.recipe import Target
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch
from ..common import running_mean
from ..common.rows import rows
from .judging import Classifier, classifier_of, judged

SLOPE = 0.2  # of D's leaky ReLU
EACH_EPOCH = 1000  # samples that the figures of an epoch are computed from


class GameSettings(TrainingSettings):
    """Settings of a generator and a discriminator."""

    noise: int = setting(16, least=1, help="number of random numbers that make a sample")
    law: Literal["normal", "uniform"] = setting(
        "normal", help="distribution of the noise: N(0, 1) or U(-1, 1)"
    )
    generator: tuple[int, ...] = setting(
        (128, 128), least=1, help="widths of the generator's hidden layers"
    )
    discriminator: tuple[int, ...] = setting(
        (128, 128), least=1, help="widths of the discriminator's hidden layers"
    )
    lr: float = 2e-4
    discriminator_lr: float = setting(2e-4, least=0, help="learning rate of the discriminator")
    steps: int = setting(1, least=1, help="steps of the discriminator for each of the generator")
    game_momentum: float = setting(
        0.5, least=0, below=1, when=("optimiser", *MOMENTA), help="momentum, or Adam's β₁, of both"
    )
    generator_norm: bool = setting(False, help="batch normalisation in the generator")
    discriminator_norm: bool = setting(False, help="batch normalisation in the discriminator")
    generator_dropout: float = setting(0.0, least=0, below=1, help="dropout in the generator")
    discriminator_dropout: float = setting(
        0.0, least=0, below=1, help="dropout in the discriminator"
    )
    generator_average: float = setting(
        0.0,
        least=0,
        below=1,
        help="decay of the mean of the generator's weights that makes samples; 0: none",
    )
    samples: int = setting(10_000, least=2, help="samples that the final figures come from")


class Game(AlternatingSystem):
    """A generator [N, noise] -> [N, D], and a discriminator [N, D] -> [N, 1]."""

    def __init__(self, data: DataSet, s: GameSettings, rng, dtype="float32"):
        if s.steps > len(data.train):
            raise SettingError(
                f"'steps' must be at most {len(data.train)}, the training samples of {data.name}:"
                f" each step of the discriminator sees others; got {s.steps}"
            )
        self.s, self.data = s, data
        x = data.train.x.reshape(len(data.train), -1)
        self.bounded = kind_of(data) != "table"
        mean, std = np.zeros(x.shape[1]), np.ones(x.shape[1])
        if not self.bounded and self.standardises(data):
            mean = x.mean(axis=0, dtype=np.float64)
            std = x.std(axis=0, dtype=np.float64)
        self.mean = gg.Tensor(mean.astype(dtype))
        self.std = gg.Tensor(np.where(std > 0, std, 1).astype(dtype))
        self.generator, self.discriminator = self.networks(data, s, rng, dtype)
        self.mean_generator = None
        if s.generator_average:
            twin = self.networks(data, s, rng, dtype)[0]
            self.mean_generator = running_mean.start(twin, self.generator)
        self.draws = rng.child("draws")
        self._classifier = None

    def standardises(self, data: DataSet) -> bool:
        """Are tables like this one seen in units of the training set? By default all are."""
        return True

    # ------------------------------------------------------------------ the two networks

    def networks(self, data: DataSet, s: GameSettings, rng, dtype) -> tuple[nn.Module, nn.Module]:
        """The generator, noise to what `generate` turns into samples, and the discriminator."""
        size = int(np.prod(data.train.x.shape[1:]))
        generator = perceptron(
            [s.noise, *s.generator, size], nn.ReLU,
            s.generator_norm, s.generator_dropout, rng.child("generator"), dtype,
        )  # fmt: skip
        discriminator = perceptron(
            [size, *s.discriminator, 1], lambda: nn.LeakyReLU(SLOPE),
            s.discriminator_norm, s.discriminator_dropout, rng.child("discriminator"), dtype,
        )  # fmt: skip
        return generator, discriminator

    def noise(self, n: int, rng=None):
        """n rows of noise, a tensor [n, noise]; from `rng` instead of the training's stream."""
        rng, shape = self.draws if rng is None else rng, (n, self.s.noise)
        if self.s.law == "uniform":
            return gg.Tensor(rng.uniform(shape, -1.0, 1.0, str(self.mean.dtype)))
        return gg.Tensor(rng.normal(shape, str(self.mean.dtype)))

    def generate(self, z):
        """Samples G(z): [N, noise] -> [N, D]; in evaluation by the mean of G, if there is one."""
        last = self.training or self.mean_generator is None
        y = (self.generator if last else self.mean_generator)(z)
        return gg.sigmoid(y) if self.bounded else self.mean + self.std * y

    def judge(self, x):
        """Logits, or values, of the discriminator: [N, D] -> [N, 1]."""
        return self.discriminator(self.in_units(x))

    def in_units(self, x):
        """Rows [N, D] in units of the training set, if they are those of a table."""
        return (x - self.mean) / self.std

    # ------------------------------------------------------------------------- training

    def phases(self, settings: GameSettings) -> tuple[Phase, ...]:
        """`steps` steps of the discriminator, then one of the generator."""
        s, game = settings, with_momentum(settings.optimiser, settings.game_momentum)
        return (
            Phase("discrimination", self.discrimination, (self.discriminator,),
                  s.discriminator_lr, game, s.steps, self.after_discrimination),
            Phase("deception", self.deception, (self.generator,), s.lr, game,
                  after=self.after_deception),
        )  # fmt: skip

    def discrimination(self, batch):
        """The objective of the discriminator, to be minimised, and further metrics."""
        raise NotImplementedError(f"{type(self).__name__} has no objective for its discriminator")

    def deception(self, batch):
        """The objective of the generator, to be minimised; it needs only the batch's length."""
        raise NotImplementedError(f"{type(self).__name__} has no objective for its generator")

    def after_discrimination(self) -> None:
        """What follows each step of the discriminator; by default nothing."""

    def after_deception(self) -> None:
        """After each step of the generator the mean of its weights follows."""
        if self.mean_generator is not None:
            running_mean.follow(self.mean_generator, self.generator, self.s.generator_average)

    def pair(self, batch):
        """What the discriminator says of a batch, and of as many new samples: [N, 1], [N, 1]."""
        x = rows(batch.x)
        return self.judge(x), self.judge(self.generate(self.noise(len(x))))

    def deceived(self, batch):
        """What it says of as many new samples as one of its own steps has: [N, 1]."""
        n = max(1, len(batch.x) // self.s.steps)
        return self.judge(self.generate(self.noise(n)))

    def objective(self, batch):
        """(the objective of the discriminator, that of the generator); their sum has no meaning."""
        first = self.discrimination(batch)
        first, parts = first if isinstance(first, tuple) else (first, {})
        return first, {"deception": self.deception(batch), **parts}

    def batches(self, data, size, seed, epoch, start):
        """Full minibatches, of `size` examples for each step of the discriminator."""
        size = min(size * self.s.steps, len(data.train))
        return minibatches(data.train, size, seed, epoch, start, drop_last=True)

    def batches_per_epoch(self, data, size):
        """The number of full minibatches."""
        return len(data.train) // min(size * self.s.steps, len(data.train))

    # -------------------------------------------------------------------------- judging

    def drawn(self, n: int, rng=None) -> np.ndarray:
        """n samples [n, D] without a tape; by default always of the same noise."""
        rng, found = self.draws.child("held out") if rng is None else rng, []
        with gg.no_grad():
            for at in range(0, n, 1000):
                found.append(self.generate(self.noise(min(1000, n - at), rng)).numpy())
        return np.concatenate(found)

    def evaluate(self, split, size=500):
        """The judges' figures of at most 1000 samples."""
        return self.figures_of(self.drawn(EACH_EPOCH), split)

    def evaluate_finished(self, split):
        """The judges' figures of `samples` samples."""
        return self.figures_of(self.drawn(self.s.samples), split)

    def figures_of(self, made: np.ndarray, split) -> dict[str, float]:
        """neighbours; entropy and confidence with labels; modes and quality of a mixture."""
        units = self.mean.numpy(), self.std.numpy()
        return judged(made, split, self.data, units, self.classifier)

    def classifier(self) -> Classifier | None:
        """The judge of labelled data, trained when it is first asked for; None without labels."""
        if self._classifier is None:
            self._classifier = classifier_of(self.data)
        return self._classifier


def perceptron(sizes, activation, norm: bool, dropout: float, rng, dtype) -> nn.Sequential:
    """Linear layers, with normalisation, activation and dropout after each but the last.

    >>> net = perceptron([2, 8, 1], nn.ReLU, True, 0.5, gg.Generator(0), "float32")
    >>> [type(layer).__name__ for layer in net]
    ['Linear', 'BatchNorm', 'ReLU', 'Dropout', 'Linear']
    """
    layers = []
    for i, (n, m) in enumerate(pairwise(sizes)):
        layers.append(nn.Linear(n, m, rng=rng.child("layer", i), dtype=dtype))
        if i < len(sizes) - 2:
            layers += [nn.BatchNorm(m, dtype=dtype)] if norm else []
            layers.append(activation())
            layers += [nn.Dropout(dropout, rng=rng.child("dropout", i))] if dropout else []
    return nn.Sequential(*layers)


def check(system, s: GameSettings, data: DataSet, batch: Batch | None = None):
    """Every objective of a small network as a function of all parameters, for gradcheck.

    The objectives are those of `batch`, by default of the whole training set.
    """
    batch = batch or Batch(data.train.x, data.train.y)
    made = system(data, s, gg.Generator(3), dtype="float64")
    states = [(g, g.state) for _, g in made.named_generators()]

    def f(*parameters):
        for generator, state in states:  # the same draws at every call
            generator.state = state
        loss, others = made.with_parameters(parameters).objective(batch)
        return loss, others["deception"]

    return f, [p.numpy().copy() for p in made.parameters()]


def all_modes(source: str) -> Target:
    """The target on the ring: seven of its eight modes, where the papers show a drawing of all."""
    return Target(
        "modes of the ring that 10 000 samples reach, of 8",
        "ring",
        "modes",
        "all eight (a drawing)",
        7.0,
        better="higher",
        own=True,
        source=source,
    )


RECOGNISED = (
    Target(
        "entropy of the classes of 10 000 samples, MNIST, nats",
        "mnist",
        "entropy",
        "ln 10 = 2.303, all classes equally often",
        2.2,
        better="higher",
        own=True,
        note="judged by a classifier trained on the training set",
    ),
    Target(
        "confidence of the classifier in samples, share of that in test images, MNIST",
        "mnist",
        "confidence",
        "1 for real images",
        0.9,
        better="higher",
        own=True,
    ),
)
