"""Self-organising maps in Numba: the nodes lie in blocks of 32 lanes, feature by feature.

With w as blocks [M / 32, D, 32] the inner loop runs over nodes, not over features: it fills vector
registers for any D, and each distance remains one sum in a fixed order, so that equal nodes tie.
The last block is filled up with infinity, which never wins.

A difference and its square are two instructions where a matrix product has one, but they go to
different units of the core. So four samples meet four features of a block at a time: every number
loaded serves four sums, and direct differences, which need no centring and leave no near tie to be
settled, take little more than the time of the product (both stand in bench/results).
"""

import numpy as np

from ..compiled import njit
from ..product import product
from ..registry import register
from ..threads import PRODUCTS, in_parts, parts_for

LANES = 32
GROUP = 4  # samples that share what is loaded of a block
ROWS = 64  # samples that a thread takes at a time, a multiple of GROUP: they stay in the cache
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
    low = np.empty(LANES, d2.dtype)
    for lane in range(LANES):
        low[lane] = np.inf
    for first in range(0, len(d2), LANES):
        for lane in range(LANES):
            if d2[first + lane] < low[lane]:
                low[lane] = d2[first + lane]
    smallest = low[0]
    for lane in range(1, LANES):
        smallest = min(smallest, low[lane])
    for m in range(nodes):
        if d2[m] == smallest:
            return m
    return 0


@njit(fastmath=CONTRACT, error_model="numpy")
def _add_squares_of_four(x, block, d2):
    """d2[4 * 32] = |x_n - node l of the block|^2 for four samples x [4, D].

    The block is flat, and d2 is: LLVM sees two arrays, whose overlap it can rule out.
    """
    xa, xb, xc, xd = x[0], x[1], x[2], x[3]
    features = x.shape[1]
    for lane in range(GROUP * LANES):
        d2[lane] = 0
    whole = features // 4 * 4
    for j in range(0, whole, 4):
        a0, a1, a2, a3 = xa[j], xa[j + 1], xa[j + 2], xa[j + 3]
        b0, b1, b2, b3 = xb[j], xb[j + 1], xb[j + 2], xb[j + 3]
        c0, c1, c2, c3 = xc[j], xc[j + 1], xc[j + 2], xc[j + 3]
        d0, d1, d2_, d3 = xd[j], xd[j + 1], xd[j + 2], xd[j + 3]
        w = block[j * LANES : (j + 4) * LANES]
        for i in range(LANES):
            w0, w1, w2, w3 = w[i], w[LANES + i], w[2 * LANES + i], w[3 * LANES + i]
            s0, s1, s2, s3 = a0 - w0, a1 - w1, a2 - w2, a3 - w3
            d2[i] = d2[i] + s0 * s0 + s1 * s1 + s2 * s2 + s3 * s3
            s0, s1, s2, s3 = b0 - w0, b1 - w1, b2 - w2, b3 - w3
            d2[LANES + i] = d2[LANES + i] + s0 * s0 + s1 * s1 + s2 * s2 + s3 * s3
            s0, s1, s2, s3 = c0 - w0, c1 - w1, c2 - w2, c3 - w3
            d2[2 * LANES + i] = d2[2 * LANES + i] + s0 * s0 + s1 * s1 + s2 * s2 + s3 * s3
            s0, s1, s2, s3 = d0 - w0, d1 - w1, d2_ - w2, d3 - w3
            d2[3 * LANES + i] = d2[3 * LANES + i] + s0 * s0 + s1 * s1 + s2 * s2 + s3 * s3
    for j in range(whole, features):
        for i in range(LANES):
            w0 = block[j * LANES + i]
            s0, s1, s2, s3 = xa[j] - w0, xb[j] - w0, xc[j] - w0, xd[j] - w0
            d2[i] += s0 * s0
            d2[LANES + i] += s1 * s1
            d2[2 * LANES + i] += s2 * s2
            d2[3 * LANES + i] += s3 * s3


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
                _add_squares_of_four(rows[n : n + GROUP], block, tile)
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
        low = np.empty(ROWS * LANES, x.dtype)
        low[:] = np.inf
        at = np.zeros(ROWS * LANES, np.int32)
        for b in range(len(blocks)):
            block = blocks[b].reshape(-1)
            for n in range(0, count, GROUP):
                lanes = slice(n * LANES, (n + GROUP) * LANES)
                _add_squares_of_four(rows[n : n + GROUP], block, tile)
                _keep_lower(tile, np.int32(b), low[lanes], at[lanes])
        for n in range(count):
            lanes = slice(n * LANES, (n + 1) * LANES)
            c, d2 = _lowest(low[lanes], at[lanes])
            if not d2 < np.inf:
                c, d2 = _node_by_node(rows[n], blocks, nodes)
            index[first + n], smallest[first + n] = c, d2


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


def _parts(x, w):
    return parts_for(x.size * len(w), -(-len(x) // ROWS), PRODUCTS)


@register("som", "distances", backend="numba", idea="nodes in vector lanes, four rows at a time")
def distances(x, w):
    d2 = np.empty((len(x), len(w)), x.dtype)
    if d2.size:
        parts = _parts(x, w)
        in_parts(_distances, parts, np.ascontiguousarray(x), _in_blocks(w), d2, parts)
    return d2


@register("som", "winners", backend="numba", idea="distances and arg-min in one pass, no d2 array")
def winners(x, w):
    index, smallest = np.empty(len(x), np.int64), np.empty(len(x), x.dtype)
    if len(x):
        parts = _parts(x, w)
        args = np.ascontiguousarray(x), _in_blocks(w), len(w), index, smallest
        in_parts(_winners, parts, *args, parts)
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
    step = product(neighbourhood.T, sums)
    if rule == "difference":
        step -= product(neighbourhood.T, counts[:, None]) * (w - centre)
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
