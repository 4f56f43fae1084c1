"""Stacked autoencoders (lecture 1, V0 349-360; lecture 2, D1 54-66; Bengio et al. 2007).

A deep encoder, learnt greedily, one layer at a time ::

    x^h = f^h(x^{h-1}, α^h),      x ≡ x^0,  z ≡ x^H                      (V0 349)

    1.  for h = 1..H: each pair f^h, g^h learns to reproduce the sample {x_1^{h-1}, ..., x_ℓ^{h-1}}
        of codes below it, which stay as they are; the decoder g^h is then dropped
    2.  the last layer is trained on labelled data alone                      (D1 62)
    3.  fine-tuning: what the layers are now is where BackProp starts for all of them

The lecture's layers are plain autoencoders, decoders with weights of their own, squared error:
`tied` shares the weights of encoder and decoder, `loss="cross_entropy"` takes components of x as
probabilities, as the papers have it. `layer` names other kinds (one_layer.py): "masking"
makes it the stacked denoising autoencoder of Vincent et al. 2010, "contractive" that of Rifai et
al. 2011, "rbm" a deep belief net, "random" skips step 1. `fine="classes"` is the fine-tuning of the
second lecture, by the cross-entropy of a softmax on z. With `fine="reconstruction"` no decoder is
dropped: the unrolled net g^1(...g^H(f^H(...f^1(x)))) is tuned as a deep autoencoder.

`pretrain` epochs go to each layer, `head` to step 2, the rest of `epochs` to step 3. Each stage has
its own cosine from lr (fine_lr from step 2 on) to 0.

The pictures: filters after step 1 and after step 3; code plots of every level; reconstructions
through all layers; activations of the top. The numbers: MNIST test error 1.4 % after pre-training,
2.4 % without (Bengio et al. 2007). Here it is 1.5 and 1.6 %: Adam and today's first weights train
three sigmoid layers from nothing nearly as well. Of denoising layers 1.28 % is published (Vincent
et al. 2010); 20 epochs for each layer and 40 of fine-tuning give 1.42 %, on 50 000 images. What
pre-training is worth shows where labels are few (recipe `pretraining-few-labels`: 6.5 instead of
11.7 %).
"""

from itertools import pairwise
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common import code_pictures
from ..common.encoder_decoder import Loss, squared_error
from ..common.gradients import by_parameters
from ..common.images import filter_sheet, reconstruction_sheet
from ..common.labels import classes_of, few
from ..common.rows import prepare, rows
from ..common.stages import repeated, stage_rate
from .one_layer import Kind, LayerSettings, one_layer

LEARNT = ("plain", "gaussian", "masking", "contractive", "rbm")  # the kinds that have a step 1


def _never_decoded(s: "Settings") -> str:
    """Why the form of a decoder has no effect: it has another loss, or is not used at all."""
    if s.layer == "rbm":
        return "with layer=rbm"
    never = s.layer == "random" and s.fine == "classes"
    return "with layer=random, fine=classes" if never else ""


def _no_step_1(s: "Settings") -> str:
    """Why what step 1 alone reads has no effect."""
    return "with layer=random, which has no step 1" if s.layer == "random" else ""


def _other_loss(s: "Settings") -> str:
    """Why the loss of step 1 has no effect; fine-tuning has its own."""
    return _no_step_1(s) or _never_decoded(s)


class Settings(TrainingSettings):
    """What a stacked autoencoder is made of."""

    hidden: tuple[int, ...] = setting(
        (100, 100, 100), least=1, some=True, help="widths of the layers"
    )
    layer: Kind = setting("plain", help="how a layer learns in step 1")
    lr: float = setting(1e-3, least=0, when=_no_step_1, help="learning rate of step 1")
    tied: bool = setting(False, when=_never_decoded, help="one matrix for encoder and decoder")
    loss: Loss = setting("squared", when=_other_loss, help="L of x̂ and x in step 1")
    output: Literal["sigmoid", "linear"] = setting("sigmoid", help="σ_g of the lowest decoder")
    fine: Literal["classes", "reconstruction"] = setting("classes", help="what step 3 tunes for")
    pretrain: int = setting(10, least=1, when=("layer", *LEARNT), help="epochs of each layer")
    head: int = setting(2, least=0, when=("fine", "classes"), help="epochs of step 2")
    labels: int = setting(
        0, least=0, when=("fine", "classes"), help="training images that keep their label, 0: all"
    )
    fine_lr: float = setting(1e-3, least=0, help="learning rate from step 2 on")
    sigma: float = setting(
        0.3, least=0, when=("layer", "gaussian"), help="spread σ of Gaussian noise"
    )
    p0: float = setting(
        0.25, least=0, below=1, when=("layer", "masking"), help="share that masking sets to 0"
    )
    weight: float = setting(
        0.1, least=0, when=("layer", "contractive"), help="weight λ of the contractive penalty"
    )
    steps: int = setting(1, least=1, when=("layer", "rbm"), help="steps k of Gibbs sampling")

    def check(self):
        """Check that a linear output has a loss that it can take."""
        if self.output == "linear" and (self.loss == "cross_entropy" or self.layer == "rbm"):
            raise SettingError(
                "output 'linear' needs loss 'squared' and a layer other than 'rbm', whose x̂ is a"
                " probability"
            )

    @property
    def before_fine_tuning(self) -> tuple[int, int]:
        """Epochs of step 1, greedy layers, and of step 2, the head.

        >>> Settings(hidden=(3, 2), pretrain=4, head=2).before_fine_tuning
        (8, 2)
        """
        greedy = 0 if self.layer == "random" else len(self.hidden) * self.pretrain
        return greedy, self.head if self.fine == "classes" else 0

    @property
    def least_epochs(self) -> int:
        """Those of steps 1 and 2, and one of step 3."""
        return sum(self.before_fine_tuning) + 1


