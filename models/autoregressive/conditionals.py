"""What the fully observed models share: the chain rule, its likelihood, sampling pixel by pixel.

Every distribution of D binary numbers is a product of conditionals, in any order of the numbers ::

    p(x) = Π_i p(x_i | x_1 .. x_{i-1}),      -ln p(x) = Σ_i [softplus(y_i) - x_i y_i]

where y_i, the logit of p(x_i = 1 | x_<i), is any function of the numbers before x_i. Nothing is
latent: the likelihood is exact, without a bound or sampling noise. The price is slow sampling: x_i
needs all numbers before it, so a sample takes D steps.

Binary data: images are drawn as 0 and 1 with their grey levels as probabilities, the training set
again in each epoch (`binarise="sampled"`) or once (`"fixed"`), validation and test set once.
"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, minibatches
from ...core.training.settings import TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common import row_pictures
from ..common.binary import GREY, bernoulli_nll
from ..common.gradients import by_parameters
from ..common.images import as_images, has_images, sample_sheet
from ..common.rows import flat, rows

Order = Literal["raster", "random"]


class ConditionalSettings(TrainingSettings):
    """Settings of every product of conditionals."""

    binarise: Literal["sampled", "fixed"] = setting(
        "sampled", kinds=GREY, help="how grey levels become 0 and 1"
    )
    schedule: str = "cosine"


class OrderSettings(ConditionalSettings):
    """Settings with a choice of the order of the numbers."""

    order: Order = setting("raster", help="the order in which the numbers of a row are predicted")


class Conditionals(System):
    """A model of binary rows with `logits(x)`: y [N, D], y_i a function of x_1 .. x_{i-1} only.

    `order` holds the position in the image of the 1st, 2nd, ... number: `logits` takes rows in that
    order.
    """

    def __init__(self, inputs: int, s: ConditionalSettings, rng, order: Order = "raster"):
        self.raster = order == "raster"
        natural = np.arange(inputs)
        self.order = natural if self.raster else rng.child("order").permutation(inputs)
        self.s, self.inputs, self.noise = s, inputs, rng.child("noise")

    def logits(self, x):
        """y [N, D] from x [N, D], both in the model's order."""
        raise NotImplementedError(f"{type(self).__name__} has no conditionals")

    def nll(self, x):
        """-ln p(x) of each row, exactly: x [N, D] in the model's order -> [N]."""
        return bernoulli_nll(self.logits(x), x)

    def ordered(self, x):
        """Images or rows as a tensor [N, D] in the model's order."""
        x = rows(x)
        return x if self.raster else x[:, self.order]

    def objective(self, batch):
        """(1/N) Σ_n -ln p(x_n), in nats."""
        return self.nll(self.ordered(batch.x)).mean()

    def evaluate(self, split, size=500):
        """The negative log-likelihood, nats per image."""
        return self.average(lambda b: {"nll": self.objective(b)}, split, size)

    def predictions(self, x, size=500):
        """-ln p(x) of each example, in nats."""
        with gg.no_grad():
            parts = (
                self.nll(self.ordered(self.on_device(Batch(x[i : i + size])).x)).numpy()
                for i in range(0, len(x), size)
            )
            return {"nll": np.concatenate(list(parts))}

    def batches(self, data, size, seed, epoch, start):
        """Minibatches of images, binarised again here with `binarise="sampled"`."""
        for batch in minibatches(data.train, size, seed=seed, epoch=epoch, start=start):
            sampled = self.s.binarise == "sampled"
            yield Batch(self.noise.bernoulli(batch.x)) if sampled else batch

    def draw(self, n: int, rng, given=None, known: int = 0) -> np.ndarray:
        """n rows [n, D] from the model, in the order of the image; drawn number by number.

        With `given` [n, D] the first `known` numbers (in the model's order) are taken from there.
        """
        u = rng.uniform((n, self.inputs))
        x = np.zeros((n, self.inputs), np.float32)
        if given is not None:
            x[:, :known] = given[:, self.order[:known]]
        with gg.no_grad():
            for i in range(known, self.inputs):
                p = gg.sigmoid(self.logits(self._placed(x))[:, i]).numpy()
                x[:, i] = u[:, i] < p
        image = np.empty_like(x)
        image[:, self.order] = x
        return image

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """p(x_i = 1 | x_<i) of each number of images [N, ...], in image order: [N, D]."""
        with gg.no_grad():
            p = gg.sigmoid(self.logits(self.ordered(self._placed(x).data))).numpy()
        image = np.empty_like(p)
        image[:, self.order] = p
        return image

    def _placed(self, x):
        return gg.Tensor(self.on_device(Batch(x)).x)


