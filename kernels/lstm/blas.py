"""LSTM on the CPU, version 1: the products by BLAS, one after the other, into buffers made once.

What it wastes: a step's product is too small to occupy several cores, and at every step the library
unpacks the weights, wakes its threads and waits for them; the gates' arithmetic between two
products runs on one core.
"""

import numpy as np

from ..product import product
from ..registry import register
from .gates import activate, activate_gradient, show, show_gradient


def turned(w):
    """Wᵀ in rows of its own: BLAS then runs faster, and all steps share the copy."""
    return np.ascontiguousarray(w.T)


def flat(a):
    """[T, N, …] as [T·N, …]."""
    return a.reshape(a.shape[0] * a.shape[1], a.shape[2])


def over_steps(ga, states, first):
    """Σ_t ga_tᵀ state_{t-1}, with state_{-1} = `first`: one product, and one for the first step."""
    if len(ga) == 0:
        return np.zeros((ga.shape[2], first.shape[1]), ga.dtype)
    return product(flat(ga[1:]).T, flat(states[:-1])) + product(ga[0].T, first)


def plain(*arrays):
    """Contiguous, aligned, writeable arrays: one type each, so each function is compiled once."""
    return [None if a is None else np.require(a, requirements="CAW") for a in arrays]


@register(
    "lstm", "sequence_forward", backend="numba", idea="BLAS into kept buffers, fused rows between"
)
def sequence_forward_v1(xa, h0, c0, wh, p):
    """hs, cs, gates of all steps (see `lstm.sequence_forward`)."""
    xa, h, c, wh, p = plain(xa, h0, c0, wh, p)
    steps, (n, width) = len(xa), h.shape
    hs, gates, wh_t = np.empty((steps, n, width), xa.dtype), np.empty_like(xa), turned(wh)
    cs = np.empty_like(hs)
    if p is not None:
        p_if, p_o = turned(p[: 2 * width]), turned(p[2 * width :])
        seen_if, seen_o = np.empty((n, 2 * width), xa.dtype), np.empty((n, width), xa.dtype)
    for t in range(steps):
        product(h, wh_t, out=gates[t])
        gates[t] += xa[t]
        if p is not None:
            gates[t, :, : 2 * width] += product(c, p_if, out=seen_if)
        activate(gates[t], c, cs[t])
        if p is not None:
            gates[t, :, 3 * width :] += product(cs[t], p_o, out=seen_o)
        show(gates[t], cs[t], hs[t])
        h, c = hs[t], cs[t]
    return hs, cs, gates


@register(
    "lstm",
    "sequence_backward",
    backend="numba",
    idea="BLAS into kept buffers, weight gradient as one product over all steps",
)
def sequence_backward_v1(ghs, gcs, hs, cs, gates, h0, c0, wh, p):
    """gxa, gh0, gc0, gwh, gp of all steps (see `lstm.sequence_backward`)."""
    ghs, gcs, hs, cs, gates, h0, c0, wh, p = plain(ghs, gcs, hs, cs, gates, h0, c0, wh, p)
    steps, width = len(ghs), h0.shape[1]
    gxa, gh, gc = np.empty_like(gates), np.zeros_like(h0), np.zeros_like(c0)
    two, seen = 2 * width, None if p is None else np.empty_like(h0)
    for t in reversed(range(steps)):
        gh += ghs[t]
        if gcs is not None:
            gc += gcs[t]
        show_gradient(gh, gates[t], cs[t], gxa[t], gc)
        if p is not None:
            gc += product(gxa[t, :, 3 * width :], p[two:], out=seen)
        activate_gradient(gc, gates[t], cs[t - 1] if t > 0 else c0, gxa[t])
        if p is not None:
            gc += product(gxa[t, :, :two], p[:two], out=seen)
        product(gxa[t], wh, out=gh)
    gwh = over_steps(gxa, hs, h0)
    if p is None:
        return gxa, gh, gc, gwh, None
    gp = np.empty_like(p)
    gp[:two] = over_steps(gxa[:, :, :two], cs, c0)
    gp[two:] = product(flat(gxa[:, :, 3 * width :]).T, flat(cs))
    return gxa, gh, gc, gwh, gp
