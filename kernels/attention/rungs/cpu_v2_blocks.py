"""Attention on the CPU, version 2: some queries at a time, products by BLAS.

Version 1 computes scores one by one: each number of k is read from memory for a single product, and
the values are scaled again whenever a larger score turns up. Two of three operations are such.

Here ROWS queries of one example are a block. Their scores are one matrix product, which BLAS does
near the peak of the machine; the softmax of the block's rows, ROWS x N numbers, happens in the
cache; and o is another product. Nothing is scaled again, since a whole row of scores is there at
once. The M x N matrix never exists, only one block of it.

A block is a handful of calls from Python. In the time that they take a short sentence would be
done: version 3 is for these, and for many examples.

    glassgrad bench attention      all versions, next to each other
"""

import numpy as np

from ...compiled import njit
from ...product import product
from ...registry import register
from ...threads import in_parts, parts_for
from .score_rows import gradients, probabilities

IDEA = "blocks of queries, products by BLAS"
ROWS = 64
LEAST = 1 << 16  # products of numbers in an example


def work(q, k, v):
    """Numbers of which each costs about an addition, for the threads."""
    return q.shape[0] * q.shape[1] * k.shape[1] * (q.shape[2] + v.shape[2])


def large(q, k, v):
    """Whether an example is worth the calls."""
    return q.shape[1] * k.shape[1] * (q.shape[2] + v.shape[2]) >= LEAST


FORWARD = {"version": 2, "idea": IDEA, "supports": lambda q, k, v, *rest: large(q, k, v)}
BACKWARD = {"version": 2, "idea": IDEA, "supports": lambda go, q, k, v, *rest: large(q, k, v)}


@njit(nogil=True)
def _softmax(s, keys, causal, first, lse, scale, parts, part):
    """Rows of products s [R,N] to p in place; row r is query first + r, of `keys` keys."""
    rows = len(s)
    for r in range(part * rows // parts, (part + 1) * rows // parts):
        end = min(keys, first + r + 1) if causal else keys
        lse[r] = probabilities(s[r], end, scale)


@njit(nogil=True)
def _again(s, gp, delta, keys, causal, first, lse, scale, parts, part):
    """Products s [R,N] to p, and gp [R,N] to their gradient, both in place."""
    rows = len(s)
    for r in range(part * rows // parts, (part + 1) * rows // parts):
        end = min(keys, first + r + 1) if causal else keys
        gradients(s[r], gp[r], end, scale, lse[r], delta[r])


def _blocks(q, lengths):
    """(example, its number of keys, first query, slice of queries) of each block."""
    for b, keys in enumerate(lengths):
        for first in range(0, q.shape[1], ROWS):
            yield b, int(keys), first, slice(first, first + ROWS)


@register("attention", "forward", backend="numba", **FORWARD)
def forward(q, k, v, lengths, scale, causal):
    """o, lse (see `attention.forward`)."""
    q, k, v = map(np.ascontiguousarray, (q, k, v))
    o, lse = np.zeros((*q.shape[:2], v.shape[2]), q.dtype), np.full(q.shape[:2], -np.inf, q.dtype)
    scale = q.dtype.type(scale)
    for b, keys, first, part in _blocks(q, lengths):
        if keys:
            s = product(q[b, part], k[b, :keys].T)
            parts = parts_for(s.size, len(s))
            in_parts(_softmax, parts, s, keys, causal, first, lse[b, part], scale, parts)
            o[b, part] = product(s, v[b, :keys])
    return o, lse


@register("attention", "backward", backend="numba", **BACKWARD)
def backward(go, q, k, v, o, lse, lengths, scale, causal):
    """gq, gk, gv (see `attention.backward`)."""
    go, q, k, v, o, lse = map(np.ascontiguousarray, (go, q, k, v, o, lse))
    gq, gk, gv = (np.zeros(a.shape, a.dtype) for a in (q, k, v))
    delta, scale = (go * o).sum(axis=2), q.dtype.type(scale)
    for b, keys, first, part in _blocks(q, lengths):
        if keys:
            some = slice(0, keys)
            s = product(q[b, part], k[b, some].T)
            gs = product(go[b, part], v[b, some].T)
            parts = parts_for(s.size, len(s))
            rows = delta[b, part], keys, causal, first, lse[b, part], scale
            in_parts(_again, parts, s, gs, *rows, parts)
            gq[b, part] = product(gs, k[b, some])
            gk[b, some] += product(gs.T, q[b, part])
            gv[b, some] += product(s.T, go[b, part])
    return gq, gk, gv
