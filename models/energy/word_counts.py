"""Documents as counts of words: what the topic models of this family are trained on.

Counts [N, K] are taken as they are. Of a text, pieces of `piece` words become documents. Their
vocabulary is that of the training pieces: the `words` commonest of at least three letters, without
those that are in more than the share `common` of all pieces ("the", "which": they say nothing of a
topic) and those in fewer than `rare` pieces. Of ten pieces the ninth is for validation and the
tenth for the test.

No set of counts ships with the package; a text of Wikipedia articles on countries does. Its topics
can be named by anybody: the economy, the coast and the hills, borders, trade.
"""

from collections import Counter
from dataclasses import replace

import numpy as np

from ...core.data import Corpus, DataError, DataSet, Info, Split, kind_of
from ...core.training.settings import TrainingSettings, setting
from ..common.lines import lines_of


class CountSettings(TrainingSettings):
    """How a text becomes documents and words."""

    clip: int = setting(0, least=0, help="largest count of a word in a training document, 0: any")
    piece: int = setting(200, least=2, kinds=("text",), help="words of a document cut from a text")
    words: int = setting(1000, least=1, kinds=("text",), help="size of the vocabulary of a text")
    common: float = setting(
        0.25, above=0, kinds=("text",), help="share of pieces above which a word is left out"
    )
    rare: int = setting(5, least=1, kinds=("text",), help="pieces that a word must be in")


def as_counts(data: Corpus | DataSet, s: CountSettings) -> DataSet:
    """The counts of words of a data set; those of training documents are at most `clip` (0: any).

    Documents without words are left out of training. DataError where a text has too few words.
    """
    if kind_of(data) != "counts":
        data = counted(data, s)
    x = data.train.x
    train = data.train[np.flatnonzero(x.sum(axis=1) > 0)]
    if s.clip:
        train = Split(np.minimum(train.x, np.float32(s.clip)), train.y)
    return replace(data, train=train)


def counted(data: Corpus | DataSet, s: CountSettings) -> DataSet:
    """The pieces of a text as rows of counts."""
    pieces = [
        line[i : i + s.piece] for line in lines_of(data) for i in range(0, len(line), s.piece)
    ]
    parts = [[p for i, p in enumerate(pieces) if (i % 10 if i % 10 >= 8 else 0) == k]
             for k in (0, 8, 9)]  # fmt: skip
    if not all(parts):
        raise DataError(
            f"{data.name}: {len(pieces)} pieces of {s.piece} words are too few; at least 10 are"
            " needed (piece)"
        )
    kept = vocabulary(parts[0], s)
    if not kept:
        raise DataError(
            f"{data.name}: no word of three letters is in {s.rare} pieces or more (rare) and in at"
            f" most {100 * s.common:g} % of them (common)"
        )
    index = {w: k for k, w in enumerate(kept)}
    splits = [Split(rows_of(part, index)) for part in parts]
    note = f"pieces of {s.piece} words; of ten the ninth for validation, the tenth for the test"
    info = Info(data.info.source, feature_names=tuple(kept), note=note, kind="counts")
    return DataSet(data.name, *splits, info=info)


def vocabulary(pieces: list[list[str]], s: CountSettings) -> list[str]:
    """The words that are counted, the commonest first."""
    tally: Counter = Counter()
    documents: Counter = Counter()
    for piece in pieces:
        tally.update(piece)
        documents.update(set(piece))
    most = s.common * len(pieces)
    kept = [w for w in tally if len(w) > 2 and s.rare <= documents[w] <= most]
    kept.sort(key=lambda w: (-tally[w], w))
    return kept[: s.words]


def rows_of(pieces: list[list[str]], index: dict[str, int]) -> np.ndarray:
    """float32 [N, K]: how often each word of the index is in each piece.

    >>> rows_of([["a", "b", "a", "c"]], {"a": 0, "b": 1}).tolist()
    [[2.0, 1.0]]
    """
    x = np.zeros((len(pieces), len(index)), np.float32)
    for i, piece in enumerate(pieces):
        for word in piece:
            if word in index:
                x[i, index[word]] += 1
    return x
