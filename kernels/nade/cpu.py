"""NADE on the CPU: the recursions of the page as plain loops, compiled (version 1).

`forward` and `input_grad` take a row after the other, since the sums y_i and gx_i run over all
hidden units. `weight_grad` takes a hidden unit after the other: it needs no such sum, and its own
column of gw and gv then belongs to one thread, which adds the rows in their order.

σ of every unit at every step, though a zero changes none of them, and one number at a time: that is
what the rung improves on.

    v2   σ only where x_i ≠ 0, hidden units in vector lanes      rungs/cpu_v2_skip_zeros.py
"""

import numpy as np

from ..compiled import njit
from ..elementary import sigmoid
from ..recurrent.arrays import plain
from ..registry import register
from ..threads import PRODUCTS, in_parts, parts_for
from .rungs import cpu_v2_skip_zeros  # noqa: F401  (it registers itself)


@njit(nogil=True)
def _forward(x, w, c, v, b, y, parts, part):
    """y_i = b_i + Σ_j v_ij σ(a_j), then a += x_i w_i."""
    steps, width = w.shape
    for n in range(part * len(x) // parts, (part + 1) * len(x) // parts):
        a = c.copy()
        for i in range(steps):
            total = b[i]
            for j in range(width):
                total += v[i, j] * sigmoid(a[j])
                if x[n, i] != 0:  # so that an infinite weight stays unseen
                    a[j] += x[n, i] * w[i, j]
            y[n, i] = total


@njit
def _states(x_n, w, c, j, h):
    """h[i] = σ(a_i) of hidden unit j, for every step of a row."""
    a = c[j]
    for i in range(len(x_n)):
        h[i] = sigmoid(a)
        if x_n[i] != 0:
            a += x_n[i] * w[i, j]


@njit(nogil=True)
def _weight_grad(g, x, w, c, v, gw, gc, gv, parts, part):
    """gw_i += x_i d_{i+1}, gv_i += g_i h_i, gc += d_1, from the last step to the first."""
    steps, width = w.shape
    h = np.empty(steps, x.dtype)
    for j in range(part * width // parts, (part + 1) * width // parts):
        for n in range(len(x)):
            _states(x[n], w, c, j, h)
            d = c.dtype.type(0)
            for i in range(steps - 1, -1, -1):
                gw[i, j] += x[n, i] * d
                gv[i, j] += g[n, i] * h[i]
                d += g[n, i] * v[i, j] * h[i] * (1 - h[i])
            gc[j] += d


@njit(nogil=True)
def _input_grad(g, x, w, c, v, gx, parts, part):
    """gx_i = Σ_j w_ij d_{i+1,j}: unit after unit adds its share to every step of a row."""
    steps, width = w.shape
    h = np.empty(steps, x.dtype)
    for n in range(part * len(x) // parts, (part + 1) * len(x) // parts):
        for j in range(width):
            _states(x[n], w, c, j, h)
            d = c.dtype.type(0)
            for i in range(steps - 1, -1, -1):
                gx[n, i] += w[i, j] * d
                d += g[n, i] * v[i, j] * h[i] * (1 - h[i])


@register("nade", "forward", backend="numba", idea="the recursion as plain loops")
def forward_v1(x, w, c, v, b):
    """y [N, D] from x [N, D]; rows on threads."""
    x, w, c, v, b = plain(x, w, c, v, b)
    y = np.empty(x.shape, x.dtype)
    parts = parts_for(x.size * len(c), len(x), PRODUCTS)
    in_parts(_forward, parts, x, w, c, v, b, y, parts)
    return y


@register("nade", "weight_grad", backend="numba", idea="unit by unit, there and back")
def weight_grad_v1(g, x, w, c, v):
    """gw [D, H], gc [H], gv [D, H] from g, x [N, D]; hidden units on threads."""
    g, x, w, c, v = plain(g, x, w, c, v)
    gw, gc, gv = np.zeros_like(w), np.zeros_like(c), np.zeros_like(v)
    parts = parts_for(x.size * len(c), len(c), PRODUCTS)
    in_parts(_weight_grad, parts, g, x, w, c, v, gw, gc, gv, parts)
    return gw, gc, gv


@register("nade", "input_grad", backend="numba", idea="row by row, there and back")
def input_grad_v1(g, x, w, c, v):
    """gx [N, D] from g, x [N, D]; rows on threads."""
    g, x, w, c, v = plain(g, x, w, c, v)
    gx = np.zeros(x.shape, x.dtype)
    parts = parts_for(x.size * len(c), len(x), PRODUCTS)
    in_parts(_input_grad, parts, g, x, w, c, v, gx, parts)
    return gx
