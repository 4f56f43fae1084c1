"""Figures that many systems share. Matplotlib is imported when a figure is asked for."""

import functools

import numpy as np

from ..kernels.errors import ValueRangeError, nearest

INK = "#1b2a41"
ACCENT = "#c8553d"
COLOURS = ("#1b4965", "#c8553d", "#5fa777", "#8d6a9f", "#e3a72f", "#4f8ca8", "#a44a3f", "#7a7a7a",
           "#2e6f57", "#b98ea7")  # fmt: skip


def figure(width: float = 6.0, height: float = 4.0):
    """A matplotlib figure without a window, `width` x `height` inches.

    Its texts are shown as they are. Names of classes and columns may hold ``$``, which begins a
    formula for matplotlib; only the numbers at a logarithmic axis are such formulas.
    """
    return _plain_figure()(figsize=(width, height), layout="constrained")


@functools.cache
def _plain_figure() -> type:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    class PlainFigure(Figure):
        def draw(self, renderer):
            for ax in self.axes:  # the labels of ticks get their texts when they are asked for
                ax.get_xticklabels(), ax.get_yticklabels()
            for text in self.findobj(Text):
                text.set_parse_math(text.get_text().startswith(r"$\mathdefault{"))
            super().draw(renderer)

    return PlainFigure


# ten colours that differ in lightness too: Tableau's, as matplotlib orders them
CLASS_COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2",
                 "#7f7f7f", "#bcbd22", "#17becf")  # fmt: skip


def curves(history: list[dict], keys=None, title: str = "", ylabel: str = "", named=None):
    """Metrics by epoch, one panel each: training dashed, validation solid.

    A row may lack a key; a point between two gaps is drawn as a dot. Without `keys` they are all
    figures of which there is a line, more than one point, if there are such. `named(key)` is what a
    panel is headed with, by default the words of the key.

    Raises ValueRangeError for a key that no row has.
    """
    known = dict.fromkeys(k for row in history for k in row)
    if not keys:
        every = [k for k in history[-1] if k not in ("epoch", "seconds")]
        lines = {k.removeprefix("valid_") for k in every if sum(k in r for r in history) > 1}
        keys = [k for k in every if k.removeprefix("valid_") in lines] or every
    for k in keys:
        if k not in known:
            names = ", ".join(known)
            raise ValueRangeError(
                f"curves: the history has no {k!r}{nearest(k, known)} (known: {names})"
            )
    panels: dict[str, list[str]] = {}
    for k in keys:
        panels.setdefault(k.removeprefix("valid_"), []).append(k)
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    fig = figure(6.0 if columns == 1 else 3.4 * columns, 3.6 if columns == 1 else 2.3 * rows + 0.4)
    fig.suptitle(title)
    axes = fig.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    for ax, (name, drawn) in zip(axes, panels.items()):
        for k in drawn:
            solid = k.startswith("valid_")
            seen = [(row["epoch"], row[k]) for row in history if k in row]
            ax.plot(
                *zip(*seen),
                "-" if solid else "--",
                color=COLOURS[0] if solid else ACCENT,
                label="validation" if solid else "training",
                marker="o" if len(seen) < max(3, len(history) / 4) else None,
            )
        ax.set(xlabel="epoch", ylabel=ylabel)
        ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        ax.set_title(named(name) if named else name.replace("_", " "), fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.2)
        if len(drawn) > 1:
            ax.legend(frameon=False, fontsize=8)
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
    """Images [N, H, W] in [0, 1] as a grid, dark ink on white."""
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


def code_plot(z: np.ndarray, labels: np.ndarray | None, title: str = "", axes: str = "code"):
    """Two-dimensional codes as points, coloured by class; `axes` says what the two numbers are."""
    fig = figure(5.6, 4.8)
    ax = fig.subplots()
    for k in [None] if labels is None else np.unique(labels):
        at = slice(None) if k is None else labels == k
        ax.plot(
            *z[at].T, ".", ms=4, color=INK if k is None else CLASS_COLOURS[int(k) % 10], label=k
        )
    if labels is not None:
        fig.legend(frameon=False, markerscale=2, fontsize=8, loc="outside right upper")
    ax.set(title=title, xlabel=f"{axes} 1", ylabel=f"{axes} 2")
    ax.spines[["top", "right"]].set_visible(False)
    return fig


def heat_map(values: np.ndarray, title: str = "", cmap: str = "viridis", ax=None):
    """A matrix as colours, with a colour bar."""
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
