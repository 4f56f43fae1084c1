"""Products with a sparse matrix in NumPy: one entry after another."""

import itertools

import numpy as np

from ..registry import register


@register("spmm", "forward", backend="reference", idea="added in the order of the entries")
def forward(indptr, indices, values, x):
    """y [N,D] from indptr [N+1], indices and values [E], x [M,D] (see `spmm.forward`)."""
    y = np.zeros((len(indptr) - 1, x.shape[1]), x.dtype)
    for i in range(len(y)):
        for e in range(indptr[i], indptr[i + 1]):
            y[i] += values[e] * x[indices[e]]
    return y


@register("spmm", "transposed", backend="reference", idea="added in the order of the entries")
def transposed(indptr, rows, place, values, g):
    """s [M,D] from a transposed structure, values [E] and g [N,D] (see `spmm.transposed`)."""
    s = np.zeros((len(indptr) - 1, g.shape[1]), g.dtype)
    for j in range(len(s)):
        for p in range(indptr[j], indptr[j + 1]):
            s[j] += values[place[p]] * g[rows[p]]
    return s


@register("spmm", "values_grad", backend="reference", idea="an inner product for each entry")
def values_grad(rows, indices, g, x):
    """s [E] from rows and indices [E], g [N,D] and x [M,D] (see `spmm.values_grad`)."""
    s = np.zeros(len(rows), x.dtype)
    for e, (i, j) in enumerate(zip(rows, indices)):
        s[e] = np.dot(g[i], x[j])
    return s


@register("spmm", "softmax", backend="reference", idea="the formula, row after row")
def softmax(indptr, scores):
    """a [E] from indptr [N+1] and scores [E] (see `spmm.softmax`)."""
    a = np.zeros(len(scores), scores.dtype)
    for first, end in itertools.pairwise(indptr):
        if end > first:
            raised = np.exp(scores[first:end] - scores[first:end].max())
            a[first:end] = raised / raised.sum()
    return a
