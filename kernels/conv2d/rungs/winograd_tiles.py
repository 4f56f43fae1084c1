"""Winograd's convolution, compiled: blocks of tiles through transform, product, transform.

What is computed is on the page of cpu_v4_winograd.py. One block of tiles is brought through all
steps while it lies in the cache of one core:

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

from ...compiled import njit
from .channels import block_lanes, give_band, product, take_band, up
from .microkernel import LANES, ROWS, Factors, make_transform, transpose

GW_CHANNELS = 64  # output channels of a block of the weight gradient
PIECES = 4  # pieces of work of the weight gradient, at least: each sums its own images
ROOM = 400 << 10  # bytes for the transformed inputs of a block of tiles: half of a core's cache
LONG = 1 << 20  # the same for the weight gradient, whose sums run over the tiles of a block

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
    O: int
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
    def cut(cls, m, x_shape, O, padding, OH, OW, room=ROOM):
        """Tiles of m x m results, as many in a block as `room` bytes hold."""
        N, C, H, W = x_shape
        TH, TW = -(-OH // m), -(-OW // m)
        most = max(1, room // ((m + 2) ** 2 * up(C, LANES) * 4))
        if most >= TH * TW:  # small images: several in a block, but work for two threads at least
            images, bands = max(1, min(most // (TH * TW), -(-N // 2))), 1
        else:
            images, bands = 1, -(-TH // max(1, most // TW))
        rows = -(-TH // bands)
        bands = -(-TH // rows)
        blocks = -(-N // images) * bands
        most = up(images * rows * TW, ROWS)
        sizes = N, C, O, H, W, padding[0], OH, OW, TH, TW
        return cls(*sizes, images, rows, bands, blocks, most, m * TW + 2)


class TilePlaces(NamedTuple):
    """Where things lie, as tables of places: planes and pixels of x and of y, rows of a product."""

    x_planes: np.ndarray
    y_planes: np.ndarray
    x_pixels: np.ndarray  # in the band
    y_pixels: np.ndarray
    rows: np.ndarray  # of V, or of M in the weight gradient
    run: np.ndarray  # one zero: a row of the left factor is one stretch


class TapPlaces(NamedTuple):
    """Where number (k, o, tap) of w lies: k * k_step + o_at[o] + tap; taps in reverse or not."""

    K: int
    O: int
    k_step: int
    o_at: np.ndarray
    order: np.ndarray  # of the taps, 16 apart


class TileRoom(NamedTuple):
    """Scratch memory of one block: a band of x, V, M, a band of y (see above)."""

    X: np.ndarray
    V: np.ndarray
    M: np.ndarray
    Y: np.ndarray


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
    return (min(GW_CHANNELS, O) + 15) // 16 * 16


@njit(nogil=True)
def weights(tile, w, taps, nine, U, parts, part):
    """U [block of 32, place, k, lane]: for each k and 16 o, transpose their nine taps, transform.

    `nine` is scratch memory: the nine taps of 16 output channels for each block of 16.
    """
    p, places = len(tile) + 2, (len(tile) + 2) ** 2
    blocks = (taps.O + 15) // 16
    for item in range(part * blocks // parts, (part + 1) * blocks // parts):
        o, o0 = item * 16, item // 2 * 32  # o0: where its block of 32 begins
        lanes, mine = block_lanes(o0, taps.O), item * 160  # mine: a part of `nine`
        for k in range(taps.K):
            some = min(16, taps.O - o)
            transpose(w, k * taps.k_step, taps.o_at, o, some, nine, mine, taps.order, 0, 9)
            place, step = places * taps.K * o0 + k * lanes + o - o0, taps.K * lanes
            to_weight(tile, nine, mine, 48, 16, U, place, p * step, step)


@njit
def _tiles_of(tile, x, g, at, room, n, row, rows, t, packed):
    """V [place, tile, c], or packed [place, block of 32, tile, lane], from tile number t on."""
    m, p = len(tile), len(tile) + 2
    Cp, step = (g.C + 15) // 16 * 16, place_step(g.most, g.C)
    # the band: the pixels under `rows` rows of tiles of image n, with zeros around
    low, high = max(0, m * row - g.PH), min(g.H, m * (row + rows) + 2 - g.PH)
    top, start = (g.PH - m * row) * g.width * Cp, n * g.C * g.H * g.W
    zeros = (m * rows + 2) * g.width * Cp
    first, last = low * g.W, high * g.W
    take_band(x, start, g.C, at.x_planes, at.x_pixels, first, last, room.X, top, zeros)
    for i in range(rows):
        for j in range(g.TW):  # tiles are m pixels apart and overlap by two
            d = (m * i * g.width + m * j) * Cp
            for c in range(0, g.C, 16):
                to = t * Cp + c
                if packed:
                    to = c // 32 * 32 * g.most + t * block_lanes(c // 32 * 32, g.C) + c % 32
                to_input(tile, room.X, d + c, g.width * Cp, Cp, room.V, to, p * step, step)
            t += 1


@njit
def _convolve_block(tile, x, U, y, g, at, room, item):
    """One block of tiles through all steps; see the drawing above."""
    m, p, places = len(tile), len(tile) + 2, (len(tile) + 2) ** 2
    n0, n1, row, rows = _block(item, g)
    tiles, step, m_step = rows * g.TW, place_step(g.most, g.C), place_step(g.most, 32)
    count, width = (n1 - n0) * tiles, m * g.TW * 32  # width: of a row of the band of y
    for n in range(n0, n1):
        _tiles_of(tile, x, g, at, room, n, row, rows, (n - n0) * tiles, False)
    height = min(g.OH, m * (row + rows)) - m * row
    for o in range(0, g.O, 32):
        lanes = block_lanes(o, g.O)
        for place in range(places):  # M = V U: a product of its own at each place of a tile
            b = places * g.C * o + place * g.C * lanes
            a, out = place * step, place * m_step
            how = Factors(a, count, g.C, b, lanes, out, lanes, 0)
            product(room.V, at.rows, at.run, 1, U, lanes, room.M, how)
        t = 0
        for n in range(n0, n1):
            for i in range(rows):
                for j in range(g.TW):
                    for lane in range(0, lanes, 16):
                        a, to = t * lanes + lane, (m * i * m * g.TW + m * j) * 32 + lane
                        to_output(tile, room.M, a, p * m_step, m_step, room.Y, to, width, 32)
                    t += 1
            start, some = (n * g.O * g.OH + m * row) * g.OW, height * g.OW
            give_band(room.Y, 0, at.y_pixels, some, y, start, at.y_planes, o, lanes, g.O)


@njit(nogil=True)
def convolve(tile, x, U, y, g, at, room, part):
    """This part's share of the blocks; `room` has a row for each part."""
    parts = len(room.X)
    mine = TileRoom(room.X[part], room.V[part], room.M[part], room.Y[part])
    for item in range(g.blocks * part // parts, g.blocks * (part + 1) // parts):
        _convolve_block(tile, x, U, y, g, at, mine, item)


@njit
def _correlate_block(tile, x, gy, o, g, at, room, item, sums, keep):
    """sums [place, o of this block, c] += M [place, tile, o] times V [place, tile, c]."""
    m, p, places = len(tile), len(tile) + 2, (len(tile) + 2) ** 2
    n0, n1, row, rows = _block(item, g)
    few, Cp, lanes = min(GW_CHANNELS, g.O - o), (g.C + 15) // 16 * 16, lanes_of(g.O)
    step, m_step, t = place_step(g.most, g.C), place_step(g.most, lanes), 0
    wide = m * g.TW * lanes  # a row of the band of gy
    low, high = m * row * g.OW, min(g.OH, m * (row + rows)) * g.OW
    for n in range(n0, n1):
        _tiles_of(tile, x, g, at, room, n, row, rows, t, True)
        start, top, zeros = (n * g.O + o) * g.OH * g.OW, -m * row * wide, m * rows * wide
        take_band(gy, start, few, at.y_planes, at.y_pixels, low, high, room.Y, top, zeros)
        for i in range(rows):
            for j in range(g.TW):
                for lane in range(0, few, 16):
                    d, to = m * i * wide + m * j * lanes + lane, t * lanes + lane
                    from_output(tile, room.Y, d, wide, lanes, room.M, to, p * m_step, m_step)
                t += 1
    for place in range(places):
        for c in range(0, g.C, 32):  # the sum runs over the tiles: columns of M, lanes apart
            a, b, some = place * m_step, place * step + c * g.most, block_lanes(c, g.C)
            out = place * place_step(lanes, g.C) + c
            how = Factors(a, few, t, b, some, out, Cp, keep)
            product(room.M, at.rows, at.run, lanes, room.V, some, sums, how)


@njit(nogil=True)
def correlate(tile, x, gy, g, pieces, at, room, sums, part):
    """sums [block of o and piece of the images]: each sum in the order of the images."""
    parts, items = len(room.X), len(sums)
    mine = TileRoom(room.X[part], room.V[part], room.M[part], room.Y[part])
    for item in range(items * part // parts, items * (part + 1) // parts):
        o, piece = item // pieces * GW_CHANNELS, item % pieces
        first = g.blocks * piece // pieces
        for block in range(first, g.blocks * (piece + 1) // pieces):
            keep = 1 if block > first else 0
            _correlate_block(tile, x, gy, o, g, at, mine, block, sums[item], keep)


@njit(nogil=True)
def finish(tile, sums, O, C, pieces, taps, nines, gw, parts, part):
    """gw = G^T (sum of the pieces) G."""
    p, places = len(tile) + 2, (len(tile) + 2) ** 2
    for o in range(part * O // parts, (part + 1) * O // parts):
        lanes, Cp = lanes_of(O), (C + 15) // 16 * 16
        total, nine = np.empty(places * 16, np.float32), np.empty(9 * 16, np.float32)
        for c in range(0, C, 16):
            for place in range(places):  # the pieces, one after another
                first, at = place * 16, place * place_step(lanes, C) + o % GW_CHANNELS * Cp + c
                for lane in range(16):
                    total[first + lane] = sums[o // GW_CHANNELS * pieces, at + lane]
                for piece in range(1, pieces):
                    more = sums[o // GW_CHANNELS * pieces + piece]
                    for lane in range(16):
                        total[first + lane] += more[at + lane]
            from_weight(tile, total, 0, p * 16, 16, nine, 0, 48, 16)
            start, some = (o * C + c) * 9, min(16, C - c)
            transpose(nine, 0, taps, 0, 9, gw, start, nines, 0, some)
