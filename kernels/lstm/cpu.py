"""LSTM on the CPU, version 1: the lines of the page as loops, one number at a time.

s counts sequences and j units; i, f, g, o are the gates of one unit. A leading g, as in gh or ga_i,
means the gradient with respect to what follows; g alone is the gate. Between two arrays the numbers
are float64, whatever the arrays hold.

What this wastes, and the versions that do not: `rungs/`.
"""

import numpy as np

from ..compiled import njit
from ..elementary import sigmoid, tanh
from ..recurrent.arrays import plain
from ..recurrent.loops import dot
from ..registry import register
from .rungs import cpu_v2_blas, cpu_v2_fused, cpu_v3_rows  # noqa: F401 (they register themselves)
from .states import Gradients, States, unfilled

LOOPS = "the formula as plain loops"


@njit
def _put(row, j, v_i, v_f, v_g, v_o):
    """Four numbers of unit j into a row [4H]."""
    width = len(row) // 4
    row[j], row[width + j], row[2 * width + j], row[3 * width + j] = v_i, v_f, v_g, v_o


@njit
def _of(row, j):
    """The four numbers of unit j in a row [4H], in the order i, f, g, o."""
    width = len(row) // 4
    return row[j], row[width + j], row[2 * width + j], row[3 * width + j]


@njit
def _output_gradient(gh, o, c_new):
    """δa_o, and what h = o tanh(C') adds to the gradient of C'."""
    tanh_c = tanh(c_new)
    return gh * tanh_c * o * (1 - o), gh * o * (1 - tanh_c * tanh_c)


@njit
def _memory_gradient(gc, i, f, g, c):
    """δa_i, δa_f, δa_g and the gradient of C, from that of C' = f C + i g."""
    return gc * g * i * (1 - i), gc * c * f * (1 - f), gc * i * (1 - g * g), gc * f


@njit
def _cell_forward(a, c, h, c_new, gates):
    for s in range(c.shape[0]):
        for j in range(c.shape[1]):
            a_i, a_f, a_g, a_o = _of(a[s], j)
            i, f, g, o = sigmoid(a_i), sigmoid(a_f), tanh(a_g), sigmoid(a_o)
            c_new[s, j] = f * c[s, j] + i * g
            h[s, j] = o * tanh(c_new[s, j])
            _put(gates[s], j, i, f, g, o)


@register("lstm", "cell_forward", backend="numba", idea=LOOPS)
def cell_forward(a, c):
    """h, C', gates of one step (see `lstm.cell_forward`)."""
    a, c = plain(a, c)
    h, c_new, gates = np.empty_like(c), np.empty_like(c), np.empty_like(a)
    _cell_forward(a, c, h, c_new, gates)
    return h, c_new, gates


@njit
def _cell_backward(gh, gc_new, gates, c, c_new, ga, gc):
    for s in range(c.shape[0]):
        for j in range(c.shape[1]):
            i, f, g, o = _of(gates[s], j)
            ga_o, through_h = _output_gradient(gh[s, j], o, c_new[s, j])
            ga_i, ga_f, ga_g, gc[s, j] = _memory_gradient(
                gc_new[s, j] + through_h, i, f, g, c[s, j]
            )
            _put(ga[s], j, ga_i, ga_f, ga_g, ga_o)


@register("lstm", "cell_backward", backend="numba", idea=LOOPS)
def cell_backward(gh, gc_new, gates, c, c_new):
    """ga, gc of one step (see `lstm.cell_backward`)."""
    gh, gc_new, gates, c, c_new = plain(gh, gc_new, gates, c, c_new)
    ga, gc = np.empty_like(gates), np.empty_like(c)
    _cell_backward(gh, gc_new, gates, c, c_new, ga, gc)
    return ga, gc


