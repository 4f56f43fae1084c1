"""Winograd's convolution, compiled: blocks of tiles through transform, product, transform.

What is computed is on the page of winograd.py. One block of tiles is brought through all steps
while it lies in the cache of one core:

    turn a band of x    V = B^T d B        M = V U              Y = A^T M A     turn back
    [pixel, c]          [place, tile, c]   [place, tile, o]     [pixel, o]      [o, pixel]

The middle step is the product of microkernel.py, one for each of the 16 or 36 places of a tile, for
32 output channels at a time so that their M stays in the cache too. Vectors hold sixteen channels
everywhere, so no step minds how wide the image is.

`tile` is (0,) * m: its length tells the compiler the size m of the tiles, so that each size is
compiled by itself, when it is first used.
"""

from typing import NamedTuple

import numpy as np

from ..compiled import njit
from .channels import block_lanes, give_band, product, take_band, up
from .microkernel import LANES, ROWS, make_transform, transpose

CHUNK = 64  # output channels of a block of the weight gradient
PIECES = 4  # pieces of work of the weight gradient, at least: each sums its own images
LONG = 1 << 20  # the same for the weight gradient, whose sums run over the tiles of a block
ROOM = 400 << 10  # bytes for the transformed inputs of a block of tiles: half of a core's cache

# A^T, G, B^T for the points 0, 1, -1, infinity and 0, 1, -1, 2, -2, infinity
OUTPUT = {
    2: ((1, 1, 1, 0), (0, 1, -1, -1)),
    4: ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1)),
}
WEIGHT = {
    2: ((1, 0, 0), (1 / 2, 1 / 2, 1 / 2), (1 / 2, -1 / 2, 1 / 2), (0, 0, 1)),
    4: (
        (1 / 4, 0, 0),
        (-1 / 6, -1 / 6, -1 / 6),
        (-1 / 6, 1 / 6, -1 / 6),
        (1 / 24, 1 / 12, 1 / 6),
        (1 / 24, -1 / 12, 1 / 6),
        (0, 0, 1),
    ),
}
INPUT = {
    2: ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
    4: (
        (4, 0, -5, 0, 1, 0),
        (0, -4, -4, 1, 1, 0),
        (0, 4, -4, -1, 1, 0),
        (0, -2, -1, 2, 1, 0),
        (0, 2, -1, -2, 1, 0),
        (0, 4, 0, -5, 0, 1),
    ),
}


def _turned(matrices):
    return {m: tuple(zip(*matrix)) for m, matrix in matrices.items()}


to_input, to_weight, to_output = (make_transform(t) for t in (INPUT, WEIGHT, OUTPUT))
from_weight, from_output = (make_transform(_turned(t)) for t in (WEIGHT, OUTPUT))


