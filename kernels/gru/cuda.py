"""GRU on the GPU: the launch geometry of `cuda.cu` and of the rungs that it includes.

The kernels and why they are as they are: `cuda.cu` (v1) and `rungs/cuda_v*.cuh`. What LSTM shares
of the geometry: `recurrent/launch.py`. The library's form needs h W_nᵀ + b_n of all steps for its
gradients, which the forward pass did not store: one product by cuBLAS.
"""

from typing import NamedTuple

from ..arrays import xp_of
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


def _fours(*args):
    """May a cell kernel take four units a thread? The last argument is the variant."""
    return fours(*args[:-1])


class Sizes(NamedTuple):
    """`struct Sizes` of gates.cuh; `library` is 0 or 1."""

    T: int
    N: int
    H: int
    library: int


# ---- One step


def _cell(way, version, h, variant, *arrays):
    """Launches the cell kernel of a direction."""
    if h.size:
        grid, library = ceil_div(h.size, UNITS_OF[version] * THREADS), int(variant == "library")
        kernel = f"gru_cell_{way}_v{version}"
        source.launch(kernel, grid, THREADS, *arrays, h.size, h.shape[1], library)


def _cell_forward(version, xa, ha, h, variant):
    xa, ha, h = each_contiguous(xa, ha, h)
    h_new, gates = empty(h, h.shape), empty(xa, xa.shape)
    _cell("forward", version, h, variant, xa, ha, h, h_new, gates)
    return h_new, gates


def _cell_backward(version, gh_new, gates, ha, h, variant):
    gh_new, gates, ha, h = each_contiguous(gh_new, gates, ha, h)
    gxa, gha, gh = empty(gates, gates.shape), empty(gates, gates.shape), empty(h, h.shape)
    _cell("backward", version, h, variant, gh_new, gates, ha, h, gxa, gha, gh)
    return gxa, gha, gh


# ---- A whole sequence, forward


def _sequence_forward(version, xa, h0, wh, bh, variant):
    xa, h0, wh, bh = each_contiguous(xa, h0, wh, bh)
    shape, library = (len(xa), *h0.shape), int(variant == "library")
    hs, gates = empty(xa, shape), empty(xa, xa.shape)
    if not hs.size:
        return hs, gates
    reset = None if library else empty(h0, h0.shape)
    if version >= 3:
        kernel, quads = f"gru_sequence_forward_v{version}", _kept_forward(h0)
        arrays, size = (xa, h0, wh, bh, hs, gates, reset), Sizes(*shape, library)
        persistent(source, kernel, h0, quads, *arrays, size=size)
        return hs, gates
    h = h0
    for t in range(len(xa)):
        if version == 1:
            _step_by_library(xa[t], h, wh, bh, gates[t], hs[t], variant)
        else:
            _step_in_one_kernel(xa[t], h, wh, bh, gates[t], hs[t], reset)
        h = hs[t]
    return hs, gates


def _step_by_library(xa, h, wh, bh, gates, h_new, variant):
    """v1; the lecture's cell runs twice, first for r, on which the second product waits."""
    width, two, ha = h.shape[1], 2 * h.shape[1], _recurrent(h, wh, bh)
    _cell("forward", 1, h, variant, xa, ha, h, h_new, gates)
    if variant == "lecture":
        reset = gates[:, :width] * h
        ha[:, two:] = _recurrent(reset, wh[two:], None if bh is None else bh[two:])
        _cell("forward", 1, h, variant, xa, ha, h, h_new, gates)


def _step_in_one_kernel(xa, h, wh, bh, gates, h_new, reset):
    """v2; the lecture's form, which has memory for r h, takes two kernels."""
    (n, width), (grid, block), library = h.shape, tiled(h), int(reset is None)
    arrays = xa, h, wh, bh, gates, h_new if library else None, reset
    source.launch("gru_sequence_forward_v2", grid, block, *arrays, n, width, library)
    if not library:
        arrays = xa, h, reset, wh[2 * width :], bh, gates, h_new
        source.launch("gru_candidate_forward_v2", grid, block, *arrays, n, width)


def _recurrent(h, w, b):
    """h Wᵀ + b, b None or not."""
    return h @ w.T if b is None else h @ w.T + b


# ---- and backward


