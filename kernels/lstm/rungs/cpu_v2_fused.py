"""LSTM cell on the CPU, version 2: fused passes over rows, vectorised σ and tanh.

Version 1 takes one number at a time: its loop has so many arrays that the compiler cannot check
that none overlaps, so that it gives up on vector instructions, and its arithmetic is float64. Here
a row passes through short loops, a formula each, and stays in the first-level cache between them
(`gates`). Sixteen float32 go through σ at once.

    glassgrad bench lstm.cell_forward lstm.cell_backward      both versions, next to each other
"""

import numpy as np

from ...recurrent.arrays import plain
from ...registry import register
from ..gates import activate, activate_gradient, show, show_gradient

IDEA = "fused rows, vectorised σ and tanh"


@register("lstm", "cell_forward", backend="numba", version=2, idea=IDEA)
def cell_forward(a, c):
    """h, C', gates of one step (see `lstm.cell_forward`)."""
    a, c = plain(a, c)
    h, c_new, gates = np.empty_like(c), np.empty_like(c), a.copy()
    activate(gates, c, c_new)
    show(gates, c_new, h)
    return h, c_new, gates


@register("lstm", "cell_backward", backend="numba", version=2, idea=IDEA)
def cell_backward(gh, gc_new, gates, c, c_new):
    """ga, gc of one step (see `lstm.cell_backward`)."""
    gh, gates, c, c_new = plain(gh, gates, c, c_new)
    ga, gc = np.empty_like(gates), np.array(gc_new, order="C")
    show_gradient(gh, gates, c_new, ga, gc)
    activate_gradient(gc, gates, c, ga)
    return ga, gc
