"""Few-shot learning: new classes from one or a few examples of each (lecture 1, V0 449-469).

The lecture defines, for tasks t ∈ T with ℓ_t examples each:

    learnability        a task is solved better, the larger ℓ_t
    learning to learn   each task is solved better, the larger ℓ_t and the number of tasks |T|
    few-shot learning   a few examples are enough for a new task, sometimes one

It names no method. Ours are two that learn one f(x) from all tasks and train nothing for a new one:
the vectors of its examples are all that they need. A task is an episode: `ways` classes, `shots`
examples S of each, and `queries` other images of each, which are classified by comparing f of them
with f of the examples ::

    prototypical   c_k = mean of f(x_i), (x_i, k) ∈ S          p(k|x) = softmax_k(-‖f(x) - c_k‖²)
    matching       a_i(x) = softmax_i cos(f(x), f(x_i))        p(k|x) = Σ_{i: y_i = k} a_i(x)

(Snell, Swersky & Zemel 2017; Vinyals et al. 2016, without their full context embeddings.) Either is
trained by the mean of -ln p(y|x) over the queries of episodes of the training classes; f is the
convolutional net of both papers, models/common/convolutional_encoder.py.

Of the classes of a set the first 3/5 are for training, the next 1/5 for validation and the last for
the test, which takes the images of its test part. Of `omniglot` the last alphabet is for
validation, and the test is that of Lake et al. (2015): 20 runs, each with one image of each of 20
characters of a new alphabet, and 20 images by another drawer to be classified. `rotate` takes
characters turned by 90, 180 and 270 degrees for new classes, as both papers do; `classes` takes the
first few training classes only.

Figures, in per cent, of `trials` episodes of held-out classes with `test_shots` examples ::

    error           wrong answers, and `spread`, its standard error over the episodes
    error_pixels    of the class of the nearest image by pixels: the baseline
    runs, runs_pixels       the same of the 20 runs, after training on Omniglot

The pictures: an episode and its answers; the error over the number of examples of validation
classes (learnability), next to that of pixels. Learning to learn, the gain from more tasks, is the
picture `sweep` of multi_task.py.

The number: 38.8 % wrong in the 20 runs, by the Hausdorff distance of the images (Lake et al. 2015).
Siamese nets reach 8.0 % (Koch et al. 2015), people 4.5 %: but those nets learn from the whole
background set of 964 characters, ours from 110 of four alphabets.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common.convolutional_encoder import convolutional_encoder
from ..common.gradients import by_parameters
from ..common.shifts import shifted
from .few_shot_data import apart, episode, expect_episodes, rows_by_class, runs_of, shrunk
from .few_shot_pictures import figures


class Settings(TrainingSettings, idle={"batch": "on few-shot: a step takes one episode"}):
    """Settings of a net for episodes."""

    form: Literal["prototypical", "matching"] = setting(
        "prototypical", help="how a query is compared with the examples"
    )
    channels: tuple[int, ...] = setting(
        (64, 64, 64, 64), least=1, some=True, help="maps of each level of f"
    )
    ways: int = setting(20, least=2, help="classes of a training episode")
    shots: int = setting(1, least=1, help="examples of each class in a training episode")
    queries: int = setting(5, least=1, help="images of each class to be classified")
    episodes: int = setting(100, least=1, help="training episodes of an epoch")
    test_ways: int = setting(0, least=0, help="classes of a held-out episode, 0 for all")
    test_shots: int = setting(1, least=1, help="examples of each class in a held-out episode")
    trials: int = setting(200, least=2, help="held-out episodes that are scored")
    classes: int = setting(0, least=0, help="the first training classes that are used, 0 for all")
    rotate: bool = setting(False, help="turned images are further training classes")
    shift: int = setting(0, least=0, help="most pixels that a training image moves either way")
    shrink: int = setting(1, least=1, help="side of the blocks of pixels that are averaged")
    schedule: str = "cosine"

    def check(self):
        """Check that a held-out episode leaves a choice."""
        if self.test_ways == 1:
            raise SettingError("test_ways=1 leaves no choice: at least 2, or 0 for all classes")


class FewShot(System):
    """f: images x [N, C, H, W] -> z [N, D], compared as `form` says. The part is `f`."""

    whole = "an episode is one sample: its queries are compared with all of its examples"

    def __init__(self, image, s: Settings, rng, dtype="float32", runs=None):
        self.s, self.runs = s, runs
        self.f, _ = convolutional_encoder(
            "few-shot", image, s.channels, rng.child("f"), dtype, batch_norm=True
        )

    def objective(self, batch):
        """(the mean of -ln p(y|x) over the queries, {"accuracy": share of right answers}).

        x [ways (shots + queries), C, H, W]: the examples of the first class, of the second ...,
        then the queries; y [ways queries] their classes, 0 .. ways - 1.
        """
        s, n = self.s, self.s.ways * self.s.shots
        z = self.f(gg.Tensor(batch.x))
        log_p = log_probabilities(s.form, z[:n], z[n:], s.ways)
        right = (log_p.data.argmax(axis=1) == batch.y).mean()
        return nn.losses.nll(log_p, batch.y), {"accuracy": right}

    def batches_per_epoch(self, data, size):
        """The number of episodes."""
        return self.s.episodes

    def batches(self, data, size, seed, epoch, start):
        """Episodes of the training classes, each a function of (seed, epoch, number)."""
        s, rows = self.s, rows_by_class(data.train.y)
        for number in range(start, s.episodes):
            rng = gg.Generator(seed).child("episode", epoch, number)
            chosen, turns = episode(rows, s.ways, s.shots + s.queries, rng, 4 if s.rotate else 1)
            x = data.train.x[chosen]  # [ways, shots + queries, C, H, W]
            x = np.stack([np.rot90(c, k, axes=(2, 3)) for c, k in zip(x, turns)])
            x = [part.reshape(-1, *x.shape[2:]) for part in (x[:, : s.shots], x[:, s.shots :])]
            x = np.concatenate(x)
            x = shifted(x, s.shift, rng) if s.shift else x
            yield Batch(x, np.repeat(np.arange(s.ways), s.queries))

    def codes(self, x: np.ndarray, size: int = 500) -> np.ndarray:
        """z [N, D] of any number of images, without a tape."""
        with gg.no_grad():
            parts = (self.on_device(Batch(x[i : i + size])).x for i in range(0, len(x), size))
            return np.concatenate([self.f(gg.Tensor(part)).numpy() for part in parts])

    def answers(self, examples: np.ndarray, queries: np.ndarray, ways: int) -> np.ndarray:
        """The class of each query [M]: of codes, `examples` [ways shots, D] class by class."""
        both = gg.Tensor(examples), gg.Tensor(queries)
        return log_probabilities(self.s.form, *both, ways).numpy().argmax(axis=1)

    def scores(self, split: Split, shots: int, size: int = 500) -> np.ndarray:
        """Per cent of wrong answers [2, trials], by codes and by pixels, of the same episodes.

        They are of the classes that have more images than `shots`; where the smallest of these
        has less than `queries` others, all others are asked for.
        """
        s = self.s
        rows = [r for r in rows_by_class(split.y) if len(r) > shots]
        ways = min(s.test_ways or len(rows), len(rows))
        queries = min(s.queries, min(map(len, rows)) - shots)
        z, pixels = self.codes(split.x, size), split.x.reshape(len(split), -1)
        wrong, y = np.zeros((2, s.trials)), np.repeat(np.arange(ways), queries)
        for n in range(s.trials):
            rng = gg.Generator(0).child("trial", n)
            chosen, _ = episode(rows, ways, shots + queries, rng)
            known, asked = chosen[:, :shots].ravel(), chosen[:, shots:].ravel()
            guess = self.answers(z[known], z[asked], ways)
            near = nearest_class(pixels[known], pixels[asked], ways)
            wrong[:, n] = (guess != y).mean(), (near != y).mean()
        return 100 * wrong

    def evaluate(self, split, size=500):
        """The page's figures of episodes of a split."""
        wrong = self.scores(split, self.s.test_shots, size)
        return {
            "error": float(wrong[0].mean()),
            "spread": float(wrong[0].std(ddof=1) / wrong.shape[1] ** 0.5),
            "error_pixels": float(wrong[1].mean()),
        }

    def evaluate_finished(self, split):
        """Those of `evaluate`, and the errors in the 20 runs where there are any.

        Raises SettingError for None: of sets with alphabets no class is held out for a test.
        """
        if split is None:
            raise SettingError("few-shot holds out no class of these data for a test")
        return self.evaluate(split) | (self.run_errors() if self.runs is not None else {})

    def run_errors(self) -> dict[str, float]:
        """Per cent of wrong answers in the one-shot runs, by codes and by pixels."""
        wrong = []
        for known, asked, y in zip(self.runs.train, self.runs.test, self.runs.answer):
            guess = self.answers(self.codes(known), self.codes(asked), len(known))
            pixels = (a.reshape(len(a), -1) for a in (known, asked))
            wrong.append([(guess != y).mean(), (nearest_class(*pixels, len(known)) != y).mean()])
        ours, pixels = 100 * np.mean(wrong, axis=0)
        return {"runs": float(ours), "runs_pixels": float(pixels)}


