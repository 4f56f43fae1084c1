"""The sequential algorithm on the CPU, version 2: the map lies in vector lanes for the whole run.

Version 1 takes one number at a time, for the distances as for the steps. Here the map is laid out
as in `cpu_v2_lanes`, once for all samples, so that 32 nodes are compared, moved and normalised side
by side; a block of which no node moves is skipped.

    glassgrad bench som.online      both versions, next to each other
"""

import numpy as np

from ...compiled import njit
from ...registry import register
from .lanes import LANES, add_squares, from_blocks, in_blocks


@njit
def _first_smallest(d2, nodes):
    """As in the reference; d2 is padded to whole blocks, so the minimum is taken lane by lane."""
    low = np.empty(LANES, d2.dtype)
    for lane in range(LANES):
        low[lane] = np.inf
    for first in range(0, len(d2), LANES):
        for lane in range(LANES):
            if d2[first + lane] < low[lane]:
                low[lane] = d2[first + lane]
    smallest = low[0]
    for lane in range(1, LANES):
        smallest = min(smallest, low[lane])
    # a second look finds its first place, which the lanes have not kept
    for m in range(nodes):
        if d2[m] == smallest:
            return m
    return 0


@njit
def _move(x_n, h, pull, block, additive):
    """w += h x, or h (x - w), for the lanes of one block whose pull is not 0.

    The others take the step -0, which changes no number, not even 0. Were they left out, the store
    would depend on the lane, and without AVX-512 LLVM then takes one lane at a time.
    """
    none = block.dtype.type(-0.0)
    for j in range(len(x_n)):
        for lane in range(LANES):
            w = block[j, lane]
            step = h[lane] * (x_n[j] if additive else x_n[j] - w)
            block[j, lane] = w + (step if pull[lane] != 0 else none)


@njit
def _normalise(block, scale):
    """Each lane divided by its norm, as a product with its reciprocal; a lane of zeros stays.

    The lanes are counted by len(scale): LLVM unrolls so short a loop of known length before it
    thinks of vectors, and then cannot prove that block and scale do not overlap.
    """
    lanes = len(scale)
    for lane in range(lanes):
        scale[lane] = 0
    for j in range(len(block)):
        for lane in range(lanes):
            scale[lane] += block[j, lane] * block[j, lane]
    for lane in range(lanes):
        scale[lane] = 1 / np.sqrt(scale[lane]) if scale[lane] != 0 else 1
    for j in range(len(block)):
        for lane in range(lanes):
            block[j, lane] *= scale[lane]


@njit
def _online(blocks, nodes, x, table, schedule, rates, additive, normalise, index, smallest):
    real = x.dtype.type
    d2 = np.empty(len(blocks) * LANES, x.dtype)
    h, pull = np.empty(LANES, x.dtype), np.empty(LANES, x.dtype)
    scratch = np.empty(LANES, x.dtype)
    for n in range(len(x)):
        for b in range(len(blocks)):
            add_squares(x[n], blocks[b], d2[b * LANES : (b + 1) * LANES])
        c = _first_smallest(d2, nodes)
        index[n], smallest[n] = c, d2[c]
        for b in range(len(blocks)):
            # h and K of the block's nodes; behind the last node K is 0
            moves = False
            for lane in range(LANES):
                m = b * LANES + lane
                pull[lane] = table[schedule[n], c, m] if m < nodes else real(0)
                h[lane] = rates[n] * pull[lane]
                moves = moves or pull[lane] != 0
            if moves:
                _move(x[n], h, pull, blocks[b], additive)
            if normalise:
                _normalise(blocks[b], scratch)


@register(
    "som", "online", backend="numba", version=2, idea="one compiled loop, nodes in vector lanes"
)
def online(w, x, table, schedule, rates, rule):
    """The new w [M, D], winner [N] and d2 [N], one sample of x [N, D] after another."""
    blocks = in_blocks(w)
    index, smallest = np.empty(len(x), np.int64), np.empty(len(x), x.dtype)
    contiguous = [np.ascontiguousarray(a) for a in (x, table)]
    steps = np.ascontiguousarray(schedule, np.int64), np.ascontiguousarray(rates)
    options = rule != "difference", rule == "additive_normalised"
    _online(blocks, len(w), *contiguous, *steps, *options, index, smallest)
    return from_blocks(blocks, len(w)), index, smallest
