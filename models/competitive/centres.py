"""What all competitive learning shares (lecture 1, V0 27-142): centres that samples pull.

Centres w_1 .. w_K in the space of the data; a sample belongs to the nearest one,

    a(x) = argmin_y ρ(x, w_y),        ρ(x, w) = ‖x - w‖

and the criterion is Q(w) = mean_i ρ²(x_i, w_a(x_i)). The lecture calls it the mean distance within
clusters and writes a sum over the ℓ samples; here it is the mean, so that it can be compared with
its running estimate, one sample's ρ² at a time.

wta.py, wtm.py, k_means.py and som.py differ in which centres a sample moves, and how far:

    online   x_n one after another:  w_y += η K_y (x_n - w_y),  each with the current weights
    batch    all winners first:      w_y  = Σ_n K_{a(n),y} x_n / Σ_n K_{a(n),y}

The lecture goes on "until Q and/or w are stable". With `tolerance` above 0 training ends after the
epoch whose Q, as reported in training, differs from that of the epoch before by less than this
fraction; with 0, the default, training runs every epoch. Since samples are drawn at random, Q
fluctuates even if w does not change, by half a per cent on the digits: a smaller tolerance is met
by chance.

Metrics: `q`, the criterion; `qe`, the quantisation error mean ρ; `dead`, the number of centres that
win no sample; and with labels `purity` = Σ_y max_k n_yk / N, n_yk samples of class k won by centre
y.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of
from ...core.data import DataSet, Split
from ...core.data.mapped import Mapped
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System
from ...kernels import som as kernel

# K as a function of the vertical and horizontal distance, r = √(v² + h²), and the width σ
KERNELS = {
    "gaussian": lambda v, h, s: np.exp(-(v**2 + h**2) / (2 * s**2)),
    "exponential": lambda v, h, s: np.exp(-(v + h) / s),  # city-block, lecture 2 with σ = 1
    "triangle": lambda v, h, s: np.maximum(s - v, 0) * np.maximum(s - h, 0),
    "bubble": lambda v, h, s: (v**2 + h**2 <= s**2).astype(float),
}
Kernel = Literal["gaussian", "exponential", "triangle", "bubble"]
# the factor of η and σ when the fraction t of the training is done
DECAYS = {
    "constant": lambda t: 1.0,
    "asymptotic": lambda t: 1 / (1 + 2 * t),
    "linear": lambda t: 1 - 0.99 * t,
}
Decay = Literal["constant", "asymptotic", "linear"]
PICTURED = 5000  # rows of a file that pictures show


# ---------------------------------------------------------------------- initial centres


def small_weights(x: np.ndarray, count: int, rng) -> np.ndarray:
    """Near zero, whatever the data: uniform in ±1/(2·count), as lecture 1 starts a map."""
    return rng.uniform((count, x.shape[1]), -0.5 / count, 0.5 / count)


def sample_weights(x: np.ndarray, count: int, rng) -> np.ndarray:
    """Random rows of x; no row twice as long as there are enough."""
    return x[rng.permutation(-(-count // len(x)) * len(x))[:count] % len(x)].copy()


def spread_weights(x: np.ndarray, count: int, rng) -> np.ndarray:
    """k-means++ (Arthur & Vassilvitskii 2007): rows of x, each drawn with a probability in
    proportion to its squared distance from the nearest row chosen before. This is the greedy form
    of the libraries: of 2 + ln(count) draws the one with the smallest Q is taken.

    >>> sorted(spread_weights(np.array([[0.0], [0.0], [9.0]]), 2, gg.Generator(0))[:, 0].tolist())
    [0.0, 9.0]
    """
    chosen = [int(rng.integers(len(x), 1)[0])]
    nearest = distances_to(x, x[chosen])[:, 0].astype("float64")
    for u in rng.uniform((count - 1, 2 + int(np.log(count))), dtype="float64"):
        total = nearest.cumsum()
        drawn = np.searchsorted(total, u * total[-1], side="right")
        drawn = np.minimum(drawn, len(x) - 1)  # if all distances are 0, any row will do
        left = np.minimum(nearest[:, None], distances_to(x, x[drawn]))
        best = int(left.sum(axis=0).argmin())
        chosen.append(int(drawn[best]))
        nearest = left[:, best]
    return x[chosen].copy()


def distances_to(x, w) -> np.ndarray:
    """Squared distances [N, M] of the rows of x to w; of rows in a file a block at a time."""
    if isinstance(x, Mapped):
        return np.concatenate([kernel.distances(block, w) for block in x.blocks()])
    return kernel.distances(x, w)


INITS = {"lecture": small_weights, "sample": sample_weights, "k-means++": spread_weights}
Init = Literal["lecture", "sample", "k-means++"]


# --------------------------------------------------------------------------- the settings


def without_gradients(why: str) -> dict[str, str]:
    """The inherited settings that no system here uses: the `idle` of its settings."""
    return dict.fromkeys(("schedule", "optimiser", "clip", "weight_decay"), why)


class CompetitiveSettings(TrainingSettings):
    """Settings of every system of centres."""

    tolerance: float = setting(
        0.0, least=0, help="relative change of Q that ends training, 0 for none"
    )
    scale: bool = setting(False, help="each feature shifted to mean 0 and scaled to spread 1")
    whole: bool = setting(False, help="train and judge on all samples, without a split")


class OnlineSettings(CompetitiveSettings):
    """Settings of a system that takes samples one after another."""

    decay: Decay = setting("constant", help="how the rate η and the width σ fall in training")
    draws: int = setting(0, least=0, help="samples drawn in an epoch, 0 for as many as there are")
    shuffled: bool = setting(False, help="go through the samples in turn, in a random order")


class KohonenSettings(
    OnlineSettings,
    idle=without_gradients("on competitive learning, whose rate is lr times `decay`"),
):
    """Settings of a Kohonen net, wta.py or wtm.py."""

    centres: int = setting(10, least=1, help="number of units K")
    init: Init = setting("sample", help="initial values of the weights w")
    lam: float = setting(1e-3, above=0, help="weight λ of each sample in the running estimate of Q")
    batch: int = 50
    epochs: int = 30

    def check(self):
        """Check that λ is at most 1."""
        if self.lam > 1:
            raise SettingError(f"lam must be at most 1, the last sample alone; got {self.lam}")


KOHONEN_PRESETS = {
    "iris": {"centres": 3, "scale": True, "whole": True, "batch": 10},
    "house_votes_84": {"centres": 2, "whole": True, "batch": 10},
    "mnist": {"epochs": 5},
    "fashion_mnist": {"epochs": 5},
    "table": {"scale": True, "batch": 10},
}


# --------------------------------------------------------------------------- the system


class Competitive(System):
    """Centres w [M, D]; they are a buffer, since no gradient moves them.

    `batches` draws single samples with replacement, as the lecture says. If `shuffled`, the draws
    go through all samples in a random order, again and again. `draws` is the length of an epoch, 0
    for as many as there are samples.
    """

    def __init__(self, w: np.ndarray, s: CompetitiveSettings):
        super().__init__()
        self.w, self.s = gg.Tensor(w), s

    def batches(self, data, size, seed, epoch, start):
        """The draws of an epoch, `size` at a time."""
        x, n = data.train.x, self.s.draws or len(data.train)
        if self.s.shuffled:
            whole = gg.Generator(seed).child("draws").permutation(self.s.epochs * n) % len(x)
            chosen = whole[epoch * n : (epoch + 1) * n]
        else:
            chosen = gg.Generator(seed).child("draws", epoch).integers(len(x), n)
        for k in range(start * size, n, size):
            yield Batch(x[chosen[k : k + size]])

    def batches_per_epoch(self, data, size):
        """The number of minibatches in the draws of an epoch."""
        return -(-(self.s.draws or len(data.train)) // size)

    def finished(self, training):
        """True if Q is stable: |Q - Q'| < tolerance · Q', Q of this epoch, Q' of the last."""
        q = [row["q"] for row in training.history[-2:] if "q" in row]
        return len(q) == 2 and abs(q[1] - q[0]) < self.s.tolerance * q[0]

    def rates(self, training, n: int) -> np.ndarray:
        """η for each of the next n samples."""
        step = 1 / max(1, training.batches * training.settings.epochs * n)
        fall = DECAYS[self.s.decay]
        return np.array([training.settings.lr * fall(training.done + i * step) for i in range(n)])

    def online(self, x, k: np.ndarray, rates: np.ndarray, rule: str = "difference"):
        """One sample of x [N, D] after another: w_m += η_n K[winner_n, m] (x_n - w_m).

        Returns ρ² [N] of each sample to its winner, before its own step.
        """
        xp, w = xp_of(x), self.w.data
        table, rates = (xp.asarray(a, w.dtype) for a in (k[None], rates))
        w, _, d2 = kernel.online(w, x, table, xp.zeros(len(x), "int64"), rates, rule)
        self.w.assign(w)
        return d2

    def winners(self, x, w=None) -> tuple[np.ndarray, np.ndarray]:
        """(winner [N], distance [N]) of the rows of x among the centres, or among others, w."""
        w = self.w.data if w is None else w
        if isinstance(x, Mapped):
            return tuple(map(np.concatenate, zip(*(self.winners(b, w) for b in x.blocks()))))
        index, d2 = kernel.winners(xp_of(w).asarray(x, w.dtype), w)
        return gg.Tensor(index).numpy(), np.sqrt(gg.Tensor(d2).numpy())

    def predictions(self, x):
        """The winner of each sample, and its distance."""
        winner, distance = self.winners(x)
        return {"winner": winner, "distance": distance}

    def distances(self, x, w=None) -> np.ndarray:
        """Squared distances [N, M] of the rows of x to the centres, or to others, w."""
        w = self.w.data if w is None else w
        d2 = kernel.distances(xp_of(w).asarray(x, w.dtype), w)
        return gg.Tensor(d2).numpy()

    def class_counts(self, split) -> np.ndarray:
        """How often each class wins at each centre, [M, classes]."""
        winner, _ = self.winners(split.x)
        counts = np.zeros((len(self.w.data), int(split.y.max()) + 1), np.int64)
        np.add.at(counts, (winner, split.y), 1)
        return counts

    def evaluate(self, split, size=500):
        """q, qe, dead and, with labels, purity: see the page."""
        winner, rho = self.winners(split.x)
        rho = rho.astype(np.float64)
        figures = {
            "q": float((rho**2).mean()),
            "qe": float(rho.mean()),
            "dead": float(len(self.w.data) - len(np.unique(winner))),
        }
        if has_classes(split):
            counts = self.class_counts(split)
            figures["purity"] = float(counts.max(axis=1).sum() / counts.sum())
        return figures


