"""A table of numbers as rows of 0 and 1, for systems whose units are binary."""

from dataclasses import replace

import numpy as np

from ..dataset import DataSet, Split
from ..files import DataError
from ..mapped import Mapped

ROWS = ("", "table", "binary")  # the kinds of rows that are a table


def check_bits(bits) -> None:
    """Raises DataError unless `bits` is None or "median"."""
    if bits not in (None, "median"):
        raise DataError(f"bits must be 'median'; got {bits!r:.60}")


def above_median(parts, columns) -> tuple[list[Split | None], dict[int, str]]:
    """Splits whose `columns` are 1 above their median in the training split, and 0 elsewhere.

    A column of 0 and 1 alone is not changed. Where no training value is above the median, the
    largest ones are 1. Returns what was done to which column, too, in words.

    >>> train = Split(np.array([[1.0, 0.0], [5.0, 1.0], [9.0, 1.0]]))
    >>> [train], words = above_median([train], [0, 1])
    >>> train.x.tolist(), words
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]], {0: '1 above 5, the median of the training rows'})
    """
    arrays = [None if part is None else part.x.copy() for part in parts]
    train, words = parts[0].x, {}
    for i in columns:
        if all(a is None or np.isin(a[:, i], (0, 1)).all() for a in arrays):
            continue
        median = np.median(train[:, i])
        top = train[:, i].max() <= median
        words[int(i)] = (
            f"1 {'from' if top else 'above'} {median:g}, the median of the training rows"
        )
        for a in arrays:
            if a is not None:
                a[:, i] = (a[:, i] >= median) if top else (a[:, i] > median)
    return [p if p is None else Split(a, p.y) for p, a in zip(parts, arrays)], words


def as_table(data: DataSet) -> DataSet:
    """Rows of numbers as a table, also where all are 0 and 1. DataError for other data.

    >>> as_table(DataSet("d", Split(np.eye(3)))).info.kind
    'table'
    """
    x = getattr(getattr(data, "train", None), "x", None)
    if not isinstance(x, np.ndarray | Mapped) or x.ndim != 2 or data.info.kind not in ROWS:
        what = data.info.kind or type(data).__name__
        raise DataError(f"{data.info.source or data.name} is of the kind {what!r}, not 'table'")
    return replace(data, info=replace(data.info, kind="table"))


def as_bits(data: DataSet) -> DataSet:
    """A table as rows of 0 and 1: `above_median` of all its columns. DataError for other data.

    >>> x = np.array([[0.1, 7.0], [0.3, 8.0], [0.2, 9.0]])
    >>> found = as_bits(DataSet("d", Split(x)))
    >>> found.train.x.tolist(), found.info.kind
    ([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], 'binary')
    """
    x = data.train.x
    if isinstance(x, list) or x.ndim != 2 or isinstance(x, Mapped):
        raise DataError(f"{data.name}: bits are made of tables in memory; this is no such table")
    parts, words = above_median([data.train, data.valid, data.test], range(x.shape[1]))
    names = data.info.feature_names or tuple(f"column {i + 1}" for i in range(x.shape[1]))
    said = tuple(f"{names[i]}: {done}" for i, done in words.items())
    info = replace(data.info, kind="binary", understood=(*data.info.understood, *said))
    return DataSet(data.name, *parts, info)
