"""Feature matching, and a discriminator that classifies (K4 161; Salimans et al. 2016).

The lecture names "statistics matching" among other objectives. D is good at telling real from made
samples, so what it looks at, the activations f(x) of its last hidden layer, are statistics worth
matching. G no longer deceives D: it makes the mean of f the same for both ::

    ‖E f(x) - E f(G(z))‖²  →  min over G             (the mean over the features here)

D is at the same time a classifier with K classes and a class K + 1, "made". Adding a function of x
to all logits changes no softmax, so the last logit may be 0: K logits l are enough, and ::

    Z(x) = Σ_k exp l_k(x)      P(k | x, real) = exp l_k / Z      D(x) = Z / (Z + 1) = σ(ln Z)

so that ln Z is the logit of the game. D minimises, over few images with labels, all images x (their
labels removed) and as many samples ::

    -E ln P(y | x, real)  +  λ ½ [-E ln D(x) - E ln(1 - D(G(z)))]

What unlabelled images contribute: D has to find what real images have in common, and the classes
share these features. Samples of a G that matches features are less like the data than those of a G
that deceives, as the authors say, and the classifier is the better for it: what lies between the
classes is what D learns to call made (Dai et al. 2017).

Layers: D has weight normalisation (core/nn/weight_norm.py), since batch normalisation would make
the answer for an image depend on the samples next to it. Weights start from data, the first 500
images, and all scales but the last layer's are fixed, as in the authors' program. Gaussian noise
before each layer, `sigma_input` and `sigma`, keeps D from learning the few labelled images by
heart. G has softplus and batch normalisation; noise is uniform.

The numbers: `error`, wrong classes in per cent, and `error_plain` of the same net with the same
noise from the labels alone, in `plain` steps. On digits with 50 labels (5 of each) they are 6.0 and
11.3, 7.0 and 10.7, 7.7 and 16.7 with three seeds.

The pictures: `samples`; `matched`, the mean of each feature over samples and over data; `balance`,
D of held-out and of made samples; `classes`, the errors of both nets class by class.

The published number, errors in 10,000 test images of MNIST with 100 labels: 93 ± 6.5, the mean over
ten choices of the labels.
"""

from itertools import pairwise
from types import SimpleNamespace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split, minibatches
from ...core.optim import Adam
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, setting
from ...core.training.system import Batch, cut_blocks
from ..common import critic
from ..common.labels import classes_of, few, with_labelled
from ..common.rows import rows
from ..common.stages import repeated
from . import feature_matching_pictures, game
from .game import Game, GameSettings, perceptron

FIRST = 500  # images that the initial weights are adapted to
STD = 0.1  # of v, in the authors' program


class Settings(GameSettings):
    """Settings of a game whose discriminator classifies."""

    law: Literal["normal", "uniform"] = "uniform"
    generator_norm: bool = True
    labels: int = setting(50, least=1, help="training images that keep their label")
    known: int = setting(50, least=1, help="images with labels in a minibatch")
    weight: float = setting(1.0, least=0, help="weight λ of telling real from made")
    sigma_input: float = setting(0.3, least=0, help="spread of the noise on D's input")
    sigma: float = setting(0.5, least=0, help="spread of the noise before each other layer of D")
    samples: int = 1000
    plain: int = setting(500, least=1, help="steps of the net that learns from the labels alone")


class Noisy(nn.Module):
    """y = x + σ e, e ~ N(0, 1), in training; x itself in evaluation."""

    def __init__(self, sigma: float, rng):
        self.sigma, self.rng = sigma, rng

    def forward(self, x):
        """x of any shape -> the same shape."""
        return gg.gaussian_noise(x, self.sigma, self.rng) if self.training and self.sigma else x

    def extra(self):
        """The spread σ."""
        return f"sigma {self.sigma}"