def has_classes(split) -> bool:
    """True if there are labels that name classes."""
    return split.y is not None and split.y.dtype.kind == "i"


def held_winners(x, w):
    """½ Σ_i ‖x_i - w_a(x_i)‖² as a function of the centres; the winners stay those of `w`."""
    winner = kernel.winners(x, w)[0]

    def f(centres):
        d = gg.Tensor(x) - centres[winner]
        return (d * d).sum() * 0.5

    return f


def batch_step(w, x, k, rule: str = "difference"):
    """(new w [M, D], ρ² [N] at the old w): each centre becomes the mean of the samples, weighted by
    the winner's row of K [M, M]; a centre that no sample pulls stays.

    It is `kernels.som.update` at rate 1 with every column of K divided by its sum over the samples.
    For a `rule` other than the difference, the step of that rule is divided by the same sums.

    >>> w, x = np.array([[0.0], [9.0], [50.0]]), np.array([[1.0], [3.0], [8.0]])
    >>> batch_step(w, x, np.eye(3))[0][:, 0].tolist()
    [2.0, 8.0, 50.0]
    """
    xp = xp_of(w)
    winner, d2 = kernel.winners(x, w)
    total = xp.bincount(winner, minlength=len(w)).astype(w.dtype) @ k
    return kernel.update(w, x, winner, k / xp.where(total == 0, 1, total), 1.0, rule), d2


