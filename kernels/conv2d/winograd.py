"""Winograd's convolution: fewer multiplications for 3 x 3 kernels of stride 1.

**The idea, in one dimension.** Two neighbouring outputs of a kernel of three taps share two of
their inputs: y0 = d0 g0 + d1 g1 + d2 g2, y1 = d1 g0 + d2 g1 + d3 g2. That is 6 products, but 4 will
do, if sums of inputs meet sums of weights:

    m1 = (d0 - d2) g0             m2 = (d1 + d2) (g0 + g1 + g2)/2
    m4 = (d1 - d3) g2             m3 = (d2 - d1) (g0 - g1 + g2)/2
    y0 = m1 + m2 + m3             y1 = m2 - m3 - m4

It is a product of polynomials, taken at the points 0, 1, -1 and infinity. As matrices, and nested
for two dimensions, where m x m outputs come from a tile d of (m+2) x (m+2) inputs:

    Y = A^T [ (G g G^T) * (B^T d B^T^T) ] A            * number by number

F(2x2,3x3) takes 16 products for 4 outputs where the formula takes 36: 2.25 times fewer. F(4x4,3x3)
takes 36 for 16: 4 times fewer. **Summed over channels, the products at one of the 16 or 36
places of a tile are a matrix product** of its own, tiles x C by C x O, and all the work that is
left is those products; the transforms are done once per channel, not once per pair of channels.

**The gradients.** For x: gy goes through the same with the kernel turned around and its channels
exchanged. For w: everything read backwards, U = (A gy A^T) summed against (B^T d B) over tiles, and
gw = G^T U G once at the end.

**What it costs.** The sums of inputs grow before they cancel again, so rounding errors do too.
With standard normal x, w and C channels, measured against float64 (relative, in the L2 norm;
direct summation lies at 2e-7 to 4e-7):

    F(2x2,3x3)   at most 1e-6        F(4x4,3x3)   at most 5e-6           the bound that tests hold: 1e-5

F(2x2) has only the factors 1/2 and 1/4: with small integers it is exact. F(4x4) has thirds and is
not. Where x holds an infinity or a NaN, all outputs of its tiles may become NaN, not only those
whose windows see it: a tile is computed from differences.

Source: Winograd, "Arithmetic complexity of computations", 1980; Lavin and Gray, "Fast algorithms
for convolutional neural networks", 2016.
"""

import functools
from typing import NamedTuple

import numpy as np
from numba import prange

from ..compiled import njit
from .channels import block_lanes, give_band, output_size, product, scratch, take_band, up
from .microkernel import LANES, ROWS, make_transform, transpose

CHUNK = 128  # output channels of a block of the weight gradient
PARTS = 4  # pieces of work of the weight gradient, at least: each sums its own images
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


