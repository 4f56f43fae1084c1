"""What sequences are asked for: the tasks of the recurrent systems.

What the read-out a_t means and what it costs, by what the labels of a data set are:

    data                            task      a_t is                         loss
    frames in {0,1}^K, no labels    Frames    logits of the keys at t+1      -Σ_k ln p(x_{t+1,k})
    one long text, no labels        Text      logits of the symbol at t+1    -ln p(x_{t+1})
    strings with the legal symbols  Legal     a logit for each next symbol   cross-entropies, Σ_k
    a^n b^n, a^n b^n c^n            Counting  the same
    a class for each sequence       Labels    logits of the classes, t = T   -ln p(y)
    a number for each sequence      Values    the number, t = T              (a_T - y)²

Images are scanned row by row. Arrays are [T, N, ...], time first; a mask [T, N] says which steps
exist, and those alone count.
"""

import numpy as np

from .. import core as gg
from ..core import nn, pictures
from ..core.arrays import xp_of
from ..core.data import DataSet, Split, count, minibatches, pad, windows
from ..core.recipe import SettingError
from ..core.system import Batch
from .sequence_pictures import confusion, legal_table, page, piano_rolls


def bernoulli_nll(logits, y):
    """-ln p(y) = Σ_k softplus(a_k) - a_k y_k over the last axis: one binary variable for each k."""
    return nn.losses.binary_cross_entropy_with_logits(logits, y, "none").sum(axis=-1)


def outputs_on(system, split, size=500):
    """(batch, outputs) over a split in its order, without a tape; a text's state is carried on."""
    state = None
    with gg.no_grad():
        for batch in system.task.held_out(split, size):
            batch = system.on_device(batch)
            outputs, state = system(batch.x, state if system.task.carries else None, batch.mask)
            yield batch, outputs


def answers(system, split):
    """(batch, outputs as NumPy array) over a split."""
    return ((batch, outputs.numpy()) for batch, outputs in outputs_on(system, split))


def steps(system, x, n: int):
    """Outputs one step at a time, n times: x() is asked for each input [1, 1, ...]."""
    state = None
    for _ in range(n):
        with gg.no_grad():
            z, state = system(x(), state)
        yield z.numpy()


class Task:
    """Data as batches, time first; the loss of each unit; further figures of each unit.

    A unit is a step where `at_end` is false and a sequence where it is true.
    """

    symbols = False  # are the inputs numbers of symbols?
    at_end = False  # is only the last step read out?
    carries = False  # does a batch go on where the one before it stopped?
    inputs: int
    outputs: int

    def __init__(self, data: DataSet, s: dict):
        self.inputs = self.outputs = data.train.x[0].shape[1]

    def batch(self, split: Split) -> Batch:
        """The sequences of a split, padded to one length."""
        raise NotImplementedError

    def training(self, split, size, seed, epoch, start):
        """The minibatches of an epoch from number `start` on."""
        return map(self.batch, minibatches(split, size, seed=seed, epoch=epoch, start=start))

    def per_epoch(self, split, size) -> int:
        return count(len(split), size)

    def held_out(self, split, size):
        """A split in its order."""
        return map(self.batch, minibatches(split, size, shuffle=False))

    def losses(self, outputs, batch):
        """The loss of each unit: [T, N], or [N] at the end of sequences."""
        return bernoulli_nll(outputs, batch.y)

    def scores(self, z, batch) -> dict:
        """Further figures from the outputs' array, one value for each sequence or step."""
        return {}

    def summary(self, values: dict[str, np.ndarray]) -> dict[str, float]:
        """Figures of a split from the values of all its units."""
        return {k: float(v.mean(dtype="float64")) for k, v in values.items()}

    def ticks(self, x) -> list:
        """What to write under the steps of x [T, 1, I], if anything."""
        return []

    def draw(self, system, data, s) -> dict:
        """{name: figure} of what the system does on the test split."""
        raise NotImplementedError

    def sample(self, system, data, n, rng):
        """A figure of what the system makes up."""
        raise SettingError(f"{data.name}: its labels are predicted; there is nothing to generate")


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
        x, mask = pad([piece[:-1] for piece in split.x])
        return Batch(x, pad([piece[1:] for piece in split.x])[0], mask)

    def draw(self, system, data, s):
        piece = data.test.x[0]
        x = piece[:-1, None]
        with gg.no_grad():
            p = gg.sigmoid(system(x)[0]).numpy()[:, 0]
        rolls = {"the piece": piece[1:], "p(key at t+1 | frames up to t)": p}
        return {
            "piano_roll": piano_rolls(rolls),
            "sample": self.sample(system, data, 64, gg.Generator(s["seed"]).child("sample")),
        }

    def sample(self, system, data, n, rng):
        frames = [data.test.x[0][0]]
        for z in steps(system, lambda: frames[-1][None, None], n):
            frames.append(rng.bernoulli(gg.sigmoid(gg.Tensor(z[0, 0])).numpy()))
        return piano_rolls({"made up, from the first frame of a test piece": np.stack(frames)})


