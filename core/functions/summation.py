"""Sums of float32 that do not drift.

NumPy adds pairwise along the contiguous axis, with an error of ε log n. Along any other axis it
adds row after row, and the error grows like ε n: the column means of [400000, 4] numbers near 1000
are wrong in the first decimal. Here such a sum is computed in blocks of `BLOCK` rows, and the
blocks are added in float64: as fast, with an error of at most ε·BLOCK. The order is fixed.
"""

import numpy as np

BLOCK = 64
LONG = 512  # shorter sums are left to NumPy


def total(x, axis=None, keepdims: bool = False):
    """Σ x over `axis` (an int, a tuple, or None for all), for arrays of any dtype and library.

    >>> import numpy as np
    >>> bool(abs(total(np.full((10**6, 2), 0.1, "float32"), axis=0) / 1e5 - 1).max() < 1e-6)
    True
    """
    if x.size <= LONG or x.dtype != np.float32 or not isinstance(x, np.ndarray):
        return x.sum(axis=axis, keepdims=keepdims)
    if isinstance(axis, int) and x.shape[axis] <= LONG:
        return x.sum(axis=axis, keepdims=keepdims)
    if axis is None and x.flags.c_contiguous:
        return x.sum(keepdims=keepdims)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = {a % x.ndim for a in axes}
    if _one_by_one(x, axes) <= LONG:
        return x.sum(axis=axis, keepdims=keepdims)
    out = x
    for a in sorted(axes, reverse=True):
        out = _in_blocks(out, a)
    out = out.astype(x.dtype)
    return out if keepdims else out.reshape([n for a, n in enumerate(x.shape) if a not in axes])


def _one_by_one(x, axes) -> int:
    """How many terms NumPy adds one after another: those along the axes that are not contiguous."""
    slowest_first = range(x.ndim)
    if not x.flags.c_contiguous:
        slowest_first = sorted(slowest_first, key=lambda a: -abs(x.strides[a]))
    n, pairwise = 1, True
    for a in reversed(slowest_first):
        pairwise = pairwise and (a in axes or x.shape[a] == 1)
        if a in axes and not pairwise:
            n *= x.shape[a]
    return n


def _in_blocks(x, axis: int):
    """x summed over one axis, which is kept with length 1; float64 if it took several blocks."""
    n = x.shape[axis]
    if n <= BLOCK or x.dtype != np.float32:
        return x.sum(axis=axis, keepdims=True)
    whole = n - n % BLOCK
    before = (slice(None),) * axis
    blocks = x[(*before, slice(whole))].reshape(
        (*x.shape[:axis], whole // BLOCK, BLOCK, *x.shape[axis + 1 :])
    )
    out = blocks.sum(axis=axis + 1).sum(axis=axis, keepdims=True, dtype=np.float64)
    return out + x[(*before, slice(whole, None))].sum(axis=axis, keepdims=True, dtype=np.float64)
