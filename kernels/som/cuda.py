"""Self-organising maps on the GPU: the launch geometry of `cuda.cu` and of the rungs it includes.

The kernels and why they are as they are: `cuda.cu` (v1) and `rungs/cuda_v*.cuh`.
"""

from typing import NamedTuple

import numpy as np

from ..arrays import is_cupy, multiprocessors, xp_of
from ..launcher import Source, ceil_div, contiguous, empty, zeros

source = Source(__file__)

# as in cuda.cu and rungs/
BLOCK = 256  # threads
TILE = {2: 16, 3: 64}  # samples and nodes of a block's pairs
WIDE = TILE[3]
CHUNK = 16  # features in shared memory at a time, from v3 on
SCREEN = 128  # threads of v4 and v5 of winners
NOBODY = np.uint64(2**64 - 1)

FILLED = 264  # blocks that keep a large GPU busy: two for each of 132 multiprocessors
MEETING = 64  # blocks that meet for each sample, at most: more of them wait longer for each other
SHARED_LIMIT = 96 * 1024  # bytes a block


class Sizes(NamedTuple):
    """`struct Sizes` of cuda.cu."""

    N: int
    M: int
    D: int


def _sizes(x, w):
    return Sizes(x.shape[0], w.shape[0], x.shape[1])


def _tiles(version, rows, columns):
    """Blocks that cover so many rows and columns."""
    return ceil_div(rows, TILE[version]) * ceil_div(columns, TILE[version])


# ---- Distances


def _distances(version, x, w):
    x, w = contiguous(x), contiguous(w)
    size = _sizes(x, w)
    d2 = empty(x, (size.N, size.M))
    if d2.size:
        grid = ceil_div(d2.size, BLOCK) if version == 1 else _tiles(version, *d2.shape)
        source.launch(f"som_distances_v{version}", grid, BLOCK, x, w, d2, size)
    return d2


# ---- Winners: v1 and v2 write them; from v3 on blocks meet in words, unpacked at the end


def _winner_arrays(x):
    return empty(x, (x.shape[0],), "int64"), empty(x, (x.shape[0],))


def _keys(x):
    """A word per sample in which blocks meet: see rungs/word.cuh."""
    keys = empty(x, (x.shape[0],), "uint64")
    keys.fill(NOBODY)
    return keys


def _unpacked(x, keys):
    index, d2 = _winner_arrays(x)
    N = x.shape[0]
    if N:
        source.launch("som_unpack_v1", ceil_div(N, BLOCK), BLOCK, keys, index, d2, N)
    return index, d2


def _shares(size):
    """Grid over samples and nodes, and how many tiles of nodes each block takes."""
    down, across = ceil_div(size.N, WIDE), ceil_div(size.M, WIDE)
    tiles = ceil_div(across, min(across, ceil_div(FILLED, down)))
    return (down, ceil_div(across, tiles)), tiles


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


def _screen(version, x, w, keys, size):
    """v4 and v5: both centred by the mean of w, then the nodes screened."""
    padded = ceil_div(size.D, CHUNK) * CHUNK
    with np.errstate(over="ignore", invalid="ignore"):
        centre = w.mean(axis=0)
    x_moved, squares_x = _centred(x, centre, padded)
    w_moved, squares_w = _centred(w, centre, padded)
    bounds = _bounds(squares_x, squares_w, size.D)
    grid, tiles = _shares(size)
    arrays = x, w, x_moved, w_moved, squares_w, bounds, keys
    source.launch(f"som_winners_v{version}", grid, SCREEN, *arrays, size, padded, tiles)


def _winners(version, x, w):
    x, w = contiguous(x), contiguous(w)
    size, name = _sizes(x, w), f"som_winners_v{version}"
    if version <= 2:
        index, d2 = _winner_arrays(x)
        if size.N:
            grid = ceil_div(size.N, BLOCK if version == 1 else TILE[version])
            source.launch(name, grid, BLOCK, x, w, index, d2, size)
        return index, d2
    keys = _keys(x)
    if version >= 4:
        _screen(version, x, w, keys, size)
    elif size.N:
        grid, tiles = _shares(size)
        source.launch(name, grid, BLOCK, x, w, keys, size, tiles)
    return _unpacked(x, keys)


def _worth_screening(x, w):
    """Is there a tile of each, and does a node of one sample fit the word in which pairs wait?"""
    return x.shape[1] >= 32 and 32 <= w.shape[0] < 2**31 // WIDE and x.shape[0] > 0


