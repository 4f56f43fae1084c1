"""Pre-training without labels, compared (lecture 1, V0 422-431; lecture 2, D1 54-66).

One layer of codes, learnt in several ways from the same minibatches for as many steps, then a net
of that layer and a softmax, fine-tuned by BackProp: are the codes a good place to start from? ::

    1.  Σ L(g(f(x_i, α), β), x_i) [+ penalty, + noise]  →  min over α, β     all images, no labels
    2.  Σ L̃(ŷ(f(x_i, α), γ), y_i)                       →  min over α, γ     those with labels

In V0 431 step 2 leaves α as it is, which is regimes/transfer.py. Here α goes on learning, as in D1
54-66 and V0 360.

`kinds` are those of one_layer.py, "random" among them: no step 1. All share minibatches,
rates, number of steps ("equal budget") and the values of the starting weights.
Step 1 takes `pretrain` epochs at a rate that falls from lr to 0 by a cosine, step 2 the others from
fine_lr. In the first `head` epochs of step 2 pre-trained layers keep their weights and the softmax
learns alone, so that its first, blind steps do not spoil them (D1 62); a random layer has nothing
to spoil. `labels` of the training images keep their label (0: all); an epoch of step 2 has as many
steps as one of step 1, so a few labels come up often.

For each kind, on held-out data:

    error_*       per cent wrong after step 2
    jacobian_*    mean ‖J_f(x)‖² / (n m) after step 1: how much the codes mind a change of x
    saturated_*   share of the codes below 0.01 or above 0.99 after step 1

`error` is the mean of the kinds' errors. And of the kinds whose order is published, "contractive" ≤
"gaussian" ≤ "rbm" (Rifai et al. 2011, tables 1 and 2):

    contractive_gap, gaussian_gap   error of contractive less that of gaussian, of gaussian less
                    that of rbm, in per cent points: 0 or less in that order. A tenth of a point is
                    ten test images, so the targets take the mean over several seeds
    jacobian_order  the larger ratio of neighbouring jacobian_*: 1 or less in that order

The numbers: MNIST test error 1.14 (contractive), 1.18 (denoising, Gaussian), 1.30 (RBM); ‖J‖
0.73e-4, 0.86e-4, 2.50e-4 (what those are divided by is not said, so only their ratios are compared,
squared: (0.73/0.86)² = 0.72). With 1000 labels 93.65 % right after pre-training against 88.71 %
from random weights (recipe `pretraining-few-labels`). The pictures: the filters of each kind after
step 1; how saturated the codes are; code plots.
"""

from dataclasses import replace

import numpy as np

from ... import core as gg
from ...core import nn, pictures
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common import code_pictures
from ..common.gradients import by_parameters
from ..common.images import filter_sheet
from ..common.labels import classes_of, few
from ..common.rows import rows
from ..common.stages import repeated, stage_rate
from .jacobians import closed_form
from .one_layer import Kind, LayerSettings, classifier, one_layer
from .regularised import code_figures

ORDER = ("contractive", "gaussian", "rbm")


def _no_step_1(s: "Settings") -> str:
    """Why what step 1 and the wait for it alone read has no effect."""
    return "with kinds=random alone, which has no step 1" if set(s.kinds) == {"random"} else ""


class Settings(TrainingSettings):
    """What a comparison of kinds of codes is made of."""

    kinds: tuple[Kind, ...] = setting(
        ("random", "contractive", "gaussian", "rbm"), some=True, help="kinds of codes to compare"
    )
    code: int = setting(200, least=1, help="number of codes")
    lr: float = setting(1e-3, least=0, when=_no_step_1, help="learning rate of step 1")
    pretrain: int = setting(15, least=0, when=_no_step_1, help="epochs of step 1")
    head: int = setting(
        0, least=0, when=_no_step_1, help="epochs of step 2 that train the softmax alone"
    )
    labels: int = setting(0, least=0, help="training images that keep their label, 0 for all")
    fine_lr: float = setting(2e-3, least=0, help="learning rate of step 2")
    sigma: float = setting(
        0.5, least=0, when=("kinds", "gaussian"), help="spread σ of Gaussian noise"
    )
    p0: float = setting(
        0.4, least=0, below=1, when=("kinds", "masking"), help="share that masking sets to 0"
    )
    weight: float = setting(
        2.0, least=0, when=("kinds", "contractive"), help="weight λ of the contractive penalty"
    )
    steps: int = setting(1, least=1, when=("kinds", "rbm"), help="steps k of Gibbs sampling")

    def check(self):
        if len(set(self.kinds)) < len(self.kinds):
            raise SettingError(f"kinds must be different ones; got {', '.join(self.kinds)}")

    @property
    def for_the_codes(self) -> int:
        """Epochs of step 1; none where all kinds are random.

        >>> Settings(pretrain=4, kinds=("random",)).for_the_codes
        0
        """
        return 0 if _no_step_1(self) else self.pretrain

    @property
    def least_epochs(self) -> int:
        """Those of step 1 and of the heads, and one for the nets."""
        return self.for_the_codes + self.head + 1


