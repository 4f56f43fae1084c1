"""LSTM on the CPU: a thread takes some sequences of the batch through all steps by itself.

What the reference wastes, and what is done about it:

- it allocates some twenty arrays a step, and each of its operations walks through all N·H cells:
  here all memory is there before the first step, and the gates' arithmetic is fused into passes
  over a row that stays in the first-level cache (`gates`);
- it multiplies small matrices, 28 or 100 times one after the other, which a library does by waking
  its threads and letting them wait for each other every time. But sequences of a batch never meet:
  each thread takes its share of rows through *all* steps, with products of its own from weights
  packed once (`products`, `tile`), and the threads meet once, at the end;
- its weight gradients are T small products: here one over all steps, `add_outer`.
"""

import numpy as np
from numba import get_num_threads

from ..compiled import njit
from ..registry import register
from ..threads import in_parts
from .blas import flat, plain  # and version 1
from .gates import activate, activate_gradient, show, show_gradient
from .products import add_outer, columns, gated, product, product_at


@register("lstm", "cell_forward", backend="numba", idea="fused rows, vectorised σ and tanh")
def cell_forward(a, c):
    """h, C', gates of one step (see `lstm.cell_forward`)."""
    a, c = plain(a, c)
    h, c_new, gates = np.empty_like(c), np.empty_like(c), a.copy()
    activate(gates, c, c_new)
    show(gates, c_new, h)
    return h, c_new, gates


@register("lstm", "cell_backward", backend="numba", idea="fused rows, vectorised σ and tanh")
def cell_backward(gh, gc_new, gates, c, c_new):
    """ga, gc of one step (see `lstm.cell_backward`)."""
    gh, gates, c, c_new = plain(gh, gates, c, c_new)
    ga, gc = np.empty_like(gates), np.array(gc_new, order="C")
    show_gradient(gh, gates, c_new, ga, gc)
    activate_gradient(gc, gates, c, ga)
    return ga, gc


@njit(nogil=True)
def _forward(multiply, xa, h0, c0, w, p_if, p_o, hs, cs, gates, parts, part):
    """All steps of the sequences of one part."""
    steps, (n, h) = len(xa), h0.shape
    first, last = part * n // parts, (part + 1) * n // parts
    rows, flat_x, flat_a, flat_c = last - first, xa.reshape(-1), gates.reshape(-1), cs.reshape(-1)
    for t in range(steps):
        seen, c_seen = (hs[t - 1], cs[t - 1]) if t else (h0, c0)
        a_at = (t * n + first) * 4 * h
        product(
            multiply, seen.reshape(-1), first * h, h, 1, rows, w, h, h, 4,
            flat_x, a_at, 4 * h, flat_a, a_at, 4 * h,
        )  # fmt: skip
        a, before, c = gates[t, first:last], c_seen[first:last], cs[t, first:last]
        if len(p_if):
            product(
                multiply, c_seen.reshape(-1), first * h, h, 1, rows, p_if, h, h, 2,
                flat_a, a_at, 4 * h, flat_a, a_at, 4 * h,
            )  # fmt: skip
        activate(a, before, c)
        if len(p_o):
            product(
                multiply, flat_c, (t * n + first) * h, h, 1, rows, p_o, h, h, 1,
                flat_a, a_at + 3 * h, 4 * h, flat_a, a_at + 3 * h, 4 * h,
            )  # fmt: skip
        show(a, c, hs[t, first:last])


@register(
    "lstm", "sequence_forward", backend="numba",
    version=2,
    idea="a thread takes its rows of the batch through all steps; weights packed once",
)  # fmt: skip
def sequence_forward(xa, h0, c0, wh, p):
    """hs, cs, gates of all steps (see `lstm.sequence_forward`)."""
    xa, h0, c0, wh, p = plain(xa, h0, c0, wh, p)
    steps, (n, width) = len(xa), h0.shape
    hs = np.empty((steps, n, width), xa.dtype)
    cs, gates, none = np.empty_like(hs), np.empty_like(xa), np.empty(0, xa.dtype)
    if xa.size:
        peep = (none, none) if p is None else (gated(p[: 2 * width], 2), gated(p[2 * width :], 1))
        parts, made = get_num_threads(), (hs, cs, gates)
        in_parts(
            _forward, parts, product_at(xa.dtype), xa, h0, c0, gated(wh, 4), *peep, *made, parts
        )
    return hs, cs, gates


