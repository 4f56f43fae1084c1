"""The table of the alias method: any distribution over V words as V columns of equal width."""

import numpy as np

from ..errors import ValueRangeError, expect

WORD = 2**32  # a column's height


def alias_table(weights) -> tuple[np.ndarray, np.ndarray]:
    """(keep, other) int64 [V]: a draw that hits column v is v below the height keep[v], else other.

    Probabilities are weights / sum(weights), to 2^-32 of a column's height. A column that is too
    low is filled up from one that is too high, until all have the height 2^32 (Vose 1991).
    Raises ValueRangeError unless the weights are finite, not negative, and one of them is not zero.

    >>> alias_table([1.0, 3.0])
    (array([2147483648, 4294967296]), array([1, 1]))
    """
    weights = np.asarray(weights, dtype=np.float64)
    total = weights.sum() if weights.ndim == 1 else 0
    good = weights.size > 0 and np.isfinite(total) and total > 0 and (weights >= 0).all()
    must = "weights must be numbers [V], not negative, with a finite sum above 0"
    expect(bool(good), "alias_table", must, "sum > 0", total, ValueRangeError)
    n = len(weights)
    height = (weights / total * n).tolist()
    keep, other = np.full(n, WORD), np.arange(n)
    low = [v for v in range(n) if height[v] < 1]
    high = [v for v in range(n) if height[v] >= 1]
    while low and high:
        v, giver = low.pop(), high[-1]
        keep[v], other[v] = round(height[v] * WORD), giver
        height[giver] -= 1 - height[v]
        if height[giver] < 1:
            low.append(high.pop())
    return keep, other  # what is left on either side is full but for rounding
