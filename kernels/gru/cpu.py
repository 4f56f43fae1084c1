"""GRU on the CPU: a thread takes some sequences of the batch through all steps by itself.

The means are those of the LSTM (`kernels/lstm/cpu.py`; σ and tanh in `gates`, products in
`products` beside it): weights packed once, short loops over rows that stay in the first-level
cache, weight gradients in one product over all steps. What differs is that the products of a step
are two, one for the gates r and z, one for the candidate: the lecture form must know r before the
second, and in the library form it gives what r acts on, without the input's part.
"""

import numpy as np
from numba import get_num_threads, prange

from ..compiled import njit
from ..lstm.cpu import flat, over_steps, plain
from ..lstm.gates import sigmoid, tanh, vectorised
from ..lstm.products import add_outer, columns, gated, product
from ..registry import register


@vectorised
def _open(gates, more):
    """r, z = σ(gates + more) in place, the first 2H columns of both."""
    rows, two = gates.shape[0], 2 * (gates.shape[1] // 3)
    for n in range(rows):
        row, added = gates[n, :two], more[n % len(more), :two]
        for j in range(two):
            row[j] = sigmoid(row[j] + added[j])


@vectorised
def _candidate(xa, ha_n, gates, h, h_new, library):
    """n = tanh(xa_n + [r] ha_n) and h'; ha_n is the last H columns of what is given."""
    rows, width = h.shape
    start = ha_n.shape[1] - width
    one = gates.dtype.type(1)  # a plain 1 would turn float32 into float64
    for k in range(rows):
        r, z, n = gates[k, :width], gates[k, width : 2 * width], gates[k, 2 * width :]
        xk, hk, old, new = xa[k, 2 * width :], ha_n[k, start:], h[k], h_new[k]
        if library:
            for j in range(width):
                n[j] = tanh(xk[j] + r[j] * hk[j])
            for j in range(width):
                new[j] = (one - z[j]) * n[j] + z[j] * old[j]
        else:
            for j in range(width):
                n[j] = tanh(xk[j] + hk[j])
            for j in range(width):
                new[j] = (one - z[j]) * old[j] + z[j] * n[j]


@vectorised
def _update_gradient(gh, gates, h, ga, library):
    """ga_z, ga_n of the page; gh becomes its straight path to the step before."""
    rows, width = h.shape
    one = gh.dtype.type(1)
    for k in range(rows):
        z, n, ga_n = gates[k, width : 2 * width], gates[k, 2 * width :], ga[k, 2 * width :]
        ga_z, old, g = ga[k, width : 2 * width], h[k], gh[k]
        if library:
            for j in range(width):
                ga_z[j] = g[j] * (old[j] - n[j]) * z[j] * (one - z[j])
            for j in range(width):
                ga_n[j] = g[j] * (one - z[j]) * (one - n[j] * n[j])
            for j in range(width):
                g[j] *= z[j]
        else:
            for j in range(width):
                ga_z[j] = g[j] * (n[j] - old[j]) * z[j] * (one - z[j])
            for j in range(width):
                ga_n[j] = g[j] * z[j] * (one - n[j] * n[j])
            for j in range(width):
                g[j] *= one - z[j]


@vectorised
def _reset_after(ha_n, gates, ga, gha_n):
    """Library: ga_r = ga_n ha_n r(1-r) and gha_n = ga_n r, each the last H columns."""
    rows, width = gates.shape[0], gates.shape[1] // 3
    start, out = ha_n.shape[1] - width, gha_n.shape[1] - width
    one = ga.dtype.type(1)
    for k in range(rows):
        r, hk, ga_r, ga_n = gates[k, :width], ha_n[k, start:], ga[k, :width], ga[k, 2 * width :]
        result = gha_n[k, out:]
        for j in range(width):
            ga_r[j] = ga_n[j] * hk[j] * r[j] * (one - r[j])
        for j in range(width):
            result[j] = ga_n[j] * r[j]


@vectorised
def _reset_before(g_reset, gates, h, ga, gh):
    """Lecture, with g_reset the gradient of r h: ga_r = g_reset h r(1-r), gh += g_reset r."""
    rows, width = h.shape
    one = gh.dtype.type(1)
    for k in range(rows):
        r, old, ga_r, g, gk = gates[k, :width], h[k], ga[k, :width], g_reset[k], gh[k]
        for j in range(width):
            ga_r[j] = g[j] * old[j] * r[j] * (one - r[j])
        for j in range(width):
            gk[j] += g[j] * r[j]


@vectorised
def _reset(gates, h, result):
    """r h."""
    rows, width = h.shape
    for n in range(rows):
        r, old, out = gates[n, :width], h[n], result[n]
        for j in range(width):
            out[j] = r[j] * old[j]


@register("gru", "cell_forward", backend="numba", idea="fused rows, vectorised σ and tanh")
def cell_forward(xa, ha, h, variant):
    """h', gates of one step (see `gru.cell_forward`)."""
    xa, ha, h = plain(xa, ha, h)
    h_new, gates = np.empty_like(h), xa.copy()
    if h.size:
        _open(gates, ha)
        _candidate(xa, ha, gates, h, h_new, variant == "library")
    return h_new, gates


@register("gru", "cell_backward", backend="numba", idea="fused rows")
def cell_backward(gh_new, gates, ha, h, variant):
    """gxa, gha, gh of one step (see `gru.cell_backward`)."""
    gates, ha, h = plain(gates, ha, h)
    gxa, gh = np.empty_like(gates), np.array(gh_new, order="C")
    _update_gradient(gh, gates, h, gxa, variant == "library")
    if variant == "library":
        gha = np.empty_like(gxa)
        _reset_after(ha, gates, gxa, gha)
        gha[:, : 2 * h.shape[1]] = gxa[:, : 2 * h.shape[1]]
        return gxa, gha, gh
    gxa[:, : h.shape[1]] = 0
    return gxa, gxa.copy(), gh


@njit
def _rows_forward(first, last, xa, h0, w_rz, w_n, bh, library, hs, gates):
    """All steps of the sequences first..last."""
    steps, (n, h) = len(xa), h0.shape
    rows, flat_x, flat_a, b = last - first, xa.reshape(-1), gates.reshape(-1), bh.reshape(-1)
    ha_n, reset = np.empty((rows, h), xa.dtype), np.empty((rows, h), xa.dtype)
    for t in range(steps):
        before = (hs[t - 1] if t else h0)[first:last]
        x, a, a_at = xa[t, first:last], gates[t, first:last], (t * n + first) * 3 * h
        product(
            before.reshape(-1), 0, h, 1, rows, w_rz, h, h, 2,
            flat_x, a_at, 3 * h, flat_a, a_at, 3 * h,
        )  # fmt: skip
        _open(a, bh)
        if not library:
            _reset(a, before, reset)
        seen = before if library else reset
        product(
            seen.reshape(-1), 0, h, 1, rows, w_n, h, h, 1,
            b, 2 * h, 0, ha_n.reshape(-1), 0, h,
        )  # fmt: skip
        _candidate(x, ha_n, a, before, hs[t, first:last], library)


@njit(parallel=True)
def _forward(xa, h0, w_rz, w_n, bh, library, hs, gates, parts):
    for part in prange(parts):
        first, last = part * len(h0) // parts, (part + 1) * len(h0) // parts
        _rows_forward(first, last, xa, h0, w_rz, w_n, bh, library, hs, gates)


@register(
    "gru", "sequence_forward", backend="numba",
    idea="a thread takes its rows of the batch through all steps; weights packed once",
)  # fmt: skip
def sequence_forward(xa, h0, wh, bh, variant):
    """hs, gates of all steps (see `gru.sequence_forward`)."""
    xa, h0, wh, bh = plain(xa, h0, wh, bh)
    hs, gates = np.empty((len(xa), *h0.shape), xa.dtype), np.empty_like(xa)
    if xa.size:
        two, library = 2 * h0.shape[1], variant == "library"
        w_rz, w_n = gated(wh[:two], 2), gated(wh[two:], 1)
        _forward(xa, h0, w_rz, w_n, _row(bh, wh), library, hs, gates, get_num_threads())
    return hs, gates


@njit
def _rows_backward(first, last, ghs, hs, gates, h0, w_rz, w_n, w_seen, bh, library, gxa, n, gh):
    """All steps of the sequences first..last, the last one first; gh ends as that of t = -1.

    n[t] becomes gha_n in the library form, r h in the lecture's: what the weight gradient needs.
    """
    steps, batch, h = ghs.shape
    rows, flat_a, b, flat_gh = last - first, gxa.reshape(-1), bh.reshape(-1), gh.reshape(-1)
    scratch, g, at = np.empty((rows, h), ghs.dtype), gh[first:last], first * h
    flat_scratch, flat_n, zeros = scratch.reshape(-1), n.reshape(-1), np.zeros(h, ghs.dtype)
    for t in range(steps - 1, -1, -1):
        before = (hs[t - 1] if t else h0)[first:last]
        a, ga, n_at = gates[t, first:last], gxa[t, first:last], (t * batch + first) * h
        g += ghs[t, first:last]
        _update_gradient(g, a, before, ga, library)
        if library:  # h W_nᵀ + b_n was not kept
            product(
                before.reshape(-1), 0, h, 1, rows, w_seen, h, h, 1,
                b, 2 * h, 0, flat_scratch, 0, h,
            )  # fmt: skip
            _reset_after(scratch, a, ga, n[t, first:last])
            product(flat_n, n_at, h, 1, rows, w_n, h, h, 0, flat_gh, at, h, flat_gh, at, h)
        else:
            product(
                flat_a, 3 * n_at + 2 * h, 3 * h, 1, rows, w_n, h, h, 0,
                zeros, 0, 0, flat_scratch, 0, h,
            )  # fmt: skip
            _reset_before(scratch, a, before, ga, g)
            _reset(a, before, n[t, first:last])
        product(
            flat_a, 3 * n_at, 3 * h, 1, rows, w_rz, 2 * h, h, 0, flat_gh, at, h, flat_gh, at, h
        )  # fmt: skip


@njit(parallel=True)
def _backward(ghs, hs, gates, h0, w_rz, w_n, w_seen, bh, library, gxa, n, gh, parts):
    for part in prange(parts):
        first, last = part * len(h0) // parts, (part + 1) * len(h0) // parts
        _rows_backward(
            first, last, ghs, hs, gates, h0, w_rz, w_n, w_seen, bh, library, gxa, n, gh
        )  # fmt: skip


@register(
    "gru", "sequence_backward", backend="numba",
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
    given = w_rz, w_n, w_seen, _row(bh, wh), library
    _backward(ghs, hs, gates, h0, *given, gxa, n, gh, get_num_threads())
    over_steps(gxa, 0, hs, h0, gwh[:two])
    if library:
        over_steps(n, 0, hs, h0, gwh[two:])
    else:
        add_outer(flat(gxa), two, flat(n), gwh[two:])
    if bh is not None:
        gbh[:two] = flat(gxa)[:, :two].sum(axis=0)
        gbh[two:] = (n if library else gxa[:, :, two:]).sum(axis=(0, 1))
    return gxa, gh, gwh, gbh


def _row(bh, wh):
    """The bias as a matrix of one row; zeros where there is none."""
    return (np.zeros(len(wh), wh.dtype) if bh is None else bh)[None]