@njit
def _sequence_forward(xa, states, wh, p):
    hs, cs, gates, h0, c0 = states
    steps, n, width = hs.shape
    for t in range(steps):
        for s in range(n):
            h, c = (hs[t - 1, s], cs[t - 1, s]) if t else (h0[s], c0[s])
            for j in range(width):
                a_i, a_f, a_g, a_o = _of(xa[t, s], j)
                a_i += dot(h, wh[j])
                a_f += dot(h, wh[width + j])
                a_g += dot(h, wh[2 * width + j])
                a_o += dot(h, wh[3 * width + j])
                if len(p):
                    a_i += dot(c, p[j])
                    a_f += dot(c, p[width + j])
                i, f, g = sigmoid(a_i), sigmoid(a_f), tanh(a_g)
                cs[t, s, j] = f * c[j] + i * g
                _put(gates[t, s], j, i, f, g, a_o)
            for j in range(width):  # o may peep at the new cell, which is complete only now
                i, f, g, a_o = _of(gates[t, s], j)
                if len(p):
                    a_o += dot(cs[t, s], p[2 * width + j])
                o = sigmoid(a_o)
                hs[t, s, j] = o * tanh(cs[t, s, j])
                _put(gates[t, s], j, i, f, g, o)


@register("lstm", "sequence_forward", backend="numba", idea=LOOPS)
def sequence_forward(xa, h0, c0, wh, p):
    """hs, cs, gates of all steps (see `lstm.sequence_forward`)."""
    xa, h0, c0, wh, p = plain(xa, h0, c0, wh, p)
    states = unfilled(xa, h0, c0)
    _sequence_forward(xa, states, wh, _or_none(p, wh))
    return states.hs, states.cs, states.gates


def _or_none(p, wh):
    """The peepholes, or a matrix of no rows."""
    return wh[:0] if p is None else p


@njit
def _sequence_backward(ghs, gcs, states, wh, p, gradients):
    hs, cs, gates, _, c0 = states
    gxa, gh, gc = gradients  # gh, gc: what the steps after t ask of h_t and C_t
    steps, n, width = hs.shape
    for t in range(steps - 1, -1, -1):
        for s in range(n):
            c = cs[t - 1, s] if t else c0[s]
            ga = gxa[t, s]
            for j in range(width):
                _, _, _, o = _of(gates[t, s], j)
                ga_o, through_h = _output_gradient(gh[s, j] + ghs[t, s, j], o, cs[t, s, j])
                gc[s, j] += through_h
                if len(gcs):
                    gc[s, j] += gcs[t, s, j]
                ga[3 * width + j] = ga_o
            for j in range(width):
                asked = gc[s, j]
                if len(p):  # C_t also reached every output gate, through its peephole
                    asked += dot(ga[3 * width :], p[2 * width :, j])
                i, f, g, o = _of(gates[t, s], j)
                ga_i, ga_f, ga_g, gc[s, j] = _memory_gradient(asked, i, f, g, c[j])
                _put(ga, j, ga_i, ga_f, ga_g, ga[3 * width + j])
            for j in range(width):  # what this step asks of the one before
                gh[s, j] = dot(ga, wh[:, j])
                if len(p):
                    gc[s, j] += dot(ga[: 2 * width], p[: 2 * width, j])


@njit
def _weight_gradients(gxa, states, gwh, gp):
    """δW_h and δP: every step adds the product of δa with what its gate has seen."""
    hs, cs, _, h0, c0 = states
    steps, n, width = hs.shape
    for t in range(steps):
        for s in range(n):
            h, c = (hs[t - 1, s], cs[t - 1, s]) if t else (h0[s], c0[s])
            for row in range(4 * width):
                for j in range(width):
                    gwh[row, j] += gxa[t, s, row] * h[j]
            for row in range(len(gp)):
                ga = gxa[t, s, row] if row < 2 * width else gxa[t, s, row + width]  # g has none
                for j in range(width):
                    gp[row, j] += ga * (c[j] if row < 2 * width else cs[t, s, j])


@register("lstm", "sequence_backward", backend="numba", idea=LOOPS)
def sequence_backward(ghs, gcs, hs, cs, gates, h0, c0, wh, p):
    """gxa, gh0, gc0, gwh, gp of all steps (see `lstm.sequence_backward`)."""
    ghs, gcs, hs, cs, gates, h0, c0, wh, p = plain(ghs, gcs, hs, cs, gates, h0, c0, wh, p)
    states = States(hs, cs, gates, h0, c0)
    made = Gradients(np.empty_like(gates), np.zeros_like(h0), np.zeros_like(c0))
    gwh, gp = np.zeros_like(wh), None if p is None else np.zeros_like(p)
    _sequence_backward(ghs, ghs[:0] if gcs is None else gcs, states, wh, _or_none(p, wh), made)
    _weight_gradients(made.gxa, states, gwh, _or_none(gp, wh))
    return *made, gwh, gp
