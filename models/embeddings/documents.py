"""Texts as documents: lists of word numbers, with a class each where there are classes.

    sentences   each text is a document; the splits and the classes are those of the set
    text        pieces of a few words of each line; one line in twenty is the validation split. If
                the lines are few, or too short to be cut, each ten pieces that follow one another
                count as one line

The vocabulary holds the words that come `min_count` times or more in the training documents,
commonest first; other words are left out. Two figures say what document vectors are worth:

    accuracy    of logistic regression from the vectors of training documents to their classes, on
                held-out documents
    halves      the share of held-out documents whose two halves find each other: of the second
                halves of all (500 at most) that of the document has the smallest angle to its first
                half. It needs no classes; chance has one in as many as there are documents
"""

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from ...core.data import Corpus, DataError, DataSet, Info, Split, Vocabulary, pad
from ..common.code_pictures import labels_of
from ..common.lines import MARKS, lines_of
from ..common.neighbours import unit_length
from . import judging
from .texts import EVERY

MOST = 500  # documents whose halves are looked for
PASSAGE = 10  # pieces
Pieces = list[np.ndarray]
NONE = np.empty(0, np.int64)
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: mixes the numbers of words
ONE, HALF = np.uint64(1), np.uint64(32)


def as_documents(data: Corpus | DataSet, min_count: int, words: int) -> DataSet:
    """Documents int64 [T_n] of a text or of sentences, as on this page; `words` are of a piece.

    ``info.extra`` has the `counts` of the words, and of a text the `lines`: for each split the
    number of the line that each of its documents is of. Raises DataError where no training document
    has two words that are kept.
    """
    is_text = isinstance(data, Corpus) or data.info.kind == "text" or _is_long(data)
    parts, lines = _pieces(data, words) if is_text else (dict(_sentences(data)), {})
    tally: Counter = Counter()
    for document in parts["train"][0]:
        tally.update(document)
    kept = sorted((w for w, c in tally.items() if c >= min_count), key=lambda w: (-tally[w], w))
    index = {w: i for i, w in enumerate(kept)}
    splits = {
        name: Split([np.array([index[w] for w in d if w in index], np.int64) for d in x], y)
        for name, (x, y) in parts.items()
    }
    if not any(len(d) > 1 for d in splits["train"].x):
        raise DataError(
            f"{data.name}: no document has two words that come {min_count} times or more"
            f" (min_count); there are {len(tally)} different words"
        )
    info = Info(
        data.info.source,
        classes=data.info.classes,
        vocabulary=Vocabulary(tuple(kept)),
        note=f"pieces of {words} words; validation: one line in {EVERY}" if is_text else "",
        extra={"counts": np.array([tally[w] for w in kept], np.int64), "lines": lines},
        kind="sentences",
    )
    return DataSet(data.name, *(splits.get(n) for n in ("train", "valid", "test")), info)


def _is_long(data: DataSet) -> bool:
    """Is it one long text of tokens?"""
    return isinstance(data.train.x, np.ndarray)


def _sentences(data: DataSet) -> Iterator[tuple[str, tuple[list, np.ndarray | None]]]:
    """The splits of a set of sentences, as words."""
    if data.info.vocabulary is None:
        raise DataError(f"{data.name}: vectors of texts need a vocabulary")
    words = data.info.vocabulary.words
    known = np.array([w not in MARKS for w in words])
    for name, split in data.splits():
        documents = [[words[i] for i in np.asarray(x)[known[x]]] for x in split.x]
        yield name, (documents, labels_of(split))


