"""A fingerprint of a data set: a training that goes on must see the examples that it began with."""

import hashlib

import numpy as np

from ..dataset import DataSet


def digest(data: DataSet) -> str:
    """SHA-256 of all examples and labels, in their splits.

    >>> from ..dataset import Split
    >>> one, other = (DataSet("d", Split(np.array([[v]]))) for v in (1.0, 2.0))
    >>> digest(one) == digest(one) != digest(other)
    True
    """
    found = hashlib.sha256()
    for name, split in data.splits():
        for part in (split.x, split.y):
            found.update(f"{name} {type(part).__name__} ".encode())
            for item in part if isinstance(part, list) else [part]:
                if item is not None:
                    found.update(f"{item.dtype} {item.shape} ".encode())
                    found.update(np.ascontiguousarray(item))
    return found.hexdigest()
