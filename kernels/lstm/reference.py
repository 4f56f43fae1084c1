"""LSTM in NumPy: the lines of the page, one statement for each.

Shapes: a, gates [N, 4H] in the order i, f, g, o; h, C [N, H]; wh [4H, H]; p [3H, H] in the order
i, f, o. Sources: Hochreiter & Schmidhuber 1997; Gers & Schmidhuber 2000 (peepholes).
"""

import numpy as np

from ..recurrent.reference import c_order, sigmoid
from ..registry import register


def peep(c, matrix):
    """What a gate sees of the cell: C Pᵀ, or nothing."""
    return 0 if matrix is None else c @ matrix.T


def peepholes(p):
    """P_i, P_f, P_o, or three times None."""
    return (None, None, None) if p is None else np.split(p, 3)


@register("lstm", "cell_forward", backend="reference", idea="the formula in NumPy")
def cell_forward(a, c):
    """h, C', gates of one step (see `lstm.cell_forward`)."""
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c_new = f * c + i * g
    h = o * np.tanh(c_new)
    return c_order(h, c_new, np.concatenate([i, f, g, o], axis=1))


@register("lstm", "cell_backward", backend="reference", idea="the formula in NumPy")
def cell_backward(gh, gc_new, gates, c, c_new):
    """ga, gc of one step (see `lstm.cell_backward`)."""
    return c_order(*_step_backward(gh, gc_new, gates, c, c_new, None))


def _step_backward(gh, gc, gates, c, c_new, p):
    """ga and the gradient of C_{t-1}, for one step with or without peepholes."""
    i, f, g, o = np.split(gates, 4, axis=1)
    tanh_c = np.tanh(c_new)
    ga_o = gh * tanh_c * o * (1 - o)
    gc = gc + gh * o * (1 - tanh_c**2)
    if p is not None:
        p_i, p_f, p_o = peepholes(p)
        gc = gc + ga_o @ p_o
    ga_i = gc * g * i * (1 - i)
    ga_f = gc * c * f * (1 - f)
    ga_g = gc * i * (1 - g**2)
    gc_before = gc * f
    if p is not None:
        gc_before = gc_before + ga_i @ p_i + ga_f @ p_f
    return np.concatenate([ga_i, ga_f, ga_g, ga_o], axis=1), gc_before


@register("lstm", "sequence_forward", backend="reference", idea="the formula in NumPy")
def sequence_forward(xa, h0, c0, wh, p):
    """hs, cs, gates of all steps (see `lstm.sequence_forward`)."""
    steps, (n, width) = len(xa), h0.shape
    p_i, p_f, p_o = peepholes(p)
    hs, cs = np.empty((2, steps, n, width), xa.dtype)
    gates = np.empty((steps, n, 4 * width), xa.dtype)
    h, c = h0, c0
    for t in range(steps):
        a_i, a_f, a_g, a_o = np.split(xa[t] + h @ wh.T, 4, axis=1)
        i = sigmoid(a_i + peep(c, p_i))
        f = sigmoid(a_f + peep(c, p_f))
        g = np.tanh(a_g)
        c = f * c + i * g
        o = sigmoid(a_o + peep(c, p_o))  # c is the new cell by now
        h = o * np.tanh(c)
        hs[t], cs[t], gates[t] = h, c, np.concatenate([i, f, g, o], axis=1)
    return hs, cs, gates


@register("lstm", "sequence_backward", backend="reference", idea="the formula in NumPy")
def sequence_backward(ghs, gcs, hs, cs, gates, h0, c0, wh, p):
    """gxa, gh0, gc0, gwh, gp of all steps (see `lstm.sequence_backward`)."""
    gxa, gwh = np.empty_like(gates, order="C"), np.zeros_like(wh, order="C")
    gp = None if p is None else np.zeros_like(p, order="C")
    gh, gc = np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(ghs))):
        h, c = (hs[t - 1], cs[t - 1]) if t > 0 else (h0, c0)
        gh = gh + ghs[t]
        if gcs is not None:
            gc = gc + gcs[t]
        ga, gc = _step_backward(gh, gc, gates[t], c, cs[t], p)
        gh = ga @ wh
        gxa[t] = ga
        gwh += ga.T @ h
        if p is not None:
            ga_i, ga_f, _, ga_o = np.split(ga, 4, axis=1)
            gp += np.concatenate([ga_i.T @ c, ga_f.T @ c, ga_o.T @ cs[t]])
    return gxa, *c_order(gh, gc), gwh, gp
