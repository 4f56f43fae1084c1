"""Rows of a table on the CPU: the formulas as plain loops, compiled (version 1).

n counts places, d columns. Places do not depend on each other in `gather`, so that each thread gets
a part of them. In `scatter_add` two places may be of one row, but columns do not depend on each
other: each thread goes through all places, and takes a stretch of the columns. So every number is a
sum in the order of n, with any number of threads.
"""

import numpy as np

from ..compiled import njit
from ..registry import register
from ..threads import in_parts, parts_for

LOOPS = "the formula as plain loops"
WIDE = 64  # columns of a part at least: with 16 the loop takes one number at a time


@njit(nogil=True)
def _gather(w, index, y, parts, part):
    N, D = y.shape
    for n in range(part * N // parts, (part + 1) * N // parts):
        v = index[n]
        for d in range(D):
            y[n, d] = w[v, d]


@njit(nogil=True)
def _scatter_add(g, index, s, parts, part):
    N, D = g.shape
    first, last = part * D // parts, (part + 1) * D // parts
    for n in range(N):
        v = index[n]
        for d in range(first, last):
            s[v, d] += g[n, d]


@register("embedding", "gather", backend="numba", idea=LOOPS)
def gather(w, index):
    """y [N,D] from w [V,D] and index [N]; places on threads."""
    w, index = np.ascontiguousarray(w), np.ascontiguousarray(index)
    y = np.empty((len(index), w.shape[1]), w.dtype)
    parts = parts_for(y.size, max(1, len(index)))
    in_parts(_gather, parts, w, index, y, parts)
    return y


@register("embedding", "scatter_add", backend="numba", idea=LOOPS)
def scatter_add(g, index, rows):
    """s [V,D] from g [N,D] and index [N]; columns on threads."""
    g, index = np.ascontiguousarray(g), np.ascontiguousarray(index)
    s = np.zeros((rows, g.shape[1]), g.dtype)
    parts = parts_for(g.size, max(1, g.shape[1] // WIDE))
    in_parts(_scatter_add, parts, g, index, s, parts)
    return s
