"""Tricks of the trade, each with and without: nets side by side on the same rows (V2 98-112).

The lecture names them without a formula: activations "without horizontal asymptotes" (slip: ReLU
has one on the left; that it does not saturate on the right is meant), adaptive gradient methods,
dropout, batch normalisation. The number and sizes of layers and augmentation, which it names too,
are alexnet.py's and bench/tricks.py's. Here each is taken alone. Nets that differ in one thing
start from the same weights and see the same minibatches in the same order; every `every` steps all
of them answer the held-out rows ::

    compare       the nets
    batch_norm    plain: h_l = σ(W h_{l-1} + b)       batch_norm: h_l = σ(BN(W h_{l-1}))
    activation    σ = sigmoid, tanh, relu
    dropout       plain, dropout: each hidden unit is 0 with probability `dropout`, each input with
                  `dropout_input`; with `max_norm` its weights are cut to that length
    optimiser     sgd, momentum, nesterov, adagrad, adadelta, rmsprop, adam

    BN(u) = γ (u - mean)/√(variance + ε) + β          of the minibatch, for each unit alone

The default is the net of figure 1 in the paper on batch normalisation (Ioffe & Szegedy 2015): three
hidden layers of 100 sigmoid units, small Gaussian weights, 60 rows a minibatch. Plain gradient
descent is ours: the paper does not say. Three sigmoids on top of each other pass hardly any
gradient down: the plain net guesses for hundreds of steps before it learns. With normalisation the
inputs of each unit keep to where the sigmoid bends, and learning begins at once: on the digits it
takes a fourth to a seventh of the steps to the best accuracy of the plain net (seeds 0 to 2). The
rate of both is the best of 0.3, 1 and 3 for the plain net on validation rows.

The pictures: accuracy over steps; where the inputs of a unit of the last hidden layer lie in
training, as the 15th, 50th and 85th percentiles over the held-out rows: the paper's evidence for
"internal covariate shift". The unit is the one that moves as much as the median unit. With
normalisation inputs move a fifth as much or less (`drift`). Whether that is why it helps is
doubted: noise that makes them move again costs little (Santurkar et al. 2018).

Figures on held-out rows, A the share of right answers ::

    accuracy_NET    A at the end
    gain            100 (A of the last net - A of the first), points
    sooner          steps in which the first net got to its best A, over those of the last net to
                    the same A; 0 if it never did
    drift_NET       deviation over time of the median input of a unit of the last hidden layer, over
                    the mean distance of its 15th and 85th percentiles; the mean of all units

Each rule of descent needs a rate of its own, and so does each activation: at the rate that suits
sigmoids, relu diverges. RATES and SLOPES have them in units of `lr`, chosen for this net by the
accuracy on validation digits out of three or four rates, each about three times the one before.

The numbers: figure 1 has curves only. Dropout: 1.60 % of MNIST's test images are wrong without it,
1.35 % with it, 1.25 % with rectified units too (Srivastava et al. 2014, table 2, from memory).

Sources: Ioffe, Szegedy, "Batch normalization", 2015; Srivastava et al., "Dropout", 2014; Santurkar,
Tsipras, Ilyas, Madry, "How does batch normalization help optimization?", 2018.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn, optim
from ...core.arrays import to_device
from ...core.data import DataSet, Split
from ...core.nn import init
from ...core.training.alternating import AlternatingSystem, Phase
from ...core.training.by_name import make_optimiser
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import TrainingSettings, setting
from ...core.training.system import Batch
from ..common.activations import ACTIVATIONS, Activation
from ..common.gradients import by_parameters
from ..common.labels import classes_of
from ..probability.classifier import prepare
from .tricks_pictures import drift, figures

PERCENTILES = (15, 50, 85)
# of each activation and each rule, in units of the rate of plain gradient descent with sigmoids
SLOPES = {"sigmoid": 1.0, "tanh": 0.1, "relu": 0.1}
RATES = {
    "sgd": 1.0, "momentum": 0.1, "nesterov": 0.1, "adagrad": 0.03, "adadelta": 3.0,
    "rmsprop": 0.001, "adam": 0.01,
}  # fmt: skip


class Settings(TrainingSettings):
    """Settings of nets side by side."""

    compare: Literal["batch_norm", "activation", "dropout", "optimiser"] = setting(
        "batch_norm", help="the trick, which the nets differ in"
    )
    hidden: tuple[int, ...] = setting(
        (100, 100, 100), least=1, some=True, help="widths of the hidden layers"
    )
    activation: Activation = setting(
        "sigmoid", help="activation σ", when=("compare", "batch_norm", "dropout", "optimiser")
    )
    init: float = setting(0.1, above=0, help="deviation of the Gaussian weights at the start")
    dropout: float = setting(
        0.5, least=0, below=1, when=("compare", "dropout"), help="share of hidden units dropped"
    )
    dropout_input: float = setting(
        0.2, least=0, below=1, when=("compare", "dropout"), help="share of inputs dropped"
    )
    max_norm: float = setting(
        0.0, least=0, when=("compare", "dropout"), help="longest weights of a unit, 0 for any"
    )
    every: int = setting(20, least=1, help="steps from one point of the curves to the next")
    points: int = setting(200, least=1, help="most points of a curve")
    batch: int = 60
    optimiser: str = "sgd"


@dataclass(frozen=True)
class Variant:
    """What one of the nets is, and how it descends."""

    activation: str
    optimiser: str
    lr: float
    batch_norm: bool = False
    dropout: float = 0.0
    dropout_input: float = 0.0
    max_norm: float = 0.0


def variants(s: Settings) -> dict[str, Variant]:
    """The nets that are compared, the one without the trick first.

    >>> {name: v.batch_norm for name, v in variants(Settings()).items()}
    {'plain': False, 'batch_norm': True}
    """
    plain = Variant(s.activation, s.optimiser, s.lr)
    if s.compare == "activation":
        return {k: replace(plain, activation=k, lr=s.lr * rate) for k, rate in SLOPES.items()}
    if s.compare == "optimiser":
        rates = RATES.items()
        return {name: replace(plain, optimiser=name, lr=s.lr * rate) for name, rate in rates}
    if s.compare == "batch_norm":
        changes = {"batch_norm": True}
    else:
        names = ("dropout", "dropout_input", "max_norm")
        changes = {name: getattr(s, name) for name in names}
    return {"plain": plain, s.compare: replace(plain, **changes)}


class Net(nn.Module):
    """Dense layers: x [N, ...] -> logits [N, classes]; `lower` ends where the last σ begins."""

    def __init__(self, inputs: int, classes: int, v: Variant, s: Settings, rng, dtype="float32"):
        sigma, self.v = ACTIVATIONS[v.activation], v
        layers, n, last = [nn.Flatten()], inputs, len(s.hidden) - 1
        for i, m in enumerate(s.hidden):
            p = v.dropout if i else v.dropout_input
            layers += [nn.Dropout(p, rng=rng.child("drop", i))] if p else []
            layers.append(nn.Linear(n, m, not v.batch_norm, rng=rng, dtype=dtype))
            layers += [nn.BatchNorm(m, dtype=dtype)] if v.batch_norm else []
            layers += [sigma()] if i < last else []
            n = m
        self.lower = nn.Sequential(*layers)
        drop = [nn.Dropout(v.dropout, rng=rng.child("drop", "last"))] if v.dropout else []
        output = nn.Linear(n, classes, rng=rng, dtype=dtype)
        self.upper = nn.Sequential(sigma(), *drop, output)
        for i, layer in enumerate(self.linear()):
            w = layer.weight
            w.assign(init.normal(w.shape, rng.child("weight", i), std=s.init, dtype=dtype))
            if layer.bias is not None:
                layer.bias.assign(np.zeros(layer.bias.shape, dtype))

    def linear(self) -> list[nn.Linear]:
        """The dense layers in order."""
        return [m for part in (self.lower, self.upper) for m in part if isinstance(m, nn.Linear)]

    def forward(self, x):
        """Logits [N, classes]."""
        return self.upper(self.lower(x))

    def cut(self):
        """Scale the incoming weights of the hidden units back to `max_norm`, if there is one."""
        if self.v.max_norm:
            optim.max_norm([layer.weight for layer in self.linear()[:-1]], self.v.max_norm)


class SideBySide(AlternatingSystem):
    """Nets [NET -> Net] that differ in one thing, and their curves on the `held` rows.

    accuracies   [nets, points]                   share of right answers before step every·point
    inputs       [nets, points, 3, last width]    percentiles of what goes into the last σ
    Points that are still to come are NaN.
    """

    whole = ""

    def __init__(
        self,
        inputs: int,
        classes: int,
        s: Settings,
        rng,
        dtype="float32",
        held: Split | None = None,
    ):
        self.s, self.held, self.variants = s, held, variants(s)
        made = (Net(inputs, classes, v, s, rng, dtype) for v in self.variants.values())
        self.nets = list(made)
        shape = (len(self.nets), s.points)
        self.accuracies = gg.Tensor(np.full(shape, np.nan, "float32"))
        self.inputs = gg.Tensor(np.full((*shape, 3, s.hidden[-1]), np.nan, "float32"))

    @property
    def names(self) -> list[str]:
        """The names of the nets, the one without the trick first."""
        return list(self.variants)

    # ------------------------------------------------------------------------------ learning

    def loss_of(self, net: Net):
        """batch -> the mean of -ln p(y|x) by one of the nets."""
        return lambda batch: nn.losses.cross_entropy(net(gg.Tensor(batch.x)), batch.y)

    def objective(self, batch):
        """The sum of the nets' losses, which have no parameter in common."""
        return sum(self.loss_of(net)(batch) for net in self.nets)

    def phases(self, settings):
        """A step of each net on the same minibatch."""
        each = zip(self.variants.items(), self.nets)
        return tuple(
            Phase(f"loss_{name}", self.loss_of(net), (net,), v.lr, after=net.cut)
            for (name, v), net in each
        )

    def make_optimiser(self, settings):
        """For each net the rule that its variant names."""
        s, found = settings, {}
        for phase, v in zip(self.phases(s), self.variants.values()):
            parameters = phase.changes[0].parameters()
            found[phase.name] = make_optimiser(v.optimiser, parameters, v.lr, s.weight_decay)
        return optim.Alternating(s.lr, found)

    def train_step(self, batch, training):
        """The steps of all nets; before every `every`-th of them a point of the curves.

        Reports the sum of the losses, then each of them.
        """
        done = training.epoch * training.batches + training.batch
        point, rest = divmod(done, self.s.every)
        if not rest and point < self.s.points and self.held is not None:
            self.record(point)
        losses = super().train_step(batch, training)
        return {"loss": sum(losses.values()), **losses}

    def record(self, point: int) -> None:
        """Write down how the nets answer the held-out rows now."""
        self.eval()
        for k, net in enumerate(self.nets):
            u, logits = self.answers(net, self.held.x)
            right = float((logits.argmax(axis=1) == self.held.y).mean())
            self.accuracies.data[k, point] = right
            found = np.percentile(u, PERCENTILES, axis=0).astype("float32")
            self.inputs.data[k, point] = to_device(found, self.inputs.device)
        self.train()

    # ---------------------------------------------------------------------------- evaluation

    def answers(self, net: Net, x: np.ndarray, size: int = 1000) -> tuple[np.ndarray, np.ndarray]:
        """(inputs of the last σ [N, last width], logits [N, classes]) of a net for all rows x."""
        found = []
        with gg.no_grad():
            for at in range(0, len(x), size):
                u = net.lower(gg.Tensor(self.on_device(Batch(x[at : at + size])).x))
                found.append((u.numpy(), net.upper(u).numpy()))
        return tuple(np.concatenate(part) for part in zip(*found))

    def evaluate(self, split, size=1000):
        """The accuracy of each net, and what the last gains on the first, in points."""
        found = {}
        for name, net in zip(self.names, self.nets):
            guess = self.answers(net, split.x, size)[1].argmax(axis=1)
            found[f"accuracy_{name}"] = float((guess == split.y).mean())
        first, *_, last = found.values()
        return {**found, "gain": 100 * (last - first)}

    def evaluate_finished(self, split):
        """Those of `evaluate`; `sooner` and `drift` from the curves on the held-out rows."""
        found, curves = self.evaluate(split), self.curves()
        if not len(curves.steps):
            return found
        found["sooner"] = sooner(curves.accuracies[0], curves.accuracies[-1])
        return found | {
            f"drift_{name}": float(drift(u).mean()) for name, u in zip(self.names, curves.inputs)
        }

    def curves(self) -> "Curves":
        """The points that there are."""
        accuracies, inputs = self.accuracies.numpy(), self.inputs.numpy()
        there = np.flatnonzero(np.isfinite(accuracies[0]))
        return Curves(self.s.every * there, accuracies[:, there], inputs[:, there])


