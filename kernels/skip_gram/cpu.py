"""Skip-gram on the CPU: the formulas as plain loops, compiled (version 1).

n counts pairs, i negatives, d numbers of a vector. Pairs do not depend on each other in `loss`, nor
draws in `noise` and `outside`: each thread gets a part of them. `step` is one thread; in `racing`
each takes a part of the pairs, and all write to the same tables.

What this wastes of `step`, and the versions that do not: `rungs/`.
"""

import numpy as np

from ..compiled import njit
from ..philox.cpu import CHUNK, fill_words, share
from ..registry import register
from ..threads import PRODUCTS, in_parts, parts_for
from .rungs import cpu_v2_lanes, cpu_v3_ahead  # noqa: F401  (they register themselves)
from .tables import run

LOOPS = "the formula as plain loops"
HALF = np.uint64(32)


@njit
def _dot(a, b):
    total = a.dtype.type(0)
    for d in range(len(a)):
        total += a[d] * b[d]
    return total


@njit
def _softplus(f, zero):
    """ln (1 + e^f)."""
    return max(f, zero) + np.log1p(np.exp(-abs(f)))


@njit(nogil=True)
def _loss(w, c, centre, context, negative, found, parts, part):
    N, zero = len(centre), w.dtype.type(0)
    for n in range(part * N // parts, (part + 1) * N // parts):
        x, t = w[centre[n]], context[n]
        total = _softplus(-_dot(x, c[t]), zero)
        for i in range(negative.shape[1]):
            v = negative[n, i]
            if v != t and v >= 0:
                total += _softplus(_dot(x, c[v]), zero)
        found[n] = total


@njit(nogil=True)
def _pairs(w, c, centre, context, negative, rates, parts, part):
    N, D = len(centre), w.shape[1]
    x, e = np.empty(D, w.dtype), np.empty(D, w.dtype)
    zero, one = w.dtype.type(0), w.dtype.type(1)
    for n in range(part * N // parts, (part + 1) * N // parts):
        own = w[centre[n]]
        for d in range(D):
            x[d], e[d] = own[d], 0
        for i in range(-1, negative.shape[1]):
            t = context[n] if i < 0 else negative[n, i]
            if i >= 0 and (t == context[n] or t < 0):
                continue
            row = c[t]
            f = _dot(x, row)
            small = np.exp(-abs(f))
            sigmoid = (small if f < 0 else one) / (one + small)
            g = rates[n] * ((one if i < 0 else zero) - sigmoid)
            for d in range(D):
                e[d] += g * row[d]
                row[d] += g * x[d]
        for d in range(D):
            own[d] += e[d]


@njit(nogil=True)
def _noise(keep, other, seed, offset, out, parts, part):
    first, last = share(2 * out.size, parts, part)  # words of the stream
    words, V = np.empty(CHUNK, np.uint32), np.uint64(len(keep))
    for start in range(first, last, CHUNK):
        fill_words(seed, offset + np.uint64(start // 4), words)
        for j in range(min(CHUNK, last - start) // 2):
            column = np.int64((np.uint64(words[2 * j]) * V) >> HALF)
            own = np.int64(words[2 * j + 1]) < keep[column]
            out[start // 2 + j] = column if own else other[column]


@njit
def _missing(words, r):
    """The r-th number that is not among the words, which ascend."""
    low, high = 0, len(words)  # of all words before low there are r or fewer missing below them
    while low < high:
        middle = (low + high) // 2
        if words[middle] - middle <= r:
            low = middle + 1
        else:
            high = middle
    return r + low


@njit(nogil=True)
def _outside(lists, words, centre, each, seed, offset, out, parts, part):
    first, last = share(out.size, parts, part)
    drawn, V = np.empty(CHUNK, np.uint32), len(lists) - 1
    for start in range(first, last, CHUNK):
        fill_words(seed, offset + np.uint64(start // 4), drawn)
        for q in range(start, min(start + CHUNK, last)):
            u = centre[q // each]
            mine = words[lists[u] : lists[u + 1]]
            m = np.uint64(V - len(mine))
            r = np.int64((np.uint64(drawn[q - start]) * m) >> HALF)
            out[q] = _missing(mine, r) if m > 0 else -1


@register("skip_gram", "loss", backend="numba", idea=LOOPS)
def loss(w, c, centre, context, negative):
    """loss [N] (see `skip_gram.loss`); pairs on threads."""
    w, centre, context, negative = map(np.ascontiguousarray, (w, centre, context, negative))
    c = w if c is None else np.ascontiguousarray(c)
    N = len(centre)
    found = np.empty(N, w.dtype)
    parts = parts_for(N * (1 + negative.shape[1]) * w.shape[1], max(1, N), PRODUCTS)
    in_parts(_loss, parts, w, c, centre, context, negative, found, parts)
    return found


@register("skip_gram", "step", backend="numba", idea=LOOPS)
def step(w, c, centre, context, negative, rates, in_place):
    """w, c after all pairs (see `skip_gram.step`); one thread."""
    return run(_pairs, False, in_place, w, c, centre, context, negative, rates)


@register("skip_gram", "racing", backend="numba", idea="parts on threads", deterministic=False)
def racing(w, c, centre, context, negative, rates, in_place):
    """w, c after all pairs (see `skip_gram.step`); parts of the pairs on threads."""
    return run(_pairs, True, in_place, w, c, centre, context, negative, rates)


@register("skip_gram", "noise", backend="numba", idea="a column, then a height")
def noise(keep, other, count, each, seed, offset):
    """Words [count, each] (see `skip_gram.noise`); parts of the stream on threads."""
    out = np.empty((count, each), np.int64)
    keep, other = np.ascontiguousarray(keep), np.ascontiguousarray(other)
    parts, stream = parts_for(out.size), (np.uint64(seed), np.uint64(offset))
    in_parts(_noise, parts, keep, other, *stream, out.reshape(-1), parts)
    return out


@register("skip_gram", "outside", backend="numba", idea="bisection in the list of the others")
def outside(first, words, centre, each, seed, offset):
    """Words [N, each] (see `skip_gram.outside`); parts of the stream on threads."""
    first, words, centre = map(np.ascontiguousarray, (first, words, centre))
    out = np.empty((len(centre), each), np.int64)
    parts, stream = parts_for(out.size), (np.uint64(seed), np.uint64(offset))
    in_parts(_outside, parts, first, words, centre, each, *stream, out.reshape(-1), parts)
    return out