class FeatureMatching(Game):
    """A generator, and a classifier [N, D] -> logits of K classes [N, K]."""

    in_shards = "the mean features that are matched are those of a shard's own images"

    def __init__(self, data: DataSet, s: Settings, rng, dtype="float32"):
        self.classes = classes_of("feature-matching", data)
        if not self.classes <= s.labels <= len(data.train):
            raise SettingError(
                "feature-matching: labels must be at least the number of classes; expected"
                f" {self.classes}..{len(data.train)}, got {s.labels}"
            )
        super().__init__(data, s, rng, dtype)
        self.known = few(data.train, s.labels)
        self.beginning = rng.child("plain")
        self._plain = None
        self.adapt(self.discriminator)

    def networks(self, data, s, rng, dtype):
        """A perceptron with softplus and batch normalisation, and the classifier."""
        size = int(np.prod(data.train.x.shape[1:]))
        generator = perceptron(
            [s.noise, *s.generator, size], nn.Softplus,
            s.generator_norm, s.generator_dropout, rng.child("generator"), dtype,
        )  # fmt: skip
        return generator, classifier(size, self.classes, s, rng.child("discriminator"), dtype)

    def adapt(self, net: nn.Sequential) -> None:
        """Start each layer of D from data: outputs of mean 0 and variance 1, in training mode."""
        first = Batch(self.data.train.x[:FIRST].reshape(min(FIRST, len(self.data.train)), -1))
        with gg.no_grad():
            h = self.in_units(gg.Tensor(self.on_device(first).x))
            for layer in net:
                h = layer.adapt(h) if hasattr(layer, "adapt") else layer(h)

    # ----------------------------------------------------------------- what D says

    def features(self, x):
        """f(x), the activations of D's last hidden layer: [N, D] -> [N, F]."""
        h = self.in_units(x)
        for layer in self.discriminator[:-2]:
            h = layer(h)
        return h

    def logits(self, x, net=None):
        """l of the K classes: [N, D] -> [N, K]."""
        return (self.discriminator if net is None else net)(self.in_units(x))

    def judge(self, x):
        """ln Z = ln Σ_k exp l_k, the logit of D(x): [N, D] -> [N, 1]."""
        return gg.logsumexp(self.logits(x), axis=1, keepdims=True)

    # -------------------------------------------------------------------- training

    def discrimination(self, batch):
        """Cross-entropy of the labelled rows (y ≥ 0) + λ ½ of the game over the others."""
        x, labelled = rows(batch.x), batch.y >= 0
        n, known = len(x) - int(labelled.sum()), int(labelled.sum())
        fake = self.generate(self.noise(n))
        logits = self.logits(gg.concatenate([x, fake], axis=0))  # rows do not depend on each other
        z = gg.logsumexp(logits, axis=1, keepdims=True)
        told = nn.losses.cross_entropy(logits[n : n + known], batch.y[n:])
        real, made = z[:n], z[n + known :]
        game_ = critic.discrimination(real, made)
        with gg.no_grad():
            means = {"d_real": gg.sigmoid(real).mean(), "d_fake": gg.sigmoid(made).mean()}
        return told + 0.5 * self.s.weight * game_, {"classes": told, "game": game_, **means}

    def deception(self, batch):
        """The mean over the features of (E f(x) - E f(G(z)))²: no deception, in fact."""
        x = batch.x[batch.y < 0]
        made = self.features(self.generate(self.noise(len(x))))
        off = made.mean(axis=0) - self.features(rows(x)).mean(axis=0)
        return (off * off).mean()

    def cut(self, batch, n):
        """Parts with images of both kinds: without labels, and with them."""
        known = int((batch.y >= 0).sum())
        return cut_blocks(batch, n, [len(batch.y) - known, known], self.fewest_in_shard)

    def batches(self, data, size, seed, epoch, start):
        """Full minibatches of `size` images without labels (y = -1), then `known` with them."""
        size, known = min(size, len(data.train)), data.train[self.known]
        steps, share = self.batches_per_epoch(data, size), min(self.s.known, len(known))
        unknown = minibatches(Split(data.train.x), size, seed, epoch, start, drop_last=True)
        labelled = repeated(known, share, seed + 1, epoch, start, steps)
        return with_labelled(unknown, labelled)

    # --------------------------------------------------------------------- judging

    def answers(self, x: np.ndarray, net=None, size: int = 1000) -> np.ndarray:
        """Logits of any number of images or rows, without a tape: [N, K]."""
        found, x = [], x.reshape(len(x), -1)
        with gg.no_grad():
            for at in range(0, len(x), size):
                part = self.on_device(Batch(x[at : at + size]))
                found.append(self.logits(gg.Tensor(part.x), net).numpy())
        return np.concatenate(found)

    def error(self, split, net=None) -> float:
        """Per cent of wrong answers."""
        return 100 * float((self.answers(split.x, net).argmax(axis=1) != split.y).mean())

    def predictions(self, x):
        """Logits of images or rows."""
        return {"logits": self.answers(x)}

    def plain(self) -> nn.Sequential:
        """The same net from the labels alone, trained when it is first asked for."""
        if self._plain is None:
            s, x = self.s, self.data.train[self.known]
            net = classifier(x.x[0].size, self.classes, s, self.beginning, self.mean.dtype)
            net.to(self.mean.device)
            self.adapt(net)
            adam = Adam(net.parameters(), lr=s.discriminator_lr, betas=(s.game_momentum, 0.999))
            for batch in repeated(x, s.known, s.seed, 0, 0, s.plain):
                batch = self.on_device(batch)
                nn.losses.cross_entropy(self.logits(rows(batch.x), net), batch.y).backward()
                adam.step()
            self._plain = SimpleNamespace(net=net.eval())  # so that it is no part of the system
        return self._plain.net

    def evaluate(self, split, size=500):
        """The error of the classifier, in per cent."""
        return {"error": self.error(split)}

    def evaluate_finished(self, split):
        """Errors of the classifier and of the plain net in per cent; what judges say of samples."""
        plain = self.error(split, self.plain())
        return {**self.evaluate(split), "error_plain": plain, **super().evaluate_finished(split)}


