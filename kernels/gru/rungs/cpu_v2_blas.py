"""GRU sequence on the CPU, version 2: the products by BLAS, into buffers made once.

Version 1 multiplies one number with one number, reads all of W_h for each sequence of the batch,
and adds every step to the weight gradient by itself. Here each step is two matrix products for all
sequences, one for r and z, one for the candidate, which in the lecture's form has to wait for r;
the weight gradients are one product over all steps, and so is h W_nᵀ + b_n, which the library's
backward pass needs again.

    glassgrad bench gru.sequence_forward gru.sequence_backward
"""

import numpy as np

from ...product import product
from ...recurrent.arrays import flat, plain
from ...recurrent.blas import over_steps, turned
from ...registry import register
from ..gates import candidate, open_gates, reset, reset_after, reset_before, update_gradient
from ..states import row_of, unfilled


@register(
    "gru",
    "sequence_forward",
    backend="numba",
    version=2,
    idea="BLAS into kept buffers, fused rows between",
)
def sequence_forward(xa, h0, wh, bh, variant):
    """hs, gates of all steps (see `gru.sequence_forward`)."""
    xa, h, wh, bh = plain(xa, h0, wh, bh)
    two, library, b = 2 * h.shape[1], variant == "library", row_of(bh, wh)
    hs, gates, _ = unfilled(xa, h)
    w_rz, w_n = turned(wh[:two]), turned(wh[two:])
    ha_rz, ha_n, kept = np.empty((len(h), two), xa.dtype), np.empty_like(h), np.empty_like(h)
    for t in range(len(xa) if h.size else 0):
        np.add(xa[t, :, :two], product(h, w_rz, out=ha_rz), out=gates[t, :, :two])
        open_gates(gates[t], b)
        if not library:
            reset(gates[t], h, kept)
        product(h if library else kept, w_n, out=ha_n)
        ha_n += b[:, two:]
        candidate(xa[t], ha_n, gates[t], h, hs[t], library)
        h = hs[t]
    return hs, gates


@register(
    "gru",
    "sequence_backward",
    backend="numba",
    version=2,
    idea="BLAS into kept buffers, weight gradient as one product over all steps",
)
def sequence_backward(ghs, hs, gates, h0, wh, bh, variant):
    """gxa, gh0, gwh, gbh of all steps (see `gru.sequence_backward`)."""
    ghs, hs, gates, h0, wh, bh = plain(ghs, hs, gates, h0, wh, bh)
    two, library = 2 * h0.shape[1], variant == "library"
    gxa, gh, through = np.empty_like(gates), np.zeros_like(h0), np.empty_like(h0)
    gha_n, kept = np.empty_like(ghs), np.empty_like(ghs)
    if library and len(hs):  # h W_nᵀ + b_n was not kept: all steps at once
        before = np.concatenate([h0[None], hs[:-1]])
        ha_n = product(before, wh[two:].T) + row_of(bh, wh)[:, two:]
    for t in reversed(range(len(ghs))):
        h = hs[t - 1] if t > 0 else h0
        gh += ghs[t]
        update_gradient(gh, gates[t], h, gxa[t], library)
        if library:
            reset_after(ha_n[t], gates[t], gxa[t], gha_n[t])
            gh += product(gha_n[t], wh[two:], out=through)
        else:
            product(gxa[t, :, two:], wh[two:], out=through)
            reset_before(through, gates[t], h, gxa[t], gh)
            reset(gates[t], h, kept[t])
        gh += product(gxa[t, :, :two], wh[:two], out=through)
    if not library:
        gha_n[...] = gxa[:, :, two:]
    gwh, gbh = np.empty_like(wh), None if bh is None else np.empty_like(bh)
    gwh[:two] = over_steps(gxa[:, :, :two], hs, h0)
    gwh[two:] = over_steps(gha_n, hs, h0) if library else product(flat(gha_n).T, flat(kept))
    if bh is not None:
        gbh[:two] = flat(gxa)[:, :two].sum(axis=0)
        gbh[two:] = flat(gha_n).sum(axis=0)
    return gxa, gh, gwh, gbh