def sample(system: Conditionals, data: DataSet, n: int, rng):
    """n images drawn pixel by pixel."""
    return sample_sheet(system.draw(n, rng), data, "drawn from the model")


def completions(system: Conditionals, data: DataSet, rng, n: int = 12, times: int = 4):
    """The first half of each test image, and several continuations by the model."""
    x = data.test.x[:n].reshape(n, -1)
    drawn = [system.draw(n, rng, x, system.inputs // 2) for _ in range(times)]
    half = x.copy()
    half[:, system.order[system.inputs // 2 :]] = 0.35
    sheet = as_images(np.concatenate([x, half, *drawn]), data)
    title = f"data / what is given / {times} continuations"
    return pictures.image_sheet(sheet, columns=n, title=title)


def column_nats(x: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The mean of -ln p(x_i) of each column [D]: x [N, D] of 0 and 1, p [N, D] or [D] of x_i = 1.

    >>> column_nats(np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([0.5, 1.0])).round(3).tolist()
    [0.693, -0.0]
    """
    return -np.log(np.clip(np.where(x > 0.5, p, 1 - p), 1e-12, 1)).mean(axis=0)


def nats(system: Conditionals, data: DataSet):
    """-ln p of each column of test rows: alone, by its share of ones, and given those before it."""
    x, train = flat(data.test.x[:2000]), flat(data.train.x)
    share = (train.sum(axis=0) + 0.5) / (len(train) + 1)
    values = {"alone": column_nats(x, share), "given those before": np.zeros(x.shape[1])}
    pieces = [system.probabilities(x[i : i + 500]) for i in range(0, len(x), 500)]
    values["given those before"] = column_nats(x, np.concatenate(pieces).astype(np.float64))
    title = f"what each column of {len(x)} test rows costs"
    return row_pictures.bars(values, data, "nats", title)


def figures(system: Conditionals, data: DataSet, s: ConditionalSettings) -> dict:
    """Samples, continuations of half an image, and what the model expects of each pixel.

    Of rows that are no images: samples, and the nats that each column costs.
    """
    if not has_images(data):
        drawn = sample(system, data, 500, gg.Generator(s.seed).child("sample"))
        return {"samples": drawn, "nats": nats(system, data)}
    rng, x = gg.Generator(s.seed), data.test.x[:12]
    expected = np.concatenate([x.reshape(len(x), -1), system.probabilities(x)])
    return {
        "samples": sample(system, data, 60, rng.child("sample")),
        "completions": completions(system, data, rng.child("completions")),
        "expected": pictures.image_sheet(
            as_images(expected, data), columns=len(x), title="data / p(pixel | pixels before it)"
        ),
    }


def check_of(make, settings: ConditionalSettings, inputs: int = 5):
    """A recipe's `check`: the objective of a small float64 model as a function of its parameters.

    make     (inputs, settings, rng, dtype) -> Conditionals
    """

    def check(rng):
        x = (rng.random((3, inputs)) < 0.5).astype(float)
        system = make(inputs, settings, gg.Generator(3), "float64")
        return by_parameters(system, Batch(x))

    return check
