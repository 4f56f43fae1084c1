"""The words of a text CNN: a vector for each, from a file or drawn; and the folds of its data."""

from dataclasses import replace

import numpy as np

from ...core.data import DataError, DataSet, Split, Vocabulary, folds
from ...core.data.text import UNKNOWN
from ...core.nn.init import uniform
from ..common.labels import classes_of
from ..common.validation import with_validation
from ..embeddings import vector_files

FOLDS = 10
RANGE = 0.25  # random vectors are drawn from U(-.25, .25), in Kim's program


def prepare(data: DataSet, s) -> DataSet:
    """Sentences with a validation split and, of a file, the vectors of their words.

    With `cross` the test is fold `seed` of ten, and all others are for training. A tenth of the
    training sentences is for validation where there is none. With a file, words of it that are
    outside of the vocabulary get numbers after all others, and ``info.extra["vectors"]`` is
    (which of the words it has, bool [V]; their vectors [V, D], 0 for the others).

    >>> from glassgrad.core.data import load
    >>> from glassgrad.models.convolutional.text_cnn import Settings
    >>> data = load("enwiki_or_shakespeare")
    >>> [len(split) for _, split in prepare(data, Settings(cross=True)).splits()]
    [4150, 461, 513]
    """
    classes_of("text-cnn", data)
    if data.info.vocabulary is None:
        raise DataError(f"{data.name}: texts need a vocabulary")
    if s.file:
        data = with_vectors(data, *vector_files.load(s.file))
    if s.cross:
        whole = data.whole()
        fold = folds(whole.y, FOLDS)
        parts = {"train": whole[fold != s.seed], "valid": None, "test": whole[fold == s.seed]}
        data = replace(data, **parts)
    return with_validation(data, s.seed)


def with_vectors(data: DataSet, known: Vocabulary, vectors: np.ndarray) -> DataSet:
    """The data with ``info.extra["vectors"]``, and with numbers for words that only `known` has.

    vectors [K, D] are those of the words of `known`. Raises DataError if none of the words has one.
    """
    own, lost = data.info.vocabulary, data.info.extra.get("unknown", {})
    more = dict.fromkeys(w for part in lost.values() for w in part if w in known)
    words = Vocabulary((*own.words, *more))
    parts = {name: restored(split, words, lost.get(name)) for name, split in data.splits()}
    there = np.array([w in known for w in words.words])
    if not there.any():
        raise DataError(f"{data.name}: none of its {len(own):,} words is in the file of vectors")
    table = np.zeros((len(words), vectors.shape[1]), np.float32)
    table[there] = vectors[[known.index[w] for w in words.words if w in known]]
    extra = data.info.extra | {"vectors": (there, table)}
    return replace(data, info=replace(data.info, vocabulary=words, extra=extra), **parts)


def restored(split: Split, words: Vocabulary, lost: list[str] | None) -> Split:
    """The split with the number of each lost word that `words` has in the place of ``<unk>``."""
    if not lost:
        return split
    unknown, x = words.index[UNKNOWN], [np.array(text, np.int64) for text in split.x]
    flat = np.concatenate(x)
    places = np.flatnonzero(flat == unknown)
    if len(places) == len(lost):  # of words that were <unk> in the text nothing is known
        flat[places] = words.encode(lost)
    return Split(np.split(flat, np.cumsum([len(text) for text in x])[:-1]), split.y)


def table_of(data: DataSet, s, rng) -> np.ndarray:
    """A vector for each word, float32 [V, D]: those of the file, the others drawn from `rng`.

    They are uniform, of the variance of the file's numbers; without a file from U(-.25, .25).
    """
    words = len(data.info.vocabulary)
    if not s.file:
        return uniform((words, s.size), rng, low=-RANGE, high=RANGE)
    there, table = data.info.extra["vectors"]
    bound = float(np.sqrt(3) * table[there].std(dtype=np.float64))
    drawn = uniform(table.shape, rng, low=-bound, high=bound)
    return np.where(there[:, None], table, drawn)