def batch_sums(w, x, k, rule: str = "difference") -> list:
    """What samples x [N, D] add to a batch step: [winners of each centre [M], steps [M, D], Σ ρ²].

    steps_m = Σ_n K(c_n, m) (x_n - w_m), or x_n for the additive rules. They are sums over samples,
    so shards of them add up; `batch_moved` makes the step.
    """
    xp = xp_of(w)
    winner, d2 = kernel.winners(x, w)
    counts = xp.bincount(winner, minlength=len(w)).astype(w.dtype)
    rule = "difference" if rule == "difference" else "additive"
    steps = kernel.update(w, x, winner, k, 1.0, rule) - w
    return [counts, steps, d2.sum(dtype="float64").reshape(1)]


def batch_moved(w, counts, steps, k, rule: str = "difference"):
    """The new w [M, D] of `batch_step`, from the sums over all samples.

    >>> w, x, k = np.array([[0.0], [9.0], [50.0]]), np.array([[1.0], [3.0], [8.0]]), np.eye(3)
    >>> halves = [batch_sums(w, part, k) for part in (x[:2], x[2:])]
    >>> counts, steps, _ = (a + b for a, b in zip(*halves))
    >>> batch_moved(w, counts, steps, k)[:, 0].tolist()
    [2.0, 8.0, 50.0]
    """
    xp = xp_of(w)
    total = counts @ k
    new = w + steps / xp.where(total == 0, 1, total)[:, None]
    if rule == "additive_normalised":
        norm = xp.sqrt((new * new).sum(axis=1, keepdims=True))
        new /= xp.where(norm == 0, 1, norm)
    return new


