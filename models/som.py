"""The self-organising map (lecture 1, V0 27-170; lecture 2, D1 209-243).

Neurons w_mh stand on a grid {1..M} x {1..H}. For a sample x, drawn at random:

    winner           (a, b) = argmin_mh ‖x - w_mh‖
    Vorontsov        w_mh += η (x - w_mh) K(r)      for (m, h) in the neighbourhood of (a, b)
    Dyakonov         w_mh += η x K(r)

The first is a gradient step on ½ K ‖x - w‖², and comes to rest among the data. The second adds x
itself: weights grow without end and soon no sample turns them, unless each is divided by its norm
after the step, which makes it the rule of cosine similarity: `normalise` (on here; off is the bare
slide). Its kernel on the slide, exp(-|a-i| + |b-j|), lacks brackets and would grow with |b-j|;
meant is exp(-(|a-i| + |b-j|)), the city-block distance.

As in lecture 1 the weights start at random in ±1/(2MH), η and the kernel's width stay constant
and the neighbourhood is cut off at `radius`. Named settings give what libraries do: `init=pca` or
`sample`, `decay=asymptotic` (both fall as 1/(1 + 2t/T)) or `linear`, `radius=0` for no cut.

The lecture stops when the map is stable; here the number of epochs is fixed, as everywhere.

The pictures:

    density map         the mean distance from w_mh to its k nearest *training points* (V0 146-153);
                        not the distance between neighbouring nodes that libraries draw
    component planes    one map for each feature j: the values (w_mh)_j (V0 150-170)
    class map           the class that wins most often at each node

Figures of merit: the quantisation error, mean ‖x - w_winner‖, and the topographic error, the part
of the samples whose two nearest nodes are not neighbours on the grid. MiniSom prints QE 3.046 for
the scaled digits on 30 x 30 with a triangular kernel; that is the number to reach.
"""

from dataclasses import replace

import numpy as np

from .. import core as gg
from ..core import pictures
from ..core.arrays import xp_of
from ..core.data import DataSet, Split
from ..core.recipe import Recipe, SettingError, Target, expect_choice
from ..core.system import Batch, System
from ..kernels import som as kernel


