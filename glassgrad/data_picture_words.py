"""Words as pictures: the commonest of a text, and what the classes of documents differ in."""

import numpy as np

from .core import pictures
from .core.data import DataSet

SHOWN = 40  # words of a text
WORDS, CLASSES = 10, 8  # of counts


def readable(word: str) -> str:
    """A word as an axis shows it: what cannot be seen is written out, what is long is cut.

    >>> readable(" "), readable("cat"), len(readable("x" * 99))
    ("' '", 'cat', 16)
    """
    shown = repr(word)[1:-1] if word.strip() else repr(word)
    shown = shown.replace("$", r"\$")  # which begins a formula
    return shown if len(shown) <= 16 else shown[:15] + "…"


def commonest(ax, numbers: np.ndarray, words, most: int = SHOWN, what: str = "the text") -> None:
    """Bars of the commonest words on `ax`: numbers [T] of tokens."""
    found = np.bincount(numbers, minlength=len(words))
    top = np.argsort(-found, kind="stable")[: min(most, int((found > 0).sum()))]
    ax.bar(range(len(top)), found[top] / max(1, found.sum()), color=pictures.COLOURS[0])
    ax.set_xticks(range(len(top)), [readable(words[i]) for i in top], rotation=90, fontsize=7)
    ax.margins(x=0.01)
    ax.set_ylabel(f"share of {what}", fontsize=8)


def tokens(data: DataSet):
    """How often the commonest words or characters of a text come."""
    vocabulary = data.info.vocabulary
    if vocabulary is None:
        top = int(data.train.x.max(initial=0)) + 1
        words = tuple(map(str, range(top)))
    else:
        words = vocabulary.words
    figure = pictures.figure(8, 3)
    ax = figure.add_subplot()
    commonest(ax, data.train.x, words)
    ax.set_title(f"{data.name}: the commonest of {len(words):,}", fontsize=9)
    return figure


def counts(data: DataSet):
    """The commonest words of all documents, and the words that each class has more of."""
    x, y, classes = data.train.x, data.train.y, data.info.classes
    words = data.info.feature_names or tuple(f"column {i + 1}" for i in range(x.shape[1]))
    labelled = y is not None and y.dtype.kind == "i" and len(classes) > 0
    total = x.sum(axis=0, dtype=np.float64)
    share = total / max(1.0, total.sum())
    panels = [(f"all {len(x):,} documents", share, share)]
    for k in range(min(len(classes), CLASSES) if labelled else 0):
        here = x[y == k].sum(axis=0, dtype=np.float64)
        here /= max(1.0, here.sum())
        panels.append((classes[k], here, here - share))
    across = min(len(panels), 3)
    down = -(-len(panels) // across)
    figure = pictures.figure(3.2 * across, 2.1 * down + 0.4)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    for i, (ax, (name, shares, rank)) in enumerate(zip(axes, panels)):
        top = np.argsort(-rank, kind="stable")[: min(WORDS, int((rank > 0).sum()))]
        ax.barh(range(len(top)), shares[top], color=pictures.ACCENT if i else pictures.COLOURS[0])
        if i:
            ax.plot(share[top], range(len(top)), "k|", ms=7)
        ax.set_yticks(range(len(top)), [readable(words[j]) for j in top], fontsize=7)
        ax.invert_yaxis()
        ax.set_title(name[:34], fontsize=8)
        ax.tick_params(axis="x", labelsize=6)
        ax.locator_params(axis="x", nbins=4)
    more = "; then what each class has more of (|: its share in all)" if labelled else ""
    figure.suptitle(
        f"{data.name}: share of the commonest of {len(words):,} words{more}", fontsize=9
    )
    return figure
