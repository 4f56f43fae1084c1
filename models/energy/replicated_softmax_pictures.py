"""Pictures of topic models: the words of each topic, when topics are active."""

import numpy as np

from ...core import pictures
from ...core.arrays import to_numpy
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import Batch
from ..common.names import names_of, shorts

WORDS, TOPICS, ACROSS = 8, 24, 6  # of a list; lists; lists in a row


def figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """Lists of words; activity by class where there are classes, otherwise over documents."""
    split = next(k for k in (data.test, data.valid, data.train) if k is not None and len(k))
    h = activity(system, split.x)
    found = {"topics": lists(top_words(system.w.numpy(), names_of(data)), h.mean(axis=0))}
    if split.y is not None and data.info.classes:
        found["classes"] = by_class(h, split.y, data.info.classes)
    found["activity"] = histogram(h)
    return found


def activity(system, x: np.ndarray) -> np.ndarray:
    """P(h = 1|v) of documents [N, m] on the host."""
    return to_numpy(system.hidden(system.on_device(Batch(x)).x))


def top_words(w: np.ndarray, names: list[str], count: int = WORDS) -> list[list[str]]:
    """The words with the largest weights of each column of W [K, m], the largest first.

    >>> top_words(np.array([[1.0, 0.0], [3.0, 0.1], [2.0, 9.0]]), ["a", "b", "c"], 2)
    [['b', 'c'], ['c', 'b']]
    """
    order = np.argsort(-w, axis=0, kind="stable")[:count]
    return [[names[k] for k in column] for column in order.T]


def lists(words: list[list[str]], share: np.ndarray):
    """A list of words for each topic, those that are most often active first."""
    order = np.argsort(-share, kind="stable")[:TOPICS]
    across = min(ACROSS, len(order))
    down = -(-len(order) // across)
    longest = max((len(w) for k in order for w in words[k]), default=1)
    fig = pictures.figure(across * max(1.1, 0.085 * longest + 0.35), 0.4 + 1.75 * down)
    fig.suptitle("words with the largest weights; how often the topic is active", fontsize=9)
    axes = fig.subplots(down, across, squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    for ax, k in zip(axes, order):
        ax.text(0.5, 1.0, f"{100 * share[k]:.0f} %", ha="center", va="top", fontsize=8,
                color=pictures.ACCENT, transform=ax.transAxes)  # fmt: skip
        ax.text(0.5, 0.88, "\n".join(words[k]), ha="center", va="top", fontsize=8,
                color=pictures.INK, transform=ax.transAxes)  # fmt: skip
    return fig


def by_class(h: np.ndarray, y: np.ndarray, classes: tuple[str, ...]):
    """Mean activity of each topic in each class, topics in the order of their main class."""
    present = [c for c in range(len(classes)) if (y == c).any()]
    mean = np.stack([h[y == c].mean(axis=0) for c in present])
    order = np.argsort(mean.argmax(axis=0), kind="stable")
    fig = pictures.figure(1.8 + 0.13 * mean.shape[1], 1.2 + 0.2 * len(present))
    ax = fig.subplots()
    image = ax.imshow(mean[:, order], cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_yticks(range(len(present)), shorts(classes[c] for c in present), fontsize=7)
    ax.set(xlabel="topics", xticks=[])
    ax.set_title("mean activity by class", fontsize=9)
    fig.colorbar(image, ax=ax, shrink=0.8).outline.set_visible(False)
    return fig


def histogram(h: np.ndarray):
    """How often P(h = 1|v) is near 0, near 1 or undecided, over documents and topics."""
    fig = pictures.figure(4.6, 3.0)
    ax = fig.subplots()
    ax.hist(h.ravel(), np.linspace(0, 1, 21), density=True, color=pictures.COLOURS[0])
    ax.set(xlabel="P(h = 1|v), all documents and topics", yticks=[])
    ax.set_title(f"on average {h.sum(axis=1).mean():.1f} of {h.shape[1]} topics", fontsize=9)
    ax.spines[["top", "right", "left"]].set_visible(False)
    return fig
