"""Class labels: their number, which examples keep theirs, minibatches where few have one."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ...core.data import DataSet, Split
from ...core.training.settings import SettingError
from ...core.training.system import Batch


def classes_of(name: str, data: DataSet) -> int:
    """The number of classes of a labelled set; SettingError if it has no labels."""
    y = data.train.y
    if not isinstance(y, np.ndarray) or y.ndim != 1 or y.dtype.kind != "i":
        folder = data.info.kind == "images" and Path(data.info.source).is_dir()
        hint = ": make a sub-folder for each class" if folder else ""
        raise SettingError(f"{name}: {data.name} has no class labels{hint}")
    return max(len(data.info.classes), int(y.max()) + 1)


def labels_of(split: Split) -> np.ndarray | None:
    """Class labels [N] of a split, whole numbers; None if it has none.

    >>> labels_of(Split(np.zeros(2), np.array([1, 0], np.uint8))).tolist()
    [1, 0]
    >>> labels_of(Split(np.zeros(2), np.array([0.5, 1.5])))
    """
    y = split.y
    return y if isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind in "iu" else None


def few(split: Split, n: int) -> np.ndarray:
    """The n examples that keep their labels: the first of each class in turn, int64 [n], sorted.

    n = 0, or more than there are, means all of them.

    >>> few(Split(np.zeros(5), np.array([1, 1, 1, 0, 0])), 4).tolist()
    [0, 1, 3, 4]
    """
    if not 0 < n < len(split):
        return np.arange(len(split))
    return np.sort(np.lexsort((split.y, rank_in_class(split.y)))[:n])


def rank_in_class(y: np.ndarray) -> np.ndarray:
    """How many examples of its class are before each of the labels y [N], int64 [N].

    >>> rank_in_class(np.array([4, 2, 4, 4, 2])).tolist()
    [0, 0, 1, 2, 1]
    """
    rank = np.empty(len(y), np.int64)
    for k in np.unique(y):
        rank[y == k] = np.arange((y == k).sum())
    return rank


def with_labelled(others: Iterable[Batch], labelled: Iterable[Batch]) -> Iterator[Batch]:
    """Each minibatch of examples without labels, y = -1, followed by one of examples with them.

    >>> a, b = Batch(np.zeros((2, 3))), Batch(np.ones((1, 3)), np.array([4]))
    >>> [batch.y.tolist() for batch in with_labelled([a], [b])]
    [[-1, -1, 4]]
    """
    for a, b in zip(others, labelled):
        y = np.concatenate([np.full(len(a), -1, np.int64), b.y])
        yield Batch(np.concatenate([a.x, b.x]), y)
