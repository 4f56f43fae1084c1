"""Rows of a table in NumPy: one place after another."""

import numpy as np

from ..registry import register


@register("embedding", "gather", backend="reference", idea="a row for each place")
def gather(w, index):
    """y [N,D] from w [V,D] and index [N] (see `embedding.gather`)."""
    y = np.empty((len(index), w.shape[1]), w.dtype)
    for n, v in enumerate(index):
        y[n] = w[v]
    return y


@register("embedding", "scatter_add", backend="reference", idea="added in the order of the places")
def scatter_add(g, index, rows):
    """s [V,D] from g [N,D] and index [N] (see `embedding.scatter_add`)."""
    s = np.zeros((rows, g.shape[1]), g.dtype)
    for n, v in enumerate(index):
        s[v] += g[n]
    return s