class FewLabelsSettings(Settings):
    """With 100 labels."""

    kinds: tuple[Kind, ...] = ("random", "contractive", "rbm")
    labels: int = 100


class Comparison(System):
    """`codes[kind]`: layers as step 1 leaves them; `nets[kind]`: the nets of step 2."""

    whole = ""

    def __init__(self, inputs: int, classes: int, s: Settings, rng, dtype="float32"):
        self.s, self.kinds = s, s.kinds
        own = LayerSettings(code=s.code, sigma=s.sigma, p0=s.p0, weight=s.weight, steps=s.steps)
        self.codes, self.nets = {}, {}
        for kind in s.kinds:
            self.codes[kind] = one_layer(kind, inputs, own, rng, dtype)
            self.nets[kind] = classifier([inputs, s.code], classes, rng, dtype)
        self.step = "nets"  # whose objective it is now: codes, heads or nets; training says

    def layer_of(self, kind: str) -> tuple:
        """W [K, D] and a [K] of the net of that kind."""
        return self.nets[kind][0].weight, self.nets[kind][0].bias

    def start_nets(self) -> None:
        """Put the layers of step 1 into the nets of step 2."""
        for kind, layer in self.codes.items():
            w, a = self.layer_of(kind)
            w.assign(layer.encoder[0].weight.numpy())
            a.assign(layer.encoder[0].bias.numpy())

    def objective(self, batch):
        """(Σ over the kinds of the loss of the present step, {kind: loss})."""
        total, extra = 0.0, {}
        for kind in self.kinds:
            if self.step != "codes":
                loss = nn.losses.cross_entropy(self.logits(kind, rows(batch.x)), batch.y)
            elif kind == "random":
                continue
            else:
                loss = self.codes[kind].objective(batch)
                loss = loss[0] if isinstance(loss, tuple) else loss
            total = total + loss
            extra[kind] = loss.item()
        return total, extra

    def logits(self, kind: str, x):
        """Scores of the classes, rows [N, D] -> [N, classes]; no gradient of a layer at rest."""
        *layers, head = self.nets[kind].layers
        for layer in layers:
            x = layer(x)
        at_rest = self.step == "heads" and kind != "random"
        return head(x.detach() if at_rest else x)

    def step_of(self, epoch: int) -> str:
        """Whether an epoch is for the codes, the heads or the nets."""
        first = self.s.for_the_codes
        if epoch < first:
            return "codes"
        return "heads" if epoch < first + self.s.head else "nets"

    def train_step(self, batch, training):
        """A step of pre-training or, from epoch `pretrain` on, of fine-tuning."""
        s, epoch = self.s, training.epoch
        self.step, first = self.step_of(epoch), s.for_the_codes
        if epoch == first and training.batch == 0:
            self.start_nets()
        if self.step == "codes":
            rate = s.lr * stage_rate(epoch, s.pretrain)
        else:
            rate = s.fine_lr * stage_rate(epoch - first, s.epochs - first)
        training.optimiser.lr = rate * training.factor(epoch)
        return super().train_step(batch, training)

    def batches(self, data, size, seed, epoch, start):
        """Minibatches of all images in step 1, of those with labels in step 2."""
        if self.step_of(epoch) == "codes" or not self.s.labels:
            yield from super().batches(data, size, seed, epoch, start)
            return
        known = data.train[few(data.train, self.s.labels)]
        yield from repeated(known, size, seed, epoch, start, self.batches_per_epoch(data, size))

    def evaluate(self, split, size=500):
        """The figures of the page for each kind, and the two orders where their kinds are there."""

        def figures(batch):
            x, found = rows(batch.x), {}
            for kind in self.kinds:
                wrong = (self.nets[kind](x).data.argmax(axis=1) != batch.y).mean()
                found[f"error_{kind}"] = 100 * float(wrong)
                found |= self.measured(kind, x)
            return found

        found = self.average(figures, split, size)
        found["error"] = sum(found[f"error_{k}"] for k in self.kinds) / len(self.kinds)
        if set(ORDER) <= set(self.kinds):
            e = [found[f"error_{k}"] for k in ORDER]
            j = [found[f"jacobian_{k}"] for k in ORDER]
            found["contractive_gap"], found["gaussian_gap"] = e[0] - e[1], e[1] - e[2]
            found["jacobian_order"] = max(j[0] / j[1], j[1] / j[2])
        return found

    def measured(self, kind: str, x) -> dict:
        """Jacobian and saturation of the codes of step 1 for a batch of rows [N, D]."""
        layer = self.codes[kind]
        z, w = layer.encode(x), layer.encoder[0].weight
        return {
            f"jacobian_{kind}": closed_form(w, z).mean().item() / w.size,
            f"saturated_{kind}": code_figures(z.numpy(), "sigmoid")["saturated"],
        }


def build(data: DataSet, s: Settings, rng, dtype="float32") -> Comparison:
    """The networks for a labelled data set."""
    n = int(np.prod(data.train.x.shape[1:]))
    return Comparison(n, classes_of("pretraining", data), s, rng, dtype)


