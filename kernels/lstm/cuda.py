"""LSTM on the GPU: the launch geometry of `cuda.cu` and of the rungs that it includes.

The kernels and why they are as they are: `cuda.cu` (v1) and `rungs/cuda_v*.cuh`. What GRU shares of
the geometry: `recurrent/launch.py`.
"""

from typing import NamedTuple

from ..launcher import Source, ceil_div, empty, zeros
from ..recurrent.arrays import flat
from ..recurrent.launch import (
    THREADS,
    UNITS_OF,
    cells,
    each_contiguous,
    fits,
    fours,
    over_steps,
    persistent,
    sequences,
    tiled,
)

source = Source(__file__)


class Sizes(NamedTuple):
    """`struct Sizes` of gates.cuh."""

    T: int
    N: int
    H: int


# ---- One step


def _cell(way, version, *arrays):
    """Launches the cell kernel of a direction, whose second array is [N, H]."""
    n, width = arrays[1].shape
    if n * width:
        grid = ceil_div(n * width, UNITS_OF[version] * THREADS)
        kernel = f"lstm_cell_{way}_v{version}"
        source.launch(kernel, grid, THREADS, *arrays, n * width, width)


def _cell_forward(version, a, c):
    a, c = each_contiguous(a, c)
    h, c_new, gates = empty(c, c.shape), empty(c, c.shape), empty(a, a.shape)
    _cell("forward", version, a, c, h, c_new, gates)
    return h, c_new, gates


def _cell_backward(version, gh, gc_new, gates, c, c_new):
    gh, gc_new, gates, c, c_new = each_contiguous(gh, gc_new, gates, c, c_new)
    ga, gc = empty(gates, gates.shape), empty(c, c.shape)
    _cell("backward", version, gh, gc_new, gates, c, c_new, ga, gc)
    return ga, gc


# ---- A whole sequence, forward


def _sequence_forward(version, xa, h0, c0, wh, p):
    xa, h0, c0, wh, p = each_contiguous(xa, h0, c0, wh, p)
    shape = (len(xa), *h0.shape)
    hs, cs, gates = empty(xa, shape), empty(xa, shape), empty(xa, xa.shape)
    if not hs.size:
        return hs, cs, gates
    if version >= 3:
        kernel, quads = f"lstm_sequence_forward_v{version}", _kept_forward(h0, p)
        arrays, size = (xa, h0, c0, wh, p, hs, cs, gates), Sizes(*shape)
        persistent(source, kernel, h0, quads, *arrays, size=size)
        return hs, cs, gates
    step = {1: _step_by_library, 2: _step_in_one_kernel}[version]
    h, c = h0, c0
    for t in range(len(xa)):
        step(xa[t], h, c, wh, p, hs[t], cs[t], gates[t])
        h, c = hs[t], cs[t]
    return hs, cs, gates


def _step_by_library(xa, h, c, wh, p, h_new, c_new, gates):
    """v1; with peepholes the cell runs twice, the first time for C', at which o peeps."""
    width, a = h.shape[1], xa + h @ wh.T
    if p is not None:
        a[:, : 2 * width] += c @ p[: 2 * width].T
    _cell("forward", 1, a, c, h_new, c_new, gates)
    if p is not None:
        a[:, -width:] += c_new @ p[2 * width :].T
        _cell("forward", 1, a, c, h_new, c_new, gates)


def _step_in_one_kernel(xa, h, c, wh, p, h_new, c_new, gates):
    """v2; with peepholes two kernels."""
    (n, width), (grid, block) = h.shape, tiled(h)
    arrays = xa, h, c, wh, p, h_new, c_new, gates
    source.launch("lstm_sequence_forward_v2", grid, block, *arrays, n, width)
    if p is not None:
        arrays = c_new, p[2 * width :], gates, h_new
        source.launch("lstm_output_forward_v2", grid, block, *arrays, n, width)


# ---- and backward