def log_probabilities(form: str, examples, queries, ways: int):
    """ln p(k|x) [M, ways] of queries [M, D] by examples [ways shots, D], class by class.

    >>> s, q = gg.tensor([[0.0, 1.0], [2.0, 1.0]]), gg.tensor([[0.0, 1.0]])
    >>> [round(p, 3) for p in log_probabilities("prototypical", s, q, 2).numpy()[0].tolist()]
    [-0.018, -4.018]
    """
    d = examples.shape[1]
    if form == "prototypical":
        c = examples.reshape(ways, -1, d).mean(axis=1)
        distance = ((queries.reshape(-1, 1, d) - c) ** 2).sum(axis=2)
        return gg.log_softmax(-distance)
    cosine = unit(queries) @ gg.transpose(unit(examples))
    a = gg.log_softmax(cosine)
    return gg.logsumexp(a.reshape(len(queries), ways, -1), axis=2)


def unit(z):
    """Rows divided by their length."""
    return z / ((z * z).sum(axis=1, keepdims=True) + 1e-12).sqrt()


def nearest_class(examples: np.ndarray, queries: np.ndarray, ways: int) -> np.ndarray:
    """The class of the nearest example [ways shots, D], class by class, to each query [M, D].

    >>> nearest_class(np.array([[0.0], [1.0], [5.0], [6.0]]), np.array([[4.0]]), 2).tolist()
    [1]
    """
    near = np.square(queries[:, None] - examples).sum(axis=2).argmin(axis=1)
    return near // (len(examples) // ways)