def figures(system: Comparison, data: DataSet, s: Settings) -> dict:
    """Filters and code plots after step 1 for each kind, and the law of their codes."""
    found = {}
    fig = pictures.figure(5.4, 3.4)
    ax = fig.subplots()
    for i, kind in enumerate(system.kinds):
        layer = system.codes[kind]
        z = layer.codes(data.test.x[:500])
        colour = pictures.COLOURS[i % len(pictures.COLOURS)]
        ax.hist(z.ravel(), bins=50, range=(0, 1), histtype="step", color=colour, label=kind)
        found[f"codes-{kind}"] = code_pictures.code_plane(layer.codes, data)
        w = layer.encoder[0].weight.numpy()
        found[f"filters-{kind}"] = filter_sheet(w, data, f"{kind}: rows of W after step 1")
    ax.set(xlabel="code", ylabel="how often", yscale="log", title="codes after step 1")
    ax.legend(frameon=False, fontsize=8)
    return {"saturation": fig, **found}


def check(rng, **changes):
    """The objective of step 1, of all kinds together, as a function of the parameters.

    That of CD-1 is left out: its gradient is by definition not that of the value (a test shows that
    it equals the positive minus the negative phase).
    """
    kinds = ("plain", "gaussian", "masking", "contractive")
    s = Settings(**{"code": 3, "kinds": kinds, **changes})
    x, y = rng.random((4, 5)), np.array([0, 1, 2, 0])
    system = Comparison(5, 3, s, gg.Generator(3), dtype="float64")
    system.step = "codes"
    return by_parameters(system, Batch(x, y))


RIFAI = "Rifai, Vincent, Muller, Glorot & Bengio 2011, tables 1 and 2"
SEEDS = "mean of three seeds and its standard error"
BIG = {"code": 1000, "pretrain": 12, "epochs": 27, "lr": 2e-3, "fine_lr": 1e-3}

PRETRAINING = Recipe(
    name="pretraining",
    title="Codes of one layer compared: contractive, denoising, RBM",
    lecture="lecture 1 (V0 422-431), lecture 2 (D1 54-66)",
    rows=(20, 17, 36, 55),
    build=build,
    takes=("images", "binary"),
    settings=Settings,
    presets={
        "digits": {"epochs": 35, "batch": 50, "lr": 1e-2, "fine_lr": 5e-3},
        "mnist": BIG,
        "fashion_mnist": BIG,
        "images": {"epochs": 35, "batch": 50, "lr": 2e-3},
        "binary": {"epochs": 35, "batch": 50, "lr": 5e-3, "fine_lr": 5e-3},
    },
    metric="error",
    targets=(
        Target(
            "MNIST test error, contractive less denoising, % points", "mnist", "contractive_gap",
            "-0.04 (1.14, 1.18)", -0.04, source=RIFAI, seeds=3, note=SEEDS,
        ),
        Target(
            "MNIST test error, denoising less RBM, % points", "mnist", "gaussian_gap",
            "-0.12 (1.18, 1.30)", -0.12, source=RIFAI, seeds=3, note=SEEDS,
        ),
        Target(
            "MNIST: order of the Jacobian norms, contractive ≤ denoising ≤ RBM, ratio", "mnist",
            "jacobian_order", "0.72 (0.73², 0.86², 2.50² e-8)", 0.72, source=RIFAI, seeds=3,
            note=SEEDS,
        ),
        Target(
            "MNIST test error after contractive pre-training, %", "mnist", "error_contractive",
            "1.14", 1.14, source=RIFAI, seeds=3, note=SEEDS,
        ),
    ),
    figures=figures,
    check=check,
)  # fmt: skip
LABELS = (
    "1000 of 60 000 labels, contractive layer of 1000 codes; paper of the published pair unknown"
)
LABELLED = {"labels": 1000, "epochs": 18, "head": 3, "fine_lr": 4e-3, "select": "error"}
FEW = replace(
    PRETRAINING,
    name="pretraining-few-labels",
    title="Pre-training where few labels are known",
    settings=FewLabelsSettings,
    presets={
        "digits": {"epochs": 25, "batch": 50, "lr": 1e-2, "fine_lr": 5e-3, "weight": 0.1},
        "mnist": {**BIG, **LABELLED},
        "fashion_mnist": {**BIG, **LABELLED},
        "images": {"epochs": 25, "batch": 50, "lr": 2e-3, "weight": 0.1},
        "binary": {"epochs": 25, "batch": 50, "lr": 5e-3, "fine_lr": 5e-3, "weight": 0.1},
    },
    metric="error",
    targets=(
        Target(
            "MNIST test error, %, 1000 labels, contractive codes", "mnist", "error_contractive",
            "6.35 (RBM of 1024 units)", 6.35, note=LABELS,
        ),
        Target(
            "MNIST test error, %, 1000 labels, random weights", "mnist", "error_random",
            "11.29", 11.29, note=LABELS,
        ),
    ),
)  # fmt: skip
RECIPES = (PRETRAINING, FEW)
