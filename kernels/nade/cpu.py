"""NADE in Numba: the steps in compiled loops, hidden units in vector lanes, σ only where x_i ≠ 0.

What the reference wastes: three arrays [N, H] a step that pass through memory, and σ of all of them
although most have not changed since the last step. Here the state of one row stays in the
first-level cache.

`forward` and `input_grad` are parallel over samples. `weight_grad` is parallel over blocks of
hidden units: each adds up its columns of gw and gv over the samples in their order, so that no sum
depends on the number of threads, and there is nothing to be merged. Its backward sweep reads the
states that the forward sweep has kept: one for each x_i that is not 0, not D of them.
"""

import numpy as np
from numba import prange

from ..compiled import njit
from ..lstm.cpu import plain, sigmoid, vectorised
from ..registry import register

LANES = 32

# sums of products in any (fixed) order: that moves no NaN and no infinity
summing = njit(error_model="numpy", fastmath={"contract", "reassoc"})


@vectorised
def _activate(a, h):
    for j in range(len(a)):
        h[j] = sigmoid(a[j])


@vectorised
def _add_scaled(total, factor, row):
    for j in range(len(total)):
        total[j] += factor * row[j]


@vectorised
def _step_back(g, h, v, gv, acc):
    """gv += g h and acc += g v: what one step adds while the hidden units stand still."""
    for j in range(len(acc)):
        gv[j] += g * h[j]
        acc[j] += g * v[j]


@vectorised
def _four_back(g, h, v, gv, lo, hi, acc):
    """Four such steps in one pass over the lanes: h and acc are read once for all of them."""
    g0, g1, g2, g3 = g[0], g[1], g[2], g[3]
    v0, v1, v2, v3 = v[0, lo:hi], v[1, lo:hi], v[2, lo:hi], v[3, lo:hi]
    for j in range(len(acc)):
        acc[j] += g0 * v0[j] + g1 * v1[j] + g2 * v2[j] + g3 * v3[j]
    u0, u1, u2, u3 = gv[0, lo:hi], gv[1, lo:hi], gv[2, lo:hi], gv[3, lo:hi]
    for j in range(len(acc)):
        u0[j] += g0 * h[j]
        u1[j] += g1 * h[j]
        u2[j] += g2 * h[j]
        u3[j] += g3 * h[j]


@vectorised
def _close(acc, h, d):
    """d += acc h (1 - h), and acc starts anew: the hidden units change here."""
    one, zero = d.dtype.type(1), d.dtype.type(0)
    for j in range(len(d)):
        d[j] += acc[j] * h[j] * (one - h[j])
        acc[j] = zero


@summing
def _dot(a, b):
    total = a.dtype.type(0)
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@njit
def _climb(x_n, w, lo, hi, a, hs):
    """States of the units lo..hi-1: hs[0] at first, hs[k] after the k-th number that is not 0."""
    _activate(a, hs[0])
    k = 0
    for i in range(len(x_n)):
        if x_n[i] != 0:
            _add_scaled(a, x_n[i], w[i, lo:hi])
            k += 1
            _activate(a, hs[k])
    return k


@njit(parallel=True)
def _forward(x, w, c, v, b, y):
    for n in prange(len(x)):
        a, h = c.copy(), np.empty_like(c)
        _activate(a, h)
        for i in range(x.shape[1]):
            y[n, i] = b[i] + _dot(v[i], h)
            if x[n, i] != 0:
                _add_scaled(a, x[n, i], w[i])
                _activate(a, h)


@njit(parallel=True)
def _weight_grad(g, x, w, c, v, gw, gc, gv):
    rows, steps = x.shape
    for block in prange(-(-len(c) // LANES)):
        lo, hi = block * LANES, min((block + 1) * LANES, len(c))
        hs = np.empty((steps + 1, hi - lo), x.dtype)
        acc, d = np.zeros(hi - lo, x.dtype), np.empty(hi - lo, x.dtype)
        for n in range(rows):
            k = _climb(x[n], w, lo, hi, c[lo:hi].copy(), hs)
            d[:] = 0
            end = steps
            while end > 0:  # the steps first .. end-1 share the state hs[k]
                first = end - 1
                if x[n, first] != 0:
                    _close(acc, hs[k], d)
                    _add_scaled(gw[first, lo:hi], x[n, first], d)
                    k -= 1
                while first > 0 and x[n, first - 1] == 0:
                    first -= 1
                for i in range(first, end - 3, 4):
                    _four_back(g[n, i : i + 4], hs[k], v[i : i + 4], gv[i : i + 4], lo, hi, acc)
                for i in range(end - (end - first) % 4, end):
                    _step_back(g[n, i], hs[k], v[i, lo:hi], gv[i, lo:hi], acc)
                end = first
            _close(acc, hs[0], d)
            for j in range(hi - lo):
                gc[lo + j] += d[j]


@njit(parallel=True)
def _input_grad(g, x, w, c, v, gx):
    steps, width = w.shape
    for n in prange(len(x)):
        hs = np.empty((steps + 1, width), x.dtype)
        acc, d = np.zeros(width, x.dtype), np.zeros(width, x.dtype)
        k = _climb(x[n], w, 0, width, c.copy(), hs)
        for i in range(steps - 1, -1, -1):
            _close(acc, hs[k], d)
            gx[n, i] = _dot(d, w[i])
            if x[n, i] != 0:
                k -= 1
            _add_scaled(acc, g[n, i], v[i])


@register("nade", "forward", backend="numba", idea="rows in parallel, σ only after an x_i ≠ 0")
def forward(x, w, c, v, b):
    x, w, c, v, b = plain(x, w, c, v, b)
    y = np.empty(x.shape, x.dtype)
    _forward(x, w, c, v, b, y)
    return y


@register("nade", "weight_grad", backend="numba", idea="blocks of hidden units in parallel")
def weight_grad(g, x, w, c, v):
    g, x, w, c, v = plain(g, x, w, c, v)
    gw, gc, gv = np.zeros_like(w), np.zeros_like(c), np.zeros_like(v)
    _weight_grad(g, x, w, c, v, gw, gc, gv)
    return gw, gc, gv


@register("nade", "input_grad", backend="numba", idea="rows in parallel, states kept")
def input_grad(g, x, w, c, v):
    g, x, w, c, v = plain(g, x, w, c, v)
    gx = np.empty(x.shape, x.dtype)
    _input_grad(g, x, w, c, v, gx)
    return gx
