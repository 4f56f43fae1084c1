"""GRU on the CPU: products by BLAS, everything between them fused and vectorised by Numba.

The means are those of the LSTM (`kernels/lstm/cpu.py`, where σ and tanh are explained): buffers
made once, short loops over a row that stays in the first-level cache, weight gradients in one
product over all steps. What differs is the number of products a step: the library form needs one,
since r acts on its result; the lecture form two, since r must be known before the second.
"""

import numpy as np

from ..lstm.cpu import flat, over_steps, plain, sigmoid, tanh, turned, vectorised
from ..registry import register


@vectorised
def _reset_update(xa, ha, bh, gates):
    """r, z = σ(xa + ha + bh), the first 2H columns of each."""
    rows, two = gates.shape[0], 2 * (gates.shape[1] // 3)
    for n in range(rows):
        xn, hn, row = xa[n, :two], ha[n, :two], gates[n, :two]
        for j in range(two):
            row[j] = xn[j] + hn[j] + bh[j]
        for j in range(two):
            row[j] = sigmoid(row[j])


@vectorised
def _candidate(xa, ha, bh, gates, h, h_new, library):
    """n = tanh(xa_n + [r] (ha_n + b_n)) and h'; ha_n is the last H columns of ha."""
    rows, width = h.shape
    start = ha.shape[1] - width
    b = bh[2 * width :]
    for k in range(rows):
        r, z, n = gates[k, :width], gates[k, width : 2 * width], gates[k, 2 * width :]
        xk, hk, old, new = xa[k, 2 * width :], ha[k, start:], h[k], h_new[k]
        if library:
            for j in range(width):
                n[j] = xk[j] + r[j] * (hk[j] + b[j])
        else:
            for j in range(width):
                n[j] = xk[j] + (hk[j] + b[j])
        for j in range(width):
            n[j] = tanh(n[j])
        one = z.dtype.type(1)  # a plain 1 would turn float32 into float64
        if library:
            for j in range(width):
                new[j] = (one - z[j]) * n[j] + z[j] * old[j]
        else:
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
def _reset_after(ha_n, gates, ga, gha):
    """Library: ga_r = ga_n ha_n r(1-r) and gha = (ga_r, ga_z, ga_n r); ha_n holds its bias."""
    rows, width = gates.shape[0], gates.shape[1] // 3
    start = ha_n.shape[1] - width
    one = ga.dtype.type(1)
    for k in range(rows):
        r, hk, gak, ghak = gates[k, :width], ha_n[k, start:], ga[k], gha[k]
        ga_r, ga_n, gha_n = gak[:width], gak[2 * width :], ghak[2 * width :]
        for j in range(width):
            ga_r[j] = ga_n[j] * hk[j] * r[j] * (one - r[j])
        for j in range(width):
            gha_n[j] = ga_n[j] * r[j]
        for j in range(2 * width):
            ghak[j] = gak[j]


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


@register("gru", "cell_forward", backend="numba", idea="fused rows, vectorised σ and tanh")
def cell_forward(xa, ha, h, variant):
    """h', gates of one step (see `gru.cell_forward`)."""
    xa, ha, h = plain(xa, ha, h)
    h_new, gates, no_bias = np.empty_like(h), np.empty_like(xa), np.zeros(xa.shape[1], xa.dtype)
    _reset_update(xa, ha, no_bias, gates)
    _candidate(xa, ha, no_bias, gates, h, h_new, variant == "library")
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
        return gxa, gha, gh
    gxa[:, : h.shape[1]] = 0
    return gxa, gxa.copy(), gh


@register(
    "gru", "sequence_forward", backend="numba", idea="BLAS into kept buffers, fused rows between"
)
def sequence_forward(xa, h0, wh, bh, variant):
    """hs, gates of all steps (see `gru.sequence_forward`)."""
    xa, h, wh, bh = plain(xa, h0, wh, bh)
    steps, (rows, width) = len(xa), h.shape
    hs, gates = np.empty((steps, rows, width), xa.dtype), np.empty_like(xa)
    bh = np.zeros(3 * width, xa.dtype) if bh is None else bh
    if variant == "library":
        w, ha = turned(wh, steps), np.empty((rows, 3 * width), xa.dtype)
        for t in range(steps):
            np.matmul(h, w, out=ha)
            _reset_update(xa[t], ha, bh, gates[t])
            _candidate(xa[t], ha, bh, gates[t], h, hs[t], True)
            h = hs[t]
        return hs, gates
    w_rz, w_n = turned(wh[: 2 * width], steps), turned(wh[2 * width :], steps)
    ha_rz, ha_n = np.empty((rows, 2 * width), xa.dtype), np.empty((rows, width), xa.dtype)
    reset = np.empty_like(ha_n)
    for t in range(steps):
        np.matmul(h, w_rz, out=ha_rz)
        _reset_update(xa[t], ha_rz, bh, gates[t])
        np.matmul(np.multiply(gates[t, :, :width], h, out=reset), w_n, out=ha_n)
        _candidate(xa[t], ha_n, bh, gates[t], h, hs[t], False)
        h = hs[t]
    return hs, gates


@register(
    "gru",
    "sequence_backward",
    backend="numba",
    idea="BLAS into kept buffers, weight gradient as one product over all steps",
)
def sequence_backward(ghs, hs, gates, h0, wh, bh, variant):
    """gxa, gh0, gwh, gbh of all steps (see `gru.sequence_backward`)."""
    ghs, hs, gates, h0, wh, bh = plain(ghs, hs, gates, h0, wh, bh)
    backward = _library_backward if variant == "library" else _lecture_backward
    gxa, gha, gh0, gwh = backward(ghs, hs, gates, h0, wh, bh)
    return gxa, gh0, gwh, None if bh is None else flat(gha).sum(axis=0)


def _library_backward(ghs, hs, gates, h0, wh, bh):
    width = h0.shape[1]
    gxa, gha, gh, through = (np.empty_like(gates), np.empty_like(gates), *_two_zeros(h0))
    ha_n = np.matmul(_before(hs, h0), wh[2 * width :].T)  # was not kept: all steps at once
    if bh is not None:
        ha_n += bh[2 * width :]
    for t in reversed(range(len(ghs))):
        gh += ghs[t]
        _update_gradient(gh, gates[t], hs[t - 1] if t > 0 else h0, gxa[t], True)
        _reset_after(ha_n[t], gates[t], gxa[t], gha[t])
        gh += np.matmul(gha[t], wh, out=through)
    return gxa, gha, gh, over_steps(gha, hs, h0)


def _lecture_backward(ghs, hs, gates, h0, wh, bh):
    width = h0.shape[1]
    two = 2 * width
    gxa, gh, through = (np.empty_like(gates), *_two_zeros(h0))
    for t in reversed(range(len(ghs))):
        h = hs[t - 1] if t > 0 else h0
        gh += ghs[t]
        _update_gradient(gh, gates[t], h, gxa[t], False)
        _reset_before(np.matmul(gxa[t, :, two:], wh[two:], out=through), gates[t], h, gxa[t], gh)
        gh += np.matmul(gxa[t, :, :two], wh[:two], out=through)
    gwh = np.empty_like(wh)
    gwh[:two] = over_steps(gxa[:, :, :two], hs, h0)
    gwh[two:] = flat(gxa[:, :, two:]).T @ flat(gates[:, :, :width] * _before(hs, h0))
    return gxa, gxa, gh, gwh


def _before(hs, h0):
    """h_{t-1} for every step t: h0, then all of hs but the last."""
    return np.concatenate([h0[None], hs[:-1]]) if len(hs) else hs


def _two_zeros(a):
    return np.zeros_like(a), np.zeros_like(a)
