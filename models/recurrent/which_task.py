"""The tasks of the recurrent systems: what a net predicts for a data set.

The labels of a data set decide the meaning of the read-out a_t and its loss:

    data                            task      a_t is                         loss
    frames in {0,1}^K, no labels    Frames    logits of the keys at t+1      -Σ_k ln p(x_{t+1,k})
    one long text, no labels        Text      logits of the symbol at t+1    -ln p(x_{t+1})
    strings with the legal symbols  Legal     a logit for each next symbol   cross-entropies, Σ_k
    a^n b^n, a^n b^n c^n            Counting  the same
    a class for each sequence       Labels    logits of the classes, t = T   -ln p(y)
    a number for each sequence      Values    the number, t = T              mean (a_T - y)²

Images are scanned row by row. Arrays are [T, N, ...], time first; a mask [T, N] says which steps
exist; only those count.
"""

import numpy as np

from ... import core as gg
from ...core import nn, pictures
from ...core.data import DataSet, count, pad, windows
from ...core.training.settings import SettingError
from ...core.training.system import Batch
from ..common.confusion import confusion
from .formal_languages import Counting, Legal
from .sequence_data import GENERATED
from .sequence_pictures import page, piano_rolls
from .task import Task, TaskSettings, answers, steps


class Frames(Task):
    """Frame t+1 from the frames up to t: frames 2 .. T of every piece are predicted."""

    def __init__(self, data, s):
        super().__init__(data, s)
        for name, split in data.splits():
            for n, x in enumerate(split.x):
                if len(x) < 2 or not ((x == 0) | (x == 1)).all():
                    raise SettingError(
                        f"{data.name}: {name} sequence {n} must have at least two frames of 0 and 1"
                    )

    def batch(self, split):
        """x [T, N, K]: frames 1 .. T of each piece; y [T, N, K]: those one later; the mask."""
        x, mask = pad([piece[:-1] for piece in split.x])
        return Batch(x, pad([piece[1:] for piece in split.x])[0], mask, len(split))

    def draw(self, system, data, s):
        """The first test piece over the probabilities of its keys, and a generated piece."""
        piece = data.test.x[0]
        x = piece[:-1, None]
        with gg.no_grad():
            p = gg.sigmoid(system(x)[0]).numpy()[:, 0]
        rolls = {"the piece": piece[1:], "p(key at t+1 | frames up to t)": p}
        return {
            "piano_roll": piano_rolls(rolls),
            "sample": self.sample(system, data, 64, gg.Generator(s.seed).child("sample")),
        }

    def sample(self, system, data, n, rng):
        """n frames, each drawn from p(frame | those before), starting from one of a test piece."""
        frames = [data.test.x[0][0]]
        for z in steps(system, lambda: frames[-1][None, None], n):
            frames.append(rng.bernoulli(gg.sigmoid(gg.Tensor(z[0, 0])).numpy()))
        return piano_rolls({"made up, from the first frame of a test piece": np.stack(frames)})