class Tiles(NamedTuple):
    """How an output of OH x OW is cut into tiles of m x m, and tiles into blocks.

    A block is `images` whole images, or one band of `rows` rows of tiles of one image.
    """

    N: int
    C: int  # channels that are summed over
    H: int
    W: int
    PH: int
    OH: int
    OW: int
    TH: int  # rows of tiles of an image
    TW: int
    images: int
    rows: int
    bands: int
    blocks: int
    most: int  # tiles of a block, at most
    width: int  # pixels of a row of the padded band

    @classmethod
    def cut(cls, m, x_shape, padding, OH, OW, room=ROOM):
        N, C, H, W = x_shape
        TH, TW = -(-OH // m), -(-OW // m)
        most = max(1, room // ((m + 2) ** 2 * up(C, LANES) * 4))
        if most >= TH * TW:
            images, bands = max(1, min(most // (TH * TW), -(-N // 2))), 1
        else:
            images, bands = 1, -(-TH // max(1, most // TW))
        rows = -(-TH // bands)
        bands = -(-TH // rows)
        blocks = -(-N // images) * bands
        most = up(images * rows * TW, ROWS)
        sizes = N, C, H, W, padding[0], OH, OW, TH, TW
        return cls(*sizes, images, rows, bands, blocks, most, m * TW + 2)


@njit
def _block(item, g):
    """First image and the one after the last, first row of tiles, rows."""
    n, row = item // g.bands * g.images, item % g.bands * g.rows
    return n, min(n + g.images, g.N), row, min(g.rows, g.TH - row)


@njit
def place_step(most, C):
    """Numbers from one place of V to the next; not a power of two, or cache lines would collide."""
    return most * ((C + 15) // 16 * 16) + 16


@njit
def lanes_of(O):
    """Output channels of a block of the weight gradient, and what fills the last vector."""
    return (min(CHUNK, O) + 15) // 16 * 16


@njit(nogil=True)
def weights(tile, w, K, O, k_step, o_at, taps, nine, U, parts, part):
    """U [block of 32, place, k, lane]: transpose nine taps for 16 o, transform; for each k."""
    p, places = len(tile) + 2, (len(tile) + 2) ** 2
    blocks = (O + 15) // 16
    for item in range(part * blocks // parts, (part + 1) * blocks // parts):
        o, k0 = item * 16, item // 2 * 32
        lanes = block_lanes(k0, O)
        for k in range(K):
            transpose(w, k * k_step, o_at, o, min(16, O - o), nine, item * 160, taps, 0, 9)
            place = places * K * k0 + k * lanes + o - k0
            to_weight(tile, nine, item * 160, 48, 16, U, place, p * K * lanes, K * lanes)


@njit
def _tiles_of(tile, x, n, row, rows, g, planes, pixels, X, V, t, packed):
    """V [place, tile, c], or packed [place, block of 32, tile, lane], from tile number t on."""
    m, p = len(tile), len(tile) + 2
    Cp, step = (g.C + 15) // 16 * 16, place_step(g.most, g.C)
    low, high = max(0, m * row - g.PH), min(g.H, m * (row + rows) + 2 - g.PH)
    top = (g.PH - m * row) * g.width * Cp
    zeros = (m * rows + 2) * g.width * Cp
    start = n * g.C * g.H * g.W
    take_band(x, start, g.C, planes, pixels, low * g.W, high * g.W, X, top, zeros)
    for i in range(rows):
        for j in range(g.TW):
            d = (m * i * g.width + m * j) * Cp
            for c in range(0, g.C, 16):
                at = t * Cp + c
                if packed:
                    at = c // 32 * 32 * g.most + t * block_lanes(c // 32 * 32, g.C) + c % 32
                to_input(tile, X, d + c, g.width * Cp, Cp, V, at, p * step, step)
            t += 1


@njit
def _convolve_block(tile, x, U, y, O, g, item, planes, pixels, rows_at, run, X, V, M, Y):
    m, p, places = len(tile), len(tile) + 2, (len(tile) + 2) ** 2
    n0, n1, row, rows = _block(item, g)
    tiles, step, m_step = rows * g.TW, place_step(g.most, g.C), place_step(g.most, 32)
    for n in range(n0, n1):
        t = (n - n0) * tiles
        _tiles_of(tile, x, n, row, rows, g, planes[0], pixels[0], X, V, t, False)
    height = min(g.OH, m * (row + rows)) - m * row
    for o in range(0, O, 32):
        lanes = block_lanes(o, O)
        for place in range(places):
            b = places * g.C * o + place * g.C * lanes
            count, at = (n1 - n0) * tiles, place * step
            out = place * m_step
            product(V, at, rows_at, count, run, g.C, 1, U, b, lanes, lanes, M, out, lanes, 0)
        t = 0
        for n in range(n0, n1):
            for i in range(rows):
                for j in range(g.TW):
                    for lane in range(0, lanes, 16):
                        at = (m * i * m * g.TW + m * j) * 32 + lane
                        to_output(
                            tile, M, t * lanes + lane, p * m_step, m_step, Y, at, m * g.TW * 32, 32
                        )
                    t += 1
            start = (n * O * g.OH + m * row) * g.OW
            give_band(Y, 0, pixels[1], height * g.OW, y, start, planes[1], o, lanes, O)


@njit(nogil=True)
def convolve(tile, x, U, y, O, g, planes, pixels, rows_at, run, X, V, M, Y, part):
    parts = len(X)
    for item in range(g.blocks * part // parts, g.blocks * (part + 1) // parts):
        _convolve_block(
            tile,
            *(x, U, y, O, g, item, planes, pixels, rows_at, run),
            *(X[part], V[part], M[part], Y[part]),
        )


@njit
def _correlate_block(
    tile, x, gy, O, o, g, item, planes, pixels, rows_at, run, X, V, M, Y, sums, keep
):
    """sums [place, o of this block, c] += M [place, tile, o] times V [place, tile, c]."""
    m, p, places = len(tile), len(tile) + 2, (len(tile) + 2) ** 2
    n0, n1, row, rows = _block(item, g)
    few, Cp, lanes = min(CHUNK, O - o), (g.C + 15) // 16 * 16, lanes_of(O)
    step, m_step, t = place_step(g.most, g.C), place_step(g.most, lanes), 0
    low, high = m * row * g.OW, min(g.OH, m * (row + rows)) * g.OW
    for n in range(n0, n1):
        _tiles_of(tile, x, n, row, rows, g, planes[0], pixels[0], X, V, t, True)
        start, wide = (n * O + o) * g.OH * g.OW, m * g.TW * lanes
        top = -m * row * wide
        take_band(gy, start, few, planes[1], pixels[1], low, high, Y, top, m * rows * wide)
        for i in range(rows):
            for j in range(g.TW):
                for lane in range(0, few, 16):
                    d = m * i * wide + m * j * lanes + lane
                    at = t * lanes + lane
                    from_output(tile, Y, d, wide, lanes, M, at, p * m_step, m_step)
                t += 1
    for place in range(places):
        for c in range(0, g.C, 32):
            a, b = place * m_step, place * step + c * g.most
            out, some = place * place_step(lanes, g.C) + c, block_lanes(c, g.C)
            product(M, a, rows_at, few, run, t, lanes, V, b, some, some, sums, out, Cp, keep)


@njit(nogil=True)
def correlate(tile, x, gy, O, g, pieces, planes, pixels, rows_at, run, X, V, M, Y, sums, part):
    """sums [block of o and piece of the images]: each sum in the order of the images."""
    parts, items = len(X), len(sums)
    for item in range(items * part // parts, items * (part + 1) // parts):
        o, piece = item // pieces * CHUNK, item % pieces
        first = g.blocks * piece // pieces
        for block in range(first, g.blocks * (piece + 1) // pieces):
            _correlate_block(
                tile,
                *(x, gy, O, o, g, block, planes, pixels, rows_at, run),
                *(X[part], V[part], M[part], Y[part], sums[item], block > first),
            )


@njit(nogil=True)
def finish(tile, sums, O, C, pieces, taps, nines, gw, parts, part):
    """gw = G^T (sum of the pieces) G."""
    p, places = len(tile) + 2, (len(tile) + 2) ** 2
    for o in range(part * O // parts, (part + 1) * O // parts):
        lanes, Cp = lanes_of(O), (C + 15) // 16 * 16
        total, nine = np.empty(places * 16, np.float32), np.empty(9 * 16, np.float32)
        for c in range(0, C, 16):
            for place in range(places):
                at = place * place_step(lanes, C) + o % CHUNK * Cp + c
                for lane in range(16):
                    total[place * 16 + lane] = sums[o // CHUNK * pieces, at + lane]
                for piece in range(1, pieces):
                    for lane in range(16):
                        total[place * 16 + lane] += sums[o // CHUNK * pieces + piece, at + lane]
            from_weight(tile, total, 0, p * 16, 16, nine, 0, 48, 16)
            start, some = (o * C + c) * 9, min(16, C - c)
            transpose(nine, 0, taps, 0, 9, gw, start, nines, 0, some)
