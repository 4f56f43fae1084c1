"""The self-organising map (lecture 1, V0 105-170; lecture 2, D1 209-243).

Each neuron w_mh has a place (m, h) on a grid {1..M} x {1..H}. For a sample x, drawn at random:

    winner           (a, b) = argmin_mh ‖x - w_mh‖
    Vorontsov        w_mh += η (x - w_mh) K(r)      for (m, h) in the neighbourhood of (a, b)
    Dyakonov         w_mh += η x K(r)

The first is a gradient step on ½ K ‖x - w‖², and its weights stay among the data. The second adds
x itself: weights grow without limit, and soon no sample changes their direction. Dividing each by
its norm after the step makes it the rule of cosine similarity: `normalise` (the default; off is the
slide as written). Its kernel on the slide, exp(-|a-i| + |b-j|), lacks brackets and would grow with
|b-j|; exp(-(|a-i| + |b-j|)) is meant, the city-block distance.

As in lecture 1 the grid is rectangular, the weights start at random in ±1/(2MH), η and the
kernel's width are constant, the neighbourhood is cut off at `radius` and samples come one by one.
Settings give the forms of libraries:

    grid=hexagonal, torus=true      six equal neighbours; no border (grid.py)
    init=pca, sample, k-means++     a plane along the two main axes of the data; rows of the data
    decay=asymptotic, linear        η and σ both fall as 1/(1 + 2t/T), or to a hundredth
    radius=0                        no cut
    form=batch                      Kohonen's batch map, an epoch a step and no rate:
                                    w_m = Σ_n K(c_n, m) x_n / Σ_n K(c_n, m),  c_n the winner of x_n
                                    (Vorontsov; Dyakonov adds that mean to w_m, then normalises)

The lecture stops when the map is stable: `tolerance` is the relative change of Q between epochs
that counts as stable (centres.py); with 0, the default, training runs every epoch.

The pictures (som_pictures.py):

    density         the mean distance from w_mh to its k nearest *training points* (V0 146-153);
                    not the distance between neighbouring nodes that libraries draw, `u_matrix`
    components      one map for each feature j, of more than 16 those that vary most: the values
                    (w_mh)_j (V0 150-170), after one of the classes, whose border is drawn on all
    classes         every sample as a dot at its winner, coloured by class: the parties of
                    house-votes-84, which training does not see

and two warnings of the lecture's (V0 172-187, som_subjective.py):

    subjective      other draws of the same samples, another start or kernel make another map
    distortion      where neighbours were torn apart, and strangers put together

Metrics: those of centres.py, and the topographic error `te`, the share of samples whose two nearest
nodes are not neighbours on the grid (eight on a rectangular grid, diagonals included, six on a
hexagonal one, across the border of a torus). MiniSom prints QE 3.046 for the
scaled digits on 30 x 30 with a triangular kernel; that is the number to reach.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of
from ...core.data import DataSet, Split
from ...core.data.mapped import Mapped
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, setting
from ...kernels import som as kernel
from . import centres, som_pictures, som_subjective
from .centres import (
    DECAYS,
    INITS,
    KERNELS,
    Competitive,
    Init,
    Kernel,
    OnlineSettings,
    batch_moved,
    batch_step,
    batch_sums,
    without_gradients,
)
from .grid import Grid, Kind

RULES = {"vorontsov": "difference", "dyakonov": "additive"}
Update = Literal["vorontsov", "dyakonov"]
PIECE = 32  # nodes whose distances to all samples are computed together


class Settings(
    OnlineSettings,
    idle=without_gradients("on a self-organising map, whose rate is lr times `decay`"),
):
    """Settings of a map: its grid, the update rule, the kernel of the neighbourhood."""

    rows: int = setting(12, least=1, help="rows M of the grid")
    columns: int = setting(12, least=1, help="columns H of the grid")
    grid: Kind = setting("rectangular", help="where the nodes are")
    torus: bool = setting(False, help="join the borders of the grid")
    update: Update = setting("vorontsov", help="what a sample adds to a weight")
    normalise: bool = setting(
        True, when=("update", "dyakonov"), help="divide samples and weights by their norm"
    )
    init: Literal[Init, "pca"] = setting("lecture", help="initial values of the weights w")
    kernel: Kernel = setting("gaussian", help="how the pull K falls with the distance r")
    sigma: float = setting(1.5, above=0, help="width σ of K, in steps of the grid")
    radius: float = setting(3.0, least=0, help="distance r where K is cut off, 0 for no cut")
    form: Literal["online", "batch"] = setting(
        "online", help="a step for each sample, or one for all of an epoch"
    )
    neighbours: int = setting(5, least=1, help="nearest samples k that the density averages over")
    scale: bool = True
    whole: bool = True
    epochs: int = 20
    lr: float = setting(0.1, least=0, when=("form", "online"), help="rate η")
    batch: int = setting(
        25, least=1, when=("form", "online"), help="samples that share one width of K"
    )
    draws: int = setting(
        0, least=0, when=("form", "online"), help="samples drawn in an epoch, 0 for all of them"
    )
    shuffled: bool = setting(
        False, when=("form", "online"), help="go through the samples in turn, in a random order"
    )

    def check(self):
        """Check that the grid exists."""
        Grid(self.rows, self.columns, self.grid, self.torus)


class DyakonovSettings(Settings):
    """Settings of the additive rule, with the kernel of lecture 2."""

    update: Update = "dyakonov"
    kernel: Kernel = "exponential"
    sigma: float = 1.0
    radius: float = 0.0
    scale: bool = False


def initial_weights(kind: str, nodes: tuple[int, int], x: np.ndarray, rng) -> np.ndarray:
    """Initial weights [M, D]. `pca` is a plane through the data along the two main axes: the rows
    of the grid go from -σ to σ of the first, the columns of the second. Others: centres.INITS.

    >>> initial_weights("pca", (3, 1), np.array([[2.0, 1.0], [-2.0, 1.0]]), None)[:, 1].tolist()
    [1.0, 1.0, 1.0]
    """
    m, h = nodes
    if kind != "pca":
        return INITS[kind](x, m * h, rng)
    centre = x.mean(axis=0)
    _, spread, axes = np.linalg.svd(x - centre, full_matrices=False)
    spread = spread / np.sqrt(len(x))
    along, across = np.meshgrid(np.linspace(-1, 1, m), np.linspace(-1, 1, h), indexing="ij")
    plane = along.reshape(-1, 1) * spread[0] * axes[0] + across.reshape(-1, 1) * spread[1] * axes[1]
    return (centre + plane).astype(x.dtype)


class SOM(Competitive):
    """A map of rows x columns nodes."""

    def __init__(self, x: np.ndarray, s: Settings, rng):
        if s.neighbours > len(x):
            raise SettingError(f"som: neighbours must be at most {len(x)}; got {s.neighbours}")
        self.grid = Grid(s.rows, s.columns, s.grid, s.torus)
        super().__init__(initial_weights(s.init, (s.rows, s.columns), x, rng.child("w")), s)
        self.rule = RULES[s.update]
        if self.rule == "additive" and s.normalise:
            self.rule = "additive_normalised"
        self.offsets = self.grid.offsets

    def neighbourhood(self, done: float) -> np.ndarray:
        """K [M, M] with the winner as its row, cut off at the radius."""
        v, h = self.offsets
        k = KERNELS[self.s.kernel](v, h, self.s.sigma * DECAYS[self.s.decay](done))
        if self.s.radius:
            k = np.where(v**2 + h**2 <= self.s.radius**2, k, 0.0)
        return k.astype(self.w.dtype)

    def batches(self, data, size, seed, epoch, start):
        """Drawn samples, `size` at a time; in batch form the whole training set at once."""
        if self.s.form == "online":
            yield from super().batches(data, size, seed, epoch, start)
        elif start == 0:
            yield centres.all_samples(data, self.s)

    def batches_per_epoch(self, data, size):
        """The number of minibatches in an epoch; one in batch form."""
        return 1 if self.s.form == "batch" else super().batches_per_epoch(data, size)

    def train_step(self, batch, training):
        """The samples of a batch [N, D], which share one width of the kernel.

        Returns q, the mean ρ² = ‖x - w_winner‖², computed before each step (or that of the batch).
        """
        k = self.neighbourhood(training.done)
        if self.s.form == "online":
            d2 = self.online(batch.x, k, self.rates(training, len(batch)), self.rule)
            return {"q": float(d2.mean())}
        w, k, shards = self.w.data, xp_of(self.w.data).asarray(k), training.shards
        if shards.whole:
            new, d2 = batch_step(w, batch.x, k, self.rule)
            self.w.assign(new)
            return {"q": float(d2.mean())}
        found = shards.total(batch, lambda part: batch_sums(w, part.x, k, self.rule))
        counts, steps, squares = found
        self.w.assign(batch_moved(w, counts, steps, k, self.rule))
        return {"q": float(squares[0]) / len(batch)}

    @property
    def whole(self) -> str:
        """Why samples cannot be shared out; in batch form they can, and their sums are added up."""
        if self.s.form == "batch":
            return ""
        return "samples come one by one, each to the nodes that the one before it has moved"

    def evaluate(self, split, size=500):
        """The metrics of every system, and te; computed in pieces of `size` samples."""
        found = super().evaluate(split, size)
        cut = isinstance(split.x, Mapped)
        pieces = split.x.blocks() if cut else np.split(split.x, range(size, len(split), size))
        apart = sum(self.topographic_error(x) * len(x) for x in pieces)
        return {**found, "te": float(apart / len(split))}

    def topographic_error(self, x) -> float:
        """The share of rows of x whose two nearest nodes are not neighbours on the grid."""
        d2 = self.distances(x)
        if d2.shape[1] < 2:
            return 0.0
        two = np.argpartition(d2, 1, axis=1)[:, :2]
        return float(np.mean(~self.grid.neighbours[two[:, 0], two[:, 1]]))

    def nearest(self, x, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest rows of x of each node, and their distances: [k, M] and [k, M]."""
        index, rho = [], []
        for first in range(0, len(self.w.data), PIECE):
            d2 = self.distances(x, self.w.data[first : first + PIECE])
            near = np.argpartition(d2, k - 1, axis=0)[:k]
            index.append(near)
            rho.append(np.sqrt(np.take_along_axis(d2, near, axis=0)))
        return np.concatenate(index, axis=1), np.concatenate(rho, axis=1)

    def density(self, x, k: int) -> np.ndarray:
        """The mean distance of each node to its k nearest rows of x: [M]."""
        return self.nearest(x, k)[1].mean(axis=0)

    def u_matrix(self) -> np.ndarray:
        """The mean distance of each node's weights to those of its neighbours on the grid: [M]."""
        near = self.grid.neighbours
        rho = np.sqrt(self.distances(self.w.numpy()))
        return (rho * near).sum(axis=1) / np.maximum(near.sum(axis=1), 1)

    def shares(self, split, k: int) -> np.ndarray:
        """The share of each class among the k nearest samples of each node: [M, classes]."""
        label = split.y[self.nearest(split.x, k)[0]]
        return (label[:, :, None] == np.arange(int(split.y.max()) + 1)).mean(axis=0)


