"""The deep belief network (lecture 4, U3 74; Hinton, Osindero & Teh 2006).

The lecture only names it. Directed layers of logistic units below, a restricted Boltzmann machine
on top ::

    p(v, h¹, …, h^L) = p(v|h¹) p(h¹|h²) … p(h^{L-1}, h^L)      p(h^{l-1}|h^l) = Π σ(b + W^l h^l)

Greedy training: a machine of D1 141-196 (rbm.py) learns the data; its hidden states, given
the data, are the data of the next one, and so on. Epochs are divided evenly. With the lower layers
fixed and q(h^l|h^{l-1}) = Π σ(a + W^lᵀ h^{l-1}), each new machine raises the bound ::

    ln p(v)  ≥  E_q [ Σ_{l<L} ln p(h^{l-1}|h^l) - F(h^{L-1}) ]  +  H(q)  -  ln Z          h⁰ = v

if it starts from the weights of the one below and becomes a better model of h^{L-1}. Ours starts
from small random weights, as is usual, so that the bound need not rise. F and Z are the top
machine's free energy and partition function, by AIS (Salakhutdinov & Murray 2008). The expectation
is the mean over `samples` drawn from q; the entropy H(q) is exact given h^{l-1}.

Then `finetune` epochs minimise the cross-entropy of a softmax on top of the logistic net with the
same weights (Hinton & Salakhutdinov 2006), recipe dbn-classifier. This gives up p(v); the metric is
then the classification error.

The pictures: filters of the first layer, samples (a Gibbs chain at the top, then down), and
reconstructions through all layers. For the classifier, instead of the last two: the codes of the
top layer, as a plane and one by one, and the mistakes. `bound` is minus the bound, as for the other
systems, in nats.

The numbers: 86.22 nats for 784-500-2000 (CD-25, Salakhutdinov & Murray 2008); error 1.2 % for
784-500-500-2000-10 (Hinton & Salakhutdinov 2006).
"""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.arrays import to_numpy
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import Optimiser, setting
from ...core.training.system import Batch
from ..common.binary import Binarise, prepare
from ..common.free_energy import free_energy
from ..common.labels import classes_of
from ..common.rows import flat
from . import dbn_pictures
from .stack import Stack, stack
from .units import RuleSettings, draw, entropy, log_bernoulli, mean_variance


class Settings(RuleSettings):
    """Settings of a deep belief network."""

    hidden: tuple[int, ...] = setting(
        (64, 64), least=1, some=True, help="widths of the layers h¹ to h^L"
    )
    samples: int = setting(10, least=1, help="draws from q for each image in the bound")

    @property
    def least_epochs(self) -> int:
        """One for each layer."""
        return len(self.hidden)


LIKELIHOOD = ("samples", "ais_chains", "temperatures", "ais_every")
NO_LIKELIHOOD = "with fine-tuning, which leaves the likelihood behind"


class ClassifierSettings(Settings, idle=dict.fromkeys(LIKELIHOOD, NO_LIKELIHOOD)):
    """The same, and how the logistic net with these weights is fine-tuned."""

    finetune: int = setting(20, least=1, help="epochs of fine-tuning after those of the layers")
    finetune_rate: float = setting(10.0, above=0, help="factor of lr in fine-tuning")
    binarise: Binarise = "grey"
    optimiser: Optimiser = "momentum"

    @property
    def least_epochs(self) -> int:
        """One for each layer, and the epochs of fine-tuning."""
        return len(self.hidden) + self.finetune


