"""GRU on the CPU: a thread takes some sequences of the batch through all steps by itself.

The means are those of the LSTM (`kernels/lstm/cpu.py`; σ and tanh in `gates`, products in
`products` beside it): weights packed once, short loops over rows that stay in the first-level
cache, weight gradients in one product over all steps. What differs is that the products of a step
are two, one for the gates r and z, one for the candidate: the lecture form must know r before the
second, and in the library form it gives what r acts on, without the input's part.
"""

import numpy as np
from numba import get_num_threads

from ..compiled import njit
from ..lstm.blas import flat, plain
from ..lstm.cpu import add_over_steps
from ..lstm.products import add_outer, columns, gated, product, product_at
from ..registry import register
from ..threads import in_parts
from .blas import row_of  # and version 1
from .gates import candidate, open_gates, reset, reset_after, reset_before, update_gradient


@register("gru", "cell_forward", backend="numba", idea="fused rows, vectorised σ and tanh")
def cell_forward(xa, ha, h, variant):
    """h', gates of one step (see `gru.cell_forward`)."""
    xa, ha, h = plain(xa, ha, h)
    h_new, gates = np.empty_like(h), xa.copy()
    if h.size:
        open_gates(gates, ha)
        candidate(xa, ha, gates, h, h_new, variant == "library")
    return h_new, gates


@register("gru", "cell_backward", backend="numba", idea="fused rows")
def cell_backward(gh_new, gates, ha, h, variant):
    """gxa, gha, gh of one step (see `gru.cell_backward`)."""
    gates, ha, h = plain(gates, ha, h)
    gxa, gh = np.empty_like(gates), np.array(gh_new, order="C")
    update_gradient(gh, gates, h, gxa, variant == "library")
    if variant == "library":
        gha = np.empty_like(gxa)
        reset_after(ha, gates, gxa, gha)
        gha[:, : 2 * h.shape[1]] = gxa[:, : 2 * h.shape[1]]
        return gxa, gha, gh
    gxa[:, : h.shape[1]] = 0
    return gxa, gxa.copy(), gh


@njit(nogil=True)
def _forward(multiply, xa, h0, w_rz, w_n, bh, library, hs, gates, parts, part):
    """All steps of the sequences of one part."""
    steps, (n, h) = len(xa), h0.shape
    first, last = part * n // parts, (part + 1) * n // parts
    rows, flat_x, flat_a, b = last - first, xa.reshape(-1), gates.reshape(-1), bh.reshape(-1)
    ha_n, kept = np.empty((rows, h), xa.dtype), np.empty((rows, h), xa.dtype)
    for t in range(steps):
        before = (hs[t - 1] if t else h0)[first:last]
        x, a, a_at = xa[t, first:last], gates[t, first:last], (t * n + first) * 3 * h
        product(
            multiply, before.reshape(-1), 0, h, 1, rows, w_rz, h, h, 2,
            flat_x, a_at, 3 * h, flat_a, a_at, 3 * h,
        )  # fmt: skip
        open_gates(a, bh)
        if not library:
            reset(a, before, kept)
        seen = before if library else kept
        product(
            multiply, seen.reshape(-1), 0, h, 1, rows, w_n, h, h, 1,
            b, 2 * h, 0, ha_n.reshape(-1), 0, h,
        )  # fmt: skip
        candidate(x, ha_n, a, before, hs[t, first:last], library)


@register(
    "gru", "sequence_forward", backend="numba", version=2,
    idea="a thread takes its rows of the batch through all steps; weights packed once",
)  # fmt: skip
def sequence_forward(xa, h0, wh, bh, variant):
    """hs, gates of all steps (see `gru.sequence_forward`)."""
    xa, h0, wh, bh = plain(xa, h0, wh, bh)
    hs, gates = np.empty((len(xa), *h0.shape), xa.dtype), np.empty_like(xa)
    if xa.size:
        two, library = 2 * h0.shape[1], variant == "library"
        given = gated(wh[:two], 2), gated(wh[two:], 1), row_of(bh, wh), library
        parts = get_num_threads()
        in_parts(_forward, parts, product_at(xa.dtype), xa, h0, *given, hs, gates, parts)
    return hs, gates


