"""Launch geometry of the self-organising map: which version for which sizes."""

import numpy as np

from ..arrays import is_cupy, multiprocessors, xp_of
from ..launcher import Source, ceil_div, contiguous, empty, zeros

source = Source(__file__)

# as in cuda.cu
BLOCK = 256
TILE = 16
WIDE = 64
CHUNK = 16
SCREEN = 128
NOBODY = np.uint64(2**64 - 1)

FILLED = 264  # blocks that keep a large GPU busy: two for each of 132 multiprocessors
MEETING = 64  # blocks that meet for each sample, at most: more of them wait longer for each other
SHARED_LIMIT = 96 * 1024  # bytes a block


def _normalise(w):
    """Divide each row by its norm, in place."""
    M, D = w.shape
    if w.size:
        source.launch("som_normalise_v1", ceil_div(M, BLOCK // 32), BLOCK, w, M, D)


def _winner_arrays(x):
    return empty(x, (x.shape[0],), "int64"), empty(x, (x.shape[0],))


def _keys(x):
    """A word per sample in which blocks meet; see `key` in cuda.cu."""
    keys = empty(x, (x.shape[0],), "uint64")
    keys.fill(NOBODY)
    return keys


def _unpacked(x, keys):
    index, d2 = _winner_arrays(x)
    N = x.shape[0]
    if N:
        source.launch("som_unpack_v1", ceil_div(N, BLOCK), BLOCK, keys, index, d2, N)
    return index, d2


def _shares(N, M):
    """Grid over samples and nodes, and how many tiles of nodes each block takes."""
    down, across = ceil_div(N, WIDE), ceil_div(M, WIDE)
    tiles = ceil_div(across, min(across, ceil_div(FILLED, down)))
    return (down, ceil_div(across, tiles)), tiles


@source.implements("som", "distances", version=1, idea="one thread a pair")
def distances_v1(x, w):
    x, w = contiguous(x), contiguous(w)
    (N, D), M = x.shape, w.shape[0]
    d2 = empty(x, (N, M))
    if d2.size:
        source.launch("som_distances_v1", ceil_div(N * M, BLOCK), BLOCK, x, w, d2, M, D, N * M)
    return d2


@source.implements("som", "distances", version=2, idea="tiles of 16 x 16 in shared memory")
def distances_v2(x, w):
    x, w = contiguous(x), contiguous(w)
    (N, D), M = x.shape, w.shape[0]
    d2 = empty(x, (N, M))
    if d2.size:
        across = ceil_div(M, TILE)
        grid = ceil_div(N, TILE) * across
        source.launch("som_distances_v2", grid, BLOCK, x, w, d2, N, M, D, across)
    return d2


@source.implements(
    "som", "distances", version=3, idea="4 x 4 pairs a thread, copies ahead", dtypes=("float32",)
)
def distances_v3(x, w):
    x, w = contiguous(x), contiguous(w)
    (N, D), M = x.shape, w.shape[0]
    d2 = empty(x, (N, M))
    if d2.size:
        across = ceil_div(M, WIDE)
        grid = ceil_div(N, WIDE) * across
        source.launch("som_distances_v3", grid, BLOCK, x, w, d2, N, M, D, across)
    return d2


@source.implements("som", "winners", version=1, idea="one thread a sample")
def winners_v1(x, w):
    x, w = contiguous(x), contiguous(w)
    (N, D), M = x.shape, w.shape[0]
    index, d2 = _winner_arrays(x)
    if N:
        source.launch("som_winners_v1", ceil_div(N, BLOCK), BLOCK, x, w, index, d2, N, M, D)
    return index, d2


@source.implements("som", "winners", version=2, idea="tiles, arg-min fused: no d2 array")
def winners_v2(x, w):
    x, w = contiguous(x), contiguous(w)
    (N, D), M = x.shape, w.shape[0]
    index, d2 = _winner_arrays(x)
    if N:
        source.launch("som_winners_v2", ceil_div(N, TILE), BLOCK, x, w, index, d2, N, M, D)
    return index, d2


@source.implements(
    "som", "winners", version=3, idea="4 x 4 pairs a thread, copies ahead", dtypes=("float32",)
)
def winners_v3(x, w):
    x, w = contiguous(x), contiguous(w)
    (N, D), M = x.shape, w.shape[0]
    keys = _keys(x)
    if N:
        grid, tiles = _shares(N, M)
        source.launch("som_winners_v3", grid, BLOCK, x, w, keys, N, M, D, tiles)
    return _unpacked(x, keys)


def _centred(rows, centre, padded):
    """rows - centre as tensor cores take it, and the squares of its norms."""
    count, D = rows.shape
    moved, squares = empty(rows, (count, padded)), empty(rows, (count,))
    grid = ceil_div(count, BLOCK // 32)
    source.launch("som_centre_v4", grid, BLOCK, rows, centre, moved, squares, count, D, padded)
    return moved, squares


def _bounds(squares_x, squares_w, D):
    """How far above the least score of a sample the score of its nearest node may lie.

    With a = |x - centre|, b the longest |w - centre|: rounding both factors to 11 bits moves a
    score by 2^-10 * 2 a b at most; sums in float32, those of the direct distances too, by
    eps (D + 8) (a + b)^2, doubled for tensor cores, which cut where others round. Twice the sum,
    since two scores are compared. `tiny` is for products that underflow.
    """
    single = np.finfo(np.float32)
    xp = xp_of(squares_x)
    with np.errstate(over="ignore", invalid="ignore"):  # inf and NaN admit every node
        a, b = xp.sqrt(squares_x), xp.sqrt(squares_w.max())
        sums = 2 * float(single.eps) * (D + 8) * (a + b) ** 2
        return 2 * (sums + 1.02 * 2.0**-9 * a * b + 8 * (D + 8) * float(single.tiny))


def _worth_screening(x, w):
    """Is there a tile of each, and does a node of one sample fit the word in which pairs wait?"""
    return x.shape[1] >= 32 and 32 <= w.shape[0] < 2**31 // WIDE and x.shape[0] > 0


@source.implements(
    "som",
    "winners",
    version=4,
    idea="tensor cores screen, near ties settled by differences",
    dtypes=("float32",),
    supports=_worth_screening,
)
def winners_v4(x, w):
    return _screened(4, x, w)


@source.implements(
    "som",
    "winners",
    version=5,
    idea="near ties wait until they fill the block",
    dtypes=("float32",),
    supports=_worth_screening,
)
def winners_v5(x, w):
    return _screened(5, x, w)


def _screened(version, x, w):
    x, w = contiguous(x), contiguous(w)
    (N, D), M = x.shape, w.shape[0]
    padded = ceil_div(D, CHUNK) * CHUNK
    with np.errstate(over="ignore", invalid="ignore"):
        centre = w.mean(axis=0)
    x_moved, squares_x = _centred(x, centre, padded)
    w_moved, squares_w = _centred(w, centre, padded)
    bounds = _bounds(squares_x, squares_w, D)
    keys = _keys(x)
    grid, tiles = _shares(N, M)
    arrays = (x, w, x_moved, w_moved, squares_w, bounds, keys)
    name = f"som_winners_v{version}"
    source.launch(name, grid, SCREEN, *arrays, N, M, D, padded, tiles)
    return _unpacked(x, keys)


@source.implements("som", "update", version=1, idea="one thread a weight")
def update_v1(w, x, winner, neighbourhood, rate, rule):
    w, x, K = contiguous(w), contiguous(x), contiguous(neighbourhood)
    winner = contiguous(winner.astype("int64", copy=False))
    (N, D), M = x.shape, w.shape[0]
    new = empty(w, w.shape)
    if new.size:
        numbers = (N, M, D, rate, int(rule == "difference"))
        grid = ceil_div(M * D, BLOCK)
        source.launch("som_update_v1", grid, BLOCK, w, x, winner, K, new, *numbers)
    if rule == "additive_normalised":
        _normalise(new)
    return new


@source.implements("som", "update", version=2, idea="tiles, the gather of K fused")
def update_v2(w, x, winner, neighbourhood, rate, rule):
    w, x, K = contiguous(w), contiguous(x), contiguous(neighbourhood)
    winner = contiguous(winner.astype("int64", copy=False))
    (N, D), M = x.shape, w.shape[0]
    new = empty(w, w.shape)
    if new.size:
        across = ceil_div(D, TILE)
        numbers = (N, M, D, rate, int(rule == "difference"), across)
        grid = ceil_div(M, TILE) * across
        source.launch("som_update_v2", grid, BLOCK, w, x, winner, K, new, *numbers)
    if rule == "additive_normalised":
        _normalise(new)
    return new


@source.implements(
    "som",
    "update",
    version=3,
    idea="sums per winner, then a matrix product",
    supports=lambda w, x, *rest: x.shape[0] >= w.shape[0],
)
def update_v3(w, x, winner, neighbourhood, rate, rule):
    w, x = contiguous(w), contiguous(x)
    (N, D), M = x.shape, w.shape[0]
    if not w.size:
        return w.copy()
    xp = xp_of(w)
    centre = w.mean(axis=0) if rule == "difference" else zeros(w, (D,))
    # one stable sort on either array module: the places break the ties
    order = (winner.astype("int64") * N + xp.arange(N)).argsort()
    sums, counts = empty(w, (M, D)), empty(w, (M,))
    arrays = (x, centre, order, contiguous(winner.astype("int64")[order]), sums, counts)
    source.launch("som_update_v3", M, BLOCK, *arrays, N, D)
    step = neighbourhood.T @ sums
    if rule == "difference":
        step -= (neighbourhood.T @ counts)[:, None] * (w - centre)
    new = contiguous(w + rate * step)
    if rule == "additive_normalised":
        _normalise(new)
    return new


@source.implements("som", "online", version=1, idea="one block, a thread owns its nodes")
def online_v1(w, x, table, schedule, rates, rule):
    new, x, table = contiguous(w).copy(), contiguous(x), contiguous(table)
    schedule, rates = contiguous(schedule.astype("int64", copy=False)), contiguous(rates)
    (N, D), M = x.shape, w.shape[0]
    index, d2 = _winner_arrays(x)
    if N:
        options = (int(rule == "difference"), int(rule == "additive_normalised"))
        arrays = (new, x, table, schedule, rates, index, d2)
        source.launch("som_online_v1", 1, BLOCK, *arrays, N, M, D, *options)
    return new, index, d2


def _own_nodes(w):
    """Nodes per block: a warp each, or more where that would be too many blocks to meet.

    All blocks must be running for any to get on: one per multiprocessor always is.
    """
    blocks = min(MEETING, multiprocessors(w.device.id)) if is_cupy(w) else MEETING
    return max(BLOCK // 32, ceil_div(w.shape[0], blocks))


def _fits_on_chip(w, *rest):
    """Does each block's share fit into its shared memory, and is the map worth a meeting?"""
    M, D = w.shape
    return M * D >= 4096 and _own_nodes(w) * D * 4 <= SHARED_LIMIT


@source.implements(
    "som",
    "online",
    version=2,
    idea="the map stays in shared memory, blocks meet once a sample",
    dtypes=("float32",),
    supports=_fits_on_chip,
)
def online_v2(w, x, table, schedule, rates, rule):
    new, x, table = contiguous(w).copy(), contiguous(x), contiguous(table)
    schedule, rates = contiguous(schedule.astype("int64", copy=False)), contiguous(rates)
    (N, D), M = x.shape, w.shape[0]
    keys = _keys(x)
    if N:
        nodes = _own_nodes(w)
        arrays = (new, x, table, schedule, rates, keys, zeros(w, (1,), "uint32"))
        numbers = (N, M, D, nodes, int(rule == "difference"), int(rule == "additive_normalised"))
        source.launch(
            "som_online_v2",
            ceil_div(M, nodes),
            BLOCK,
            *arrays,
            *numbers,
            shared=nodes * D * 4,
            cooperative=True,
        )
    index, d2 = _unpacked(x, keys)
    return new, index, d2
