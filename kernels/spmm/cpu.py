"""Products with a sparse matrix on the CPU: the formulas as plain loops, compiled (version 1).

i counts rows, e entries, d columns of the dense matrix. Rows of the result do not depend on each
other (nor do entries in `values_grad`), so that each thread gets a part of them, and every sum has
the order of the entries with any number of threads.
"""

import numpy as np

from ..compiled import njit
from ..registry import register
from ..threads import PART, in_parts, parts_for

LOOPS = "the formula as plain loops"


@njit(nogil=True)
def _forward(indptr, indices, values, x, y, parts, part):
    N, D = y.shape
    for i in range(part * N // parts, (part + 1) * N // parts):
        for d in range(D):
            y[i, d] = 0
        for e in range(indptr[i], indptr[i + 1]):
            v, j = values[e], indices[e]
            for d in range(D):
                y[i, d] += v * x[j, d]


@njit(nogil=True)
def _transposed(indptr, rows, place, values, g, s, parts, part):
    M, D = s.shape
    for j in range(part * M // parts, (part + 1) * M // parts):
        for d in range(D):
            s[j, d] = 0
        for p in range(indptr[j], indptr[j + 1]):
            v, i = values[place[p]], rows[p]
            for d in range(D):
                s[j, d] += v * g[i, d]


@njit(nogil=True)
def _values_grad(rows, indices, g, x, s, parts, part):
    E = len(rows)
    for e in range(part * E // parts, (part + 1) * E // parts):
        i, j = rows[e], indices[e]
        total = x.dtype.type(0)
        for d in range(x.shape[1]):
            total += g[i, d] * x[j, d]
        s[e] = total


@njit(nogil=True)
def _softmax(indptr, scores, a, parts, part):
    N = len(indptr) - 1
    for i in range(part * N // parts, (part + 1) * N // parts):
        first, end = indptr[i], indptr[i + 1]
        if first == end:
            continue
        largest, total = scores[first], scores.dtype.type(0)
        for e in range(first + 1, end):
            largest = max(largest, scores[e])
        for e in range(first, end):
            a[e] = np.exp(scores[e] - largest)
            total += a[e]
        for e in range(first, end):
            a[e] /= total


@register("spmm", "forward", backend="numba", idea=LOOPS)
def forward(indptr, indices, values, x):
    """y [N,D] from indptr [N+1], indices and values [E], x [M,D]; rows on threads."""
    arrays = [np.ascontiguousarray(a) for a in (indptr, indices, values, x)]
    y = np.empty((len(indptr) - 1, x.shape[1]), x.dtype)
    parts = parts_for(len(values) * x.shape[1], max(1, len(y)), PART)
    in_parts(_forward, parts, *arrays, y, parts)
    return y


@register("spmm", "transposed", backend="numba", idea=LOOPS)
def transposed(indptr, rows, place, values, g):
    """s [M,D] from a transposed structure, values [E] and g [N,D]; rows of s on threads."""
    arrays = [np.ascontiguousarray(a) for a in (indptr, rows, place, values, g)]
    s = np.empty((len(indptr) - 1, g.shape[1]), g.dtype)
    parts = parts_for(len(values) * g.shape[1], max(1, len(s)), PART)
    in_parts(_transposed, parts, *arrays, s, parts)
    return s


@register("spmm", "values_grad", backend="numba", idea=LOOPS)
def values_grad(rows, indices, g, x):
    """s [E] from rows and indices [E], g [N,D] and x [M,D]; entries on threads."""
    arrays = [np.ascontiguousarray(a) for a in (rows, indices, g, x)]
    s = np.empty(len(rows), x.dtype)
    parts = parts_for(len(rows) * x.shape[1], max(1, len(rows)), PART)
    in_parts(_values_grad, parts, *arrays, s, parts)
    return s


@register("spmm", "softmax", backend="numba", idea=LOOPS)
def softmax(indptr, scores):
    """a [E] from indptr [N+1] and scores [E]; rows on threads."""
    indptr, scores = np.ascontiguousarray(indptr), np.ascontiguousarray(scores)
    a = np.empty(len(scores), scores.dtype)
    parts = parts_for(len(scores), max(1, len(indptr) - 1))
    in_parts(_softmax, parts, indptr, scores, a, parts)
    return a