@dataclass(frozen=True)
class Curves:
    """steps [P]; accuracies [nets, P]; percentiles of the inputs of the last σ [nets, P, 3, M]."""

    steps: np.ndarray
    accuracies: np.ndarray
    inputs: np.ndarray


def sooner(first: np.ndarray, last: np.ndarray) -> float:
    """Points in which a curve gets to its maximum, over those of another to the same height.

    Points are counted from 1. 0 if the other never gets there.

    >>> sooner(np.array([0.1, 0.1, 0.2, 0.8]), np.array([0.1, 0.9, 0.9, 0.9]))
    2.0
    """
    there = np.flatnonzero(last >= first.max())
    return float((first.argmax() + 1) / (there[0] + 1)) if len(there) else 0.0


def build(data: DataSet, s: Settings, rng) -> SideBySide:
    """The nets for labelled images or rows; curves are of test rows, else of validation rows."""
    classes = classes_of("tricks", data)
    held = next((k for k in (data.test, data.valid) if k is not None and len(k)), None)
    return SideBySide(int(np.prod(data.train.x.shape[1:])), classes, s, rng, held=held)


def check(rng, **changes):
    """The sum of the objectives as a function of all parameters, for gradcheck."""
    s = Settings(**{"hidden": (4, 3), "init": 0.5, "points": 1, **changes})
    system = SideBySide(6, 3, s, gg.Generator(3), dtype="float64")
    return by_parameters(system, Batch(rng.standard_normal((5, 6)), np.array([0, 2, 1, 1, 0])))


