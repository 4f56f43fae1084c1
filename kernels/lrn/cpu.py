"""Local response normalisation on the CPU: the formulas as plain loops, compiled (version 1).

i counts images, c channels, l places. Images do not depend on each other, so that each thread gets
a part of them. Sums over a window go from its first channel to its last.

What this wastes, and the version that does not: `rungs/cpu_v2_places.py`.
"""

import numpy as np

from ..compiled import njit
from ..registry import register
from ..threads import in_parts, parts_for
from .rungs import cpu_v2_places  # noqa: F401  (it registers itself)

LOOPS = "the formulas as plain loops"


@njit(nogil=True)
def _forward(x, n, k, a, beta, y, s, parts, part):
    N, C, L = x.shape
    for i in range(part * N // parts, (part + 1) * N // parts):
        for c in range(C):
            for l in range(L):
                total = x.dtype.type(0)
                for j in range(max(0, c - n // 2), min(C, c + (n - 1) // 2 + 1)):
                    total += x[i, j, l] * x[i, j, l]
                s[i, c, l] = k + a * total
                y[i, c, l] = x[i, c, l] * s[i, c, l] ** -beta


@njit(nogil=True)
def _backward(g, x, s, n, a, beta, gx, parts, part):
    N, C, L = x.shape
    one = x.dtype.type(1)
    for i in range(part * N // parts, (part + 1) * N // parts):
        for c in range(C):
            for l in range(L):
                total = x.dtype.type(0)
                for j in range(max(0, c - (n - 1) // 2), min(C, c + n // 2 + 1)):
                    total += g[i, j, l] * x[i, j, l] * s[i, j, l] ** (-beta - one)
                own = g[i, c, l] * s[i, c, l] ** -beta
                gx[i, c, l] = own - 2 * a * beta * x[i, c, l] * total


@register("lrn", "forward", backend="numba", idea=LOOPS)
def forward(x, n, k, a, beta):
    """y, s (see `lrn.forward`)."""
    x = np.ascontiguousarray(x)
    y, s, parts = np.empty_like(x), np.empty_like(x), parts_for(x.size, len(x))
    in_parts(_forward, parts, x, n, *map(x.dtype.type, (k, a, beta)), y, s, parts)
    return y, s


@register("lrn", "backward", backend="numba", idea=LOOPS)
def backward(g, x, s, n, a, beta):
    """gx (see `lrn.backward`)."""
    g, x, s = map(np.ascontiguousarray, (g, x, s))
    gx, parts = np.empty_like(x), parts_for(x.size, len(x))
    in_parts(_backward, parts, g, x, s, n, *map(x.dtype.type, (a, beta)), gx, parts)
    return gx