# ---- Update


def _per_winner(w, x, winner, neighbourhood, rate, rule):
    """v3: the sums of the samples of each winner, then a product with K^T."""
    if not w.size:
        return w.copy()
    (N, D), M, xp = x.shape, w.shape[0], xp_of(w)
    centre = w.mean(axis=0) if rule == "difference" else zeros(w, (D,))
    # one stable sort on either array module: the places break the ties
    order = (winner * N + xp.arange(N)).argsort()
    sums, counts = empty(w, (M, D)), empty(w, (M,))
    arrays = x, centre, order, contiguous(winner[order]), sums, counts
    source.launch("som_update_v3", M, BLOCK, *arrays, N, D)
    step = neighbourhood.T @ sums
    if rule == "difference":
        step -= (neighbourhood.T @ counts)[:, None] * (w - centre)
    return contiguous(w + rate * step)


def _every_sample(version, w, x, winner, neighbourhood, rate, rule):
    """v1 and v2: every sample pulls every node."""
    size, K, new = _sizes(x, w), contiguous(neighbourhood), empty(w, w.shape)
    if new.size:
        grid = ceil_div(new.size, BLOCK) if version == 1 else _tiles(version, *new.shape)
        arrays, difference = (w, x, winner, K, new), int(rule == "difference")
        source.launch(f"som_update_v{version}", grid, BLOCK, *arrays, size, rate, difference)
    return new


def _update(version, w, x, winner, neighbourhood, rate, rule):
    w, x, winner = contiguous(w), contiguous(x), _int64(winner)
    if version == 3:
        new = _per_winner(w, x, winner, neighbourhood, rate, rule)
    else:
        new = _every_sample(version, w, x, winner, neighbourhood, rate, rule)
    if rule == "additive_normalised" and new.size:
        M, D = new.shape
        source.launch("som_normalise_v1", ceil_div(M, BLOCK // 32), BLOCK, new, M, D)
    return new


def _int64(index):
    return contiguous(index.astype("int64", copy=False))


# ---- Online


def _online(version, w, x, table, schedule, rates, rule):
    new, x, table = contiguous(w).copy(), contiguous(x), contiguous(table)
    arrays, size = (new, x, table, _int64(schedule), contiguous(rates)), _sizes(x, w)
    options = int(rule == "difference"), int(rule == "additive_normalised")
    if version == 1:
        index, d2 = _winner_arrays(x)
        if size.N:
            source.launch("som_online_v1", 1, BLOCK, *arrays, index, d2, size, *options)
        return new, index, d2
    keys = _keys(x)
    if size.N:
        nodes, counter = _own_nodes(w), zeros(w, (1,), "uint32")
        grid, launched = ceil_div(size.M, nodes), (*arrays, keys, counter, size, nodes, *options)
        shared = nodes * size.D * 4
        source.launch("som_online_v2", grid, BLOCK, *launched, shared=shared, cooperative=True)
    return new, *_unpacked(x, keys)


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


# ---- All rungs

FLOAT = {"dtypes": ("float32",)}
SCREENED = FLOAT | {"supports": _worth_screening}
ON_CHIP = FLOAT | {"supports": _fits_on_chip}
SAMPLES = {"supports": lambda w, x, *rest: x.shape[0] >= w.shape[0]}

RUNGS = {
    ("distances", _distances): {
        1: {"idea": "one thread a pair"},
        2: {"idea": "tiles of 16 x 16 in shared memory"},
        3: {"idea": "4 x 4 pairs a thread, copies ahead", **FLOAT},
    },
    ("winners", _winners): {
        1: {"idea": "one thread a sample"},
        2: {"idea": "tiles, arg-min fused: no d2 array"},
        3: {"idea": "4 x 4 pairs a thread, copies ahead", **FLOAT},
        4: {"idea": "tensor cores screen, near ties settled by differences", **SCREENED},
        5: {"idea": "near ties wait until they fill the block", **SCREENED},
    },
    ("update", _update): {
        1: {"idea": "one thread a weight"},
        2: {"idea": "tiles, the gather of K fused"},
        3: {"idea": "sums per winner, then a matrix product", **SAMPLES},
    },
    ("online", _online): {
        1: {"idea": "one block, a thread owns its nodes"},
        2: {"idea": "the map stays in shared memory, blocks meet once a sample", **ON_CHIP},
    },
}

for (_pass, _function), _rungs in RUNGS.items():
    source.implements_each("som", _pass, _function, _rungs)
