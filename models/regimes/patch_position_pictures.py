"""The pictures of patch positions: accuracy by place, pairs with their answers, the probes."""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import Batch, System
from .patch_pairs import PLACES

SHOWN = 8  # pairs that are drawn
EMPTY = (0.85, 0.89, 0.95)  # where no patch is


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """Accuracy by place, some pairs, and the three probes where there are labels."""
    system.eval()
    held = data.test if data.test is not None and len(data.test) else data.train
    found = {"places": places(system, held), "pairs": drawn_pairs(system, held)}
    figures = system.evaluate_finished(held)
    if "probe" in figures:
        found["probes"] = probes(figures)
    return found


def places(system: System, held):
    """How often each of the eight places is found, around the first patch."""
    y, logits = system.answers(held.x[:500])
    right, grid = logits.argmax(axis=1) == y, np.full((3, 3), np.nan)
    for k, (down, across) in enumerate(PLACES):
        grid[1 + down, 1 + across] = 100 * right[y == k].mean()
    fig = pictures.figure(3.6, 3.2)
    ax = fig.subplots()
    image = ax.imshow(grid, cmap="viridis", vmin=0, vmax=max(25.0, np.nanmax(grid)))
    for (i, j), value in np.ndenumerate(grid):
        text = "first\npatch" if np.isnan(value) else f"{value:.0f}"
        dark = not np.isnan(value) and value < 0.6 * np.nanmax(grid)
        ax.text(j, i, text, ha="center", va="center", color="white" if dark else "black")
    ax.set(xticks=[], yticks=[])
    ax.set_title("right answers by place, %; chance is 12.5", fontsize=9)
    fig.colorbar(image, ax=ax, shrink=0.8)
    return fig


def drawn_pairs(system: System, held):
    """Pairs at their place, and the probabilities of the eight places."""
    x = held.x[:: max(1, len(held) // SHOWN)][:SHOWN]
    y = np.arange(len(x)) % len(PLACES)
    pairs = system.pairs(x, y, gg.Generator(2))
    logits = system(gg.Tensor(system.on_device(Batch(pairs)).x)).numpy().astype(np.float64)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    size = pairs.shape[-1]
    fig = pictures.figure(1.05 * len(x) + 0.4, 2.6)
    axes = fig.subplots(2, len(x), squeeze=False)
    for n, (top, bottom) in enumerate(axes.T):
        sheet = np.full((3 * size + 4, 3 * size + 4, 3), EMPTY)
        down, across = PLACES[y[n]]
        for image, i, j in ((pairs[n, 0], 1, 1), (pairs[n, 1], 1 + down, 1 + across)):
            at = np.s_[
                i * (size + 2) : i * (size + 2) + size, j * (size + 2) : j * (size + 2) + size
            ]
            sheet[at] = seen(image)
        top.imshow(sheet)
        grid = np.full((3, 3), np.nan)
        for k, (i, j) in enumerate(PLACES):
            grid[1 + i, 1 + j] = p[n, k]
        bottom.imshow(grid, cmap="Greens", vmin=0, vmax=1)
        bottom.plot(1 + across, 1 + down, "o", mfc="none", mec=pictures.ACCENT, ms=9)
        for ax in (top, bottom):
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_color("0.8")
    axes[0, 0].set_ylabel("pair", fontsize=8)
    axes[1, 0].set_ylabel("p(place)", fontsize=8)
    return fig


def seen(image: np.ndarray) -> np.ndarray:
    """A patch [C, p, p] as colours [p, p, 3]; one without them as dark ink on white."""
    image = np.clip(image, 0, 1)
    return image.transpose(1, 2, 0) if len(image) == 3 else 1 - image.mean(axis=0)[..., None]


def probes(figures: dict):
    """Right classes by a linear function of f, of an untrained f, and of the pixels."""
    bars = {
        "f": figures["probe"],
        "random f": figures["probe_random"],
        "pixels": figures["probe_pixels"],
    }
    fig = pictures.figure(3.8, 2.6)
    ax = fig.subplots()
    ax.bar(list(bars), list(bars.values()), color=pictures.COLOURS[:3], width=0.6)
    for i, value in enumerate(bars.values()):
        ax.text(i, value, f"{value:.1f}", ha="center", va="bottom", fontsize=8)
    top = max(bars.values())
    ax.set(ylabel="right classes, %", ylim=(0, 1.15 * max(top, 1)))
    ax.set_title("linear probes of held-out images", fontsize=9)
    return fig