def _sequence_backward(version, ghs, gcs, hs, cs, gates, h0, c0, wh, p):
    ghs, gcs, hs, cs, gates, h0, c0, wh, p = each_contiguous(ghs, gcs, hs, cs, gates, h0, c0, wh, p)
    gxa, gc = empty(gates, gates.shape), zeros(c0, c0.shape)
    if not gxa.size:
        return gxa, zeros(h0, h0.shape), gc, zeros(wh, wh.shape), _zeros_or_none(p)
    if version == 1:
        gh, gc = _back_by_library(ghs, gcs, cs, gates, c0, wh, p, gxa)
    elif version == 2:
        _back_in_one_kernel(ghs, gcs, cs, gates, c0, wh, p, gxa, gc)
    else:
        kernel, quads = f"lstm_sequence_backward_v{version}", _kept_backward(h0, p)
        arrays, size = (ghs, gcs, cs, gates, c0, wh, p, gxa, gc), Sizes(*hs.shape)
        persistent(source, kernel, h0, quads, *arrays, size=size)
    if version > 1:  # what the first step asks of the states before it
        gh, two = gxa[0] @ wh, 2 * h0.shape[1]
        gc = gc if p is None else gc + gxa[0, :, :two] @ p[:two]
    return gxa, gh, gc, *_weights(gxa, hs, cs, h0, c0, p)


def _back_by_library(ghs, gcs, cs, gates, c0, wh, p, gxa):
    """v1: gxa, and the gradients of the states before the first step."""
    gh, gc = zeros(c0, c0.shape), zeros(c0, c0.shape)
    width, two = c0.shape[1], 2 * c0.shape[1]
    for t in reversed(range(len(ghs))):
        gh = gh + ghs[t]
        gc_new = gc if gcs is None else gc + gcs[t]
        gc = empty(c0, c0.shape)
        step = gates[t], cs[t - 1] if t else c0, cs[t], gxa[t], gc
        _cell("backward", 1, gh, gc_new, *step)
        if p is not None:  # the first pass was for ga_o, whose peephole asks more of C'
            gc_new = gc_new + gxa[t, :, -width:] @ p[two:]
            _cell("backward", 1, gh, gc_new, *step)
            gc += gxa[t, :, :two] @ p[:two]
        gh = gxa[t] @ wh
    return gh, gc


def _back_in_one_kernel(ghs, gcs, cs, gates, c0, wh, p, gxa, gc):
    """v2: gxa and, in place, the gradient of C from step to step."""
    (n, width), (grid, block), later = c0.shape, tiled(c0), None
    for t in reversed(range(len(ghs))):
        gc_t, c = None if gcs is None else gcs[t], cs[t - 1] if t else c0
        arrays = ghs[t], gc_t, later, gates[t], c, cs[t], wh, p, gxa[t], gc
        source.launch("lstm_sequence_backward_v2", grid, block, *arrays, n, width)
        if p is not None:
            arrays = gates[t], c, p[2 * width :], gxa[t], gc
            source.launch("lstm_memory_backward_v2", grid, block, *arrays, n, width)
        later = gxa[t]


def _weights(ga, hs, cs, h0, c0, p):
    """gwh and gp: one product over all steps each."""
    gwh = over_steps(ga, hs, h0)
    if p is None:
        return gwh, None
    two, gp = 2 * h0.shape[1], empty(p, p.shape)
    gp[:two] = over_steps(ga[:, :, :two], cs, c0)
    gp[two:] = flat(ga[:, :, -h0.shape[1] :]).T @ flat(cs)
    return gwh, gp


def _zeros_or_none(p):
    return None if p is None else zeros(p, p.shape)


# ---- All rungs, and the shapes that v3 and v4 can take


def _kept_forward(h0, p):
    """Quads for a unit: its rows of wh and, with peepholes, of p."""
    return (4 if p is None else 7) * ceil_div(h0.shape[1], 4)


def _kept_backward(h0, p):
    """Quads for a unit: its column of wh and, with peepholes, of P_i over P_f, and of P_o."""
    width = h0.shape[1]
    return width + (0 if p is None else ceil_div(2 * width, 4) + ceil_div(width, 4))


def _forward_fits(version):
    return lambda xa, h0, c0, wh, p: fits(h0, _kept_forward(h0, p), version)


def _backward_fits(version):
    return lambda ghs, gcs, hs, cs, gates, h0, c0, wh, p: fits(h0, _kept_backward(h0, p), version)


for _pass, _function, _rungs in (
    ("cell_forward", _cell_forward, cells(fours)),
    ("cell_backward", _cell_backward, cells(fours)),
    ("sequence_forward", _sequence_forward, sequences(_forward_fits)),
    ("sequence_backward", _sequence_backward, sequences(_backward_fits)),
):
    source.implements_each("lstm", _pass, _function, _rungs)
