"""Attention on the CPU: the walk through the keys as plain loops, compiled (version 1).

b counts examples, m queries, n keys, d and e numbers of their vectors. Examples do not depend on
each other, so that each thread gets a part of them.

What this wastes, and the versions that do not: `rungs/cpu_v2_blocks.py`, `cpu_v3_examples.py`.
"""

import numpy as np

from ..compiled import njit
from ..registry import register
from ..threads import in_parts, parts_for
from .rungs import cpu_v2_blocks, cpu_v3_examples  # noqa: F401  (they register themselves)
from .rungs.cpu_v2_blocks import work

WALK = "a query walks through its keys, plain loops"


@njit
def _dot(a, b):
    total = a.dtype.type(0)
    for d in range(a.size):
        total += a[d] * b[d]
    return total


@njit(nogil=True)
def _forward(q, k, v, lengths, scale, causal, o, lse, parts, part):
    (B, M), E = q.shape[:2], v.shape[2]
    for b in range(part * B // parts, (part + 1) * B // parts):
        for m in range(M):
            top, total = -np.inf, q.dtype.type(0)
            o[b, m] = q.dtype.type(0)
            for n in range(min(lengths[b], m + 1) if causal else lengths[b]):
                s = scale * _dot(q[b, m], k[b, n])
                if s == -np.inf:
                    continue
                new = max(top, s)
                old, own = q.dtype.type(np.exp(top - new)), q.dtype.type(np.exp(s - new))
                total = total * old + own
                for e in range(E):
                    o[b, m, e] = o[b, m, e] * old + own * v[b, n, e]
                top = new
            if total == 0:  # there was no key
                lse[b, m] = -np.inf
                continue
            lse[b, m] = np.log(total) + top
            for e in range(E):
                o[b, m, e] /= total


@njit(nogil=True)
def _backward(go, q, k, v, o, lse, lengths, scale, causal, gq, gk, gv, parts, part):
    B, M, D = q.shape
    E = v.shape[2]
    for b in range(part * B // parts, (part + 1) * B // parts):
        for m in range(M):
            delta = _dot(go[b, m], o[b, m])
            if lse[b, m] == -np.inf:
                continue
            for n in range(min(lengths[b], m + 1) if causal else lengths[b]):
                p = q.dtype.type(np.exp(scale * _dot(q[b, m], k[b, n]) - lse[b, m]))
                gs = scale * p * (_dot(go[b, m], v[b, n]) - delta)
                for d in range(D):
                    gq[b, m, d] += gs * k[b, n, d]
                    gk[b, n, d] += gs * q[b, m, d]
                for e in range(E):
                    gv[b, n, e] += p * go[b, m, e]


@register("attention", "forward", backend="numba", idea=WALK)
def forward(q, k, v, lengths, scale, causal):
    """o, lse (see `attention.forward`)."""
    q, k, v, lengths = map(np.ascontiguousarray, (q, k, v, lengths))
    o, lse = np.empty((*q.shape[:2], v.shape[2]), q.dtype), np.empty(q.shape[:2], q.dtype)
    parts = parts_for(work(q, k, v), max(1, len(q)))
    in_parts(_forward, parts, q, k, v, lengths, q.dtype.type(scale), causal, o, lse, parts)
    return o, lse


@register("attention", "backward", backend="numba", idea=WALK)
def backward(go, q, k, v, o, lse, lengths, scale, causal):
    """gq, gk, gv (see `attention.backward`)."""
    arrays = [np.ascontiguousarray(a) for a in (go, q, k, v, o, lse, lengths)]
    grads = [np.zeros(a.shape, a.dtype) for a in (q, k, v)]
    parts = parts_for(work(q, k, v), max(1, len(q)))
    in_parts(_backward, parts, *arrays, q.dtype.type(scale), causal, *grads, parts)
    return tuple(grads)
