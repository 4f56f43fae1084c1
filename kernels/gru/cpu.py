"""GRU on the CPU, version 1: the lines of the page as loops, one number at a time.

s counts sequences and j units; r, z, n are the gates of one unit, whatever begins with g is the
gradient with respect to it. Between two arrays the numbers are float64, whatever the arrays hold.
`library` tells the variant: False is the lecture's, True the library's.

What this wastes, and the versions that do not: `rungs/`.
"""

import numpy as np

from ..compiled import njit
from ..elementary import sigmoid, tanh
from ..recurrent.arrays import plain
from ..recurrent.loops import dot
from ..registry import register
from .rungs import cpu_v2_blas, cpu_v2_fused, cpu_v3_rows  # noqa: F401 (they register themselves)
from .states import States, row_of, unfilled

LOOPS = "the formula as plain loops"


@njit
def _put(row, j, v_r, v_z, v_n):
    """Three numbers of unit j into a row [3H]."""
    width = len(row) // 3
    row[j], row[width + j], row[2 * width + j] = v_r, v_z, v_n


@njit
def _of(row, j):
    """The three numbers of unit j in a row [3H], in the order r, z, n."""
    width = len(row) // 3
    return row[j], row[width + j], row[2 * width + j]


@njit
def _new_state(z, n, h, library):
    """h': z keeps in the library's form, and writes in the lecture's."""
    return (1 - z) * n + z * h if library else (1 - z) * h + z * n


@njit
def _update_gradient(gh, z, n, h, library):
    """δa_z, δa_n, and the straight path to h, from the gradient of h'."""
    if library:
        gz, gn, straight = gh * (h - n), gh * (1 - z), gh * z
    else:
        gz, gn, straight = gh * (n - h), gh * z, gh * (1 - z)
    return gz * z * (1 - z), gn * (1 - n * n), straight


@njit
def _cell_forward(xa, ha, h, library, h_new, gates):
    for s in range(h.shape[0]):
        for j in range(h.shape[1]):
            xa_r, xa_z, xa_n = _of(xa[s], j)
            ha_r, ha_z, ha_n = _of(ha[s], j)
            r, z = sigmoid(xa_r + ha_r), sigmoid(xa_z + ha_z)
            n = tanh(xa_n + r * ha_n) if library else tanh(xa_n + ha_n)
            h_new[s, j] = _new_state(z, n, h[s, j], library)
            _put(gates[s], j, r, z, n)


@register("gru", "cell_forward", backend="numba", idea=LOOPS)
def cell_forward(xa, ha, h, variant):
    """h', gates of one step (see `gru.cell_forward`)."""
    xa, ha, h = plain(xa, ha, h)
    h_new, gates = np.empty_like(h), np.empty_like(xa)
    _cell_forward(xa, ha, h, variant == "library", h_new, gates)
    return h_new, gates


@njit
def _cell_backward(gh_new, gates, ha, h, library, gxa, gha, gh):
    for s in range(h.shape[0]):
        for j in range(h.shape[1]):
            r, z, n = _of(gates[s], j)
            ga_z, ga_n, gh[s, j] = _update_gradient(gh_new[s, j], z, n, h[s, j], library)
            if library:
                _, _, ha_n = _of(ha[s], j)
                ga_r, gha_n = ga_n * ha_n * r * (1 - r), ga_n * r
            else:  # r is not used here: the caller has put it into ha_n
                ga_r, gha_n = 0.0, ga_n
            _put(gxa[s], j, ga_r, ga_z, ga_n)
            _put(gha[s], j, ga_r, ga_z, gha_n)


@register("gru", "cell_backward", backend="numba", idea=LOOPS)
def cell_backward(gh_new, gates, ha, h, variant):
    """gxa, gha, gh of one step (see `gru.cell_backward`)."""
    gh_new, gates, ha, h = plain(gh_new, gates, ha, h)
    gxa, gha, gh = np.empty_like(gates), np.empty_like(gates), np.empty_like(h)
    _cell_backward(gh_new, gates, ha, h, variant == "library", gxa, gha, gh)
    return gxa, gha, gh


