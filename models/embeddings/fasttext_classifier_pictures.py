"""Pictures of FastText's classifier: words that speak for a class, the texts' plane, confusions."""

import numpy as np

from ...core import pictures
from ..common.code_pictures import plane
from ..common.confusion import confusion
from ..common.names import short

CLASSES = 12  # that are shown, at most
WORDS = 7  # of each
LEAST = 5  # times that a word must be in the training texts
POINTS = 1500  # on the map
FEW = 20  # classes of which the confusions are legible


def figures(system, data, s) -> dict:
    """`words`, `map`, and `confusion` where there are not too many classes."""
    split = next(p for p in (data.test, data.valid, data.train) if p is not None and len(p))
    found = {"words": words(system, data), "map": text_map(system, data, split)}
    if len(names_of(data)) <= FEW:
        found["confusion"] = confusion(split.y, system.answers(split.x), names_of(data))
    return found


def names_of(data) -> tuple[str, ...]:
    """The names of the classes, or their numbers."""
    classes = max(len(data.info.classes), int(data.train.y.max()) + 1)
    return data.info.classes or tuple(map(str, range(classes)))


def words(system, data):
    """For each class the words with the largest p(class | that word alone)."""
    vocabulary, names = data.info.vocabulary.words, names_of(data)
    counts = np.bincount(np.concatenate(data.train.x), minlength=len(vocabulary))
    able = np.flatnonzero(counts[: len(vocabulary)] >= LEAST)
    able = able if len(able) else np.flatnonzero(counts[: len(vocabulary)])
    logits = system.z.numpy()[able] @ system.weight.numpy().T
    logits -= logits.max(axis=1, keepdims=True)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    shown = range(min(CLASSES, len(names)))
    fig = pictures.figure(8.0, 0.34 * len(shown) + 0.7)
    ax = fig.subplots()
    ax.axis("off")
    ax.set_title("words that speak most for a class", loc="left")
    for k in shown:
        y = 1 - (k + 0.5) / len(shown)
        best = able[np.argsort(-p[:, k], kind="stable")[:WORDS]]
        ax.text(0, y, short(names[k]), va="center", weight="bold", color=pictures.ACCENT)
        ax.text(0.22, y, ", ".join(vocabulary[i] for i in best), va="center")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    return fig


def text_map(system, data, split):
    """Held-out texts in the plane of the two main axes of h, coloured by class."""
    h = system.codes(split.x[:POINTS])
    names, at = names_of(data), plane(h) if h.shape[1] > 1 else np.pad(h, ((0, 0), (0, 1)))
    fig = pictures.figure(6.4, 5.0)
    ax = fig.subplots()
    y = np.asarray(split.y[:POINTS])
    for k in np.unique(y)[:10]:
        colour = pictures.CLASS_COLOURS[int(k) % 10]
        ax.scatter(*at[y == k].T, s=7, color=colour, alpha=0.7, label=short(names[k]), linewidths=0)
    ax.legend(frameon=False, fontsize=8, markerscale=2)
    ax.set(xticks=[], yticks=[], title=f"{len(h)} texts by the two main axes of h")
    return fig
