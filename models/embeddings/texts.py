"""A text as numbers of words: its vocabulary, its pieces, and the pairs of words that stand near.

A window of h words on either side of a word u holds its contexts w; n_uw is how often w is one of
them. Windows do not reach from one piece into the next.
"""

from collections import Counter

import numpy as np

from ...core.data import Corpus, DataError, DataSet, Info, Split, Vocabulary
from ..common.lines import lines_of

PIECE = 1000  # words at most, as in word2vec's program
EVERY = 20  # one line in so many is held out


def as_numbers(data: Corpus | DataSet, min_count: int, whole: bool) -> DataSet:
    """Pieces of at most 1000 words, as numbers of the words that come `min_count` times or more.

    The vocabulary, commonest word first, and `counts` (in ``info.extra``) are those of the whole
    text; other words are taken out. Unless `whole`, every twentieth line is the validation split.
    Raises DataError where too few words are left for a pair.
    """
    tally: Counter = Counter()
    for line in lines_of(data):
        tally.update(line)
    kept = [w for w, c in tally.items() if c >= min_count]
    kept.sort(key=lambda w: (-tally[w], w))
    index = {w: i for i, w in enumerate(kept)}
    parts: tuple[list, list] = ([], [])
    number = 0
    for line in lines_of(data):
        held = not whole and number % EVERY == EVERY - 1
        number += bool(line)
        for at in range(0, len(line), PIECE):
            known = [index[w] for w in line[at : at + PIECE] if w in index]
            if len(known) > 1:
                parts[held].append(np.array(known, np.int64))
    if not parts[0]:
        raise DataError(
            f"{data.name}: no line has two words that come {min_count} times or more (min_count);"
            f" there are {len(tally)} different words"
        )
    info = Info(
        data.info.source,
        vocabulary=Vocabulary(tuple(kept)),
        note="all of the text" if whole else f"validation: one line in {EVERY}",
        extra={"counts": np.array([tally[w] for w in kept], np.int64)},
        kind="text",
    )
    return DataSet(data.name, Split(parts[0]), Split(parts[1]) if parts[1] else None, None, info)


def near(pieces: list[np.ndarray], width: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
    """(centre, context) int64 [N]: every word with those that stand near, in the order of the text.

    `width` is how many words a window has on either side, or that of each word's window.

    >>> near([np.array([5, 6, 7]), np.array([8])], 1)
    (array([5, 6, 6, 7]), array([6, 5, 7, 6]))
    """
    words = np.concatenate(pieces)
    piece = np.repeat(np.arange(len(pieces)), [len(p) for p in pieces])
    most, place = int(np.max(width, initial=0)), np.arange(len(words))
    steps = np.concatenate([np.arange(-most, 0), np.arange(1, most + 1)])
    other = place[:, None] + steps
    inside = (other >= 0) & (other < len(words))
    inside &= np.abs(steps) <= np.broadcast_to(width, place.shape)[:, None]
    other = np.where(inside, other, 0)
    inside &= piece[other] == piece[:, None]
    rows = np.broadcast_to(words[:, None], other.shape)
    return rows[inside], words[other[inside]]


def cooccurrence(pieces: list[np.ndarray], width: int, words: int):
    """n_uw as a sparse matrix [V,V] of float32, its columns in ascending order.

    >>> cooccurrence([np.array([0, 1, 0])], 1, 2).toarray().tolist()
    [[0.0, 2.0], [2.0, 0.0]]
    """
    from scipy.sparse import csr_matrix

    total = csr_matrix((words, words), dtype=np.float32)
    for at in range(0, len(pieces), PIECE):
        u, w = near(pieces[at : at + PIECE], width)
        total = total + csr_matrix((np.ones(len(u), np.float32), (u, w)), (words, words))
    total.sum_duplicates()
    return total


def kept_share(counts: np.ndarray, sample: float) -> np.ndarray:
    """The probability with which word2vec's program leaves a word in the text: [V].

    √(t/f) + t/f, at most 1, for the share f of the word and the threshold t = `sample`.

    >>> kept_share(np.array([900, 100]), 0.025).round(3).tolist()
    [0.194, 0.75]
    """
    f = counts / counts.sum()
    return np.minimum(1.0, np.sqrt(sample / f) + sample / f)


def thinned(pieces: list[np.ndarray], share: np.ndarray, rng) -> list[np.ndarray]:
    """The pieces without some of their commonest words; `rng` draws which places stay."""
    lengths = [len(p) for p in pieces]
    words = np.concatenate(pieces)
    stay = rng.uniform(len(words), dtype="float64") < share[words]
    ends = np.cumsum(lengths)[:-1]
    return [p[s] for p, s in zip(pieces, np.split(stay, ends))]
