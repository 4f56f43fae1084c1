"""NADE on the CPU, version 2: σ only where x_i ≠ 0, hidden units in vector lanes.

What version 1 wastes: it computes σ of every hidden unit at every step, although a zero leaves them
as they were, and four of five pixels are zeros; and it takes one number at a time. Here a run of
zeros shares one state: σ is computed once after each x_i that is not 0, sixteen float32 at a time,
and the state of a row stays in the first-level cache.

`forward` and `input_grad` are parallel over samples. `weight_grad` is parallel over blocks of
hidden units: each adds up its columns of gw and gv over the samples in their order, so that no sum
depends on the number of threads, and there is nothing to be merged. Its backward sweep reads the
states that the forward sweep has kept: one for each x_i that is not 0, not D of them.

    glassgrad bench nade      both versions, next to each other
"""

import numpy as np

from ...compiled import njit
from ...elementary import sigmoid, vectorised
from ...recurrent.arrays import plain
from ...registry import register
from ...threads import PRODUCTS, in_parts, parts_for

LANES = 128

# sums of products in any (fixed) order: that moves no NaN and no infinity
summing = njit(error_model="numpy", fastmath={"contract", "reassoc"})


@vectorised
def _activate(a, h):
    """h = σ(a)."""
    for j in range(len(a)):
        h[j] = sigmoid(a[j])


@vectorised
def _add_scaled(total, factor, row):
    """total += factor row."""
    for j in range(len(total)):
        total[j] += factor * row[j]


@vectorised
def _run_back(g, first, end, h, v, gv, acc):
    """gv_i += g_i h and acc += g_i v_i for the steps first .. end-1, which share the state h."""
    whole = first + (end - first) // 4 * 4
    for i in range(first, whole, 4):  # acc is read and written once for four steps
        g0, g1, g2, g3 = g[i], g[i + 1], g[i + 2], g[i + 3]
        for j in range(len(acc)):
            acc[j] += g0 * v[i, j] + g1 * v[i + 1, j] + g2 * v[i + 2, j] + g3 * v[i + 3, j]
    for i in range(whole, end):
        g0 = g[i]
        for j in range(len(acc)):
            acc[j] += g0 * v[i, j]
    for i in range(first, end):
        g0 = g[i]
        for j in range(len(acc)):
            gv[i, j] += g0 * h[j]


@vectorised
def _close(acc, h, d):
    """d += acc h (1 - h), and acc starts from zero again: the hidden units change here."""
    one, zero = d.dtype.type(1), d.dtype.type(0)
    for j in range(len(d)):
        d[j] += acc[j] * h[j] * (one - h[j])
        acc[j] = zero


@summing
def _dot(a, b):
    """Σ_j a_j b_j, in whatever order fills the lanes."""
    total = a.dtype.type(0)
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@njit
def _climb(x_n, w, a, hs):
    """The states of a row: hs[0] at first, hs[k] after the k-th number that is not 0."""
    _activate(a, hs[0])
    k = 0
    for i in range(len(x_n)):
        if x_n[i] != 0:
            _add_scaled(a, x_n[i], w[i])
            k += 1
            _activate(a, hs[k])
    return k


@njit(nogil=True)
def _forward(x, w, c, v, b, y, parts, part):
    for n in range(part * len(x) // parts, (part + 1) * len(x) // parts):
        a, h = c.copy(), np.empty_like(c)
        _activate(a, h)
        for i in range(x.shape[1]):
            y[n, i] = b[i] + _dot(v[i], h)
            if x[n, i] != 0:
                _add_scaled(a, x[n, i], w[i])
                _activate(a, h)


@njit(nogil=True)
def _weight_grad(g, x, w, c, v, gw, gc, gv, parts, part):
    rows, steps = x.shape
    blocks = -(-len(c) // LANES)
    for block in range(part * blocks // parts, (part + 1) * blocks // parts):
        lo, hi = block * LANES, min((block + 1) * LANES, len(c))
        w_block, v_block = w[:, lo:hi].copy(), v[:, lo:hi].copy()  # rows without gaps
        gw_block, gv_block = np.zeros_like(w_block), np.zeros_like(v_block)
        hs = np.empty((steps + 1, hi - lo), x.dtype)  # at most a state for each number
        acc, d = np.zeros(hi - lo, x.dtype), np.empty(hi - lo, x.dtype)
        for n in range(rows):
            k = _climb(x[n], w_block, c[lo:hi].copy(), hs)
            # down again, one run of zeros after the other
            d[:] = 0
            end = steps
            while end > 0:  # the steps first .. end-1 share the state hs[k]
                first = end - 1
                if x[n, first] != 0:
                    _close(acc, hs[k], d)
                    _add_scaled(gw_block[first], x[n, first], d)
                    k -= 1
                while first > 0 and x[n, first - 1] == 0:
                    first -= 1
                _run_back(g[n], first, end, hs[k], v_block, gv_block, acc)
                end = first
            _close(acc, hs[0], d)  # what is left is d_1
            for j in range(hi - lo):
                gc[lo + j] += d[j]
        for i in range(steps):  # loops: for slices Numba compiles 2 s of checks of their shapes
            for j in range(hi - lo):
                gw[i, lo + j], gv[i, lo + j] = gw_block[i, j], gv_block[i, j]


@njit(nogil=True)
def _input_grad(g, x, w, c, v, gx, parts, part):
    steps, width = w.shape
    for n in range(part * len(x) // parts, (part + 1) * len(x) // parts):
        hs = np.empty((steps + 1, width), x.dtype)
        acc, d = np.zeros(width, x.dtype), np.zeros(width, x.dtype)
        k = _climb(x[n], w, c.copy(), hs)
        for i in range(steps - 1, -1, -1):
            _close(acc, hs[k], d)  # now d is d_{i+1}, which step i hands to x_i
            gx[n, i] = _dot(d, w[i])
            if x[n, i] != 0:  # what this step adds belongs to the state before x_i
                k -= 1
            _add_scaled(acc, g[n, i], v[i])


@register(
    "nade", "forward", backend="numba", version=2, idea="rows in parallel, σ only after an x_i ≠ 0"
)
def forward(x, w, c, v, b):
    """y [N, D] from x [N, D]; rows on threads."""
    x, w, c, v, b = plain(x, w, c, v, b)
    y = np.empty(x.shape, x.dtype)
    parts = parts_for(x.size * len(c), len(x), PRODUCTS)
    in_parts(_forward, parts, x, w, c, v, b, y, parts)
    return y


@register(
    "nade", "weight_grad", backend="numba", version=2, idea="blocks of hidden units in parallel"
)
def weight_grad(g, x, w, c, v):
    """gw [D, H], gc [H], gv [D, H] from g, x [N, D]; blocks of hidden units on threads."""
    g, x, w, c, v = plain(g, x, w, c, v)
    gw, gc, gv = np.zeros_like(w), np.zeros_like(c), np.zeros_like(v)
    parts = parts_for(x.size * len(c), -(-len(c) // LANES), PRODUCTS)
    in_parts(_weight_grad, parts, g, x, w, c, v, gw, gc, gv, parts)
    return gw, gc, gv


@register("nade", "input_grad", backend="numba", version=2, idea="rows in parallel, states kept")
def input_grad(g, x, w, c, v):
    """gx [N, D] from g, x [N, D]; rows on threads."""
    g, x, w, c, v = plain(g, x, w, c, v)
    gx = np.empty(x.shape, x.dtype)
    parts = parts_for(x.size * len(c), len(x), PRODUCTS)
    in_parts(_input_grad, parts, g, x, w, c, v, gx, parts)
    return gx
