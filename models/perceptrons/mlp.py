"""The multi-layer perceptron, for tables, binary rows and images: a first network for one's data.

    h_0 = x,   h_l = σ(W_l h_{l-1} + b_l),   z = W h_L + b        x [N, D] -> z [N, K]

`hidden` has the widths of h_1 .. h_L. With none (``hidden=[]``) it is logistic, or linear,
regression. The labels decide what is learnt (tasks.py): whole numbers or names are classes, trained
by the cross-entropy of the softmax; other numbers are quantities, trained by squared errors.

A table is standardised, each column by its mean and deviation on the training split; pixels in
[0, 1] and binary rows are taken as they are. Data without a validation split give a tenth of their
training rows for one. The weights that are kept are those of the epoch with the lowest validation
loss (`select`), so that more epochs than necessary do little harm.

Of the lecture's tricks of the trade (V2 98-112) ReLU and adaptive steps are the default (the
presets of tables and binary rows have tanh, which validation rows preferred); tricks.py shows what
each of them does, with and without, on the same minibatches. Dropout is a switch; so is max-norm,
which the lecture does not name and the papers on dropout use with it:

dropout. In training each hidden unit (each input, with `dropout_input`) is 0 with probability p;
    the others are divided by 1 - p, so that nothing is to be done in evaluation. Units cannot rely
    on each other (Srivastava et al. 2014).
max_norm. After each step the incoming weights of each hidden unit are scaled back to ‖w‖ ≤ c if
    they are longer (Srebro & Shraibman 2005; Hinton et al. 2012): w <- w min(1, c/‖w‖). With it a
    network with dropout can be trained at a high rate.

The pictures: first-layer weights; for classes the confusion matrix and the mistakes among images;
for quantities predicted over true, and the residuals; for tables the importance of each column,
which is the loss of accuracy or R² on the validation split where its values are shuffled.

The numbers, on MNIST with no knowledge of what is next to what (no shifts, no convolutions): two
hidden layers of 800 units without any trick make 146 errors in 10,000 (Hinton, Vinyals & Dean 2015,
who compare a distilled network with them); 1.06 % are wrong with dropout and max-norm (Srivastava
et al. 2014: 3 x 1024 units and up to a million steps, hours on a CPU). Both papers train on all
60,000 images; here 10,000 of them choose the epoch.
"""

import numpy as np

from ... import core as gg
from ...core import nn, optim
from ...core.data import DataSet, kind_of
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common.activations import ACTIVATIONS, Activation
from ..common.gradients import by_parameters
from ..common.validation import with_validation
from .mlp_pictures import figures
from .tasks import Classification, Regression, task_of


class Settings(TrainingSettings):
    """Settings of a multi-layer perceptron."""

    hidden: tuple[int, ...] = setting(
        (128,), least=1, help="widths of the hidden layers; [] is logistic or linear regression"
    )
    activation: Activation = setting("relu", help="σ of the hidden layers", when="hidden")
    dropout: float = setting(
        0.0, least=0, below=1, when="hidden", help="share of each hidden layer that is dropped"
    )
    dropout_input: float = setting(0.0, least=0, below=1, help="share of the inputs dropped")
    max_norm: float = setting(
        0.0, least=0, when="hidden", help="longest weight vector of a hidden unit, 0 for any"
    )
    schedule: str = "cosine"
    select: str = "loss"