class StackedAutoencoder(System):
    """`layers` are autoencoders, each of the codes of the one below; `head` makes logits of z.

    `greedy` is the first weight matrix as step 1 leaves it, for the picture.
    """

    whole = ""

    def __init__(self, inputs: int, classes: int, s: Settings, rng, dtype="float32"):
        self.s, widths = s, [inputs, *s.hidden]
        own = {key: getattr(s, key) for key in ("tied", "loss", "sigma", "p0", "weight", "steps")}
        self.layers = []
        for h, (n, m) in enumerate(pairwise(widths)):  # codes, unlike data, are always in (0, 1)
            layer = LayerSettings(code=m, output="sigmoid" if h else s.output, **own)
            self.layers.append(one_layer(s.layer, n, layer, rng.child("layer", h), dtype))
        self.head = nn.Linear(widths[-1], classes, rng=rng.child("head"), dtype=dtype)
        self.greedy = gg.Tensor(self.layers[0].encoder[0].weight.numpy().copy())
        self.stage = len(self.layers) + 1  # the last one; training says which it is in

    def stage_of(self, epoch: int) -> tuple[int, int, int]:
        """(stage, epochs of it that are over, its length): 0..H-1 layers, H the head, H+1 all."""
        s, h = self.s, len(self.layers)
        greedy, head = s.before_fine_tuning
        if epoch < greedy:
            return epoch // s.pretrain, epoch % s.pretrain, s.pretrain
        if epoch < greedy + head:
            return h, epoch - greedy, head
        return h + 1, epoch - greedy - head, max(1, s.epochs - greedy - head)

    def encode(self, x, levels: int | None = None):
        """x^levels, by default z = x^H: [N, D] -> [N, K]."""
        for layer in self.layers[:levels]:
            x = layer.encode(x)
        return x

    def decode(self, z):
        """g^1(...g^H(z)): [N, K] -> [N, D]."""
        for layer in reversed(self.layers):
            z = layer.decode(z)
        return z

    def objective(self, batch):
        """The loss of the present stage, of x [N, ...] and, from the head on, labels y [N]."""
        x, h = rows(batch.x), len(self.layers)
        if self.stage < h:
            with gg.no_grad():
                below = self.encode(x, self.stage)
            found = self.layers[self.stage].objective(Batch(below.data))
            return found[0] if isinstance(found, tuple) else found
        if self.s.fine == "reconstruction":
            return squared_error(self.decode(self.encode(x)), x).mean()
        z = self.encode(x)
        return nn.losses.cross_entropy(self.head(z if self.stage > h else z.detach()), batch.y)

    def train_step(self, batch, training):
        """A step of the stage that the epoch belongs to, at that stage's rate."""
        self.stage, done, length = self.stage_of(training.epoch)
        if training.epoch == self.s.before_fine_tuning[0] and training.batch == 0:
            self.greedy.assign(self.layers[0].encoder[0].weight.numpy())
        base = self.s.lr if self.stage < len(self.layers) else self.s.fine_lr
        training.optimiser.lr = base * stage_rate(done, length) * training.factor(training.epoch)
        return super().train_step(batch, training)

    def batches(self, data, size, seed, epoch, start):
        """Minibatches; from the head on those with labels only, in as many passes as it takes."""
        stage = self.stage_of(epoch)[0]
        if stage < len(self.layers) or self.s.fine == "reconstruction" or not self.s.labels:
            yield from super().batches(data, size, seed, epoch, start)
            return
        known = data.train[few(data.train, self.s.labels)]
        yield from repeated(known, size, seed, epoch, start, self.batches_per_epoch(data, size))

    def evaluate(self, split, size=500):
        """Test error in per cent, and the squared error per image through all layers."""

        def figures(batch):
            x = rows(batch.x)
            z = self.encode(x)
            wrong = (self.head(z).data.argmax(axis=1) != batch.y).mean()
            error = squared_error(self.decode(z), x).mean()
            return {"error": 100 * float(wrong), "squared_error": error}

        return self.average(figures, split, size)

    def codes(self, x: np.ndarray, levels: int | None = None) -> np.ndarray:
        """x^levels [N, K] of images or rows, without a tape."""
        with gg.no_grad():
            return self.encode(rows(self.on_device(Batch(np.asarray(x))).x), levels).numpy()

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """Reconstructions [N, D] through all layers, without a tape."""
        with gg.no_grad():
            return self.decode(self.encode(rows(self.on_device(Batch(np.asarray(x))).x))).numpy()

    def predictions(self, x):
        """Logits of the head, and the codes below it."""
        codes = self.codes(x)
        with gg.no_grad():
            return {"logits": self.head(gg.Tensor(codes)).numpy(), "code": codes}


