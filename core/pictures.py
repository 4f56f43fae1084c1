"""Figures that many systems share. Matplotlib is imported when a figure is asked for."""

import numpy as np

from ..kernels.errors import ValueRangeError, nearest

INK = "#1b2a41"
ACCENT = "#c8553d"
COLOURS = ("#1b4965", "#c8553d", "#5fa777", "#8d6a9f", "#e3a72f", "#4f8ca8", "#a44a3f", "#7a7a7a",
           "#2e6f57", "#b98ea7")  # fmt: skip


def figure(width: float = 6.0, height: float = 4.0):
    """A matplotlib figure without any window behind it."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def curves(history: list[dict], keys=None, title: str = "", ylabel: str = ""):
    """Figures by epoch: training dashed, validation solid; gaps where a row lacks a key.

    Raises ValueRangeError for a key that no row has.
    """
    keys = keys or [k for k in history[-1] if k not in ("epoch", "seconds")]
    known = dict.fromkeys(k for row in history for k in row)
    for k in keys:
        if k not in known:
            names = ", ".join(known)
            raise ValueRangeError(
                f"curves: the history has no {k!r}{nearest(k, known)} (known: {names})"
            )
    fig = figure(6.0, 3.6)
    ax = fig.subplots()
    x = [row["epoch"] for row in history]
    names = list(dict.fromkeys(k.removeprefix("valid_") for k in keys))
    for k in keys:
        colour = COLOURS[names.index(k.removeprefix("valid_")) % len(COLOURS)]
        solid = k.startswith("valid_")
        ax.plot(
            x, [row.get(k, np.nan) for row in history], "-" if solid else "--", color=colour,
            label=k.replace("valid_", "validation "), marker="o" if len(x) < 3 else None,
        )  # fmt: skip
    ax.set(xlabel="epoch", ylabel=ylabel, title=title)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.2)
    ax.legend(frameon=False)
    return fig


def tile(images: np.ndarray, columns: int, gap: int = 1, fill: float = 1.0) -> np.ndarray:
    """Images [N, H, W] side by side in one array, row by row."""
    n, h, w = images.shape
    rows = -(-n // columns)
    sheet = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap), fill, np.float32)
    for i, image in enumerate(images):
        r, c = divmod(i, columns)
        sheet[r * (h + gap) : r * (h + gap) + h, c * (w + gap) : c * (w + gap) + w] = image
    return sheet


def image_sheet(images: np.ndarray, columns: int = 10, title: str = "", scale: float = 0.55):
    """Images [N, H, W] in [0, 1] as a sheet, ink on white."""
    rows = -(-len(images) // columns)
    fig = figure(columns * scale, rows * scale + (0.4 if title else 0))
    ax = fig.subplots()
    ax.imshow(tile(images, columns, fill=0.0), cmap="gray_r", vmin=0, vmax=1)
    ax.set_axis_off()
    ax.set_title(title)
    return fig


def reconstructions(x: np.ndarray, y: np.ndarray, title: str = "data over reconstruction"):
    """Pairs of images [N, H, W], each over its reconstruction."""
    return image_sheet(np.concatenate([x, y]), columns=len(x), title=title)


def code_plot(z: np.ndarray, labels: np.ndarray | None, title: str = ""):
    """Two-dimensional codes as points, coloured by class."""
    fig = figure(5.2, 5.0)
    ax = fig.subplots()
    for k in [None] if labels is None else np.unique(labels):
        at = slice(None) if k is None else labels == k
        ax.plot(*z[at].T, ".", ms=4, color=INK if k is None else COLOURS[int(k) % 10], label=k)
    if labels is not None:
        ax.legend(frameon=False, ncols=2, markerscale=2, fontsize=8)
    ax.set(title=title, xlabel="code 1", ylabel="code 2")
    ax.spines[["top", "right"]].set_visible(False)
    return fig


def heat_map(values: np.ndarray, title: str = "", cmap: str = "viridis", ax=None):
    """A matrix as colours, with its scale."""
    fig = None
    if ax is None:
        fig = figure(4.6, 4.0)
        ax = fig.subplots()
    shown = ax.imshow(values, cmap=cmap)
    ax.set_title(title, fontsize=9)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.figure.colorbar(shown, ax=ax, shrink=0.8)
    return fig or ax.figure
