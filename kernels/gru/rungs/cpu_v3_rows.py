"""GRU sequence on the CPU, version 3: a thread takes its sequences through all steps by itself.

Version 2 wakes the threads of a library at every step, for products that are too small to occupy
them: see `lstm/rungs/cpu_v3_rows.py`, whose idea this is. What differs is that the products of a
step are two, one for the gates r and z, one for the candidate: the lecture form must know r before
the second, and in the library form it gives what r acts on, without the input's part. One routine
serves both: they differ in what the candidate's product sees, r ⊙ h or h.

    glassgrad bench gru.sequence_forward gru.sequence_backward              two threads
    glassgrad bench gru.sequence_forward --threads 1                        the packed weights alone
"""

from typing import NamedTuple

import numpy as np
from numba import get_num_threads

from ...compiled import njit
from ...recurrent.arrays import flat, plain
from ...recurrent.panels import columns, gated, nothing
from ...recurrent.products import product, product_at
from ...recurrent.sums import add_outer, add_over_steps
from ...recurrent.tile import Packed, Rows
from ...registry import register
from ...threads import in_parts
from ..gates import candidate, open_gates, reset, reset_after, reset_before, update_gradient
from ..states import States, row_of, unfilled


class Weights(NamedTuple):
    """The weights of r and z, those of n, packed for the pass; the bias as one row."""

    rz: Packed
    n: Packed
    seen: Packed  # W_n for h W_nᵀ, which the library's backward pass needs again; else no terms
    bias: np.ndarray


@njit(nogil=True)
def _forward(multiply, xa, states, weights, library, parts, part):
    """All steps of the sequences of one part."""
    hs, gates, h0 = states
    w_rz, w_n, _, bias = weights
    steps, (n, h) = len(xa), h0.shape
    first, last = part * n // parts, (part + 1) * n // parts
    rows, flat_x, flat_a = last - first, xa.reshape(-1), gates.reshape(-1)
    ha_n, kept = np.empty((rows, h), xa.dtype), np.empty((rows, h), xa.dtype)
    b_n, to_n = Rows(bias.reshape(-1), 2 * h, 0, 1), Rows(ha_n.reshape(-1), 0, h, 1)
    for t in range(steps):
        before = (hs[t - 1] if t else h0)[first:last]
        x, a, a_at = xa[t, first:last], gates[t, first:last], (t * n + first) * 3 * h
        # r and z: the sums start from xa and end in `gates`, where they are activated
        from_x, to = Rows(flat_x, a_at, 3 * h, 1), Rows(flat_a, a_at, 3 * h, 1)
        product(multiply, Rows(before.reshape(-1), 0, h, 1), rows, w_rz, from_x, to)
        open_gates(a, bias)
        if not library:
            reset(a, before, kept)
        # n: the sums start from the bias, the same for every row
        seen = before if library else kept
        product(multiply, Rows(seen.reshape(-1), 0, h, 1), rows, w_n, b_n, to_n)
        candidate(x, ha_n, a, before, hs[t, first:last], library)


@register(
    "gru",
    "sequence_forward",
    backend="numba",
    version=3,
    idea="a thread takes its rows of the batch through all steps; weights packed once",
)
def sequence_forward(xa, h0, wh, bh, variant):
    """hs, gates of all steps (see `gru.sequence_forward`)."""
    xa, h0, wh, bh = plain(xa, h0, wh, bh)
    states, two, library = unfilled(xa, h0), 2 * h0.shape[1], variant == "library"
    if xa.size:
        packed = gated(wh[:two], 2), gated(wh[two:], 1), nothing(wh.dtype)
        parts, weights = get_num_threads(), Weights(*packed, row_of(bh, wh))
        in_parts(_forward, parts, product_at(xa.dtype), xa, states, weights, library, parts)
    return states.hs, states.gates


@njit(nogil=True)
def _backward(multiply, ghs, states, weights, library, gxa, seen, gh, parts, part):
    """All steps of the sequences of one part, the last first; gh ends as that of t = -1.

    seen[t] becomes gha_n in the library form, r h in the lecture's: what the weight gradient needs.
    """
    hs, gates, h0 = states
    w_rz, w_n, w_seen, bias = weights
    steps, n, h = ghs.shape
    first, last = part * n // parts, (part + 1) * n // parts
    rows, g, flat_a, flat_seen = last - first, gh[first:last], gxa.reshape(-1), seen.reshape(-1)
    scratch = np.empty((rows, h), ghs.dtype)
    to_scratch, to_gh = Rows(scratch.reshape(-1), 0, h, 1), Rows(gh.reshape(-1), first * h, h, 1)
    b_n, zeros = Rows(bias.reshape(-1), 2 * h, 0, 1), Rows(np.zeros(h, ghs.dtype), 0, 0, 1)
    for t in range(steps - 1, -1, -1):
        before = (hs[t - 1] if t else h0)[first:last]
        a, ga, at = gates[t, first:last], gxa[t, first:last], (t * n + first) * h
        for k in range(rows):
            for j in range(h):
                g[k, j] += ghs[t, first + k, j]
        update_gradient(g, a, before, ga, library)
        if library:  # h W_nᵀ + b_n was not kept
            of_h = Rows(before.reshape(-1), 0, h, 1)
            product(multiply, of_h, rows, w_seen, b_n, to_scratch)
            reset_after(scratch, a, ga, seen[t, first:last])
            product(multiply, Rows(flat_seen, at, h, 1), rows, w_n, to_gh, to_gh)
        else:  # the gradient of r h, alone: r decides how much of it is h's
            of_n = Rows(flat_a, 3 * at + 2 * h, 3 * h, 1)
            product(multiply, of_n, rows, w_n, zeros, to_scratch)
            reset_before(scratch, a, before, ga, g)
            reset(a, before, seen[t, first:last])
        product(multiply, Rows(flat_a, 3 * at, 3 * h, 1), rows, w_rz, to_gh, to_gh)


@register(
    "gru",
    "sequence_backward",
    backend="numba",
    version=3,
    idea="rows through all steps by one thread; weight gradient as one product over all steps",
)
def sequence_backward(ghs, hs, gates, h0, wh, bh, variant):
    """gxa, gh0, gwh, gbh of all steps (see `gru.sequence_backward`)."""
    ghs, hs, gates, h0, wh, bh = plain(ghs, hs, gates, h0, wh, bh)
    gxa, gh, gwh = np.empty_like(gates), np.zeros_like(h0), np.zeros_like(wh)
    gbh = None if bh is None else np.zeros_like(bh)
    if not gxa.size:
        return gxa, gh, gwh, gbh
    library, two, seen = variant == "library", 2 * h0.shape[1], np.empty_like(ghs)
    w_seen = gated(wh[two:], 1) if library else nothing(wh.dtype)
    weights = Weights(columns(wh[:two]), columns(wh[two:]), w_seen, row_of(bh, wh))
    parts, states, multiply = get_num_threads(), States(hs, gates, h0), product_at(ghs.dtype)
    in_parts(_backward, parts, multiply, ghs, states, weights, library, gxa, seen, gh, parts)
    add_over_steps(gxa, 0, hs, h0, gwh[:two])
    if library:
        add_over_steps(seen, 0, hs, h0, gwh[two:])
    else:
        add_outer(flat(gxa), two, flat(seen), gwh[two:])
    if bh is not None:
        gbh[:two] = flat(gxa)[:, :two].sum(axis=0)
        gbh[two:] = (seen if library else gxa[:, :, two:]).sum(axis=(0, 1))
    return gxa, gh, gwh, gbh