class DBN(Stack):
    """Machines of widths [D, hidden[0], hidden[1], …]; layer l has W [width l, width l+1]."""

    whole = ""

    finetune = 0  # the number of last epochs that train all layers together
    finetune_rate = 1.0  # factor of lr in these

    def __init__(self, mean, samples: int, s: Settings, rng, dtype="float32"):
        super().__init__()
        self.s, self.noise = s, rng.child("noise")
        self.layers = stack(mean, samples, s.hidden, s, rng, dtype)

    # --------------------------------------------------------------------- learning

    def stages(self, epochs: int) -> list[int]:
        """The first epoch of each layer, of fine-tuning, and the end.

        >>> s = ClassifierSettings(hidden=(3, 2), finetune=1)
        >>> Classifier(np.full(4, 0.5), 9, 10, s, gg.Generator(0)).stages(6)
        [0, 3, 5, 6]
        """
        count, greedy = len(self.layers), epochs - self.finetune
        return [-(-k * greedy // count) for k in range(count + 1)] + [epochs]

    def train_step(self, batch, training):
        """One step of the current layer, or of fine-tuning."""
        k = self.turn(training, self.stages(training.settings.epochs))

        def compute(part):
            if k < len(self.layers):
                return self.layers[k].learn(self.up(part.x, k, self.noise)), None
            return self.fine_tune(part), None

        if k == len(self.layers):
            training.optimiser.lr *= self.finetune_rate
        figures, _ = training.shards.gradients(batch, compute)
        training.clip()
        training.optimiser.step()
        return figures

    def fine_tune(self, batch) -> dict[str, float]:
        """Leave the gradient of another objective in `.grad`; returns the metrics."""
        raise NotImplementedError(f"{type(self).__name__} is not fine-tuned")

    # ------------------------------------------------------------------- evaluation

    def terms(self, v, rng):
        """The bound without ln Z, one sample from q: v [N, D] -> [N]."""
        total = 0.0
        for layer in self.layers[:-1]:
            q = layer.hidden(v)
            h = draw(rng, q)
            total = total + log_bernoulli(v, h @ layer.w.data.T + layer.b.data) + entropy(q)
            v = h
        return total - self.layers[-1].free(v)[0]

    def evaluate(self, split, size=500):
        """Reconstruction error and, if `due`, minus the bound, with ln Z.

        `bound_error` is the standard error of the bound, from the draws of q and from AIS.
        """
        noise = self.noise.child("evaluate")

        def figures(batch):
            v = flat(batch.x)
            error = ((v - self.reconstruct(v)) ** 2).sum(axis=1)
            found = {"reconstruction": error.mean(dtype="f8")}
            if self.due:
                terms = [self.terms(v, noise) for _ in range(self.s.samples)]
                found["bound"] = -sum(t.mean(dtype="f8") for t in terms) / len(terms)
                if len(terms) > 1:
                    found["scatter"] = mean_variance([to_numpy(t) for t in terms])
            return found

        found = self.average(figures, split, size)
        if self.due:
            z = self.layers[-1].partition(self.noise.child("ais"))
            found["bound"] += z.log_z
            found |= z.figures()
            if "scatter" in found:
                of_q = math.sqrt(found.pop("scatter") / len(split))
                found["bound_error"] = math.hypot(of_q, z.spread)
        return found

    def down(self, h, layers: int):
        """h through the lowest `layers` layers, downwards, by probabilities."""
        for layer in self.layers[:layers][::-1]:
            h = layer.visible(h)
        return h

    def reconstruct(self, v):
        """v up through all layers and down again, by probabilities."""
        return self.down(self.up(v, len(self.layers)), len(self.layers))


class Classifier(DBN):
    """The same machines with a softmax on top; after their training, a logistic net."""

    def __init__(
        self, mean, samples: int, classes: int, s: ClassifierSettings, rng, dtype="float32"
    ):
        super().__init__(mean, samples, s, rng, dtype)
        self.finetune, self.finetune_rate = s.finetune, s.finetune_rate
        self.top = nn.Linear(s.hidden[-1], classes, rng=rng.child("top"), dtype=dtype)

    def logits(self, x):
        """Scores of the classes: x [N, D] -> [N, classes]."""
        h = gg.Tensor(flat(x))
        for layer in self.layers:
            h = gg.sigmoid(h @ layer.w + layer.a)
        return self.top(h)

    def objective(self, batch):
        """The cross-entropy of the classifier, the objective of fine-tuning."""
        return nn.losses.cross_entropy(self.logits(batch.x), batch.y)

    def fine_tune(self, batch):
        """Leave the gradient of the cross-entropy in `.grad`."""
        loss = self.objective(batch)
        loss.backward()
        return {"loss": loss.item()}

    def evaluate(self, split, size=500):
        """The share of misclassified samples, in per cent."""

        def figures(batch):
            found = to_numpy(self.logits(batch.x).data).argmax(axis=1)
            return {"error": 100 * np.mean(found != to_numpy(batch.y))}

        return self.average(figures, split, size)

    def predictions(self, x):
        """Logits of the classes."""
        with gg.no_grad():
            return {"logits": self.logits(self.on_device(Batch(np.asarray(x))).x).numpy()}


def build(data: DataSet, s: Settings, rng) -> DBN:
    """The network for a data set."""
    x = flat(data.train.x)
    return DBN(x.mean(axis=0, dtype=np.float64), len(x), s, rng)


def build_classifier(data: DataSet, s: ClassifierSettings, rng) -> Classifier:
    """The network for a data set with classes."""
    x, classes = flat(data.train.x), classes_of("dbn-classifier", data)
    return Classifier(x.mean(axis=0, dtype=np.float64), len(x), classes, s, rng)


def gap(layers, data, model):
    """Σ_l mean F_l(data_l) - mean F_l(model_l), as a tensor: what the greedy stages minimise.

    layers  [(W^l, b^l, a^l), …] as tensors
    data    [h⁰ = v, h¹, …]: the data of each machine, sampled from q
    model   [ṽ⁰, ṽ¹, …]: the samples of each machine

    Each term depends on the weights of one machine only, so the gradient of the sum is the rule of
    each stage.
    """
    total = 0.0
    for parameters, v, fantasy in zip(layers, data, model, strict=True):
        total = total + free_energy(v, *parameters).mean()
        total = total - free_energy(fantasy, *parameters).mean()
    return total


def check(rng):
    """`gap` of two machines on fixed states as a function of both machines' W, b, a."""
    sizes = (5, 4, 3)
    data, model = (
        [gg.Tensor((rng.random((6, n)) < 0.5).astype(float)) for n in sizes[:2]] for _ in range(2)
    )

    def f(*p):
        return gap([p[:3], p[3:]], data, model)

    shapes = [k for n, m in pairwise(sizes) for k in ((n, m), n, m)]
    return f, [rng.standard_normal(k) for k in shapes]


def check_classifier(rng):
    """The classifier's cross-entropy as a function of all its parameters, for gradcheck."""
    s = ClassifierSettings(hidden=(4, 3), finetune=1)
    system = Classifier(np.full(5, 0.4), 9, 3, s, gg.Generator(3), "float64")
    batch = Batch(rng.random((6, 5)), rng.integers(0, 3, 6))
    used = [t for layer in system.layers for t in (layer.w, layer.a)]
    for layer in system.layers:
        layer.b.requires_grad = False  # biases of the downward pass
    used += [system.top.weight, system.top.bias]
    values = [rng.standard_normal(t.shape) for t in used]

    def f(*parameters):
        return system.with_parameters(parameters).objective(batch)

    order = {id(p): k for k, p in enumerate(used)}
    return f, [values[order[id(p)]] for p in system.parameters()]


GENERATIVE = Recipe(
    name="dbn",
    title="Deep belief network",
    lecture="lecture 4 (U3 74)",
    rows=(39,),
    build=build,
    prepare=prepare,
    takes=("images", "binary"),
    settings=Settings,
    presets={
        "digits": {"epochs": 200, "batch": 50, "lr": 0.5},
        "mnist": {"hidden": (500, 1000), "epochs": 150, "lr": 0.1, "temperatures": 10_000},
        "binary": {"epochs": 150, "batch": 50, "lr": 0.1, "binarise": "fixed"},
    },
    metric="bound",
    targets=(
        Target(
            "MNIST test bound by AIS, nats",
            "mnist",
            "bound",
            "86.22 (784-500-2000, CD-25)",
            86.22,
            source="Salakhutdinov & Murray 2008, section 4.3",
            spread="bound_error",
            protocol="784-500-1000, and training images binarised again in each epoch",
            note="the published figure is quoted from memory",
        ),
    ),
    figures=dbn_pictures.figures,
    sample=dbn_pictures.sample,
    check=check,
)
CLASSIFIER = replace(
    GENERATIVE,
    name="dbn-classifier",
    title="Deep belief network, fine-tuned as a classifier",
    build=build_classifier,
    settings=ClassifierSettings,
    presets={
        "digits": {"epochs": 100, "finetune": 60, "batch": 50, "lr": 0.02},
        "mnist": {"hidden": (500, 500, 2000), "epochs": 50, "lr": 0.01},
        "images": {"epochs": 100, "batch": 50, "lr": 0.01},
        "binary": {"epochs": 100, "finetune": 60, "batch": 50, "lr": 0.02},
    },
    metric="error",
    targets=(
        Target(
            "MNIST test error, %",
            "mnist",
            "error",
            "1.2 (784-500-500-2000-10)",
            1.2,
            source="Hinton & Salakhutdinov 2006, supporting text",
            note="the published figure is quoted from memory",
        ),
    ),
    figures=dbn_pictures.classifier_figures,
    sample=None,
    check=check_classifier,
)
RECIPES = (GENERATIVE, CLASSIFIER)
