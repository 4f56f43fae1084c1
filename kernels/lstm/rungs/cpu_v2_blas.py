"""LSTM sequence on the CPU, version 2: the products by BLAS, into buffers made once.

Version 1 multiplies one number with one number, reads all of W_h for each sequence of the batch,
and adds every step to the weight gradient by itself. Here each step is one matrix product for all
sequences, whose tiles BLAS keeps in registers; the gates' arithmetic is that of `cpu_v2_fused`; and
the weight gradients are one product over all steps.

    glassgrad bench lstm.sequence_forward lstm.sequence_backward
"""

import numpy as np

from ...product import product
from ...recurrent.arrays import flat, plain
from ...recurrent.blas import over_steps, turned
from ...registry import register
from ..gates import activate, activate_gradient, show, show_gradient
from ..states import unfilled


@register(
    "lstm",
    "sequence_forward",
    backend="numba",
    version=2,
    idea="BLAS into kept buffers, fused rows between",
)
def sequence_forward(xa, h0, c0, wh, p):
    """hs, cs, gates of all steps (see `lstm.sequence_forward`)."""
    xa, h, c, wh, p = plain(xa, h0, c0, wh, p)
    hs, cs, gates, _, _ = unfilled(xa, h, c)
    (n, width), wh_t = h.shape, turned(wh)
    if p is not None:
        p_if, p_o = turned(p[: 2 * width]), turned(p[2 * width :])
        seen_if, seen_o = np.empty((n, 2 * width), xa.dtype), np.empty((n, width), xa.dtype)
    for t in range(len(xa)):
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
    version=2,
    idea="BLAS into kept buffers, weight gradient as one product over all steps",
)
def sequence_backward(ghs, gcs, hs, cs, gates, h0, c0, wh, p):
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
