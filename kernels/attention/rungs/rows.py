"""A row of scores: to probabilities, and once more for the derivative. Of versions 2 and 3.

A row is in the cache, whole. The largest score is looked for in LANES places of the row at once:
a single running maximum would be a chain in which each comparison waits for the last.
"""

import numpy as np

from ...compiled import njit
from ...elementary import exp_down

LANES = 16


def work(q, k, v):
    """Numbers of which each costs about an addition, for the threads."""
    return q.shape[0] * q.shape[1] * k.shape[1] * (q.shape[2] + v.shape[2])


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


@njit(error_model="numpy", fastmath={"contract"})
def gradients(s, gp, end, scale, lse, delta):
    """s[:end] to p as above, and gp, the gradient of p, to that of the products; 0 beyond."""
    if lse == -np.inf:
        end = 0
    for n in range(end):
        s[n] = exp_down(scale * s[n] - lse)
        gp[n] = scale * s[n] * (gp[n] - delta)
    s[end:] = 0
    gp[end:] = 0