class Text(Task):
    """The next symbol of one long text: x [T, N] and y [T, N] numbers of symbols, N rows."""

    reads = ("embed", "steps")
    symbols = carries = True
    rows = 10  # number of rows in which held-out text is read, each starting from a zero state

    def __init__(self, data, s):
        self.inputs = self.outputs = len(data.info.vocabulary)
        self.steps = s.steps
        if s.batch >= len(data.train):
            raise SettingError(
                f"{data.name}: batch must be below the {len(data.train)} symbols of the text; got"
                f" {s.batch}"
            )

    def training(self, split, size, seed, epoch, start):
        """Windows of `steps` steps of `size` rows, in the order of the text."""
        return (Batch(x, y, samples=size) for x, y in windows(split.x, size, self.steps, start))

    def per_epoch(self, split, size):
        """The number of windows in a row."""
        return count((len(split) - 1) // size, self.steps)

    def held_out(self, split, size):
        """Windows of 200 steps of `rows` rows."""
        rows = min(self.rows, len(split) - 1)
        return (Batch(x, y, samples=rows) for x, y in windows(split.x, rows, 200))

    def losses(self, outputs, batch):
        """-ln p(y) by the softmax over the symbols: [T, N, K], y [T, N] -> [T, N]."""
        return nn.losses.cross_entropy(outputs, batch.y, "none")

    def summary(self, values):
        """Mean loss in nats per symbol, the same in bits, and perplexity exp(loss)."""
        nll = float(values["loss"].mean(dtype="float64"))
        return {"loss": nll, "bits": nll / np.log(2), "perplexity": float(np.exp(nll))}

    def draw(self, system, data, s):
        """600 generated symbols."""
        return {"sample": self.sample(system, data, 600, gg.Generator(s.seed).child("sample"))}

    def sample(self, system, data, n, rng):
        """n symbols, each drawn from p(symbol | those before)."""
        tokens = [int(data.train.x[-1])]
        for z in steps(system, lambda: np.array([[tokens[-1]]]), n):
            p = gg.softmax(gg.Tensor(z[0, 0].astype("float64"))).numpy()
            at = int(np.searchsorted(p.cumsum(), rng.uniform((), dtype="float64")))
            tokens.append(min(at, len(p) - 1))
        words = data.info.vocabulary.decode(tokens[1:])
        letters = np.mean([len(w) == 1 for w in data.info.vocabulary.words]) > 0.5
        return page(("" if letters else " ").join(words).replace("<eos>", "\n"))


class AtEnd(Task):
    """One answer for each sequence, at its last step; `answer` says what it is."""

    at_end = True
    answer: str

    def __init__(self, data, s):
        self.symbols = data.train.x[0].dtype.kind in "iu"
        if self.symbols:
            self.inputs, self.reads = len(data.info.vocabulary), ("embed",)
        else:
            self.inputs = scanned(data.train[:1].x)[0].shape[1]

    def batch(self, split):
        """x [T, N, I] (or symbols [T, N]), y [N, ...], and a mask if lengths differ."""
        x, mask = scanned(split.x), None
        if isinstance(x, list):
            x, mask = pad(x)
        else:
            x = np.ascontiguousarray(x.swapaxes(0, 1))
        return Batch(x, split.y, mask, len(split))


class Labels(AtEnd):
    """The class of a sequence."""

    answer = "logits"

    def __init__(self, data, s):
        super().__init__(data, s)
        self.outputs = len(data.info.classes)

    def losses(self, outputs, batch):
        """-ln p(y) by the softmax: [N, K], y [N] -> [N]."""
        return nn.losses.cross_entropy(outputs, batch.y, "none")

    def scores(self, z, batch):
        """`error`: 100 if the class with the largest logit is wrong, [N]."""
        return {"error": 100.0 * (z.argmax(axis=1) != batch.y)}

    def draw(self, system, data, s):
        """The confusion matrix of the test split."""
        z = np.concatenate([z for _, z in answers(system, data.test)])
        return {"confusion": confusion(data.test.y, z.argmax(axis=1), data.info.classes)}


class Values(AtEnd):
    """The number or numbers that belong to a sequence; `within`: the share with |error| < 0.04."""

    answer = "value"

    def __init__(self, data, s):
        super().__init__(data, s)
        self.outputs = data.train.y.shape[1]

    def losses(self, outputs, batch):
        """(1/K) Σ_k (a_Tk - y_k)²: [N, K], [N, K] -> [N]."""
        return nn.losses.mse(outputs, batch.y, "none").mean(axis=1)

    def scores(self, z, batch):
        """`within`: 1 if all |a_Tk - y_k| < 0.04, [N]."""
        return {"within": (abs(z - batch.y) < 0.04).all(axis=1)}

    def draw(self, system, data, s):
        """Answers plotted over targets of the test split."""
        z = np.concatenate([z for _, z in answers(system, data.test)])
        fig = pictures.figure(4.4, 4.2)
        ax = fig.subplots()
        ax.plot(data.test.y[:, 0], z[:, 0], ".", ms=3, color=pictures.INK)
        ends = [data.test.y.min(), data.test.y.max()]
        ax.plot(ends, ends, color=pictures.ACCENT, lw=1)
        ax.set(xlabel="target", ylabel="answer", title=f"{data.name}: test sequences")
        return {"answers": fig}


TASKS = {
    "frames": Frames, "tokens": Text, "legal": Legal, "labels": Labels, "values": Values,
    "counting": Counting,
}  # fmt: skip


def task_for(data: DataSet, s: TaskSettings) -> Task:
    """The task of a data set, by its name or by the kind of its labels.

    Raises SettingError for tables, and for changed settings that this task does not use.
    """
    x, y = data.train.x, data.train.y
    if not isinstance(x, list) and x.ndim == 2:
        raise SettingError(f"{data.name} is a table; a recurrent net needs sequences or images")
    if y is None:
        kind = "tokens" if x[0].ndim == 0 else "frames"
    elif isinstance(y, list):
        kind = "counting" if data.name.endswith("_counting") else "legal"
    else:
        kind = "labels" if y.dtype.kind in "iu" else "values"
    task = TASKS[kind](data, s)
    reads = {*task.reads, *(() if task.carries else ("reach",))}
    reads |= set(GENERATED[data.name].reads if data.name in GENERATED else ())
    plain = TaskSettings()
    for key in TaskSettings.__annotations__:
        value = getattr(s, key)
        if key not in reads and value != getattr(plain, key):
            raise SettingError(f"setting {key!r} has no effect on {data.name}; got {value!r}")
    return task


def scanned(x):
    """Images [N, C, H, W] as sequences of rows [N, H, C·W]; sequences as they are."""
    if not isinstance(x, list) and x.ndim == 4:
        n, c, h, w = x.shape
        return x.swapaxes(1, 2).reshape(n, h, c * w)
    return x