def grid_offsets(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """|m - m'| and |h - h'| for each pair of nodes, each [M, M]; node number = m·columns + h.

    >>> v, h = grid_offsets(2, 2)
    >>> v[0].tolist(), h[0].tolist()
    ([0, 0, 1, 1], [0, 1, 0, 1])
    """
    m, h = np.divmod(np.arange(rows * columns), columns)
    return np.abs(m[:, None] - m), np.abs(h[:, None] - h)


# K as a function of the vertical and horizontal grid distance and the width σ
KERNELS = {
    "gaussian": lambda v, h, s: np.exp(-(v**2 + h**2) / (2 * s**2)),  # r = √(v² + h²), lecture 1
    "exponential": lambda v, h, s: np.exp(-(v + h) / s),  # city-block, lecture 2 with σ = 1
    "triangle": lambda v, h, s: np.maximum(s - v, 0) * np.maximum(s - h, 0),
    "bubble": lambda v, h, s: (v**2 + h**2 <= s**2).astype(float),
}
# the factor of η and σ when the part t of the training is over
DECAYS = {
    "constant": lambda t: 1.0,
    "asymptotic": lambda t: 1 / (1 + 2 * t),
    "linear": lambda t: 1 - 0.99 * t,
}
INITS = ("lecture", "pca", "sample")
RULES = {"vorontsov": "difference", "dyakonov": "additive"}
CHOICES = {"kernel": KERNELS, "decay": DECAYS, "init": INITS, "update": RULES}


def initial_weights(kind: str, nodes: tuple[int, int], x: np.ndarray, rng) -> np.ndarray:
    """Weights [M, D]: `lecture` U(±1/(2MH)), `sample` random rows of x, `pca` a plane through
    the data along the two main axes, from -σ to σ of each.

    >>> initial_weights("pca", (3, 1), np.array([[2.0, 1.0], [-2.0, 1.0]]), None)[:, 1].tolist()
    [1.0, 1.0, 1.0]
    """
    m, h = nodes
    if kind == "lecture":
        return rng.uniform((m * h, x.shape[1]), -0.5 / (m * h), 0.5 / (m * h))
    if kind == "sample":
        return x[rng.integers(len(x), m * h)].copy()
    centre = x.mean(axis=0)
    _, spread, axes = np.linalg.svd(x - centre, full_matrices=False)
    spread = spread / np.sqrt(len(x))
    along, across = np.meshgrid(np.linspace(-1, 1, m), np.linspace(-1, 1, h), indexing="ij")
    plane = along.reshape(-1, 1) * spread[0] * axes[0] + across.reshape(-1, 1) * spread[1] * axes[1]
    return (centre + plane).astype(x.dtype)


class SOM(System):
    """A map of rows x columns nodes; its weights are a buffer, since no gradient moves them."""

    def __init__(self, x: np.ndarray, s: dict, rng):
        super().__init__()
        for key, known in CHOICES.items():
            expect_choice("som", s, key, known)
        if s["neighbours"] > len(x):
            raise SettingError(f"som: neighbours must be at most {len(x)}; got {s['neighbours']}")
        self.s = s
        self.rule = RULES[s["update"]]
        if self.rule == "additive" and s["normalise"]:
            self.rule = "additive_normalised"
        self.offsets = grid_offsets(s["rows"], s["columns"])
        self.w = gg.Tensor(initial_weights(s["init"], (s["rows"], s["columns"]), x, rng.child("w")))

    def neighbourhood(self, done: float) -> np.ndarray:
        """K [M, M] with the winner as its row, cut off at the radius."""
        v, h = self.offsets
        k = KERNELS[self.s["kernel"]](v, h, self.s["sigma"] * DECAYS[self.s["decay"]](done))
        if self.s["radius"]:
            k = np.where(v**2 + h**2 <= self.s["radius"] ** 2, k, 0.0)
        return k.astype(self.w.dtype)

    def batches(self, data, size, seed, epoch, start):
        """Samples drawn at random, with replacement, as the lecture says; or `shuffled`: the list
        of all draws goes through the samples in turn, in a random order.
        """
        x, n = data.train.x, self.s["draws"] or len(data.train)
        if self.s["shuffled"]:
            whole = gg.Generator(seed).child("draws").permutation(self.s["epochs"] * n) % len(x)
            chosen = whole[epoch * n : (epoch + 1) * n]
        else:
            chosen = gg.Generator(seed).child("draws", epoch).integers(len(x), n)
        for k in range(start * size, n, size):
            yield Batch(x[chosen[k : k + size]])

    def batches_per_epoch(self, data, size):
        """How many minibatches the draws of an epoch make."""
        return -(-(self.s["draws"] or len(data.train)) // size)

    def train_step(self, batch, trainer):
        """The samples of a batch [N, D], one after another; they share one width of the kernel.

        Returns q, the mean ρ² = ‖x - w_winner‖² of the batch, each before its own step.
        """
        xp, n = xp_of(batch.x), len(batch)
        step = 1 / max(1, trainer.batches * trainer.settings["epochs"] * n)
        rates = [
            trainer.settings["lr"] * DECAYS[self.s["decay"]](trainer.done + i * step)
            for i in range(n)
        ]
        table = xp.asarray(self.neighbourhood(trainer.done))[None]
        w, _, d2 = kernel.online(
            self.w.data, batch.x, table, xp.zeros(n, "int64"), xp.asarray(rates, self.w.dtype),
            self.rule,
        )  # fmt: skip
        self.w.assign(w)
        return {"q": float(d2.mean())}

    def winners(self, x) -> tuple[np.ndarray, np.ndarray]:
        """(winner [N], distance [N]) of the rows of x."""
        index, d2 = kernel.winners(xp_of(self.w.data).asarray(x, self.w.dtype), self.w.data)
        return gg.Tensor(index).numpy(), np.sqrt(gg.Tensor(d2).numpy())

    def evaluate(self, split, size=500):
        """Quantisation and topographic error, and with labels the purity of the nodes.

        QE = mean ‖x - w_winner‖; TE = the part of the samples whose two nearest nodes are no
        neighbours; purity = Σ_m max_k n_mk / N with n_mk samples of class k won by node m. The
        split is looked at in pieces of `size` samples.
        """
        pieces = [split.x[i : i + size] for i in range(0, len(split), size)]
        distance = np.concatenate([self.winners(x)[1] for x in pieces])
        apart = sum(self.topographic_error(x) * len(x) for x in pieces)
        found = {"qe": float(distance.mean(dtype=np.float64)), "te": float(apart / len(split))}
        if split.y is not None and split.y.dtype.kind == "i":
            counts = self.class_counts(split)
            found["purity"] = float(counts.max(axis=1).sum() / counts.sum())
        return found

    def topographic_error(self, x) -> float:
        """The part of the rows of x whose two nearest nodes are no neighbours (diagonals count)."""
        d2 = self.distances(x)
        if d2.shape[1] < 2:
            return 0.0
        two = np.argpartition(d2, 1, axis=1)[:, :2]
        v, h = (o[two[:, 0], two[:, 1]] for o in self.offsets)
        return float(np.mean(np.maximum(v, h) > 1))

    def distances(self, x) -> np.ndarray:
        """Squared distances [N, M]."""
        d2 = kernel.distances(xp_of(self.w.data).asarray(x, self.w.dtype), self.w.data)
        return gg.Tensor(d2).numpy()

    def density(self, x, k: int) -> np.ndarray:
        """The mean distance of each node to its k nearest rows of x, as a map [rows, columns]."""
        d2 = np.sort(self.distances(x), axis=0)[: max(1, k)]
        return np.sqrt(d2).mean(axis=0).reshape(self.s["rows"], self.s["columns"])

    def class_counts(self, split) -> np.ndarray:
        """How often each class wins at each node, [M, classes]."""
        winner, _ = self.winners(split.x)
        counts = np.zeros((len(self.w.data), int(split.y.max()) + 1), np.int64)
        np.add.at(counts, (winner, split.y), 1)
        return counts


def prepare(data: DataSet, s: dict) -> DataSet:
    """Rows instead of images; with `whole` the map sees all samples and is judged on them."""
    parts = {"train": data.whole(), "test": data.whole()} if s["whole"] else dict(data.splits())
    flat = {k: Split(v.x.reshape(len(v), -1), v.y) for k, v in parts.items()}
    data = DataSet(data.name, **flat, info=data.info)
    if s["scale"]:
        data = data.standardised()
    if RULES.get(s["update"]) == "additive" and s["normalise"]:

        def unit(x):
            return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12).astype(x.dtype)

        parts = {k: Split(unit(v.x), v.y) for k, v in data.splits()}
        data = DataSet(data.name, **parts, info=data.info)
    return data


def build(data: DataSet, s: dict, rng) -> SOM:
    """The map for a data set."""
    return SOM(data.train.x, s, rng)


def figures(system: SOM, data: DataSet, s: dict) -> dict:
    """Density map, component planes, class map; for images the prototypes."""
    rows, columns = s["rows"], s["columns"]
    found = {
        "density": pictures.heat_map(
            system.density(data.train.x, s["neighbours"]),
            f"density: mean distance to the {s['neighbours']} nearest samples",
            cmap="magma_r",
        )
    }
    planes = system.w.numpy().reshape(rows, columns, -1)
    if data.info.image_shape and data.info.image_shape[0] == 1:
        _, h, w = data.info.image_shape
        images = planes.reshape(-1, h, w)
        low, high = images.min(), images.max()
        found["prototypes"] = pictures.image_sheet(
            (images - low) / max(high - low, 1e-12), columns=columns, title="weights as images",
            scale=6 / columns,
        )  # fmt: skip
    found["components"] = component_planes(planes, data.info.feature_names)
    if data.train.y is not None and data.train.y.dtype.kind == "i":
        found["classes"] = class_map(system.class_counts(data.train), data.info.classes, rows)
    return found


def component_planes(planes: np.ndarray, names, most: int = 16):
    """One map for each feature, for those that vary most over the map."""
    variance = planes.reshape(-1, planes.shape[2]).var(axis=0)
    chosen = np.sort(np.argsort(-variance, kind="stable")[:most])
    across = min(4, len(chosen))
    down = -(-len(chosen) // across)
    fig = pictures.figure(2.3 * across, 2.1 * down)
    axes = np.atleast_1d(fig.subplots(down, across)).reshape(-1)
    for ax in axes:
        ax.set_axis_off()
    for ax, j in zip(axes, chosen):
        ax.imshow(planes[:, :, j], cmap="viridis")
        ax.set_title(names[j] if len(names) > j else f"feature {j}", fontsize=8)
    fig.suptitle("component planes", fontsize=10)
    return fig


def class_map(counts: np.ndarray, classes, rows: int):
    """The most frequent class of each node; the size shows how many samples it won."""
    fig = pictures.figure(4.6, 4.6)
    ax = fig.subplots()
    columns = len(counts) // rows
    m, h = np.divmod(np.arange(len(counts)), columns)
    won = counts.sum(axis=1)
    winner = counts.argmax(axis=1)
    for k in range(counts.shape[1]):
        at = (winner == k) & (won > 0)
        size = 12 + 180 * won[at] / max(1, won.max())
        label = classes[k] if k < len(classes) else str(k)
        ax.scatter(h[at], m[at], s=size, color=pictures.COLOURS[k % 10], label=label)
    ax.invert_yaxis()
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title("the class that wins most often at each node", fontsize=9)
    ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1), markerscale=0.7)
    return fig


