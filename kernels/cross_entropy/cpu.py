"""Cross-entropy on the CPU: the formulas as plain loops, compiled (version 1).

n counts rows, which do not depend on each other, so that each thread gets a part of them; k counts
classes. A row is gone through twice forward, for its largest logit and for the sum.

What this wastes, and the version that does not: `rungs/cpu_v2_lanes.py`.
"""

import numpy as np

from ..compiled import njit
from ..registry import register
from ..threads import in_parts, parts_for
from .rungs import cpu_v2_lanes  # noqa: F401  (it registers itself)

LOOPS = "the formulas as plain loops"
PART = 1 << 14  # logits in a part of the work: each costs an exponential


@njit(nogil=True)
def _forward(z, label, loss, lse, parts, part):
    N, K = z.shape
    for n in range(part * N // parts, (part + 1) * N // parts):
        top = -np.inf
        for k in range(K):
            top = max(top, z[n, k])
        if not np.isfinite(top):
            top = 0.0  # infinity less infinity is no number
        total = 0.0
        for k in range(K):
            total += np.exp(z[n, k] - top)
        lse[n] = np.log(total) + top
        if label[n] >= 0:
            loss[n] = lse[n] - z[n, label[n]]


@njit(nogil=True)
def _backward(g, z, label, lse, gz, parts, part):
    N, K = z.shape
    for n in range(part * N // parts, (part + 1) * N // parts):
        for k in range(K):
            p = np.exp(z[n, k] - lse[n])
            gz[n, k] = g[n] * (p - 1 if k == label[n] else p) if label[n] >= 0 else 0


@register("cross_entropy", "forward", backend="numba", idea=LOOPS)
def forward(z, label):
    """loss, lse of every row (see `cross_entropy.forward`)."""
    z, label = np.ascontiguousarray(z), np.ascontiguousarray(label)
    N, K = z.shape
    loss, lse = np.zeros(N, z.dtype), np.zeros(N, z.dtype)
    if K:
        parts = parts_for(z.size, N, PART)
        in_parts(_forward, parts, z, label, loss, lse, parts)
    return loss, lse


@register("cross_entropy", "backward", backend="numba", idea=LOOPS)
def backward(g, z, label, lse):
    """gz of every logit (see `cross_entropy.backward`)."""
    g, z, label, lse = map(np.ascontiguousarray, (g, z, label, lse))
    gz, parts = np.empty_like(z), parts_for(z.size, len(z), PART)
    in_parts(_backward, parts, g, z, label, lse, gz, parts)
    return gz
