"""The batch step on the CPU, version 2: a sum for each winner, then a matrix product.

Version 1 takes every sample to every node: 2 N M D operations. But a sample acts only through its
winner c: with S_c = sum of the samples that c won and n_c their number, the step of node m is
(K^T S)_m - (K^T n)_m w_m: N D additions, then a product of 2 M^2 D operations, which BLAS does.

S is taken about the mean of w: far from the origin the difference of the two terms would cancel.

    glassgrad bench som.update      both versions, next to each other
"""

import numpy as np

from ...compiled import njit
from ...product import product
from ...registry import register


@njit
def _segment_sums(x, centre, winner, sums, counts):
    """sums[c] and counts[c]: the samples that c won, about the centre, and how many they are."""
    for n in range(len(x)):
        c = winner[n]
        counts[c] += 1
        for j in range(x.shape[1]):
            sums[c, j] += x[n, j] - centre[j]


@register(
    "som", "update", backend="numba", version=2, idea="sums per winner, then a matrix product"
)
def update(w, x, winner, neighbourhood, rate, rule):
    """The new w [M, D] from x [N, D], winner [N] and K [M, M]."""
    real = w.dtype.type
    centre = np.zeros(w.shape[1], w.dtype)
    if rule == "difference" and len(w):
        centre = w.mean(axis=0)
    sums, counts = np.zeros(w.shape, w.dtype), np.zeros(len(w), w.dtype)
    winner = np.ascontiguousarray(winner, np.int64)
    _segment_sums(np.ascontiguousarray(x), centre, winner, sums, counts)
    step = product(neighbourhood.T, sums)
    if rule == "difference":
        step -= product(neighbourhood.T, counts[:, None]) * (w - centre)
    new = np.ascontiguousarray(w + real(rate) * step)
    if rule == "additive_normalised":
        norm = np.sqrt((new * new).sum(axis=1, keepdims=True))
        norm[norm == 0] = 1
        new /= norm
    return new
