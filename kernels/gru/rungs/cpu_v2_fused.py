"""GRU cell on the CPU, version 2: fused passes over rows, vectorised σ and tanh.

Version 1 takes one number at a time, in float64 whatever the arrays hold: see
`lstm/rungs/cpu_v2_fused.py`, whose idea this is. Here too a row passes through short loops, a
formula each, and stays in the first-level cache between them (`gates`).

    glassgrad bench gru.cell_forward gru.cell_backward      both versions, next to each other
"""

import numpy as np

from ...recurrent.arrays import plain
from ...registry import register
from ..gates import candidate, open_gates, reset_after, update_gradient


@register(
    "gru", "cell_forward", backend="numba", version=2, idea="fused rows, vectorised σ and tanh"
)
def cell_forward(xa, ha, h, variant):
    """h', gates of one step (see `gru.cell_forward`)."""
    xa, ha, h = plain(xa, ha, h)
    h_new, gates = np.empty_like(h), xa.copy()
    if h.size:
        open_gates(gates, ha)
        candidate(xa, ha, gates, h, h_new, variant == "library")
    return h_new, gates


@register("gru", "cell_backward", backend="numba", version=2, idea="fused rows")
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
