"""Two warnings about maps (lecture 1, V0 172-187): they are subjective, and they distort.

`subjective`: maps of the same samples, each with one thing changed that the data do not decide: the
order in which samples are drawn, the start, the width and the form of the kernel, and, beyond the
lecture, the length of training. Clusters stay together; where they lie, and which are next to each
other, does not. `distortion`: where on the map neighbours were torn apart, and where strangers were
put together (distortion.py).
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, Split
from ...core.training.loop import fit
from .centres import has_classes
from .distortion import of_map
from .som_pictures import border, cells, class_colours, size

MOST_SAMPLES = 400  # of a map that is trained for the picture
MOST_PAIRED = 1000  # samples whose distances are compared
NEAR = 10  # neighbours of a sample


def few(split: Split, most: int) -> Split:
    """At most `most` rows, spread over the whole split."""
    return split[:: -(-len(split) // most)]


def near(n: int) -> int:
    """The number of neighbours to look at among n samples; 0 for too few samples."""
    return min(NEAR, (n - 1) // 2)


def figures(system, data: DataSet, s) -> dict:
    """Both pictures; none for fewer than three samples."""
    if not near(len(few(data.train, MOST_SAMPLES))):
        return {}
    return {"subjective": subjective(system, data, s), "distortion": distortion(system, data)}


# ---------------------------------------------------------------------- maps side by side


def variants(s, columns: int) -> dict[str, tuple[dict, int]]:
    """Caption -> (changed settings, what is added to the seed of the start), for such data."""
    other = "bubble" if s.kernel == "gaussian" else "gaussian"
    found = {
        "as set": ({}, 0),
        "other draws of samples": ({"seed": s.seed + 1}, 0),
        "another random start": ({}, 1),
        "start at two main axes": ({"init": "pca"}, 0),
        "kernel twice as wide": ({"sigma": 2 * s.sigma, "radius": 2 * s.radius}, 0),
        "half as wide": ({"sigma": s.sigma / 2, "radius": s.radius / 2}, 0),
        f"{other} kernel": ({"kernel": other}, 0),
        "three times as long": ({"epochs": 3 * s.epochs}, 0),
    }
    if s.form == "batch":  # all samples at once, in no order
        del found["other draws of samples"]
    if s.init == "pca":
        del found["another random start"]
    if s.init == "pca" or columns < 2:
        del found["start at two main axes"]
    return found


def trained(system, data: DataSet, s, changes: dict, start: int):
    """A map like `system`, trained with some settings changed."""
    start += s.seed
    s = s.changed(**changes, neighbours=min(s.neighbours, len(data.train)))
    other = type(system)(data.train.x, s, gg.Generator(start))
    fit(other, data, s)
    return other


def subjective(system, data: DataSet, s):
    """Maps of the same samples by one setting each, with their errors."""
    split = few(data.train, MOST_SAMPLES)
    part = DataSet(data.name, split, info=data.info)
    made = variants(s, split.x.shape[1])
    wide, high = size(system.grid, 2.0)
    across = 4
    down = -(-len(made) // across)
    fig = pictures.figure(across * (wide + 0.3), down * (high + 0.65) + 0.3)
    axes = fig.subplots(down, across, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    hues = None if has_classes(split) else plane(split.x)
    for ax, (caption, (changes, start)) in zip(axes.flat, made.items()):
        other = trained(system, part, s, changes, start)
        if hues is None:
            shares = other.shares(split, other.s.neighbours)
            cells(ax, other.grid, colours=class_colours(shares))
            border(ax, other.grid, shares.argmax(axis=1), 1.0)
        else:
            cells(ax, other.grid, colours=hues(other.w.numpy()))
        false, torn = of_map(other, split.x, near(len(split)))
        errors = f"T {1 - false.mean():.3f}, C {1 - torn.mean():.3f}"
        ax.set_title(f"{caption}\n{errors}", fontsize=8)
    fig.suptitle(
        f"{len(split)} samples, one thing changed each; T trustworthiness, C continuity",
        fontsize=9,
    )
    return fig


def plane(x: np.ndarray):
    """A function from weights [M, D] to colours [M, 3] by their place on the plane of x's two main
    axes, so that like weights have like colours on all maps."""
    centre = x.mean(axis=0)
    axes = np.linalg.svd(x - centre, full_matrices=False)[2][:2]
    spread = np.abs((x - centre) @ axes.T).max(axis=0) + 1e-12

    def colours(w):
        at = np.clip((w - centre) @ axes.T / spread, -1, 1) / 2 + 0.5
        at = np.column_stack([at, np.full((len(at), 2 - at.shape[1]), 0.5)])
        return np.column_stack([at[:, 0], 0.35 + 0.3 * at[:, 1], 1 - at[:, 1]])

    return colours


# ----------------------------------------------------------------------------- distortion


def distortion(system, data: DataSet):
    """Distances in the data and on the map, and where on the map neighbours got lost."""
    x = few(data.train, MOST_PAIRED).x
    winner, _ = system.winners(x)
    false, torn = of_map(system, x, near(len(x)))
    wide, high = size(system.grid, 2.9)
    fig = pictures.figure(3.4 + 2 * (wide + 0.7), max(high, 2.6) + 0.7)
    pairs, *maps = fig.subplots(1, 3, width_ratios=(3.2, wide + 0.7, wide + 0.7))
    one, other = np.triu_indices(len(x), 1)
    apart = np.sqrt(((x[one] - x[other]) ** 2).sum(axis=1))
    on_map = system.grid.distance[winner[one], winner[other]]
    pairs.hist2d(apart, on_map, bins=(60, 40), cmap="Blues", norm="log")
    pairs.set(xlabel="distance in the data", ylabel="distance on the map")
    pairs.set_title("pairs of samples", fontsize=9)
    titles = (
        f"strangers put together\ntrustworthiness {1 - false.mean():.3f}",
        f"neighbours torn apart\ncontinuity {1 - torn.mean():.3f}",
    )
    won = np.bincount(winner, minlength=len(system.grid.positions))
    for ax, part, title in zip(maps, (false, torn), titles):
        mean = np.bincount(winner, part, len(won)) / np.maximum(won, 1)
        shown = cells(ax, system.grid, np.ma.masked_where(won == 0, mean), cmap="OrRd")
        ax.set_title(title, fontsize=9)
        fig.colorbar(shown, ax=ax, shrink=0.8).outline.set_visible(False)
    return fig