def prepare(data: DataSet, s: Settings) -> DataSet:
    """Rows, scaled if requested; for the additive rule with `normalise`, divided by their norms."""
    data = centres.prepare(data, s)
    if RULES[s.update] == "additive" and s.normalise:

        def unit(x):
            return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12).astype(x.dtype)

        data = replace(data, **{k: Split(unit(v.x), v.y) for k, v in data.splits()})
    return data


def build(data: DataSet, s: Settings, rng) -> SOM:
    """The map for a data set."""
    return SOM(data.train.x, s, rng)


def pictures(system, data: DataSet, s: Settings) -> dict:
    """Those of som_pictures.py and som_subjective.py."""
    data = centres.pictured(data)
    return som_pictures.figures(system, data, s) | som_subjective.figures(system, data, s)


def weighted(rng):
    """(x [5, 3], w [6, 3], K(winner_n, m) [5, 6]): a small problem with fixed winners."""
    x, w = rng.standard_normal((5, 3)), rng.standard_normal((6, 3))
    k = KERNELS["gaussian"](*Grid(2, 3).offsets, 1.0)
    return x, w, k[kernel.winners(x, w)[0]]


def check(rng):
    """½ Σ_n Σ_m K(winner_n, m) ‖x_n - w_m‖², whose negative gradient is Vorontsov's step."""
    x, w, k = weighted(rng)

    def f(weights):
        d = gg.Tensor(x[:, None, :]) - weights
        return (gg.Tensor(k) * (d * d).sum(axis=2)).sum() * 0.5

    return f, [w]


