"""Local response normalisation in NumPy: the formulas, one channel of the window at a time."""

import numpy as np

from ..registry import register


def _window_sum(v, before: int, after: int):
    """Σ v_j over j = c - before ... c + after of the channels, for each c: [N,C,L] -> [N,C,L]."""
    out, C = np.zeros_like(v), v.shape[1]
    for d in range(-min(before, C), min(after, C) + 1):
        first, last = max(0, -d), min(C, C - d)  # channels c for which c + d is one
        out[:, first:last] += v[:, first + d : last + d]
    return out


@register("lrn", "forward", backend="reference", idea="the formulas")
def forward(x, n, k, a, beta):
    """y, s (see `lrn.forward`)."""
    of = x.dtype.type
    s = of(k) + of(a) * _window_sum(x * x, n // 2, (n - 1) // 2)
    return x * s ** of(-beta), s


@register("lrn", "backward", backend="reference", idea="the formulas")
def backward(g, x, s, n, a, beta):
    """gx (see `lrn.backward`)."""
    of = x.dtype.type
    shared = _window_sum(g * x * s ** of(-beta - 1), (n - 1) // 2, n // 2)
    return g * s ** of(-beta) - of(2 * a * beta) * x * shared
