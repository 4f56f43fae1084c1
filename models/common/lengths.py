"""Minibatches of examples of similar lengths, so that little of them is padding."""

import numpy as np


def in_pools(lengths: np.ndarray, rows: np.ndarray, size: int, pool: int) -> list[np.ndarray]:
    """The rows of minibatches of `size`, in each of which the lengths are similar.

    lengths   of all examples [N];  rows   their numbers in the (random) order of an epoch [N]
    pool      minibatches that are sorted together: of all of them each would always be the same

    Shorter ones come first within each pool: put them in a random order, too.

    >>> rows = in_pools(np.array([5, 1, 4, 2]), np.arange(4), 2, 2)
    >>> [part.tolist() for part in rows]
    [[1, 3], [2, 0]]
    """
    found = []
    for at in range(0, len(rows), pool * size):
        part = rows[at : at + pool * size]
        part = part[np.argsort(lengths[part], kind="stable")]
        found += [part[i : i + size] for i in range(0, len(part), size)]
    return found