def classifier(size: int, classes: int, s: Settings, rng, dtype) -> nn.Sequential:
    """Noise, dense layer with weight normalisation and ReLU for each width, then K logits.

    >>> s = Settings(discriminator=(8,))
    >>> [type(m).__name__ for m in classifier(4, 3, s, gg.Generator(0), "float32")]
    ['Noisy', 'WeightNormLinear', 'ReLU', 'Noisy', 'WeightNormLinear']
    """
    layers, widths = [], [size, *s.discriminator, classes]
    for i, (n, m) in enumerate(pairwise(widths)):
        last = i == len(widths) - 2
        layers += [
            Noisy(s.sigma if i else s.sigma_input, rng.child("noise", i)),
            nn.WeightNormLinear(n, m, STD, last, rng=rng.child("layer", i), dtype=dtype),
            *([] if last else [nn.ReLU()]),
        ]
    return nn.Sequential(*layers)


def check(rng, **changes):
    """Both objectives of a small game as functions of all parameters, for gradcheck."""
    small = {"noise": 3, "generator": (5,), "discriminator": (4, 3), "labels": 3, **changes}
    x, y = rng.random((6, 1, 2, 2)), np.array([0, 1, 2, 1, 1, 0])
    batch = Batch(x, np.array([-1, -1, -1, -1, 2, 0]))
    return game.check(FeatureMatching, Settings(**small), DataSet("check", Split(x, y)), batch)


SOURCE = "Salimans et al. 2016, table 1"
MNIST = {
    "epochs": 70, "batch": 100, "noise": 100, "generator": (500, 500), "labels": 100,
    "discriminator": (1000, 500, 250, 250, 250), "known": 100, "lr": 3e-3,
    "discriminator_lr": 3e-3, "schedule": "cosine",
}  # fmt: skip
DIGITS = {"epochs": 60, "batch": 50, "lr": 3e-3, "discriminator_lr": 3e-3, "schedule": "cosine"}
TABLE = {**DIGITS, "batch": 10, "labels": 20, "known": 20}

RECIPES = (
    Recipe(
        name="feature-matching",
        title="Feature matching: a discriminator that classifies, few labels",
        lecture="lecture 5 (K4 161)",
        rows=(50,),
        build=FeatureMatching,
        takes=("images", "table", "binary"),
        settings=Settings,
        presets={
            "digits": DIGITS,
            "mnist": MNIST,
            "fashion_mnist": MNIST,
            "images": DIGITS,
            "table": TABLE,
            "binary": TABLE,
        },
        metric="error",
        targets=(
            Target(
                "MNIST test error, 100 labels, %", "mnist", "error",
                "0.93 ± 0.065 (93 ± 6.5 errors)", 0.995, source=SOURCE,
                protocol="theirs: 300 epochs, ten choices of the labels, averaged weights",
            ),
        ),
        figures=feature_matching_pictures.figures,
        sample=feature_matching_pictures.sample,
        check=check,
    ),
)  # fmt: skip