@njit(nogil=True)
def _backward(
    multiply, ghs, hs, gates, h0, w_rz, w_n, w_seen, bh, library, gxa, n, gh, parts, part
):
    """All steps of the sequences of one part, the last first; gh ends as that of t = -1.

    n[t] becomes gha_n in the library form, r h in the lecture's: what the weight gradient needs.
    """
    steps, batch, h = ghs.shape
    first, last = part * batch // parts, (part + 1) * batch // parts
    rows, flat_a, b, flat_gh = last - first, gxa.reshape(-1), bh.reshape(-1), gh.reshape(-1)
    scratch, g, at = np.empty((rows, h), ghs.dtype), gh[first:last], first * h
    flat_scratch, flat_n, zeros = scratch.reshape(-1), n.reshape(-1), np.zeros(h, ghs.dtype)
    for t in range(steps - 1, -1, -1):
        before = (hs[t - 1] if t else h0)[first:last]
        a, ga, n_at = gates[t, first:last], gxa[t, first:last], (t * batch + first) * h
        for k in range(rows):
            for j in range(h):
                g[k, j] += ghs[t, first + k, j]
        update_gradient(g, a, before, ga, library)
        if library:  # h W_nᵀ + b_n was not kept
            product(
                multiply, before.reshape(-1), 0, h, 1, rows, w_seen, h, h, 1,
                b, 2 * h, 0, flat_scratch, 0, h,
            )  # fmt: skip
            reset_after(scratch, a, ga, n[t, first:last])
            product(
                multiply, flat_n, n_at, h, 1, rows, w_n, h, h, 0, flat_gh, at, h, flat_gh, at, h
            )
        else:
            product(
                multiply, flat_a, 3 * n_at + 2 * h, 3 * h, 1, rows, w_n, h, h, 0,
                zeros, 0, 0, flat_scratch, 0, h,
            )  # fmt: skip
            reset_before(scratch, a, before, ga, g)
            reset(a, before, n[t, first:last])
        product(
            multiply, flat_a, 3 * n_at, 3 * h, 1, rows, w_rz, 2 * h, h, 0,
            flat_gh, at, h, flat_gh, at, h,
        )  # fmt: skip


@register(
    "gru", "sequence_backward", backend="numba", version=2,
    idea="rows through all steps by one thread; weight gradient as one product over all steps",
)  # fmt: skip
def sequence_backward(ghs, hs, gates, h0, wh, bh, variant):
    """gxa, gh0, gwh, gbh of all steps (see `gru.sequence_backward`)."""
    ghs, hs, gates, h0, wh, bh = plain(ghs, hs, gates, h0, wh, bh)
    gxa, gh, gwh = np.empty_like(gates), np.zeros_like(h0), np.zeros_like(wh)
    gbh = None if bh is None else np.zeros_like(bh)
    if not gxa.size:
        return gxa, gh, gwh, gbh
    library, two, n = variant == "library", 2 * h0.shape[1], np.empty_like(ghs)
    w_seen = gated(wh[two:], 1) if library else np.empty(0, wh.dtype)
    w_rz, w_n = columns(wh[:two]), columns(wh[two:])
    given = w_rz, w_n, w_seen, row_of(bh, wh), library
    parts = get_num_threads()
    in_parts(_backward, parts, product_at(ghs.dtype), ghs, hs, gates, h0, *given, gxa, n, gh, parts)
    add_over_steps(gxa, 0, hs, h0, gwh[:two])
    if library:
        add_over_steps(n, 0, hs, h0, gwh[two:])
    else:
        add_outer(flat(gxa), two, flat(n), gwh[two:])
    if bh is not None:
        gbh[:two] = flat(gxa)[:, :two].sum(axis=0)
        gbh[two:] = (n if library else gxa[:, :, two:]).sum(axis=(0, 1))
    return gxa, gh, gwh, gbh
