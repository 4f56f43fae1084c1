"""Which classes a classifier confuses: the confusion matrix, and the images."""

import numpy as np

from ...core import pictures
from .names import short, shorts


def confusion(y: np.ndarray, guess: np.ndarray, names: tuple[str, ...]):
    """The confusion matrix: how often one class (row) was taken for another (column)."""
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (y, guess), 1)
    fig = pictures.figure(5.4, 5.0)
    ax = fig.subplots()
    wrong = np.where(np.eye(len(names), dtype=bool), 0, counts)
    ax.imshow(wrong, cmap="OrRd", vmax=max(1, 2 * wrong.max()))
    for i, j in zip(*np.nonzero(counts)):
        ax.text(j, i, counts[i, j], ha="center", va="center", fontsize=7, color=pictures.INK)
    ticks, shown = range(len(names)), shorts(names)
    ax.set_xticks(ticks, shown, rotation=90 if max(map(len, names)) > 2 else 0, fontsize=8)
    ax.set_yticks(ticks, shown, fontsize=8)
    ax.set(xlabel="taken for", ylabel="is", title=f"{wrong.sum()} of {len(y)} wrong")
    return fig


def mistakes(x: np.ndarray, y: np.ndarray, guess: np.ndarray, names, most: int = 40):
    """The misclassified images, in the order of the test set."""
    wrong = np.flatnonzero(guess != y)[:most]
    rows = max(1, -(-len(wrong) // 10))
    fig = pictures.figure(7.0, 0.4 + 0.95 * rows)
    fig.suptitle(
        f"the first {len(wrong)} mistakes: is > taken for" if len(wrong) else "no mistakes"
    )
    axes = fig.subplots(rows, 10, squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    for ax, i in zip(axes, wrong):
        ax.imshow(x[i].mean(axis=0), cmap="gray_r", vmin=0, vmax=1)
        ax.set_title(f"{short(names[y[i]])} > {short(names[guess[i]])}", fontsize=6)
    return fig