def weighted(rng):
    """(x [5, 3], w [6, 3], K(winner_n, m) [5, 6]): a small problem with its winners held fixed."""
    x, w = rng.standard_normal((5, 3)), rng.standard_normal((6, 3))
    k = KERNELS["gaussian"](*grid_offsets(2, 3), 1.0)
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


def ignored(s: dict) -> dict:
    """What has no effect: all that belongs to gradients, and `normalise` in Vorontsov's rule."""
    why = "on a self-organising map, whose rate is lr times `decay`"
    found = dict.fromkeys(("schedule", "optimiser", "clip", "weight_decay"), why)
    if RULES.get(s["update"]) == "difference":
        found["normalise"] = "with update=vorontsov"
    return found


SETTINGS = {
    "rows": 12, "columns": 12, "update": "vorontsov", "normalise": True, "init": "lecture",
    "kernel": "gaussian", "sigma": 1.5, "radius": 3.0, "decay": "constant", "draws": 0,
    "shuffled": False,
    "neighbours": 5, "scale": True, "whole": True, "lr": 0.1, "batch": 25, "epochs": 20,
}  # fmt: skip

VORONTSOV = Recipe(
    name="som",
    title="Self-organising map, Vorontsov's update",
    lecture="lecture 1 (V0 105-170)",
    rows=(3, 5, 6),
    build=build,
    prepare=prepare,
    settings=SETTINGS,
    presets={
        "digits": {"scale": False},
        "iris": {"rows": 8, "columns": 8, "batch": 10, "epochs": 60},
        "house_votes_84": {"rows": 8, "columns": 8, "scale": False, "epochs": 60},
    },
    metric="qe",
    targets=(
        Target(
            "digits 30 x 30, quantisation error", "digits", "qe", "3.046 (MiniSom)", 3.046,
            settings={
                "scale": True, "rows": 30, "columns": 30, "kernel": "triangle", "sigma": 4.0,
                "radius": 0.0, "init": "pca", "decay": "asymptotic", "lr": 0.5, "draws": 1000,
                "shuffled": True,
                "epochs": 5,
            },
            source="MiniSom, examples: handwritten digits",
            note="all 1797 samples, scaled; 5000 draws; QE on the same samples, as there",
        ),
    ),
    least={"rows": 1, "columns": 1, "radius": 0, "draws": 0, "neighbours": 1},
    positive=("sigma",),
    ignored=ignored,
    figures=figures,
    check=check,
)  # fmt: skip
DYAKONOV = replace(
    VORONTSOV,
    name="som-dyakonov",
    title="Self-organising map, Dyakonov's update",
    lecture="lecture 2 (D1 209-243)",
    rows=(4, 5, 6),
    settings={**SETTINGS, "update": "dyakonov", "kernel": "exponential", "sigma": 1.0,
              "radius": 0.0, "scale": False},
    targets=(),
    check=check_additive,
)  # fmt: skip
RECIPES = (VORONTSOV, DYAKONOV)
