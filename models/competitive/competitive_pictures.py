"""Pictures of centres without a grid: what they look like, and where they are in the data."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ..common.names import names_of
from ..common.row_pictures import most_varied
from .centres import CompetitiveSettings, pictured

MOST_SAMPLES = 3000  # in a picture
MOST_CENTRES = 20
GREY = "#8a8f98"


def some(split):
    """At most MOST_SAMPLES rows, spread over the whole split."""
    return split[:: -(-len(split) // MOST_SAMPLES)]


def figures(system, data: DataSet, s: CompetitiveSettings) -> dict:
    """The centres, and the plane of the two main axes of the data."""
    data = pictured(data)
    found = {"plane": plane(system, data)}
    image = data.info.image_shape
    if image and image[0] == 1:
        found["centres"] = images(system, data)
    else:
        found["centres"] = profile(system, data)
    return found


def yardstick(system) -> np.ndarray | None:
    """The centres of k-means from the same start, if the system has them."""
    found = getattr(system, "k_means", None)
    return None if found is None else found.numpy()


def captions(system, split) -> tuple[np.ndarray, list[str]]:
    """(order [K], captions in that order), the centre that wins most often first."""
    winner, _ = system.winners(split.x)
    won = np.bincount(winner, minlength=len(system.w.data))
    order = np.argsort(-won, kind="stable")
    return order, [f"{won[k]} won" for k in order]


def images(system, data: DataSet):
    """Centres as images, the one that wins most often first, k-means' nearest below each."""
    order, titles = captions(system, data.train)
    order, w = order[:MOST_CENTRES], system.w.numpy()
    lines = {"w": w[order]}
    other = yardstick(system)
    if other is not None:
        nearest, _ = system.winners(w[order], system.k_means.data)
        lines["k-means"] = other[nearest]
    _, height, width = data.info.image_shape
    every = np.concatenate(list(lines.values()))
    across = min(10, len(order))
    down = -(-len(order) // across) * len(lines)
    fig = pictures.figure(0.85 * across + 0.4, 1.05 * down + 0.3)
    axes = np.atleast_2d(fig.subplots(down, across, squeeze=False))
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    for line, (name, rows) in enumerate(lines.items()):
        for i, row in enumerate(rows):
            ax = axes[i // across * len(lines) + line, i % across]
            ax.imshow(row.reshape(height, width), cmap="gray_r", vmin=every.min(), vmax=every.max())
            if line == 0:
                ax.set_title(titles[i], fontsize=7, color=GREY)
            if i % across == 0:
                ax.set_ylabel(name, fontsize=8)
    fig.suptitle("centres, by how many samples they win", fontsize=10)
    return fig


def profile(system, data: DataSet):
    """Centres as rows, a column for each feature, the one that wins most often first.

    Of many features those in which the centres differ most are shown.
    """
    order, titles = captions(system, data.train)
    order, titles = order[:MOST_CENTRES], titles[:MOST_CENTRES]
    w = system.w.numpy()[order]
    chosen = most_varied(w)
    w, names = w[:, chosen], [names_of(data)[j] for j in chosen]
    most = float(np.abs(w).max())
    fig = pictures.figure(max(3.2, 0.42 * w.shape[1] + 1.6), 0.38 * len(w) + 2.0)
    ax = fig.subplots()
    shown = ax.imshow(w, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto")
    ax.set_yticks(range(len(w)), titles, fontsize=8)
    ax.set_xticks(range(w.shape[1]), names, fontsize=7, rotation=45, ha="right")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title("centres, by how many samples they win", fontsize=10)
    fig.colorbar(shown, ax=ax, shrink=0.8).outline.set_visible(False)
    return fig


def plane(system, data: DataSet):
    """Samples in the plane of the two main axes, coloured by winner; centres numbered on top."""
    x = some(data.train).x.astype(np.float64)
    winner, _ = system.winners(x)
    centre = x.mean(axis=0)
    # the two main axes are those of PCA; all points are drawn in their plane
    _, spread, axes = np.linalg.svd(x - centre, full_matrices=False)
    share = (spread**2 / (spread**2).sum())[:2].sum()

    def flat(rows):
        return (rows - centre) @ axes[:2].T

    fig = pictures.figure(6.2, 5.4)
    ax = fig.subplots()
    colours = np.array([pictures.COLOURS[k % 10] for k in range(len(system.w.data))])
    ax.scatter(*flat(x).T, s=7, c=colours[winner], alpha=0.45, linewidths=0)
    other = yardstick(system)
    if other is not None:
        ax.scatter(
            *flat(other).T,
            s=330,
            facecolors="none",
            edgecolors=pictures.INK,
            linewidths=1.2,
            label="k-means from the same start",
        )
    w = flat(system.w.numpy())
    ax.scatter(*w.T, s=150, c=colours, edgecolors="white", linewidths=1.2, zorder=3, label="w")
    for k, at in enumerate(w):
        ax.annotate(str(k), at, ha="center", va="center", color="white", fontsize=7, zorder=4)
    ax.set(
        xlabel="first main axis",
        ylabel="second main axis",
        xticks=[],
        yticks=[],
        title=f"samples by winner, in a plane with {share:.0%} of their variance",
    )
    ax.set_aspect("equal")
    ax.spines[["top", "right"]].set_visible(False)
    if other is not None:
        ax.legend(frameon=False, fontsize=8, loc="best", markerscale=0.6)
    return fig