def _turned(matrix):
    return tuple(zip(*matrix))


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
    def cut(cls, m, x_shape, padding, OH, OW):
        N, C, H, W = x_shape
        TH, TW = -(-OH // m), -(-OW // m)
        most = max(1, ROOM // ((m + 2) ** 2 * up(C, LANES) * 4))
        if TH * TW <= most:
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


def _compile(m):
    """The compiled functions for tiles of m x m outputs: weights, convolve, correlate, finish."""
    p, places = m + 2, (m + 2) ** 2
    to_input, to_weight = make_transform(INPUT[m]), make_transform(WEIGHT[m])
    to_output = make_transform(OUTPUT[m])
    from_output, from_weight = make_transform(_turned(OUTPUT[m])), make_transform(_turned(WEIGHT[m]))

    @njit(parallel=True)
    def weights(w, K, O, k_step, o_at, taps, nine, U):
        """U [block of 32, place, k, lane]: transpose nine taps for 16 o, transform; for each k."""
        for item in prange((O + 15) // 16):
            o, k0 = item * 16, item // 2 * 32
            lanes = block_lanes(k0, O)
            for k in range(K):
                transpose(w, k * k_step, o_at, o, min(16, O - o), nine, item * 160, taps, 0, 9)
                place = places * K * k0 + k * lanes + o - k0
                to_weight(nine, item * 160, 48, 16, U, place, p * K * lanes, K * lanes)

    @njit
    def tiles_of(x, n, row, rows, g, planes, pixels, X, V, t, packed):
        """V [place, tile, c], or packed [place, block of 32, tile, lane], from tile number t on."""
        Cp, step = (g.C + 15) // 16 * 16, _step(g.most, g.C)
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
                    to_input(X, d + c, g.width * Cp, Cp, V, at, p * step, step)
                t += 1

    @njit
    def convolve_block(x, U, y, O, g, item, planes, pixels, rows_at, run, X, V, M, Y):
        n0, n1, row, rows = _block(item, g)
        tiles, step, m_step = rows * g.TW, _step(g.most, g.C), _step(g.most, 32)
        for n in range(n0, n1):
            t = (n - n0) * tiles
            tiles_of(x, n, row, rows, g, planes[0], pixels[0], X, V, t, False)
        height = min(g.OH, m * (row + rows)) - m * row
        for o in range(0, O, 32):
            lanes = block_lanes(o, O)
            for place in range(places):
                b = places * g.C * o + place * g.C * lanes
                count, at = (n1 - n0) * tiles, place * step
                product(V, at, rows_at, count, run, g.C, 1, U, b, lanes, M, place * m_step, lanes, 0)
            t = 0
            for n in range(n0, n1):
                for i in range(rows):
                    for j in range(g.TW):
                        for lane in range(0, lanes, 16):
                            at = (m * i * m * g.TW + m * j) * 32 + lane
                            to_output(
                                M, t * lanes + lane, p * m_step, m_step, Y, at, m * g.TW * 32, 32
                            )
                        t += 1
                start = (n * O * g.OH + m * row) * g.OW
                give_band(Y, 0, pixels[1], height * g.OW, y, start, planes[1], o, lanes, O)

    @njit(parallel=True)
    def convolve(x, U, y, O, g, planes, pixels, rows_at, run, X, V, M, Y):
        threads = len(X)
        for t in prange(threads):
            for item in range(g.blocks * t // threads, g.blocks * (t + 1) // threads):
                convolve_block(
                    x, U, y, O, g, item, planes, pixels, rows_at, run, X[t], V[t], M[t], Y[t]
                )

    @njit
    def correlate_block(x, gy, O, o, g, item, planes, pixels, rows_at, run, X, V, M, Y, sums, keep):
        """sums [place, o of this block, c] += M [place, tile, o] times V [place, tile, c]."""
        n0, n1, row, rows = _block(item, g)
        few, Cp, lanes = min(CHUNK, O - o), (g.C + 15) // 16 * 16, _lanes(O)
        step, m_step, t = _step(g.most, g.C), _step(g.most, lanes), 0
        low, high = m * row * g.OW, min(g.OH, m * (row + rows)) * g.OW
        for n in range(n0, n1):
            tiles_of(x, n, row, rows, g, planes[0], pixels[0], X, V, t, True)
            start, wide = (n * O + o) * g.OH * g.OW, m * g.TW * lanes
            top = -m * row * wide
            take_band(gy, start, few, planes[1], pixels[1], low, high, Y, top, m * rows * wide)
            for i in range(rows):
                for j in range(g.TW):
                    for lane in range(0, few, 16):
                        d = m * i * wide + m * j * lanes + lane
                        at = t * lanes + lane
                        from_output(Y, d, wide, lanes, M, at, p * m_step, m_step)
                    t += 1
        for place in range(places):
            for c in range(0, g.C, 32):
                a, b = place * m_step, place * step + c * g.most
                out, some = place * _step(lanes, g.C) + c, block_lanes(c, g.C)
                product(M, a, rows_at, few, run, t, lanes, V, b, some, sums, out, Cp, keep)

    @njit(parallel=True)
    def correlate(x, gy, O, g, parts, planes, pixels, rows_at, run, X, V, M, Y, sums):
        """sums [block of o and part of the images]: each sum in the order of the images."""
        threads, items = len(X), len(sums)
        for t in prange(threads):
            for item in range(items * t // threads, items * (t + 1) // threads):
                o, part = item // parts * CHUNK, item % parts
                first = g.blocks * part // parts
                for block in range(first, g.blocks * (part + 1) // parts):
                    correlate_block(
                        *(x, gy, O, o, g, block, planes, pixels, rows_at, run),
                        *(X[t], V[t], M[t], Y[t], sums[item], block > first),
                    )

    @njit(parallel=True)
    def finish(sums, O, C, parts, taps, nines, gw):
        """gw = G^T (sum of the parts) G."""
        for o in prange(O):
            lanes, Cp = _lanes(O), (C + 15) // 16 * 16
            total, nine = np.empty(places * 16, np.float32), np.empty(9 * 16, np.float32)
            for c in range(0, C, 16):
                for place in range(places):
                    at = place * _step(lanes, C) + o % CHUNK * Cp + c
                    for lane in range(16):
                        total[place * 16 + lane] = sums[o // CHUNK * parts, at + lane]
                    for part in range(1, parts):
                        for lane in range(16):
                            total[place * 16 + lane] += sums[o // CHUNK * parts + part, at + lane]
                from_weight(total, 0, p * 16, 16, nine, 0, 48, 16)
                start, some = (o * C + c) * 9, min(16, C - c)
                transpose(nine, 0, taps, 0, 9, gw, start, nines, 0, some)

    return weights, convolve, correlate, finish


def _step(most, C):
    """Numbers from one place of V to the next; not a power of two, or cache lines would collide."""
    return most * ((C + 15) // 16 * 16) + 16


def _lanes(O):
    """Output channels of a block of the weight gradient, and what fills the last vector."""
    return (min(CHUNK, O) + 15) // 16 * 16


_step, _lanes = njit(_step), njit(_lanes)


@functools.cache
def _compiled(m):
    return _compile(m)


def _table(rows, columns, row_step, column_step, start=0):
    """Where the pixels of an image lie: start + row_step * i + column_step * j, flat."""
    i, j = np.ogrid[:rows, :columns]
    return (start + row_step * i + column_step * j).ravel()


def _convolve(m, x, w, w_steps, O, taps, padding, OH, OW):
    """y [N,O,OH,OW] from x [N,C,H,W]; w at k * w_steps[0] + o * w_steps[1] + tap."""
    weights, convolve, _, _ = _compiled(m)
    N, C, H, W = x.shape
    y = np.empty((N, O, OH, OW), np.float32)
    if not N:
        return y
    g, places, Cp = Tiles.cut(m, x.shape, padding, OH, OW), (m + 2) ** 2, up(C, LANES)
    channels = np.arange(max(C, O))
    [U], [nine] = scratch(places * C * up(O, LANES), threads=1)[0], scratch(-(-O // 16) * 160, threads=1)[0]
    weights(w.reshape(-1), C, O, w_steps[0], channels * w_steps[1], taps * 16, nine, U)
    planes = channels * (H * W), channels * (OH * OW)
    pixels = (
        _table(H, W, g.width * Cp, Cp, padding[1] * Cp),
        _table(m * g.rows, OW, m * g.TW * 32, 32),
    )
    parts = scratch(
        (m * g.rows + 2) * g.width * Cp,
        places * _step(g.most, C),
        places * _step(g.most, 32),
        m * g.rows * m * g.TW * 32,
    )
    rows_at, run = np.arange(g.most) * Cp, np.zeros(1, np.int64)
    convolve(x.reshape(-1), U, y.reshape(-1), O, g, planes, pixels, rows_at, run, *parts)
    return y


TAPS = np.arange(9)


def forward_by(m, x, w, padding):
    """The forward pass with tiles of m x m."""
    x, w, (O, C, _, _) = np.ascontiguousarray(x), np.ascontiguousarray(w), w.shape
    size = output_size(x.shape[2:], (3, 3), (1, 1), padding, (1, 1))
    return _convolve(m, x, w, (9, C * 9), O, TAPS, padding, *size)


def input_grad_by(m, gy, w, x_shape, padding):
    """The gradient for x: gy through the kernel turned around, inputs and outputs exchanged."""
    gy, w, (O, C, _, _) = np.ascontiguousarray(gy), np.ascontiguousarray(w), w.shape
    padding = tuple(2 - p for p in padding)
    return _convolve(m, gy, w, (C * 9, 9), C, TAPS[::-1], padding, *x_shape[2:])


def weight_grad_by(m, gy, x, w_shape, padding):
    """The gradient for w."""
    gy, x, (O, C, _, _) = np.ascontiguousarray(gy), np.ascontiguousarray(x), w_shape
    (_, _, H, W), (OH, OW) = x.shape, gy.shape[2:]
    gw = np.zeros(w_shape, np.float32)
    if not len(x):
        return gw
    _, _, correlate, finish = _compiled(m)
    g, places, Cp = Tiles.cut(m, x.shape, padding, OH, OW), (m + 2) ** 2, up(C, LANES)
    lanes, blocks = _lanes(O), -(-O // CHUNK)
    parts = min(g.blocks, -(-PARTS // blocks))
    channels = np.arange(up(max(C, O), LANES))
    planes = channels * (H * W), channels * (OH * OW)
    pixels = (
        _table(H, W, g.width * Cp, Cp, padding[1] * Cp),
        _table(OH, OW, m * g.TW * lanes, lanes),
    )
    room = scratch(
        (m * g.rows + 2) * g.width * Cp,
        places * _step(g.most, C),
        places * _step(g.most, lanes),
        m * g.rows * m * g.TW * lanes,
    )
    [sums] = scratch(places * _step(lanes, C), threads=blocks * parts)
    run = np.zeros(1, np.int64)
    correlate(
        *(x.reshape(-1), gy.reshape(-1), O, g, parts),
        *(planes, pixels, channels, run, *room, sums),
    )
    finish(sums, O, C, parts, channels * 16, channels * 9, gw.reshape(-1))
    return gw