def build(data: DataSet, s: Settings, rng, dtype="float32") -> StackedAutoencoder:
    """The network for a labelled data set."""
    n = int(np.prod(data.train.x.shape[1:]))
    classes = classes_of("stacked-autoencoder", data)
    return StackedAutoencoder(n, classes, s, rng, dtype)


def figures(system: StackedAutoencoder, data: DataSet, s: Settings) -> dict:
    """Code plots level by level, activations of the top; filters and reconstructions."""
    y = code_pictures.labels_of(data.test)
    z = system.codes(data.test.x[:500])
    title = f"{z.shape[1]} top codes of {len(z)} test samples"
    found = {"activations": code_pictures.activations(z, None if y is None else y[:500], title)}
    for h in range(1, len(system.layers) + 1):
        found[f"codes-{h}"] = code_pictures.code_plane(lambda x, h=h: system.codes(x, h), data)
    w, title = system.layers[0].encoder[0].weight.numpy(), "rows of the first weight matrix"
    found["filters-greedy"] = filter_sheet(system.greedy.numpy(), data, f"{title}, step 1")
    found["filters"] = filter_sheet(w, data, f"{title}, fine-tuned")
    found["reconstructions"] = reconstruction_sheet(system.reconstruct, data)
    return found


def check(rng, **changes):
    """The fine-tuning objective of a small stack as a function of its parameters."""
    s = Settings(**{"hidden": (4, 3), **changes})
    x, y = rng.random((4, 6)), np.array([0, 2, 1, 0])
    system = StackedAutoencoder(6, 3, s, gg.Generator(3), dtype="float64")
    return by_parameters(system, Batch(x, y))


BIG = {
    "hidden": (1000, 1000, 1000), "tied": True, "loss": "cross_entropy", "pretrain": 5, "head": 1,
    "epochs": 31, "lr": 1e-3, "fine_lr": 2e-3, "select": "error",
}  # fmt: skip

LONG = {"pretrain": 20, "epochs": 101, "fine_lr": 5e-4}  # 40 epochs of fine-tuning

STACKED = Recipe(
    name="stacked-autoencoder",
    title="Stacked autoencoder: greedy layers, then fine-tuning",
    lecture="lecture 1 (V0 349-360), lecture 2 (D1 54-66)",
    rows=(22, 55),
    build=build,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={
        "digits": {
            "epochs": 62, "pretrain": 10, "head": 2, "batch": 50, "lr": 1e-2, "fine_lr": 1e-2,
        },
        "mnist": BIG,
        "fashion_mnist": BIG,
        "images": {"epochs": 62, "batch": 50, "lr": 2e-3, "fine_lr": 2e-3},
        "table": {
            "hidden": (32, 16), "output": "linear", "epochs": 82, "pretrain": 20, "batch": 20,
            "lr": 1e-2, "fine_lr": 5e-3,
        },
        "binary": {
            "loss": "cross_entropy", "epochs": 42, "pretrain": 7, "batch": 50, "lr": 5e-3,
            "fine_lr": 5e-3,
        },
    },
    metric="error",
    targets=(
        Target(
            "MNIST test error, %, three layers of plain autoencoders", "mnist", "error",
            "1.4 (2.4 without pre-training)", 1.4, settings={"layer": "plain"},
            source="Bengio et al. 2007", note="the published figure is quoted from memory",
        ),
        Target(
            "MNIST test error, %, three layers of denoising autoencoders", "mnist", "error",
            "1.28", 1.28, settings={"layer": "masking", **LONG}, source="Vincent et al. 2010",
            note="the published figure is quoted from memory",
        ),
    ),
    figures=figures,
    check=check,
)  # fmt: skip
RECIPES = (STACKED,)
