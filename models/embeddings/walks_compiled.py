"""Random walks as plain loops, compiled: see walks.py. Parts of the walks are on threads."""

import numpy as np

from ...kernels.compiled import njit
from ...kernels.philox.cpu import CHUNK, fill_words
from ...kernels.threads import in_parts, parts_for

HALF, WORDS = np.uint64(32), 4  # words of a block


@njit
def _next_to(near, x):
    """Is x among the nodes `near`, which ascend?"""
    low, high = 0, len(near)
    while low < high:
        middle = (low + high) // 2
        if near[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low < len(near) and near[low] == x


@njit(nogil=True)
def _walks(first, near, keep, other, starts, bounds, seed, out, parts, part):
    words, n = np.empty(CHUNK, np.uint32), len(starts)
    ahead = CHUNK // WORDS  # blocks made at a time
    for i in range(part * n // parts, (part + 1) * n // parts):
        v, t, at, tries = starts[i], np.int64(-1), 1, 0
        out[i, 0] = v
        while at < out.shape[1] and first[v + 1] > first[v]:
            j = WORDS * (tries % ahead)
            if j == 0:
                fill_words(seed, (np.uint64(i) << HALF) + np.uint64(tries), words)
            tries += 1
            low, degree = first[v], first[v + 1] - first[v]
            column = np.int64((np.uint64(words[j]) * np.uint64(degree)) >> HALF)
            if np.int64(words[j + 1]) >= keep[low + column]:
                column = other[low + column]
            x = near[low + column]
            if t >= 0 and degree > 1:
                if x == t:
                    bound = bounds[0]
                elif _next_to(near[first[t] : first[t + 1]], x):
                    bound = bounds[1]
                else:
                    bound = bounds[2]
                if np.int64(words[j + 2]) >= bound:
                    continue
            out[i, at] = x
            t, v, at = v, x, at + 1


def by_loops(graph, starts, length: int, bounds, seed: int) -> np.ndarray:
    """As `walks.walks`."""
    out = np.full((len(starts), length), -1)
    parts = parts_for(out.size, max(1, len(starts)))
    arrays = graph.first, graph.near, graph.keep, graph.other
    in_parts(_walks, parts, *arrays, starts, bounds, np.uint64(seed), out, parts)
    return out
