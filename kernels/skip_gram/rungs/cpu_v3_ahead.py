"""Skip-gram's step on the CPU, version 3: the vectors of the next pair are on their way.

In version 2 the processor computes, then waits for memory: the tables of 30,000 words are larger
than its caches, and which vector comes next is no pattern that it could see. But the pairs are all
given. So the lines of the vectors of pair n + 1 are called for before pair n is computed.

    glassgrad bench skip_gram.step      all versions, next to each other
"""

import numpy as np

from ...compiled import njit
from ...recurrent.tile import fetch
from ...registry import register
from ..tables import run
from .cpu_v2_lanes import one_pair

AHEAD = "the vectors of the next pair are on their way"
LINE = 64  # bytes


@njit
def _call_for(table, v):
    """The lines of a vector; -1 is no word."""
    for d in range(0, table.shape[1] if v >= 0 else 0, LINE // table.itemsize):
        fetch(table, v * table.shape[1] + d)


@njit(nogil=True)
def _pairs(w, c, centre, context, negative, rates, parts, part):
    N, D = len(centre), w.shape[1]
    x, e = np.empty(D, w.dtype), np.empty(D, w.dtype)
    for n in range(part * N // parts, (part + 1) * N // parts):
        if n + 1 < N:
            _call_for(w, centre[n + 1])
            _call_for(c, context[n + 1])
            for i in range(negative.shape[1]):
                _call_for(c, negative[n + 1, i])
        one_pair(w, c, centre[n], context[n], negative[n], rates[n], x, e)


@register("skip_gram", "step", backend="numba", version=3, idea=AHEAD)
def step(w, c, centre, context, negative, rates, in_place):
    """w, c after all pairs (see `skip_gram.step`); one thread."""
    return run(_pairs, False, in_place, w, c, centre, context, negative, rates)


@register("skip_gram", "racing", backend="numba", version=3, idea=AHEAD, deterministic=False)
def racing(w, c, centre, context, negative, rates, in_place):
    """w, c after all pairs (see `skip_gram.step`); parts of the pairs on threads."""
    return run(_pairs, True, in_place, w, c, centre, context, negative, rates)
