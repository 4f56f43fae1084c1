"""Cross-entropy in Numba: a row stays in the cache from its largest logit to its sum.

The exponential is plain arithmetic (elementary.py), so that sixteen logits go through together;
maxima and sums are taken in lanes, always in the same order.
"""

import numpy as np

from ..compiled import njit
from ..elementary import exp, vectorised
from ..registry import register
from ..threads import in_parts

PART = 1 << 14  # logits in a part of the work: enough to be worth a thread's waking up
LANES = 16


@njit(error_model="numpy")
def _top(z, lanes):
    """The largest number, in lanes; NaN may be passed over: the sum will have it."""
    whole = z.size // LANES * LANES
    lanes[:] = -np.inf
    for first in range(0, whole, LANES):
        some = z[first : first + LANES]
        for i in range(lanes.size):
            lanes[i] = some[i] if some[i] > lanes[i] else lanes[i]
    top = z.dtype.type(-np.inf)
    for i in range(lanes.size):
        top = max(top, lanes[i])
    for i in range(whole, z.size):
        top = z[i] if z[i] > top else top
    return top


@njit(error_model="numpy", fastmath={"contract", "reassoc"})
def _sum_exp(z, top):
    total = z.dtype.type(0)
    for i in range(z.size):
        total += exp(z[i] - top)
    return total


@njit(nogil=True)
def _forward(z, label, loss, lse, parts, part):
    rows, zero = len(z), z.dtype.type(0)
    lanes = np.empty(LANES, z.dtype)
    for n in range(part * rows // parts, (part + 1) * rows // parts):
        top = _top(z[n], lanes)
        top = top if np.isfinite(top) else zero
        lse[n] = np.log(_sum_exp(z[n], top)) + top
        loss[n] = lse[n] - z[n, label[n]]


@vectorised
def _weights(z, lse, g, gz):
    for i in range(min(z.size, gz.size)):
        gz[i] = g * exp(z[i] - lse)


@njit(nogil=True)
def _backward(g, z, label, lse, gz, parts, part):
    rows = len(z)
    for n in range(part * rows // parts, (part + 1) * rows // parts):
        _weights(z[n], lse[n], g[n], gz[n])
        c = label[n]
        gz[n, c] = g[n] * (exp(z[n, c] - lse[n]) - z.dtype.type(1))


def _parts(z):
    return max(1, min(8, len(z), z.size // PART))


@register("cross_entropy", "forward", backend="numba", idea="a row in the cache, vectorised exp")
def forward(z, label):
    loss, lse, parts = np.zeros(len(z), z.dtype), np.zeros(len(z), z.dtype), _parts(z)
    if z.size:
        z, label = np.ascontiguousarray(z), np.ascontiguousarray(label)
        in_parts(_forward, parts, z, label, loss, lse, parts)
    return loss, lse


@register("cross_entropy", "backward", backend="numba", idea="one exponential, one pass")
def backward(g, z, label, lse):
    gz, parts = np.empty(z.shape, z.dtype), _parts(z)
    if z.size:
        arrays = (np.ascontiguousarray(a) for a in (g, z, label, lse))
        in_parts(_backward, parts, *arrays, gz, parts)
    return gz