def prepare(data: DataSet, s: Settings) -> DataSet:
    """Classes apart (few_shot_data.py); Omniglot's runs are then in ``info.extra["runs"]``."""
    if data.train.x.ndim != 4:
        raise SettingError(f"few-shot: {data.name} has no images [N, C, H, W]")
    runs = runs_of(data, s.shrink)
    found = shrunk(apart(data, s.classes), s.shrink)
    most = found.train.x.shape[2:]
    if s.shift >= min(most) or (s.rotate and most[0] != most[1]):
        raise SettingError(
            f"few-shot: images {found.train.x.shape[1:]} cannot be moved by {s.shift} pixels, or"
            " turned if they are not square"
        )
    train = -(-s.ways // 4) if s.rotate else s.ways
    expect_episodes(found, train, s.shots + s.queries, s.test_ways or 2, s.test_shots + 1)
    return replace(found, info=replace(found.info, extra={**found.info.extra, "runs": runs}))


def build(data: DataSet, s: Settings, rng) -> FewShot:
    """The net for images whose classes are apart."""
    return FewShot(data.train.x.shape[1:], s, rng, runs=data.info.extra["runs"])


def check(rng, form="prototypical", **changes):
    """The objective of a small net as a function of its parameters, for gradcheck."""
    small = {"channels": (2, 3), "ways": 3, "shots": 2, "queries": 1}
    s = Settings(form=form, **{**small, **changes})
    system = FewShot((1, 4, 4), s, gg.Generator(3), dtype="float64")
    n = s.ways * (s.shots + s.queries)
    y = np.repeat(np.arange(s.ways), s.queries)
    return by_parameters(system, Batch(rng.standard_normal((n, 1, 4, 4)), y))


SOURCE = "Lake, Salakhutdinov & Tenenbaum 2015"
FEW_SHOT = Recipe(
    name="few-shot",
    title="Few-shot learning: prototypical and matching nets",
    lecture="lecture 1 (V0 449-469)",
    rows=(60,),
    build=build,
    prepare=prepare,
    settings=Settings,
    data="glyphs",
    presets={
        "glyphs": {
            "channels": (16, 32, 64), "shift": 1, "epochs": 12, "episodes": 40, "queries": 3,
            "lr": 2e-3,
        },
        "digits": {
            "channels": (32, 64), "ways": 5, "queries": 10, "epochs": 8, "episodes": 50,
            "lr": 2e-3,
        },
        "omniglot": {
            "shrink": 5, "test_ways": 20, "epochs": 40, "episodes": 100, "shift": 1, "lr": 2e-3,
        },
        "images": {"channels": (32, 64), "ways": 3, "epochs": 10},
    },
    metric="error",
    targets=(
        Target(
            "Omniglot, 20 one-shot runs of 20 characters: error, %", "omniglot", "runs",
            "38.8 (modified Hausdorff distance)", 38.8, source=SOURCE, seeds=3,
            protocol="the Hausdorff distance learns nothing; ours learns from 110 characters of 4"
            " alphabets. From far more: Siamese nets 8.0 in these runs (964 characters; Koch et al."
            " 2015); in other 20-way one-shot episodes prototypical nets 4.0, matching nets 6.2",
            note="the nearest image by pixels, as we measure it: 81.0",
        ),
    ),
    figures=figures,
    check=check,
)  # fmt: skip
RECIPES = (FEW_SHOT,)