def _pieces(data: Corpus | DataSet, words: int):
    """{split: (pieces, None)} of the lines of a text, and {split: the line of each piece}.

    A rest of a line of fewer than half of the words is left out. Where the text has fewer than
    twenty lines, or fewer than two pieces a line, `PASSAGE` pieces that follow one another count as
    one line.
    """
    found: list[tuple[int, list[str]]] = []
    for number, line in enumerate(lines_of(data)):
        least = min(len(line), (words + 1) // 2)
        starts = range(0, len(line), words)
        pieces = (line[at : at + words] for at in starts)
        found += [(number, piece) for piece in pieces if len(piece) >= least]
    numbers = np.array([number for number, _ in found], np.int64)
    lines = len(np.unique(numbers))
    if lines < EVERY or len(found) < 2 * lines:
        numbers = np.arange(len(found)) // PASSAGE
    held = np.unique(numbers, return_inverse=True)[1] % EVERY == EVERY - 1
    parts = {"train": ~held, "valid": held}
    parts = {name: np.flatnonzero(which) for name, which in parts.items() if which.any()}
    documents = {name: ([found[i][1] for i in at], None) for name, at in parts.items()}
    return documents or {"train": ([], None)}, {name: numbers[at] for name, at in parts.items()}


def halves(vectors: Callable[[Pieces], np.ndarray], documents: Pieces, most: int = MOST) -> float:
    """The share of documents whose second half is nearest to their first, by the angle.

    vectors    the vectors [N,D] of documents
    documents  of which the first `most` that have two words are looked at; 0 where there are none

    >>> counts = lambda some: np.stack([np.bincount(d, minlength=4) for d in some]).astype(float)
    >>> halves(counts, [np.array([0, 1, 1, 0]), np.array([2, 3, 3, 2]), np.array([3])])
    1.0
    """
    able = [d for d in documents if len(d) > 1][:most]
    if not able:
        return 0.0
    first = unit_length(vectors([d[: len(d) // 2] for d in able]))
    second = unit_length(vectors([d[len(d) // 2 :] for d in able]))
    return float(((first @ second.T).argmax(axis=1) == np.arange(len(able))).mean())


def looked_up(pieces: Pieces, known: Pieces, own, infer: Callable[[Pieces], np.ndarray]):
    """Vectors [M,D] of documents: of known ones as they are in `own` [N,D], of others inferred.

    >>> known = [np.array([1, 2]), np.array([3])]
    >>> looked_up([np.array([3]), np.array([7])], known, np.eye(2), lambda p: np.zeros((len(p), 2)))
    array([[0., 1.],
           [0., 0.]])
    """
    row = {x.tobytes(): i for i, x in enumerate(known)}
    rows = np.array([row.get(p.tobytes(), -1) for p in pieces], np.int64)
    there, new = rows >= 0, [p for p, n in zip(pieces, rows) if n < 0]
    found = np.empty((len(pieces), own.shape[1]), own.dtype)
    found[there], found[~there] = own[rows[there]], infer(new)
    return found


def judged(
    infer: Callable[[Pieces], np.ndarray], seen: Split, own, split: Split, vectors=None
) -> dict[str, float]:
    """`halves` of a split, and where it has classes `accuracy`.

    infer    the vectors [N,D] of new documents
    seen     the training documents, whose vectors are `own` [N,D]
    vectors  those of the split's own documents, where they are known otherwise
    """
    found = {"halves": halves(infer, split.x)}
    y, held = labels_of(seen), labels_of(split)
    if y is not None and held is not None:
        found["accuracy"] = judging.linear_accuracy(own, y, (vectors or infer)(split.x), held)
    return found


def padded(documents: Pieces, value: int) -> np.ndarray:
    """Documents as rows int64 [N,T] of the longest one's length, `value` where they have no word.

    >>> padded([np.array([5, 6]), np.array([7])], -1)
    array([[ 5,  6],
           [ 7, -1]])
    """
    return np.ascontiguousarray(pad(documents, value)[0].T, np.int64)


def ngrams(words: np.ndarray, n: int, none: int, buckets: int) -> np.ndarray:
    """Rows of n-grams of words int64 [N,T], each of T - n + 1 places: int64 [N, ...].

    ``none + 1 + hash mod buckets`` where all n words are below `none`, and `none` elsewhere. The
    hash depends on the words' numbers and their order.

    >>> ngrams(np.array([[0, 1, 0, 2]]), 2, none=2, buckets=10)
    array([[12,  4,  2]])
    """
    mixed = np.zeros((len(words), max(0, words.shape[1] - n + 1)), np.uint64)
    there = np.ones(mixed.shape, bool)
    for at in range(n):
        part = words[:, at : at + mixed.shape[1]]
        mixed = (mixed ^ (part.astype(np.uint64) + ONE)) * FACTOR
        mixed ^= mixed >> HALF
        there &= part < none
    return np.where(there, none + 1 + (mixed % np.uint64(buckets)).astype(np.int64), none)
