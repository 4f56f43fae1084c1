"""Attention on the CPU, version 3: one example per thread, from its queries to its result.

Version 2 goes back to Python for each product of each block of queries and for the rows of scores
between them, and its threads meet after each: a short sentence would be done in that time. Examples
never meet. Here each thread takes its share of them through all products by the register tile of
the recurrent layers (`recurrent/tile.py`): keys and values of an example are packed once, in the
order in which the tile reads them, and serve all blocks of queries.

    glassgrad bench attention                  all versions, next to each other
    glassgrad bench attention --threads 1      without the meeting of threads

With fewer than eight long examples version 2 runs: it splits one example among threads.
"""

import numpy as np

from ...compiled import njit
from ...recurrent.arrays import plain
from ...recurrent.panels import COLUMNS, pack_columns
from ...recurrent.products import product, product_at
from ...recurrent.tile import VECTOR, Packed, Rows
from ...registry import register
from ...threads import PRODUCTS, in_parts, parts_for
from .cpu_v2_blocks import ROWS, large, work
from .score_rows import gradients, probabilities

IDEA = "one example per thread, products by the register tile"
FEW = 8  # examples: with fewer, threads get unequal shares


def _fits(q, k, v):
    return len(q) >= FEW or not large(q, k, v)


FORWARD = {"version": 3, "idea": IDEA, "supports": lambda q, k, v, *rest: _fits(q, k, v)}
BACKWARD = {"version": 3, "idea": IDEA, "supports": lambda go, q, k, v, *rest: _fits(q, k, v)}


@njit
def _room(terms, width, like):
    """Room for `terms` x `width` packed numbers: the last vector of a row is filled up."""
    lanes = VECTOR // like.itemsize
    return np.empty(terms * -(-width // lanes) * lanes, like.dtype)


@njit
def _pack(w, first, terms, packed):
    """Rows first..first+terms of w [K, J] as weights of products: a w."""
    pack_columns(w, first, terms, 0, -(-w.shape[1] // (COLUMNS * (VECTOR // w.itemsize))), packed)
    return Packed(packed, terms, w.shape[1], 0)


@njit
def _pack_transposed(w, width, packed):
    """The first `width` rows of w [J, K] as weights of products: a wᵀ."""
    lanes, terms = VECTOR // w.itemsize, w.shape[1]
    for j in range(0, width, COLUMNS * lanes):
        wide = min(COLUMNS * lanes, -(-(width - j) // lanes) * lanes)
        at = j * terms
        for i in range(wide):
            if j + i < width:
                for k in range(terms):
                    packed[at + k * wide + i] = w[j + i, k]
            else:
                for k in range(terms):
                    packed[at + k * wide + i] = 0
    return Packed(packed, terms, width, 0)


@njit(nogil=True)
def _forward(multiply, q, k, v, lengths, scale, causal, o, lse, parts, part):
    (B, M, D), (N, E) = q.shape, v.shape[1:]
    room_k, room_v, s = _room(D, N, q), _room(N, E, q), np.empty(ROWS * N, q.dtype)
    zeros = Rows(np.zeros(max(N, E), q.dtype), 0, 0, 1)  # row 0, whichever is asked for
    flat_q, flat_o = q.reshape(-1), o.reshape(-1)
    for b in range(part * B // parts, (part + 1) * B // parts):
        keys = lengths[b]
        if not keys:
            continue
        keys_t, values = _pack_transposed(k[b], keys, room_k), _pack(v[b], 0, keys, room_v)
        scores = Rows(s, 0, keys, 1)
        for first in range(0, M, ROWS):
            rows, at = min(ROWS, M - first), b * M + first
            product(multiply, Rows(flat_q, at * D, D, 1), rows, keys_t, zeros, scores)
            for r in range(rows):
                end = min(keys, first + r + 1) if causal else keys
                row = s[r * keys : (r + 1) * keys]
                lse[b, first + r] = probabilities(row, end, scale)
            product(multiply, scores, rows, values, zeros, Rows(flat_o, at * E, E, 1))


@njit(nogil=True)
def _backward(multiply, go, q, k, v, lse, delta, lengths, scale, causal, grads, parts, part):
    gq, gk, gv = grads
    (B, M, D), (N, E) = q.shape, v.shape[1:]
    room_k, room_v, room_keys = _room(D, N, q), _room(E, N, q), _room(N, D, q)
    room_q, room_go = _room(ROWS, D, q), _room(ROWS, E, q)
    s, gs = np.empty(ROWS * N, q.dtype), np.empty(ROWS * N, q.dtype)
    zeros = Rows(np.zeros(max(N, D), q.dtype), 0, 0, 1)
    flat_q, flat_go, flat_gq = q.reshape(-1), go.reshape(-1), gq.reshape(-1)
    for b in range(part * B // parts, (part + 1) * B // parts):
        keys = lengths[b]
        if not keys:
            continue
        keys_t, all_keys = _pack_transposed(k[b], keys, room_k), _pack(k[b], 0, keys, room_keys)
        values_t = _pack_transposed(v[b], keys, room_v)
        sum_k, sum_v = Rows(gk.reshape(-1), b * N * D, D, 1), Rows(gv.reshape(-1), b * N * E, E, 1)
        scores, grad = Rows(s, 0, keys, 1), Rows(gs, 0, keys, 1)
        scores_t, grad_t = Rows(s, 0, 1, keys), Rows(gs, 0, 1, keys)
        for first in range(0, M, ROWS):
            rows, at = min(ROWS, M - first), b * M + first
            product(multiply, Rows(flat_q, at * D, D, 1), rows, keys_t, zeros, scores)
            product(multiply, Rows(flat_go, at * E, E, 1), rows, values_t, zeros, grad)
            for r in range(rows):
                m, own = first + r, slice(r * keys, (r + 1) * keys)
                end = min(keys, m + 1) if causal else keys
                gradients(s[own], gs[own], end, scale, lse[b, m], delta[b, m])
            product(multiply, grad, rows, all_keys, zeros, Rows(flat_gq, at * D, D, 1))
            product(multiply, grad_t, keys, _pack(q[b], first, rows, room_q), sum_k, sum_k)
            product(multiply, scores_t, keys, _pack(go[b], first, rows, room_go), sum_v, sum_v)


def _parts(q, k, v):
    return parts_for(work(q, k, v), len(q), PRODUCTS)


@register("attention", "forward", backend="numba", **FORWARD)
def forward(q, k, v, lengths, scale, causal):
    """o, lse (see `attention.forward`)."""
    q, k, v, lengths = plain(q, k, v, lengths)
    o, lse = np.zeros((*q.shape[:2], v.shape[2]), q.dtype), np.full(q.shape[:2], -np.inf, q.dtype)
    given = q, k, v, lengths, q.dtype.type(scale), causal
    parts = _parts(q, k, v)
    in_parts(_forward, parts, product_at(q.dtype), *given, o, lse, parts)
    return o, lse


@register("attention", "backward", backend="numba", **BACKWARD)
def backward(go, q, k, v, o, lse, lengths, scale, causal):
    """gq, gk, gv (see `attention.backward`)."""
    go, q, k, v, o, lse, lengths = plain(go, q, k, v, o, lse, lengths)
    grads = tuple(np.zeros(a.shape, a.dtype) for a in (q, k, v))
    given = go, q, k, v, lse, (go * o).sum(axis=2), lengths, q.dtype.type(scale), causal
    parts = _parts(q, k, v)
    in_parts(_backward, parts, product_at(q.dtype), *given, grads, parts)
    return grads
