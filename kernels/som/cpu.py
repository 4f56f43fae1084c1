"""Self-organising maps in Numba: the nodes lie in blocks of 32 lanes, feature by feature.

With w as blocks [M / 32, D, 32] the inner loop runs over nodes, not over features: it fills vector
registers for any D, and each distance remains one sum in a fixed order, so that equal nodes tie.
The last block is filled up with infinity, which never wins.
"""

import numpy as np

from ..compiled import njit
from ..registry import register

LANES = 32
ROWS = 16  # samples that share one pass over a block of nodes while it lies in the cache
BATCH = 512  # samples per matrix product: the block of products stays below 2 MB for 1000 nodes
CONTRACT = {"contract"}  # t * t + a as one instruction: no effect on NaN, infinity or exact sums


def _in_blocks(w):
    nodes, features = w.shape
    count = -(-nodes // LANES)
    padded = np.full((count * LANES, features), np.inf, w.dtype)
    padded[:nodes] = w
    return np.ascontiguousarray(padded.reshape(count, LANES, features).transpose(0, 2, 1))


@njit(fastmath=CONTRACT)
def _add_squares(x_n, block, d2):
    """d2[l] = |x_n - node l of the block|^2, four features per pass over the lanes."""
    features = len(x_n)
    for lane in range(LANES):
        d2[lane] = 0
    whole = features // 4 * 4
    for j in range(0, whole, 4):
        x0, x1, x2, x3 = x_n[j], x_n[j + 1], x_n[j + 2], x_n[j + 3]
        for lane in range(LANES):
            t0, t1 = x0 - block[j, lane], x1 - block[j + 1, lane]
            t2, t3 = x2 - block[j + 2, lane], x3 - block[j + 3, lane]
            d2[lane] = d2[lane] + t0 * t0 + t1 * t1 + t2 * t2 + t3 * t3
    for j in range(whole, features):
        for lane in range(LANES):
            t = x_n[j] - block[j, lane]
            d2[lane] += t * t


@njit
def _first_smallest(d2, nodes):
    """As in the reference; d2 is padded to whole blocks, so the minimum is taken lane by lane."""
    low = np.full(LANES, np.inf, d2.dtype)
    for first in range(0, len(d2), LANES):
        for lane in range(LANES):
            if d2[first + lane] < low[lane]:
                low[lane] = d2[first + lane]
    smallest = low.min()
    for m in range(nodes):
        if d2[m] == smallest:
            return m
    return 0


@njit
def _distances(x, blocks, d2):
    for first in range(0, len(x), ROWS):
        for b in range(len(blocks)):
            for n in range(first, min(first + ROWS, len(x))):
                _add_squares(x[n], blocks[b], d2[n, b * LANES : (b + 1) * LANES])


@njit
def _winners(x, blocks, nodes, index, smallest):
    d2 = np.empty((ROWS, len(blocks) * LANES), x.dtype)
    for first in range(0, len(x), ROWS):
        rows = min(ROWS, len(x) - first)
        _distances(x[first : first + rows], blocks, d2)
        for n in range(rows):
            c = _first_smallest(d2[n], nodes)
            index[first + n], smallest[first + n] = c, d2[n, c]


@njit(fastmath={"contract", "reassoc"})
def _squared(x_n, w_m):
    total = x_n.dtype.type(0)
    for j in range(len(x_n)):
        t = x_n[j] - w_m[j]
        total += t * t
    return total


@njit
def _settle(product, squares, norms, unit, x, w, index, smallest):
    """Decide by direct differences among the nodes that the matrix product cannot tell apart.

    squares_m - 2 product_nm is |x_n - w_m|^2 less a term without m. With |x|, |w| the centred
    norms its error, and that of a direct distance, stay below unit (|x| + |w|)^2 together, so the
    true winner lies within twice that of the minimum. A bound that is not finite admits every node.
    """
    longest = np.sqrt(squares.max())
    two = squares.dtype.type(2)
    for n in range(len(x)):
        score = product[n]
        for m in range(len(w)):
            score[m] = squares[m] - two * score[m]
        low = np.full(LANES, np.inf, score.dtype)
        whole = len(w) // LANES * LANES
        for first in range(0, whole, LANES):
            for lane in range(LANES):
                if score[first + lane] < low[lane]:
                    low[lane] = score[first + lane]
        for m in range(whole, len(w)):
            low[0] = min(low[0], score[m])
        limit = low.min() + 2 * unit * (norms[n] + longest) ** 2
        every = not np.isfinite(limit)
        best, nearest, found = 0, np.nan, False
        for m in range(len(w)):
            if every or score[m] <= limit:
                d2 = _squared(x[n], w[m])
                if d2 == d2 and (not found or d2 < nearest):
                    best, nearest, found = m, d2, True
        index[n], smallest[n] = best, nearest


@njit
def _segment_sums(x, centre, winner, sums, counts):
    for n in range(len(x)):
        c = winner[n]
        counts[c] += 1
        for j in range(x.shape[1]):
            sums[c, j] += x[n, j] - centre[j]


@njit
def _move(x_n, h, pull, block, additive):
    """w += h x, or h (x - w), for the lanes of one block whose pull is not 0."""
    for j in range(len(x_n)):
        for lane in range(LANES):
            w = block[j, lane]
            step = h[lane] * (x_n[j] if additive else x_n[j] - w)
            block[j, lane] = w + step if pull[lane] != 0 else w


@njit
def _normalise(block, scale):
    """Each lane divided by its norm, as a product with its reciprocal; a lane of zeros stays.

    The lanes are counted by len(scale): LLVM unrolls so short a loop of known length before it
    thinks of vectors, and then cannot prove that block and scale do not overlap.
    """
    lanes = len(scale)
    for lane in range(lanes):
        scale[lane] = 0
    for j in range(len(block)):
        for lane in range(lanes):
            scale[lane] += block[j, lane] * block[j, lane]
    for lane in range(lanes):
        scale[lane] = 1 / np.sqrt(scale[lane]) if scale[lane] != 0 else 1
    for j in range(len(block)):
        for lane in range(lanes):
            block[j, lane] *= scale[lane]


@njit
def _online(blocks, nodes, x, table, schedule, rates, additive, normalise, index, smallest):
    real = x.dtype.type
    d2 = np.empty(len(blocks) * LANES, x.dtype)
    h, pull = np.empty(LANES, x.dtype), np.empty(LANES, x.dtype)
    scratch = np.empty(LANES, x.dtype)
    for n in range(len(x)):
        for b in range(len(blocks)):
            _add_squares(x[n], blocks[b], d2[b * LANES : (b + 1) * LANES])
        c = _first_smallest(d2, nodes)
        index[n], smallest[n] = c, d2[c]
        for b in range(len(blocks)):
            moves = False
            for lane in range(LANES):
                m = b * LANES + lane
                pull[lane] = table[schedule[n], c, m] if m < nodes else real(0)
                h[lane] = rates[n] * pull[lane]
                moves = moves or pull[lane] != 0
            if moves:
                _move(x[n], h, pull, blocks[b], additive)
            if normalise:
                _normalise(blocks[b], scratch)


@register("som", "distances", backend="numba", idea="nodes in vector lanes, rows share a block")
def distances(x, w):
    blocks = _in_blocks(w)
    d2 = np.empty((len(x), len(blocks) * LANES), x.dtype)
    _distances(np.ascontiguousarray(x), blocks, d2)
    return np.ascontiguousarray(d2[:, : len(w)])


@register("som", "winners", backend="numba", idea="distances and arg-min in one pass, no d2 array")
def winners(x, w):
    index, smallest = np.empty(len(x), np.int64), np.empty(len(x), x.dtype)
    if len(x):
        _winners(np.ascontiguousarray(x), _in_blocks(w), len(w), index, smallest)
    return index, smallest


@register(
    "som",
    "winners",
    backend="numba",
    version=2,
    idea="matrix product about the mean of w, near ties settled by differences",
    supports=lambda x, w: x.shape[1] >= 32 and w.shape[0] >= 32 and x.shape[0] > 0,
)
def winners_by_product(x, w):
    x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
    index, smallest = np.empty(len(x), np.int64), np.empty(len(x), x.dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # then every node is settled directly
        centre = w.mean(axis=0)
        about = w - centre
        squares = (about * about).sum(axis=1)
        for first in range(0, len(x), BATCH):
            rows = slice(first, first + BATCH)
            moved = x[rows] - centre
            norms = np.sqrt((moved * moved).sum(axis=1))
            unit = float(np.finfo(x.dtype).eps) * (x.shape[1] + 8)
            product = moved @ about.T
            _settle(product, squares, norms, unit, x[rows], w, index[rows], smallest[rows])
    return index, smallest


@register("som", "update", backend="numba", idea="sums per winner, then a matrix product")
def update(w, x, winner, neighbourhood, rate, rule):
    real = w.dtype.type
    centre = np.zeros(w.shape[1], w.dtype)
    if rule == "difference" and len(w):
        centre = w.mean(axis=0)
    sums, counts = np.zeros(w.shape, w.dtype), np.zeros(len(w), w.dtype)
    winner = np.ascontiguousarray(winner, np.int64)
    _segment_sums(np.ascontiguousarray(x), centre, winner, sums, counts)
    step = neighbourhood.T @ sums
    if rule == "difference":
        step -= (neighbourhood.T @ counts)[:, None] * (w - centre)
    new = np.ascontiguousarray(w + real(rate) * step)
    if rule == "additive_normalised":
        norm = np.sqrt((new * new).sum(axis=1, keepdims=True))
        norm[norm == 0] = 1
        new /= norm
    return new


@register("som", "online", backend="numba", idea="one compiled loop, nodes in vector lanes")
def online(w, x, table, schedule, rates, rule):
    blocks = _in_blocks(w)
    index, smallest = np.empty(len(x), np.int64), np.empty(len(x), x.dtype)
    contiguous = [np.ascontiguousarray(a) for a in (x, table)]
    steps = np.ascontiguousarray(schedule, np.int64), np.ascontiguousarray(rates)
    options = rule != "difference", rule == "additive_normalised"
    _online(blocks, len(w), *contiguous, *steps, *options, index, smallest)
    new = blocks.transpose(0, 2, 1).reshape(len(blocks) * LANES, w.shape[1])[: len(w)]
    return np.ascontiguousarray(new), index, smallest
