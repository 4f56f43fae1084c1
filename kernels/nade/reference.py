"""NADE in NumPy: step by step over the numbers of a row, all rows and hidden units at once."""

import numpy as np

from ..registry import register


def _sigmoid(a):
    e = np.exp(-np.abs(a))
    return np.where(a < 0, e, 1) / (1 + e)


def _states(x, w, c):
    """h_1 .. h_D, each [N, H]."""
    a = np.repeat(c[None], len(x), axis=0)
    for i in range(x.shape[1]):
        yield _sigmoid(a)
        seen = x[:, i] != 0
        a[seen] += x[seen, i : i + 1] * w[i]


@register("nade", "forward", backend="reference", idea="a step for each number")
def forward(x, w, c, v, b):
    """y [N, D] from x [N, D]."""
    y = np.empty(x.shape, x.dtype)
    for i, h in enumerate(_states(x, w, c)):
        y[:, i] = b[i] + h @ v[i]
    return y


def _backwards(g, x, w, c, v):
    """i, h_i and d_{i+1}, from the last step to the first; then 0, None and d_1."""
    hs, d = list(_states(x, w, c)), np.zeros((len(x), len(c)), x.dtype)
    for i in reversed(range(x.shape[1])):
        yield i, hs[i], d
        d = d + g[:, i : i + 1] * v[i] * hs[i] * (1 - hs[i])
    yield 0, None, d


@register("nade", "weight_grad", backend="reference", idea="all states kept, then backwards")
def weight_grad(g, x, w, c, v):
    """gw [D, H], gc [H], gv [D, H] from g, x [N, D]."""
    gw, gv = np.empty(w.shape, w.dtype), np.empty(v.shape, v.dtype)
    for i, h, d in _backwards(g, x, w, c, v):
        if h is None:
            return gw, d.sum(axis=0), gv
        gv[i] = g[:, i] @ h
        gw[i] = x[:, i] @ d


@register("nade", "input_grad", backend="reference", idea="all states kept, then backwards")
def input_grad(g, x, w, c, v):
    """gx [N, D] from g, x [N, D]."""
    gx = np.empty(x.shape, x.dtype)
    for i, h, d in _backwards(g, x, w, c, v):
        if h is not None:
            gx[:, i] = d @ w[i]
    return gx
