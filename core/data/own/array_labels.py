"""Labels of one's own that are texts, next to arrays: their values become classes."""

from collections.abc import Sequence

import numpy as np

from ..files import DataError
from .lines import listed

CLASSES = 1000  # the most classes that labels may stand for


def numbered(name, y, classes: Sequence[str] = ()) -> tuple[np.ndarray, tuple[str, ...]]:
    """(y, classes): texts [N] as the numbers of `classes`, by default of their sorted values.

    What is no text stays as it is. Raises DataError, about `name`, for more than a thousand values
    and for one that is none of `classes`.

    >>> numbered("d", ["dog", "cat", "dog"])
    (array([1, 0, 1]), ('cat', 'dog'))
    >>> numbered("d", np.array([2, 0]))
    (array([2, 0]), ())
    """
    y, classes = np.asarray(y), tuple(classes)
    if y.dtype.kind == "O" and y.size and all(isinstance(item, str) for item in y.flat):
        y = y.astype(str)
    if y.dtype.kind != "U":
        return y, classes
    found, number = np.unique(y, return_inverse=True)
    kinds = tuple(map(str, found))
    classes = classes or kinds
    if len(classes) > CLASSES:
        raise DataError(f"{name}: y has {len(classes):,} different texts; at most {CLASSES}")
    for kind in kinds:
        if kind not in classes:
            raise DataError(f"{name}: the label {kind!r:.60} is no class{listed(classes)}")
    place = np.array([classes.index(kind) for kind in kinds], np.int64)
    return place[number].reshape(y.shape), classes
