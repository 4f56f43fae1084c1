"""Pictures of a self-organising map, node by node as cells of its grid (lecture 1, V0 144-170)."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ..common.names import names_of, shorts
from .centres import has_classes
from .competitive_pictures import GREY, some

MOST_PLANES = 16
GOLDEN = np.pi * (3 - np.sqrt(5))  # the angle between one dot and the next


def figures(system, data: DataSet, s) -> dict:
    """Density map, U-matrix, component planes, classes; for images the prototypes."""
    k = s.neighbours
    density = system.density(data.train.x, k)
    found = {
        "density": single(
            system.grid, density, f"density: mean distance to the {k} nearest samples", "magma_r"
        ),
        "u_matrix": single(
            system.grid,
            system.u_matrix(),
            "U-matrix: mean distance to the neighbouring nodes",
            "magma_r",
        ),
        "components": components(system, data, density, k),
    }
    image = data.info.image_shape
    if image and image[0] == 1:
        found["prototypes"] = prototypes(system, image[1:])
    if has_classes(data.train):
        found["classes"] = classes(system, data, density, k)
    return found


# ------------------------------------------------------------------------------- one map


def cells(ax, grid, values=None, colours=None, **how):
    """The nodes as cells, coloured by values [M], or in the given colours [M]."""
    from matplotlib.collections import PolyCollection

    shown = PolyCollection(grid.cells, linewidths=0.4, **how)
    if values is not None:
        shown.set_array(values)
    shown.set(**({"facecolors": colours} if colours is not None else {}))
    shown.set_edgecolor("face" if colours is None else colours)  # no seams between the cells
    ax.add_collection(shown)
    low, high = grid.cells.min(axis=(0, 1)), grid.cells.max(axis=(0, 1))
    ax.set(xlim=(low[0] - 0.1, high[0] + 0.1), ylim=(high[1] + 0.1, low[1] - 0.1), aspect="equal")
    ax.set_axis_off()
    return shown


def size(grid, width: float) -> tuple[float, float]:
    """(width, height) in inches of axes for the grid; `width` is the longer side."""
    across, down = grid.cells.max(axis=(0, 1)) - grid.cells.min(axis=(0, 1))
    return (width, width * down / across) if across > down else (width * across / down, width)


def single(grid, values, title: str, cmap: str):
    """One map with its scale."""
    wide, high = size(grid, 4.0)
    fig = pictures.figure(wide + 0.9, high + 0.5)
    ax = fig.subplots()
    shown = cells(ax, grid, values, cmap=cmap)
    ax.set_title(title, fontsize=9)
    fig.colorbar(shown, ax=ax, shrink=0.8).outline.set_visible(False)
    return fig


def border(ax, grid, label, width: float = 1.4):
    """A line between nodes of different labels."""
    from matplotlib.collections import LineCollection

    ax.add_collection(
        LineCollection(grid.borders(label), colors="black", linewidths=width, capstyle="round")
    )


def class_colours(shares: np.ndarray) -> np.ndarray:
    """A colour for each row of shares [M, classes]: its largest class, paler the smaller it is."""
    from matplotlib.colors import to_rgb

    label, count = shares.argmax(axis=1), shares.shape[1]
    sure = (shares.max(axis=1) - 1 / count) / max(1 - 1 / count, 1e-9)
    palette = np.array([to_rgb(pictures.COLOURS[k % 10]) for k in range(count)])
    return 1 - (0.25 + 0.75 * sure[:, None]) * (1 - palette[label])


# ---------------------------------------------------------------------------- whole pages


def components(system, data: DataSet, density, k: int):
    """The lecture's page: density, classes, then a map for each of the features that vary most."""
    from matplotlib.patches import Patch

    grid, planes = system.grid, system.w.numpy()
    chosen = np.sort(np.argsort(-planes.var(axis=0), kind="stable")[:MOST_PLANES])
    names = names_of(data)
    labelled = has_classes(data.train)
    known = class_names(data) if labelled else []
    count = 1 + labelled + len(chosen)
    across = min(6, count)
    down = -(-count // across)
    wide, high = size(grid, 1.9)
    fig = pictures.figure(across * (wide + 0.15) + 0.9, down * (high + 0.35) + 0.5)
    axes = fig.subplots(down, across, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    places = iter(axes.flat)

    cells(ax := next(places), grid, density, cmap="magma_r")
    ax.set_title("density", fontsize=8, fontweight="bold")
    shares = system.shares(data.train, k) if labelled else None
    if labelled:
        cells(ax := next(places), grid, colours=class_colours(shares))
        border(ax, grid, shares.argmax(axis=1))
        ax.set_title("class", fontsize=8, fontweight="bold")
    limits = scale(planes[:, chosen])  # one colour scale, so that planes can be compared
    for ax, j in zip(places, chosen):
        shown = cells(ax, grid, planes[:, j], **limits)
        if labelled:
            border(ax, grid, shares.argmax(axis=1), 1.0)
        ax.set_title(names[j], fontsize=7)
    fig.colorbar(shown, ax=axes, shrink=0.6, aspect=30).outline.set_visible(False)
    if labelled:
        marks = [Patch(color=pictures.COLOURS[c % 10], label=n) for c, n in enumerate(known)]
        fig.legend(handles=marks, loc="outside lower left", ncols=10, frameon=False, fontsize=8)
    return fig


def class_names(data: DataSet) -> list[str]:
    """The name of each class that has a sample, or its number."""
    count = int(data.train.y.max()) + 1
    return [*shorts(data.info.classes[:count]), *map(str, range(len(data.info.classes), count))]


def scale(values) -> dict:
    """One colour scale for all: blue to red around 0 if the values have both signs."""
    low, high = float(values.min()), float(values.max())
    if low < 0 < high:
        most = max(-low, high)
        return {"cmap": "RdBu_r", "clim": (-most, most)}
    return {"cmap": "viridis", "clim": (low, high)}


def classes(system, data: DataSet, density, k: int):
    """Each sample a dot in its winner's cell, coloured by class, over the density in grey."""
    grid, split = system.grid, some(data.train)
    winner, _ = system.winners(split.x)
    order = np.lexsort((split.y, winner))  # dots of one class side by side
    winner, label = winner[order], split.y[order]
    won = np.bincount(winner, minlength=len(grid.positions))
    rank = np.arange(len(winner)) - (won.cumsum() - won)[winner]
    radius = 0.44 * np.sqrt((rank + 0.5) / max(1, won.max()))
    turn = GOLDEN * rank
    at = grid.positions[winner] + (radius * np.stack([np.cos(turn), np.sin(turn)])).T

    wide, high = size(grid, 5.6)
    fig = pictures.figure(wide + 1.5, high + 0.5)
    ax = fig.subplots()
    low, high = density.min(), density.max()
    cells(ax, grid, density, cmap="Greys", clim=(low, high + 2 * (high - low) + 1e-9))
    majority = system.shares(data.train, k).argmax(axis=1)
    border(ax, grid, majority)
    names = class_names(data)
    if max(map(len, names)) <= 2:
        for (x, y), c in zip(grid.positions, majority):
            ax.text(x - 0.42, y, names[c], fontsize=6, color=GREY, va="center")
    points = 72 * wide / np.ptp(grid.cells[..., 0])  # of a cell's width
    dot = min(36.0, (points * 0.8) ** 2 / max(1, won.max()) * 0.5)
    for c in np.unique(label):
        ax.scatter(
            *at[label == c].T,
            s=dot,
            color=pictures.COLOURS[c % 10],
            linewidths=0,
            label=names[c],
            zorder=3,
        )
    ax.set_title("samples at their winners, over the density (darker: farther)", fontsize=9)
    legend = ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    for handle in legend.legend_handles:
        handle.set_sizes([30])
    return fig


def prototypes(system, shape: tuple[int, int]):
    """The weights as images, at the places of their nodes."""
    grid, w = system.grid, system.w.numpy().reshape(-1, *shape)
    low, high = w.min(), w.max()
    wide, tall = size(grid, 6.0)
    fig = pictures.figure(wide, tall + 0.3)
    ax = fig.subplots()
    cells(ax, grid, colours=np.ones((len(w), 3)))
    for (x, y), image in zip(grid.positions, w):
        ax.imshow(
            image,
            cmap="gray_r",
            vmin=low,
            vmax=high,
            zorder=2,
            interpolation="nearest",
            extent=(x - 0.4, x + 0.4, y + 0.4, y - 0.4),
        )
    ax.set(xlim=_room(grid, 0), ylim=_room(grid, 1)[::-1], aspect="equal")
    ax.set_title("weights as images", fontsize=9, color=GREY)
    return fig


def _room(grid, axis: int) -> tuple[float, float]:
    return grid.cells[..., axis].min() - 0.1, grid.cells[..., axis].max() + 0.1
