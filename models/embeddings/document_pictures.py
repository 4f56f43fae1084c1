"""Pictures of document vectors: neighbours, a map by class, and the neighbours of words."""

from collections import Counter

import numpy as np

from ...core import pictures
from ...core.data import DataSet, Split
from ..common.code_pictures import labels_of
from ..common.neighbours import unit_length
from . import word_pictures

ROWS = 8  # documents whose neighbours are shown
NEAR = 2  # neighbours of each
SHOWN = 11  # words of a document, from its beginning
MAPPED = 1500  # documents on the map
PAIRS, OFTEN = 14, 10  # pairs of words that are shown, and how often each has to come


def figures(system, data: DataSet, s) -> dict:
    """Held-out documents with the nearest ones of training, their map, and words' neighbours."""
    held = next(x for x in (data.test, data.valid, data.train) if x is not None and len(x))
    some = held[np.linspace(0, len(held) - 1, min(MAPPED, len(held))).astype(np.int64)]
    vectors, vocabulary = system.vectors(some.x), system.vocabulary
    learnt = system.document_vectors()[: len(data.train)]
    return {
        "documents": nearest(some, vectors, data.train, learnt, data.info),
        "map": document_map(vectors, labels_of(some), data.info.classes),
        "words": word_pictures.neighbours(system.word_vectors(), vocabulary),
    }


def sentence_figures(system, data: DataSet, s) -> dict:
    """The same, and the n-grams whose vectors are longest."""
    found = figures(system, data, s)
    return found | ({"ngrams": ngrams(system, data)} if s.ngrams > 1 else {})


def ngrams(system, data: DataSet):
    """Pairs of words that come often and have long vectors, with the words nearest to them."""
    pairs: Counter = Counter()
    for d in data.train.x:
        pairs.update(zip(d[:-1].tolist(), d[1:].tolist()))
    often = np.array([p for p, n in pairs.items() if n >= OFTEN] or [*pairs], np.int64)
    rows = system.rows(often)[:, 0, 1]
    vectors, words = system.u.numpy()[rows], system.word_vectors()
    longest = np.argsort(-np.linalg.norm(vectors, axis=1), kind="stable")[:PAIRS]
    near = np.argsort(-unit_length(vectors[longest]) @ unit_length(words).T, axis=1, kind="stable")
    lines = [
        (" ".join(system.vocabulary.decode(often[i])), ", ".join(system.vocabulary.decode(j[:5])))
        for i, j in zip(longest, near)
    ]
    fig = pictures.figure(7.4, 0.3 * len(lines) + 0.7)
    ax = fig.subplots()
    ax.axis("off")
    for row, (pair, others) in enumerate(lines):
        y = 1 - (row + 0.5) / len(lines)
        ax.text(0, y, pair, va="center", weight="bold", color=pictures.ACCENT)
        ax.text(0.34, y, others, va="center")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.set_title("pairs of words with the longest vectors, and the nearest words", loc="left")
    return fig


def beginning(document: np.ndarray, vocabulary) -> str:
    """The first words of a document.

    >>> from ...core.data import Vocabulary
    >>> beginning(np.array([1, 0]), Vocabulary(("a", "b")))
    'b a'
    """
    more = " …" if len(document) > SHOWN else ""
    return " ".join(vocabulary.decode(document[:SHOWN])) + more


def nearest(asked: Split, vectors, known: Split, own, info):
    """Some documents, and those of training whose vectors have the smallest angles to theirs."""
    chosen = np.linspace(0, len(asked) - 1, min(ROWS, len(asked))).astype(np.int64)
    near = np.argsort(-unit_length(vectors[chosen]) @ unit_length(own).T, axis=1, kind="stable")
    fig = pictures.figure(9.0, 0.2 * (NEAR + 2) * len(chosen) + 0.5)
    ax, y = fig.subplots(), 0.0
    for i, others in zip(chosen, near[:, :NEAR]):
        lines = [(asked, i, pictures.ACCENT), *((known, j, pictures.INK) for j in others)]
        for split, j, colour in lines:
            text = beginning(split.x[j], info.vocabulary)
            labels = labels_of(split)
            kind = info.classes[labels[j]] if labels is not None and info.classes else ""
            ax.text(0.17, y, text, va="center", fontsize=8, color=colour)
            ax.text(0.15, y, kind, va="center", ha="right", fontsize=8, color=colour)
            y -= 1
        y -= 0.7
    ax.axis("off")
    ax.set(xlim=(0, 1), ylim=(y + 0.5, 1))
    ax.set_title("held-out documents (red) and the nearest ones of training", loc="left")
    return fig


def document_map(vectors: np.ndarray, y: np.ndarray | None, classes):
    """Documents [N,D] in the plane of the two main axes of their directions, by class."""
    at = word_pictures.directions(vectors)
    fig = pictures.figure(6.6, 5.2)
    ax = fig.subplots()
    for k in [None] if y is None else np.unique(y):
        here = at if k is None else at[y == k]
        name = None if k is None else classes[k] if k < len(classes) else str(k)
        colour = pictures.INK if k is None else pictures.CLASS_COLOURS[int(k) % 10]
        ax.plot(*here.T, ".", ms=4, alpha=0.6, color=colour, label=name)
    if y is not None:
        fig.legend(frameon=False, markerscale=2, fontsize=8, loc="outside right upper")
    ax.set(xticks=[], yticks=[])
    ax.set_title(f"{len(at)} documents by the two main axes of their directions", loc="left")
    return fig