def _sequence_backward(version, ghs, hs, gates, h0, wh, bh, variant):
    ghs, hs, gates, h0, wh, bh = each_contiguous(ghs, hs, gates, h0, wh, bh)
    gxa, gh, library = empty(gates, gates.shape), zeros(h0, h0.shape), variant == "library"
    if not gxa.size:
        return gxa, gh, zeros(wh, wh.shape), None if bh is None else zeros(bh, bh.shape)
    gha = empty(gates, gates.shape) if library else gxa
    if version == 1:
        gh = _back_by_library(ghs, hs, gates, h0, wh, bh, gxa, gha if library else None)
    else:
        ha_n = _candidates(hs, h0, wh, bh) if library else None
        if version == 2:
            _back_in_one_kernel(ghs, hs, gates, h0, ha_n, wh, gxa, gha, gh)
        else:
            kernel, quads = f"gru_sequence_backward_v{version}", _kept_backward(h0)
            arrays = ghs, hs, gates, h0, ha_n, wh, gxa, gha if library else None, gh
            size = Sizes(*hs.shape, int(library))
            persistent(source, kernel, h0, quads, *arrays, size=size)
        # what the first step asks of h0 through the products with it
        used = slice(None) if library else slice(2 * gh.shape[1])
        gh = gh + gha[0, :, used] @ wh[used]
    return gxa, gh, *_weights(gha, hs, gates, h0, bh, library)


def _back_by_library(ghs, hs, gates, h0, wh, bh, gxa, gha):
    """v1: gxa, gha and the gradient of h0; gha is None in the lecture's form, where it is gxa."""
    width, two = h0.shape[1], 2 * h0.shape[1]
    gh, variant = zeros(h0, h0.shape), "lecture" if gha is None else "library"
    unused = empty(gxa[0], gxa.shape[1:])
    for t in reversed(range(len(ghs))):
        h, asked = hs[t - 1] if t else h0, gh + ghs[t]
        ha = None if gha is None else _recurrent(h, wh, bh)
        gh, gha_t = empty(h0, h0.shape), unused if gha is None else gha[t]
        _cell("backward", 1, h, variant, asked, gates[t], ha, h, gxa[t], gha_t, gh)
        if gha is not None:
            gh += gha_t @ wh
            continue
        r, asked = gates[t, :, :width], gxa[t, :, two:] @ wh[two:]  # of r h
        gxa[t, :, :width] = asked * h * r * (1 - r)
        gh += asked * r + gxa[t, :, :two] @ wh[:two]
    return gh


def _back_in_one_kernel(ghs, hs, gates, h0, ha_n, wh, gxa, gha, gh):
    """v2: gxa, gha and, in place, the straight path from step to step."""
    (n, width), (grid, block) = h0.shape, tiled(h0)
    library, later = int(ha_n is not None), None
    for t in reversed(range(len(ghs))):
        h = hs[t - 1] if t else h0
        of_library = (ha_n[t], gha[t]) if library else (None, None)
        arrays = ghs[t], later, gates[t], h, of_library[0], wh, gxa[t], of_library[1], gh
        source.launch("gru_sequence_backward_v2", grid, block, *arrays, n, width, library)
        if not library:
            arrays = gates[t], h, wh[2 * width :], gxa[t], gh
            source.launch("gru_reset_backward_v2", grid, block, *arrays, n, width)
        later = gha[t]


def _before(hs, h0):
    """h_{t-1} for every step t: h0, then all of hs but the last."""
    return xp_of(hs).concatenate([h0[None], hs[:-1]])


def _candidates(hs, h0, wh, bh):
    """h W_nᵀ + b_n of all steps."""
    two = 2 * h0.shape[1]
    return _recurrent(_before(hs, h0), wh[two:], None if bh is None else bh[two:])


def _weights(gha, hs, gates, h0, bh, library):
    """gwh and gbh: one product and one sum over all steps."""
    gbh = None if bh is None else flat(gha).sum(axis=0)
    if library:
        return over_steps(gha, hs, h0), gbh
    width, two = h0.shape[1], 2 * h0.shape[1]
    gwh = empty(h0, (3 * width, width))
    gwh[:two] = over_steps(gha[:, :, :two], hs, h0)
    gwh[two:] = flat(gha[:, :, two:]).T @ flat(gates[:, :, :width] * _before(hs, h0))
    return gwh, gbh


# ---- All rungs, and the shapes that v3 and v4 can take


def _kept_forward(h0):
    """Quads for a unit: its three rows of wh."""
    return 3 * ceil_div(h0.shape[1], 4)


def _kept_backward(h0):
    """Quads for a unit: its column of wh, of W_r over W_z and of W_n."""
    return ceil_div(2 * h0.shape[1], 4) + ceil_div(h0.shape[1], 4)


def _forward_fits(version):
    return lambda xa, h0, wh, bh, variant: fits(h0, _kept_forward(h0), version)


def _backward_fits(version):
    return lambda ghs, hs, gates, h0, wh, bh, variant: fits(h0, _kept_backward(h0), version)


for _pass, _function, _rungs in (
    ("cell_forward", _cell_forward, cells(_fours)),
    ("cell_backward", _cell_backward, cells(_fours)),
    ("sequence_forward", _sequence_forward, sequences(_forward_fits)),
    ("sequence_backward", _sequence_backward, sequences(_backward_fits)),
):
    source.implements_each("gru", _pass, _function, _rungs)