class Text(Task):
    """The next symbol of one long text."""

    symbols = carries = True
    rows = 10  # held-out text is read in so many rows at once, each starting from a zero state

    def __init__(self, data, s):
        self.inputs = self.outputs = len(data.info.vocabulary)
        self.steps = s["steps"]

    def training(self, split, size, seed, epoch, start):
        return (Batch(x, y) for x, y in windows(split.x, size, self.steps, start))

    def per_epoch(self, split, size):
        return count((len(split) - 1) // size, self.steps)

    def held_out(self, split, size):
        return (Batch(x, y) for x, y in windows(split.x, min(self.rows, len(split) - 1), 200))

    def losses(self, outputs, batch):
        return nn.losses.cross_entropy(outputs, batch.y, "none")

    def summary(self, values):
        nll = float(values["loss"].mean(dtype="float64"))
        return {"loss": nll, "bits": nll / np.log(2), "perplexity": float(np.exp(nll))}

    def draw(self, system, data, s):
        return {"sample": self.sample(system, data, 600, gg.Generator(s["seed"]).child("sample"))}

    def sample(self, system, data, n, rng):
        tokens = [int(data.train.x[-1])]
        for z in steps(system, lambda: np.array([[tokens[-1]]]), n):
            p = gg.softmax(gg.Tensor(z[0, 0].astype("float64"))).numpy()
            at = int(np.searchsorted(p.cumsum(), rng.uniform((), dtype="float64")))
            tokens.append(min(at, len(p) - 1))
        words = data.info.vocabulary.decode(tokens[1:])
        letters = np.mean([len(w) == 1 for w in data.info.vocabulary.words]) > 0.5
        return page(("" if letters else " ").join(words).replace("<eos>", "\n"))


class Legal(Task):
    """Which symbols may come next. y holds two arrays: what is trained, and what is legal.

    target "legal"   all legal symbols are trained; a step is right if p > 1/2 just for these
    target "next"    the symbol that came is trained; a step is right if every legal symbol has a
                     larger output than every other one (Hochreiter & Schmidhuber 1997, 5.1)

    A string counts as solved if all its steps are right.
    """

    def __init__(self, data, s):
        super().__init__(data, s)
        self.target, self.names = s["target"], data.info.feature_names
        if self.target not in ("legal", "next"):
            raise SettingError(f"target must be legal or next; got {self.target!r}")

    def batch(self, split):
        x, mask = pad([string[:-1] for string in split.x])
        legal = pad([string[:-1] for string in split.y])[0]
        target = legal if self.target == "legal" else pad([string[1:] for string in split.x])[0]
        return Batch(x, np.stack([target, legal]), mask)

    def losses(self, outputs, batch):
        return bernoulli_nll(outputs, batch.y[0])

    def right(self, z, batch):
        """Is the whole string right? Booleans [N]."""
        legal, xp = batch.y[1] > 0, xp_of(z)
        if self.target == "legal":
            steps_right = ((z > 0) == legal).all(axis=-1)
        else:
            least = xp.where(legal, z, np.inf).min(axis=-1)
            steps_right = least > xp.where(legal, -np.inf, z).max(axis=-1)
        return (steps_right | (batch.mask == 0)).all(axis=0)

    def scores(self, z, batch):
        return {"solved": self.right(z, batch)}

    def ticks(self, x):
        return [self.names[k] for k in x[:, 0].argmax(axis=1)]

    def draw(self, system, data, s):
        batch = self.batch(data.test[:1])
        with gg.no_grad():
            p = gg.sigmoid(system(batch.x)[0]).numpy()[:, 0]
        return {"legal": legal_table(p, batch.y[1][:, 0], batch.x[:, 0], self.names)}

    def sample(self, system, data, n, rng):
        """Strings up to the end symbol, drawn from the symbols with p > 1/2, or by p.

        The end symbol may stand inside too (E in embedded Reber strings): it is counted.
        """
        lines, k = [], len(self.names)
        first = data.train.x[0].argmax(axis=1).tolist()
        end, ends = first[-1], first.count(first[-1])
        for _ in range(n):
            string = first[:1]
            for z in steps(system, lambda s=string: np.eye(k, dtype="f4")[[[s[-1]]]], 200):
                p = gg.sigmoid(gg.Tensor(z[0, 0])).numpy()
                p = np.where(p > 0.5, 1.0, 1e-9) if self.target == "legal" else p
                u = rng.uniform((), dtype="float64") * p.sum()
                string.append(min(int(np.searchsorted(p.cumsum(), u)), k - 1))
                if string.count(end) == ends:
                    break
            lines.append("".join(self.names[i] for i in string))
        return page("\n".join(lines))


class Counting(Legal):
    """`largest_n`: every n from the split's smallest up to this one is solved; else one below it.

    Source: Gers & Schmidhuber 2001.
    """

    def scores(self, z, batch):
        return {"solved": self.right(z, batch), "n": batch.x[:, :, 1].sum(axis=0)}

    def summary(self, values):
        n, right = values.pop("n"), values["solved"]
        order = np.argsort(n)
        solved = np.cumprod(right[order]).sum()
        return {**super().summary(values), "largest_n": float(n.min() - 1 + solved)}

    def draw(self, system, data, s):
        return super().draw(system, DataSet(data.name, data.train, test=data.train[-1:]), s)


class AtEnd(Task):
    """One answer for each sequence, at its last step."""

    at_end = True

    def __init__(self, data, s):
        self.symbols = data.train.x[0].dtype.kind in "iu"
        if self.symbols:
            self.inputs = len(data.info.vocabulary)
        else:
            self.inputs = scanned(data.train[:1].x)[0].shape[1]

    def batch(self, split):
        x = scanned(split.x)
        if isinstance(x, list):
            return Batch(*pad(x)[:1], split.y, pad(x)[1])
        return Batch(np.ascontiguousarray(x.swapaxes(0, 1)), split.y)


class Labels(AtEnd):
    """The class of a sequence."""

    def __init__(self, data, s):
        super().__init__(data, s)
        self.outputs = len(data.info.classes)

    def losses(self, outputs, batch):
        return nn.losses.cross_entropy(outputs, batch.y, "none")

    def scores(self, z, batch):
        return {"error": 100.0 * (z.argmax(axis=1) != batch.y)}

    def draw(self, system, data, s):
        z = np.concatenate([z for _, z in answers(system, data.test)])
        table = np.zeros((self.outputs, self.outputs), int)
        np.add.at(table, (data.test.y, z.argmax(axis=1)), 1)
        return {"confusion": confusion(table, data.info.classes)}


class Values(AtEnd):
    """The number or numbers that belong to a sequence; `within`: the share with |error| < 0.04."""

    def __init__(self, data, s):
        super().__init__(data, s)
        self.outputs = data.train.y.shape[1]

    def losses(self, outputs, batch):
        return nn.losses.mse(outputs, batch.y, "none").mean(axis=1)

    def scores(self, z, batch):
        return {"within": (abs(z - batch.y) < 0.04).all(axis=1)}

    def draw(self, system, data, s):
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
    "ab_counting": Counting, "abc_counting": Counting,
}  # fmt: skip


def task_for(data: DataSet, s: dict) -> Task:
    """The task that a data set asks, by its name or by what its labels are."""
    x, y = data.train.x, data.train.y
    if isinstance(x, np.ndarray) and x.ndim == 2:
        raise SettingError(f"{data.name} is a table; a recurrent net needs sequences or images")
    if y is None:
        kind = "tokens" if x[0].ndim == 0 else "frames"
    elif isinstance(y, list):
        kind = "legal"
    else:
        kind = "labels" if y.dtype.kind in "iu" else "values"
    return TASKS.get(data.name, TASKS[kind])(data, s)


def scanned(x):
    """Images [N, C, H, W] as sequences of rows [N, H, C·W]; sequences as they are."""
    if isinstance(x, np.ndarray) and x.ndim == 4:
        n, c, h, w = x.shape
        return x.swapaxes(1, 2).reshape(n, h, c * w)
    return x