class Mlp(System):
    """Dense layers of the widths `hidden`, then one of the size of the task.

    x [N, ...] -> z [N, K], logits or standardised quantities. The parts are `network` and `task`.
    """

    whole = ""

    def __init__(
        self, inputs: int, task: Classification | Regression, s: Settings, rng, dtype="float32"
    ):
        self.s, self.task = s, task
        layers, n = [nn.Flatten()], inputs
        for i, m in enumerate((*s.hidden, task.size)):
            p = s.dropout if i else s.dropout_input
            layers += [nn.Dropout(p, rng=rng.child("drop", i))] if p else []
            layers.append(nn.Linear(n, m, rng=rng.child("linear", i), dtype=dtype))
            layers += [ACTIVATIONS[s.activation]()] if i < len(s.hidden) else []
            n = m
        self.network = nn.Sequential(*layers)

    def forward(self, x):
        """z [N, K] of rows or images [N, ...]."""
        return self.network(x)

    def linear(self) -> list[nn.Linear]:
        """The dense layers in order; the last one has no activation."""
        return [layer for layer in self.network if isinstance(layer, nn.Linear)]

    def objective(self, batch):
        """(the task's mean loss over the batch, {further figures})."""
        return self.task.loss(self(gg.Tensor(batch.x)), batch.y)

    def train_step(self, batch, training):
        """A step of gradient descent, then the weights of hidden units cut to `max_norm`."""
        found = super().train_step(batch, training)
        if self.s.max_norm:
            optim.max_norm([layer.weight for layer in self.linear()[:-1]], self.s.max_norm)
        return found

    def evaluate(self, split, size=500):
        """The loss and the figures of the task over a whole split."""
        found = self.average(self.objective, split, size)
        return found | self.task.figures(self.answers(split.x, size), split.y)

    def answers(self, x: np.ndarray, size: int = 500) -> np.ndarray:
        """Logits [N, classes], or predictions [N, K] in their units, without a tape."""
        with gg.no_grad():
            parts = (self.on_device(Batch(x[i : i + size])).x for i in range(0, len(x), size))
            z = np.concatenate([self(gg.Tensor(part)).numpy() for part in parts])
        return self.task.answers(z)

    def predictions(self, x):
        """Logits of classes, or quantities in their units."""
        key = "logits" if isinstance(self.task, Classification) else "value"
        return {key: self.answers(x)}


def prepare(data: DataSet, s: Settings) -> DataSet:
    """A table standardised by its training split; a validation split, if there was none.

    >>> from glassgrad.core.data import load
    >>> x = prepare(load("wine"), Settings()).train.x
    >>> bool(abs(x.mean(axis=0)).max() < 1e-5 and abs(x.std(axis=0) - 1).max() < 1e-5)
    True
    """
    task_of("mlp", data)  # before anything is made of the rest
    data = with_validation(data, s.seed)
    return data.standardised() if kind_of(data) == "table" else data


def build(data: DataSet, s: Settings, rng) -> Mlp:
    """The network for a labelled table, or labelled images."""
    return Mlp(int(np.prod(data.train.x.shape[1:])), task_of("mlp", data), s, rng)


def check(rng, task=None, **changes):
    """The objective of a small network as a function of its parameters, for gradcheck."""
    s = Settings(**{"hidden": (4, 3), **changes})
    system = Mlp(6, task or Classification(3), s, gg.Generator(3), dtype="float64")
    x, quantities = rng.standard_normal((5, 6)), rng.standard_normal((5, system.task.size))
    y = np.array([0, 2, 1, 1, 0]) if isinstance(system.task, Classification) else quantities
    return by_parameters(system, Batch(x, y))


# chosen on training and validation rows of the bundled tables; a linear model is hard to beat there
TABLE = {
    "hidden": (64, 64), "activation": "tanh", "dropout": 0.5, "epochs": 60, "batch": 16, "lr": 5e-3,
    "weight_decay": 1e-3,
}  # fmt: skip
MNIST = {"hidden": (800, 800), "epochs": 12, "batch": 100, "lr": 1e-3, "select": "+accuracy"}
DROPPED = {"dropout": 0.5, "dropout_input": 0.2, "max_norm": 2.0, "epochs": 40}

MLP = Recipe(
    name="mlp",
    title="Multi-layer perceptron for classes and quantities",
    lecture="lecture 3 (V2 98-112)",
    rows=(71,),
    build=build,
    settings=Settings,
    prepare=prepare,
    takes=("images", "table", "binary"),
    presets={
        "digits": {"hidden": (128,), "epochs": 30, "batch": 32, "lr": 2e-3, "dropout": 0.2},
        "wine": TABLE,
        "iris": TABLE,
        "breast_cancer": TABLE,
        "diabetes": TABLE,
        "table": TABLE,
        "binary": TABLE,
        "mnist": MNIST,
        "fashion_mnist": MNIST,
    },
    metric="loss",
    targets=(
        Target(
            "MNIST test accuracy, 800-800, no tricks",
            "mnist",
            "accuracy",
            "98.54 % (146 errors)",
            0.9854,
            better="higher",
            source="Hinton, Vinyals & Dean 2015, section 3",
        ),
        Target(
            "MNIST test accuracy, 800-800, dropout and max-norm",
            "mnist",
            "accuracy",
            "98.94 % (3 x 1024 units)",
            0.9894,
            better="higher",
            settings=DROPPED,
            source="Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014, section 6.1.1",
            note="the published network is larger and was trained for up to 1,000,000 steps",
        ),
    ),
    figures=figures,
    check=check,
)
RECIPES = (MLP,)