# nets that are wide enough for dropout; init is √(2/inputs), for relu
WIDE = {
    "compare": "dropout", "hidden": (800, 800), "activation": "relu", "init": 0.05,
    "optimiser": "adam", "lr": 1e-3, "schedule": "cosine", "batch": 100, "epochs": 20,
}  # fmt: skip

SMALL = {"lr": 3.0, "epochs": 60}

TRICKS = Recipe(
    name="tricks",
    title="Tricks of the trade: nets with and without, side by side",
    lecture="lecture 3 (V2 98-112)",
    rows=(71,),
    build=build,
    settings=Settings,
    prepare=prepare,
    takes=("images", "table", "binary"),
    presets={
        "digits": SMALL,
        "mnist": {"lr": 3.0, "epochs": 60, "every": 500, "points": 101},
        "table": SMALL,
        "binary": SMALL,
    },
    metric="gain",
    better="higher",
    targets=(
        Target(
            "MNIST, batch normalisation: steps of the plain net over those with it",
            "mnist",
            "sooner",
            "curves only: more than 1",
            1.0,
            better="higher",
            own=True,
            source="Ioffe & Szegedy 2015, figure 1(a)",
            note="up to the best test accuracy of the plain net; rate and weights are ours",
        ),
        Target(
            "MNIST, batch normalisation: test accuracy gained after 50,000 steps, points",
            "mnist",
            "gain",
            "curves only: above 0",
            0.0,
            better="higher",
            own=True,
            source="Ioffe & Szegedy 2015, figure 1(a)",
        ),
        Target(
            "MNIST, dropout: test errors saved, points",
            "mnist",
            "gain",
            "0.25 (1.60 % to 1.35 %)",
            0.25,
            better="higher",
            settings=WIDE,
            source="Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014, table 2",
            protocol="the same net with and without; the published ones differ in size",
            seeds=3,
        ),
    ),
    figures=figures,
    check=check,
)
RECIPES = (TRICKS,)
