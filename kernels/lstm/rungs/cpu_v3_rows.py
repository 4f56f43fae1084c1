"""LSTM sequence on the CPU, version 3: a thread takes its sequences through all steps by itself.

In version 2 a step's product is too small to occupy several cores: 28 or 100 times one after the
other the library unpacks the weights, wakes its threads and waits for them, and the gates'
arithmetic between two products runs on one core. But sequences of a batch never meet. Here each
thread takes its share of rows through *all* steps, with products of its own from weights packed
once (`recurrent/products.py`); the pre-activations' sums start from xa and end in `gates`, without
a buffer in between; and the threads meet once, at the end.

    glassgrad bench lstm.sequence_forward lstm.sequence_backward            two threads
    glassgrad bench lstm.sequence_forward --threads 1                       the packed weights alone
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
from ..gates import activate, activate_gradient, show, show_gradient
from ..states import Gradients, States, unfilled


class Weights(NamedTuple):
    """All weights, packed; without peepholes the last two have no terms."""

    h: Packed
    p_if: Packed
    p_o: Packed


@njit(nogil=True)
def _forward(multiply, xa, states, weights, parts, part):
    """All steps of the sequences of one part."""
    hs, cs, gates, h0, c0 = states
    w, p_if, p_o = weights
    steps, (n, h) = len(xa), h0.shape
    first, last = part * n // parts, (part + 1) * n // parts
    rows, flat_x, flat_a, flat_c = last - first, xa.reshape(-1), gates.reshape(-1), cs.reshape(-1)
    for t in range(steps):
        seen, c_seen = (hs[t - 1], cs[t - 1]) if t else (h0, c0)
        at, a_at = first * h, (t * n + first) * 4 * h
        x, to = Rows(flat_x, a_at, 4 * h, 1), Rows(flat_a, a_at, 4 * h, 1)
        # `gates` holds the pre-activations until `activate` and `show` have passed over them
        product(multiply, Rows(seen.reshape(-1), at, h, 1), rows, w, x, to)
        a, before, c = gates[t, first:last], c_seen[first:last], cs[t, first:last]
        if p_if.terms:
            product(multiply, Rows(c_seen.reshape(-1), at, h, 1), rows, p_if, to, to)
        activate(a, before, c)
        if p_o.terms:  # the last gate peeps at the new cell
            to_o = Rows(flat_a, a_at + 3 * h, 4 * h, 1)
            product(multiply, Rows(flat_c, (t * n + first) * h, h, 1), rows, p_o, to_o, to_o)
        show(a, c, hs[t, first:last])


@register(
    "lstm",
    "sequence_forward",
    backend="numba",
    version=3,
    idea="a thread takes its rows of the batch through all steps; weights packed once",
)
def sequence_forward(xa, h0, c0, wh, p):
    """hs, cs, gates of all steps (see `lstm.sequence_forward`)."""
    xa, h0, c0, wh, p = plain(xa, h0, c0, wh, p)
    states, two, none = unfilled(xa, h0, c0), 2 * h0.shape[1], nothing(xa.dtype)
    if xa.size:
        peep = (none, none) if p is None else (gated(p[:two], 2), gated(p[two:], 1))
        parts, weights = get_num_threads(), Weights(gated(wh, 4), *peep)
        in_parts(_forward, parts, product_at(xa.dtype), xa, states, weights, parts)
    return states.hs, states.cs, states.gates


@njit(nogil=True)
def _backward(multiply, ghs, gcs, states, weights, gradients, parts, part):
    """All steps of the sequences of one part, the last first."""
    _, cs, gates, _, c0 = states
    w, p_if, p_o = weights
    gxa, gh, gc = gradients
    steps, n, h = ghs.shape
    first, last = part * n // parts, (part + 1) * n // parts
    rows, at, flat_ga, flat_ghs = last - first, first * h, gxa.reshape(-1), ghs.reshape(-1)
    to_gh, to_gc = Rows(gh.reshape(-1), at, h, 1), Rows(gc.reshape(-1), at, h, 1)
    for m in range(first, last):  # loops: for slices Numba compiles 2 s of checks of their shapes
        for j in range(h):
            gh[m, j] = ghs[steps - 1, m, j]
    for t in range(steps - 1, -1, -1):
        before = cs[t - 1, first:last] if t else c0[first:last]
        a, ga = gates[t, first:last], gxa[t, first:last]
        a_at = (t * n + first) * 4 * h
        if len(gcs):
            for m in range(first, last):
                for j in range(h):
                    gc[m, j] += gcs[t, m, j]
        show_gradient(gh[first:last], a, cs[t, first:last], ga, gc[first:last])
        if p_o.terms:  # completes the gradient of C_t, which the other gates need
            product(multiply, Rows(flat_ga, a_at + 3 * h, 4 * h, 1), rows, p_o, to_gc, to_gc)
        activate_gradient(gc[first:last], a, before, ga)
        of_step = Rows(flat_ga, a_at, 4 * h, 1)
        if p_if.terms:
            product(multiply, of_step, rows, p_if, to_gc, to_gc)
        if t:  # what the caller asks of the step before is where the sum starts
            asked = Rows(flat_ghs, ((t - 1) * n + first) * h, h, 1)
            product(multiply, of_step, rows, w, asked, to_gh)
        else:
            gh[first:last] = 0
            product(multiply, of_step, rows, w, to_gh, to_gh)


@register(
    "lstm",
    "sequence_backward",
    backend="numba",
    version=3,
    idea="rows through all steps by one thread; weight gradient as one product over all steps",
)
def sequence_backward(ghs, gcs, hs, cs, gates, h0, c0, wh, p):
    """gxa, gh0, gc0, gwh, gp of all steps (see `lstm.sequence_backward`)."""
    ghs, gcs, hs, cs, gates, h0, c0, wh, p = plain(ghs, gcs, hs, cs, gates, h0, c0, wh, p)
    two, none = 2 * h0.shape[1], nothing(ghs.dtype)
    made = Gradients(np.empty_like(gates), np.zeros_like(h0), np.zeros_like(c0))
    gwh, gp = np.zeros_like(wh), None if p is None else np.zeros_like(p)
    if not gates.size:
        return *made, gwh, gp
    peep = (none, none) if p is None else (columns(p[:two]), columns(p[two:]))
    gcs = np.empty((0, *h0.shape), ghs.dtype) if gcs is None else gcs
    states, weights = States(hs, cs, gates, h0, c0), Weights(columns(wh), *peep)
    parts, multiply = get_num_threads(), product_at(ghs.dtype)
    in_parts(_backward, parts, multiply, ghs, gcs, states, weights, made, parts)
    add_over_steps(made.gxa, 0, hs, h0, gwh)
    if p is not None:
        add_over_steps(made.gxa, 0, cs, c0, gp[:two])
        add_outer(flat(made.gxa), 3 * h0.shape[1], flat(cs), gp[two:])
    return *made, gwh, gp