def lloyd(x, w, steps: int = 100):
    """The centres [K, D] that Lloyd's algorithm reaches from w in at most `steps` steps.

    >>> x = np.array([[0.0], [1.0], [10.0], [12.0]])
    >>> lloyd(x, np.array([[0.0], [1.0]]))[:, 0].tolist()
    [0.5, 11.0]
    """
    one_each = np.eye(len(w), dtype=w.dtype)
    for _ in range(steps):
        before, (w, _) = w, batch_step(w, x, one_each)
        if (before == w).all():
            break
    return w


# ------------------------------------------------------------------------------- the data


def prepare(data: DataSet, s: CompetitiveSettings) -> DataSet:
    """Rows instead of images; with `whole` all samples are the training part, and judged."""
    if s.whole and any(isinstance(v.x, Mapped) for _, v in data.splits()):
        raise SettingError(f"{data.name} stays in its file, in parts: set whole=false")
    parts = {"train": data.whole()} if s.whole else dict(data.splits())
    flat = {k: Split(v.x.reshape(len(v), -1), v.y) for k, v in parts.items()}
    data = DataSet(data.name, **flat, info=data.info)
    return data.standardised() if s.scale else data


def all_samples(data: DataSet, s: CompetitiveSettings) -> Batch:
    """The training set as one minibatch. SettingError where it stays in a file, and is not cut."""
    if isinstance(data.train.x, Mapped) and s.shards == 1:
        raise SettingError(
            f"a step takes all samples, and {data.name} stays in its file: with shards=S one part"
            " in S is in memory at a time; got shards=1"
        )
    return Batch(data.train.x)


def pictured(data: DataSet) -> DataSet:
    """The data for pictures: of rows that stay in a file, a few thousand, spread over all of it."""

    def few(split: Split) -> Split:
        if not isinstance(split.x, Mapped):
            return split
        part = split[np.arange(0, len(split), -(-len(split) // PICTURED))]
        return Split(part.x.read(), part.y) if isinstance(part.x, Mapped) else part

    return replace(data, **{name: few(split) for name, split in data.splits()})


def expect_centres(name: str, count: int, x) -> None:
    """SettingError if there are more centres than samples."""
    if count > len(x):
        raise SettingError(f"{name}: centres must be at most {len(x)}; got {count}")