@njit(nogil=True)
def _backward(multiply, ghs, gcs, cs, gates, c0, w, p_if, p_o, gxa, gh, gc, parts, part):
    """All steps of the sequences of one part, the last first; gh, gc end as those of t = -1."""
    steps, n, h = ghs.shape
    first, last = part * n // parts, (part + 1) * n // parts
    rows, at = last - first, first * h
    flat_gh, flat_gc, flat_ga, flat_ghs = (
        gh.reshape(-1), gc.reshape(-1), gxa.reshape(-1), ghs.reshape(-1),
    )  # fmt: skip
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
        if len(p_o):
            product(
                multiply, flat_ga, a_at + 3 * h, 4 * h, 1, rows, p_o, h, h, 0,
                flat_gc, at, h, flat_gc, at, h,
            )  # fmt: skip
        activate_gradient(gc[first:last], a, before, ga)
        if len(p_if):
            product(
                multiply, flat_ga, a_at, 4 * h, 1, rows, p_if, 2 * h, h, 0,
                flat_gc, at, h, flat_gc, at, h,
            )  # fmt: skip
        if t:  # what the caller asks of the step before is where the sum starts
            product(
                multiply, flat_ga, a_at, 4 * h, 1, rows, w, 4 * h, h, 0,
                flat_ghs, ((t - 1) * n + first) * h, h, flat_gh, at, h,
            )  # fmt: skip
        else:
            gh[first:last] = 0
            product(
                multiply, flat_ga, a_at, 4 * h, 1, rows, w, 4 * h, h, 0,
                flat_gh, at, h, flat_gh, at, h,
            )  # fmt: skip


@register(
    "lstm", "sequence_backward", backend="numba",
    version=2,
    idea="rows through all steps by one thread; weight gradient as one product over all steps",
)  # fmt: skip
def sequence_backward(ghs, gcs, hs, cs, gates, h0, c0, wh, p):
    """gxa, gh0, gc0, gwh, gp of all steps (see `lstm.sequence_backward`)."""
    ghs, gcs, hs, cs, gates, h0, c0, wh, p = plain(ghs, gcs, hs, cs, gates, h0, c0, wh, p)
    two, none = 2 * h0.shape[1], np.empty(0, ghs.dtype)
    gxa, gh, gc = np.empty_like(gates), np.zeros_like(h0), np.zeros_like(c0)
    gwh, gp = np.zeros_like(wh), None if p is None else np.zeros_like(p)
    if not gxa.size:
        return gxa, gh, gc, gwh, gp
    peep = (none, none) if p is None else (columns(p[:two]), columns(p[two:]))
    gcs = np.empty((0, *h0.shape), ghs.dtype) if gcs is None else gcs
    parts, made = get_num_threads(), (gxa, gh, gc)
    given = product_at(ghs.dtype), ghs, gcs, cs, gates, c0, columns(wh)
    in_parts(_backward, parts, *given, *peep, *made, parts)
    add_over_steps(gxa, 0, hs, h0, gwh)
    if p is not None:
        add_over_steps(gxa, 0, cs, c0, gp[:two])
        add_outer(flat(gxa), 3 * h0.shape[1], flat(cs), gp[two:])
    return gxa, gh, gc, gwh, gp


def add_over_steps(ga, a_from, states, first, gw):
    """gw += Σ_t ga_tᵀ state_{t-1} with state_{-1} = `first`; ga from its column a_from on."""
    add_outer(ga[0], a_from, first, gw)
    add_outer(flat(ga[1:]), a_from, flat(states[:-1]), gw)
