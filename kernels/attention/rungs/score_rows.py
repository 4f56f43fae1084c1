"""A row of scores: to probabilities, and once more for the derivative. Shared by versions 2 and 3.

The whole row is in the cache. Its largest score is found in LANES running maxima: a single one
would be a chain in which each comparison waits for the one before.
"""

import numpy as np

from ...compiled import njit
from ...elementary import exp_down

LANES = 16


@njit
def _largest(s, end):
    """The largest number of s[:end] that is not NaN, -infinity where there is none."""
    best = np.full(LANES, -np.inf, s.dtype)
    whole = end // LANES * LANES
    for n in range(0, whole, LANES):
        for i in range(LANES):
            best[i] = s[n + i] if s[n + i] > best[i] else best[i]
    for n in range(whole, end):
        best[0] = s[n] if s[n] > best[0] else best[0]
    top = best[0]
    for i in range(1, LANES):
        top = best[i] if best[i] > top else top
    return top


@njit(error_model="numpy", fastmath={"contract", "reassoc"})
def _sum_exp(s, end, top):
    total = s.dtype.type(0)
    for n in range(end):
        s[n] = exp_down(s[n] - top)
        total += s[n]
    return total


@njit
def probabilities(s, end, scale):
    """s[:end], products of a query and its keys, to p in place; 0 beyond. Returns lse."""
    for n in range(end):
        s[n] *= scale
    s[end:] = 0
    top = _largest(s, end)
    if top == -np.inf and not np.isnan(s[:end]).any():  # there was no key
        s[:end] = 0
        return top
    total = _sum_exp(s, end, top)
    for n in range(end):
        s[n] /= total
    return np.log(total) + top


@njit(error_model="numpy")
def gradients(s, gp, end, scale, lse, delta):
    """s[:end] to p as above, and gp, the gradient of p, to that of the products; 0 beyond.

    The product with `scale` is rounded before lse is subtracted, as it was when lse came of it.
    """
    if lse == -np.inf:
        end = 0
    for n in range(end):
        s[n] *= scale
        s[n] = exp_down(s[n] - lse)
        gp[n] = scale * s[n] * (gp[n] - delta)
    s[end:] = 0
    gp[end:] = 0
