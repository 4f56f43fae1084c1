"""The pictures of hand-made features: cells as stars of lines along their edges, confusions."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet, Split
from ...core.training.settings import TrainingSettings
from ..common.confusion import confusion, mistakes
from .alexnet_pictures import draw
from .gradient_histograms import cells

SHOWN = 6  # images


def figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """Images and their histograms, the confusion matrix, mistakes."""
    images: dict[str, Split] = data.info.extra["images"]
    name = next(k for k in ("test", "valid", "train") if len(images.get(k, ())))
    x, split = images[name].x, getattr(data, name)
    guess = system.answers(split.x).argmax(axis=1)
    names = data.info.classes or tuple(str(k) for k in range(guess.max() + 1))
    return {
        "histograms": histograms(x[:SHOWN], s),
        "confusion": confusion(split.y, guess, names),
        "mistakes": mistakes(x, split.y, guess, names),
    }


def histograms(x: np.ndarray, s: TrainingSettings):
    """Images over their cells; a line runs along an edge, and is as dark as the edge is strong."""
    from matplotlib.collections import LineCollection

    fig = pictures.figure(1.5 * len(x), 3.3)
    axes = fig.subplots(2, len(x), squeeze=False)
    for above, below, image, h in zip(*axes, x, cells(x, s.cell, s.bins)):
        draw(above, image)
        lines, strength = strokes(h)
        dark = strength / max(float(strength.max()), 1e-12)
        order = np.argsort(dark)  # dark lines on top
        below.add_collection(
            LineCollection(lines[order], colors="black", alpha=dark[order], linewidths=1.2)
        )
        rows, columns = h.shape[:2]
        below.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal", xticks=[], yticks=[])
        below.spines[:].set_color("#d9dce1")
    fig.suptitle(f"images, and the edges in their cells of {s.cell} x {s.cell} pixels", fontsize=9)
    return fig


def strokes(h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(ends [M, 2, 2] of lines as (x, y), strengths [M]) of histograms [rows, columns, bins].

    A line goes through the middle of its cell, at a right angle to the gradient.

    >>> lines, strength = strokes(np.array([[[1.0, 0.0]]]))  # from dark on the left to light
    >>> lines[0].round(2).tolist(), strength.tolist()
    ([[0.5, 0.05], [0.5, 0.95]], [1.0, 0.0])
    """
    i, j, b = (a.ravel() for a in np.indices(h.shape))
    angle = np.pi * b / h.shape[2]
    along = 0.45 * np.stack([-np.sin(angle), np.cos(angle)], axis=1)
    middle = np.stack([j + 0.5, i + 0.5], axis=1)
    return np.stack([middle - along, middle + along], axis=1), h.ravel()
