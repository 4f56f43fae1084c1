"""Cross-entropy on the CPU, version 2: sixteen logits at a time.

Version 1 takes one logit at a time: it calls the C library for each exponential, looks for the
largest by a comparison that has to mind NaN, and adds up in one chain, each addition waiting for
the one before.

Here the exponential is plain arithmetic (elementary.py), so that sixteen logits go through
together; maxima and sums are taken in lanes, always in the same order. A row stays in the cache
from its largest logit to its sum.

    glassgrad bench cross_entropy      both versions, next to each other
"""

import numpy as np

from ...compiled import njit
from ...elementary import exp_down, vectorised
from ...registry import register
from ...threads import in_parts, parts_for

IDEA = "a row in the cache, vectorised exp"
PART = 1 << 14  # logits in a part of the work: each costs an exponential


@njit
def _top(bits, order):
    """Bits of the largest float of those whose bits are given as integers.

    Integers compare without an exception for NaN, so LLVM takes sixteen at a time. They have the
    order of the floats but for negative ones, which are in reverse: turning over all but the sign
    mends that, and once more brings the bits back. NaN comes out beyond the infinities.
    """
    lowest, turned, sign = order
    top = lowest
    for i in range(bits.size):
        ordered = bits[i] ^ ((bits[i] >> sign) & turned)
        top = ordered if ordered > top else top
    return top ^ ((top >> sign) & turned)


@njit(error_model="numpy", fastmath={"contract", "reassoc"})
def _sum_exp(z, top):
    total = z.dtype.type(0)
    for i in range(z.size):
        total += exp_down(z[i] - top)
    return total


@njit(nogil=True)
def _forward(z, bits, order, label, loss, lse, lse_bits, parts, part):
    rows, zero = len(z), z.dtype.type(0)
    for n in range(part * rows // parts, (part + 1) * rows // parts):
        lse_bits[n] = _top(bits[n], order)
        if lse[n] != np.inf:
            top = lse[n] if np.isfinite(lse[n]) else zero
            lse[n] = np.log(_sum_exp(z[n], top)) + top
        if label[n] >= 0:
            loss[n] = lse[n] - z[n, label[n]]


@vectorised
def _weights(z, lse, g, gz):
    for i in range(min(z.size, gz.size)):
        gz[i] = g * exp_down(z[i] - lse)


@njit(nogil=True)
def _backward(g, z, label, lse, gz, parts, part):
    rows = len(z)
    for n in range(part * rows // parts, (part + 1) * rows // parts):
        c = label[n]
        if c < 0:
            gz[n] = z.dtype.type(0)
            continue
        _weights(z[n], lse[n], g[n], gz[n])
        gz[n, c] = g[n] * (exp_down(z[n, c] - lse[n]) - z.dtype.type(1))


def _parts(z):
    return parts_for(z.size, len(z), PART)


@register("cross_entropy", "forward", backend="numba", version=2, idea=IDEA)
def forward(z, label):
    """loss, lse of every row (see `cross_entropy.forward`)."""
    loss, lse, parts = np.zeros(len(z), z.dtype), np.zeros(len(z), z.dtype), _parts(z)
    if z.size:
        z, label = np.ascontiguousarray(z), np.ascontiguousarray(label)
        of = np.iinfo(f"int{8 * z.itemsize}")
        order = tuple(map(of.dtype.type, (of.min, of.max, of.bits - 1)))
        bits, lse_bits = z.view(of.dtype), lse.view(of.dtype)
        in_parts(_forward, parts, z, bits, order, label, loss, lse, lse_bits, parts)
    return loss, lse


@register("cross_entropy", "backward", backend="numba", version=2, idea="one exponential, one pass")
def backward(g, z, label, lse):
    """gz of every logit (see `cross_entropy.backward`)."""
    gz, parts = np.empty(z.shape, z.dtype), _parts(z)
    if z.size:
        arrays = (np.ascontiguousarray(a) for a in (g, z, label, lse))
        in_parts(_backward, parts, *arrays, gz, parts)
    return gz