def check_additive(rng):
    """-Σ_n Σ_m K(winner_n, m) <x_n, w_m>, whose negative gradient is Dyakonov's step."""
    x, w, k = weighted(rng)

    def f(weights):
        return -(gg.Tensor(k) * gg.linear(gg.Tensor(x), weights)).sum()

    return f, [w]


VORONTSOV = Recipe(
    name="som",
    title="Self-organising map, Vorontsov's update",
    lecture="lecture 1 (V0 105-170)",
    rows=(3, 5, 6),
    build=build,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={
        "digits": {"scale": False},
        "iris": {"rows": 8, "columns": 8, "batch": 10, "epochs": 60},
        "house_votes_84": {"rows": 8, "columns": 8, "scale": False, "epochs": 60},
        "table": {"scale": True},
        "binary": {"scale": False},
    },
    metric="qe",
    targets=(
        Target(
            "digits 30 x 30, quantisation error",
            "digits",
            "qe",
            "3.046 (MiniSom)",
            3.046,
            settings={
                "scale": True,
                "rows": 30,
                "columns": 30,
                "kernel": "triangle",
                "sigma": 4.0,
                "radius": 0.0,
                "init": "pca",
                "decay": "asymptotic",
                "lr": 0.5,
                "draws": 1000,
                "shuffled": True,
                "epochs": 5,
            },
            source="MiniSom, examples: handwritten digits",
            note="all 1797 samples, scaled; 5000 draws; QE on the same samples, as there",
        ),
    ),
    figures=pictures,
    check=check,
)
DYAKONOV = replace(
    VORONTSOV,
    name="som-dyakonov",
    title="Self-organising map, Dyakonov's update",
    lecture="lecture 2 (D1 209-243)",
    rows=(4, 5, 6),
    settings=DyakonovSettings,
    targets=(),
    check=check_additive,
)
RECIPES = (VORONTSOV, DYAKONOV)