@njit
def _sequence_forward(xa, states, wh, b, library):
    hs, gates, h0 = states
    steps, count, width = hs.shape
    reset = np.empty(width, xa.dtype)  # r h, which the candidate of the lecture's form sees
    for t in range(steps):
        for s in range(count):
            h = hs[t - 1, s] if t else h0[s]
            for j in range(width):
                xa_r, xa_z, _ = _of(xa[t, s], j)
                b_r, b_z, _ = _of(b, j)
                r = sigmoid(xa_r + dot(h, wh[j]) + b_r)
                z = sigmoid(xa_z + dot(h, wh[width + j]) + b_z)
                reset[j] = r * h[j]
                _put(gates[t, s], j, r, z, 0.0)
            for j in range(width):
                _, _, xa_n = _of(xa[t, s], j)
                _, _, b_n = _of(b, j)
                r, z, _ = _of(gates[t, s], j)
                if library:
                    n = tanh(xa_n + r * (dot(h, wh[2 * width + j]) + b_n))
                else:  # waits for r of all units
                    n = tanh(xa_n + dot(reset, wh[2 * width + j]) + b_n)
                hs[t, s, j] = _new_state(z, n, h[j], library)
                _put(gates[t, s], j, r, z, n)


@register("gru", "sequence_forward", backend="numba", idea=LOOPS)
def sequence_forward(xa, h0, wh, bh, variant):
    """hs, gates of all steps (see `gru.sequence_forward`)."""
    xa, h0, wh, bh = plain(xa, h0, wh, bh)
    states = unfilled(xa, h0)
    _sequence_forward(xa, states, wh, row_of(bh, wh)[0], variant == "library")
    return states.hs, states.gates


@njit
def _sequence_backward(ghs, states, wh, b, library, gxa, gha, gh):
    hs, gates, h0 = states  # gh: what the steps after t ask of h_t
    steps, count, width = hs.shape
    for t in range(steps - 1, -1, -1):
        for s in range(count):
            h = hs[t - 1, s] if t else h0[s]
            ga, gha_t = gxa[t, s], gha[t, s]
            for j in range(width):
                r, z, n = _of(gates[t, s], j)
                asked = gh[s, j] + ghs[t, s, j]
                ga_z, ga_n, gh[s, j] = _update_gradient(asked, z, n, h[j], library)
                if library:
                    gr, gha_n = ga_n * (dot(h, wh[2 * width + j]) + b[2 * width + j]), ga_n * r
                else:
                    gr, gha_n = 0.0, ga_n  # gr waits for δa_n of all units
                _put(ga, j, gr * r * (1 - r), ga_z, ga_n)
                _put(gha_t, j, gr * r * (1 - r), ga_z, gha_n)
            for j in range(width):
                through_n = dot(gha_t[2 * width :], wh[2 * width :, j])
                if library:
                    gh[s, j] += through_n
                else:  # it is the gradient of r h
                    r, _, _ = _of(gates[t, s], j)
                    gh[s, j] += through_n * r
                    ga[j] = gha_t[j] = through_n * h[j] * r * (1 - r)
            for j in range(width):
                gh[s, j] += dot(gha_t[: 2 * width], wh[: 2 * width, j])


@njit
def _weight_gradients(gha, states, library, gwh, gbh):
    """δW_h and δb: every step adds the product of δha with what its gate has seen."""
    hs, gates, h0 = states
    steps, count, width = hs.shape
    for t in range(steps):
        for s in range(count):
            h = hs[t - 1, s] if t else h0[s]
            for row in range(3 * width):
                reset = row >= 2 * width and not library  # the candidate has seen r h
                gbh[row] += gha[t, s, row]
                for j in range(width):
                    gwh[row, j] += gha[t, s, row] * (gates[t, s, j] * h[j] if reset else h[j])


@register("gru", "sequence_backward", backend="numba", idea=LOOPS)
def sequence_backward(ghs, hs, gates, h0, wh, bh, variant):
    """gxa, gh0, gwh, gbh of all steps (see `gru.sequence_backward`)."""
    ghs, hs, gates, h0, wh, bh = plain(ghs, hs, gates, h0, wh, bh)
    states, library, b = States(hs, gates, h0), variant == "library", row_of(bh, wh)[0]
    gxa, gha, gh = np.empty_like(gates), np.empty_like(gates), np.zeros_like(h0)
    _sequence_backward(ghs, states, wh, b, library, gxa, gha, gh)
    gwh, gbh = np.zeros_like(wh), np.zeros_like(b)
    _weight_gradients(gha, states, library, gwh, gbh)
    return gxa, gh, gwh, None if bh is None else gbh
