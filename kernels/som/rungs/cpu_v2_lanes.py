"""Distances and winners on the CPU, version 2: 32 nodes side by side, four samples at a time.

In version 1 each addition of a distance waits for the one before it, and since their order is part
of the result, the compiler may not add several at once: the vector units work on one number. Here
a block of 32 nodes lies lane by lane (lanes.py): 32 distances grow together, each in its own order.

A difference and its square are two instructions where a matrix product has one, but they go to
different units of the core. So four samples meet four features of a block at a time: every number
loaded serves four sums, and direct differences, which need no centring and leave no near tie to be
settled, take little more than the time of the product.

`winners` keeps the least distance of every lane as it goes: the N x M distances are never stored.

    glassgrad bench som.distances som.winners      both versions and the product by BLAS
"""

import numpy as np

from ...compiled import njit
from ...registry import register
from ...threads import PRODUCTS, in_parts, parts_for
from .lanes import GROUP, LANES, add_squares_of_four, in_blocks

ROWS = 64  # samples that a thread takes at a time, a multiple of GROUP: they stay in the cache


@njit
def _copied(x, first):
    """ROWS samples from `first` on, filled up with zeros behind the last."""
    rows = np.zeros((ROWS, x.shape[1]), x.dtype)
    for n in range(min(ROWS, len(x) - first)):
        for j in range(x.shape[1]):  # as slices, Numba compiles 2 s of checks and their messages
            rows[n, j] = x[first + n, j]
    return rows


@njit(nogil=True)
def _distances(x, blocks, d2, parts, part):
    bands = (len(x) + ROWS - 1) // ROWS
    for first in range(part * bands // parts * ROWS, (part + 1) * bands // parts * ROWS, ROWS):
        count, nodes = min(ROWS, len(x) - first), d2.shape[1]
        rows, tile = _copied(x, first), np.empty(GROUP * LANES, x.dtype)
        for b in range(len(blocks)):
            block, lanes = blocks[b].reshape(-1), min(LANES, nodes - b * LANES)
            for n in range(0, count, GROUP):
                add_squares_of_four(rows[n : n + GROUP], block, tile)
                # the tile without what fills up the last samples and the last block
                for i in range(min(GROUP, count - n)):
                    for lane in range(lanes):
                        d2[first + n + i, b * LANES + lane] = tile[i * LANES + lane]


@njit
def _keep_lower(d2, b, low, at):
    """The lowest distance of every lane so far, and the block where it was met first."""
    for i in range(len(d2)):
        lower = d2[i] < low[i]
        low[i] = d2[i] if lower else low[i]
        at[i] = b if lower else at[i]


@njit
def _lowest(low, at):
    """The smallest of 32 lanes, and of equal ones the node with the lowest number."""
    smallest, nearest = low[0], at[0] * LANES
    for lane in range(1, LANES):
        m = at[lane] * LANES + lane
        if low[lane] < smallest or (low[lane] == smallest and m < nearest):
            smallest, nearest = low[lane], m
    return nearest, smallest


@njit
def _node_by_node(x_n, blocks, nodes):
    """The winner where no distance is below infinity: infinity beats NaN, node 0 is the last."""
    best, smallest, found = 0, x_n.dtype.type(np.nan), False
    for m in range(nodes):
        total = x_n.dtype.type(0)
        for j in range(len(x_n)):
            t = x_n[j] - blocks[m // LANES, j, m % LANES]
            total += t * t
        if total == total and (not found or total < smallest):
            best, smallest, found = m, total, True
    return best, smallest


@njit(nogil=True)
def _winners(x, blocks, nodes, index, smallest, parts, part):
    bands = (len(x) + ROWS - 1) // ROWS
    for first in range(part * bands // parts * ROWS, (part + 1) * bands // parts * ROWS, ROWS):
        count = min(ROWS, len(x) - first)
        rows, tile = _copied(x, first), np.empty(GROUP * LANES, x.dtype)
        # for each sample and lane the least distance, and the block that it came from
        low = np.empty(ROWS * LANES, x.dtype)
        low[:] = np.inf
        at = np.zeros(ROWS * LANES, np.int32)
        for b in range(len(blocks)):
            block = blocks[b].reshape(-1)
            for n in range(0, count, GROUP):
                lanes = slice(n * LANES, (n + GROUP) * LANES)
                add_squares_of_four(rows[n : n + GROUP], block, tile)
                _keep_lower(tile, np.int32(b), low[lanes], at[lanes])
        # only now do the lanes of a sample meet
        for n in range(count):
            lanes = slice(n * LANES, (n + 1) * LANES)
            c, d2 = _lowest(low[lanes], at[lanes])
            if not d2 < np.inf:
                c, d2 = _node_by_node(rows[n], blocks, nodes)
            index[first + n], smallest[first + n] = c, d2


def _parts(x, w):
    return parts_for(x.size * len(w), -(-len(x) // ROWS), PRODUCTS)


@register(
    "som",
    "distances",
    backend="numba",
    version=2,
    idea="nodes in vector lanes, four rows at a time",
)
def distances(x, w):
    """d2 [N, M] from x [N, D] and w [M, D]; bands of samples on threads."""
    d2 = np.empty((len(x), len(w)), x.dtype)
    if d2.size:
        parts = _parts(x, w)
        in_parts(_distances, parts, np.ascontiguousarray(x), in_blocks(w), d2, parts)
    return d2


@register(
    "som",
    "winners",
    backend="numba",
    version=2,
    idea="distances and arg-min in one pass, no d2 array",
)
def winners(x, w):
    """winner [N] and its d2 [N] from x [N, D] and w [M, D]; bands of samples on threads."""
    index, smallest = np.empty(len(x), np.int64), np.empty(len(x), x.dtype)
    if len(x):
        parts = _parts(x, w)
        args = np.ascontiguousarray(x), in_blocks(w), len(w), index, smallest
        in_parts(_winners, parts, *args, parts)
    return index, smallest
