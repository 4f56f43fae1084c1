"""Skip-gram's step on the CPU, version 2: a vector's numbers side by side in registers.

In version 1 each product of <x, c_t> waits for the sum of those before it, four cycles for each of
the D numbers. Here the sum may be added up in lanes ("reassoc"): another order, but always the
same. The exponential is in plain arithmetic (elementary.py).

    glassgrad bench skip_gram.step      both versions, next to each other
"""

import numpy as np

from ...compiled import njit
from ...elementary import sigmoid
from ...registry import register
from ..tables import run

LANES = "a vector's numbers side by side in registers"
SUM = {"contract", "reassoc"}


@njit(error_model="numpy", fastmath=SUM)
def _product(x, c, t):
    """<x, c_t>."""
    total = x.dtype.type(0)
    for d in range(len(x)):
        total += x[d] * c[t, d]
    return total


@njit(error_model="numpy", fastmath={"contract"})
def _add(g, x, e, c, t):
    """e += g c_t, then c_t += g x."""
    for d in range(len(x)):
        before = c[t, d]
        e[d] += g * before
        c[t, d] = before + g * x[d]


@njit(error_model="numpy", fastmath={"contract"})
def one_pair(w, c, u, word, negative, rate, x, e):
    """The step of a pair; x and e are room for two vectors."""
    zero, one = w.dtype.type(0), w.dtype.type(1)
    for d in range(len(x)):
        x[d], e[d] = w[u, d], zero
    for i in range(-1, len(negative)):
        t = word if i < 0 else negative[i]
        if i >= 0 and (t == word or t < 0):
            continue
        label = one if i < 0 else zero
        _add(rate * (label - sigmoid(_product(x, c, t))), x, e, c, t)
    for d in range(len(x)):
        w[u, d] += e[d]


@njit(nogil=True)
def _pairs(w, c, centre, context, negative, rates, parts, part):
    N, D = len(centre), w.shape[1]
    x, e = np.empty(D, w.dtype), np.empty(D, w.dtype)
    for n in range(part * N // parts, (part + 1) * N // parts):
        one_pair(w, c, centre[n], context[n], negative[n], rates[n], x, e)


@register("skip_gram", "step", backend="numba", version=2, idea=LANES)
def step(w, c, centre, context, negative, rates, in_place):
    """w, c after all pairs (see `skip_gram.step`); one thread."""
    return run(_pairs, False, in_place, w, c, centre, context, negative, rates)


@register("skip_gram", "racing", backend="numba", version=2, idea=LANES, deterministic=False)
def racing(w, c, centre, context, negative, rates, in_place):
    """w, c after all pairs (see `skip_gram.step`); parts of the pairs on threads."""
    return run(_pairs, True, in_place, w, c, centre, context, negative, rates)
