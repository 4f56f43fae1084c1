"""Version 3: a matrix product whose large factor is never written down.

**What version 2 wastes.** Its vectors hold pixels: rows cut them short, the pixels between rows are
computed and thrown away (two of thirty in a 28 x 28 image), and a tap starts anywhere in a cache
line, so that most loads touch two of them. ``glassgrad bench conv2d.forward`` shows both versions.

Unfolding copies each patch of KH KW C numbers into a row of a matrix; a product with the weights
[KH KW C, O] is then the convolution. But that matrix holds every pixel KH KW times. With channels
side by side, a row of taps of one patch is one stretch of KW C numbers that lies there already, and
the tile of microkernel.py takes the rows of its left factor from anywhere, in several stretches:

    forward       y[pixel, o]  =  sum over u of  x[pixel + u, (v c)] * w[u, (v c), o]
    weight_grad   gw[(u v c), o]  =  sum over rows i of pixels  x[(i j) + (u v c)]^T * gy[(i j), o]

Only a band of one image is turned to channels-together at a time; it stays in the cache. For a
stride of 1, input_grad is forward over gy with the kernel turned around, its channels exchanged and
K - 1 - P zeros around. Sixteen lanes hold output channels, so C may be 1 or 3 as in a first layer,
but a few *outputs* would leave lanes empty: those are left to version 2 (cpu_v2_shifted.py).
"""

from typing import NamedTuple

import numpy as np

from ...compiled import njit
from ...registry import register
from ...threads import in_parts
from ...windows import output_sizes
from .channels import (
    aligned_empty,
    block_lanes,
    give_band,
    plan,
    product,
    scratch,
    table,
    take_band,
    up,
)
from .microkernel import ROWS, Factors, transpose

PIXELS = 400  # outputs of a band, about: their sums for 32 channels lie in the cache, 50 KB
ROOM = 64 << 10  # numbers of a band of x, at most
ITEMS = 8  # pieces of work, at least: for two cores, and then for a few more
GW_CHANNELS = 128  # output channels of a piece of the weight gradient


class Bands(NamedTuple):
    """How the rows of an output are cut into bands; sizes as on the page of the family."""

    N: int
    C: int
    H: int
    W: int
    O: int
    OH: int
    OW: int
    SH: int
    SW: int
    PH: int
    height: int  # rows of taps: (KH - 1) DH + 1
    width: int  # pixels of a padded row
    rows: int  # of the output, in a band
    bands: int

    @classmethod
    def cut(cls, x_shape, w_shape, OH, OW, stride, padding, dilation):
        """The bands of a convolution: as many rows in each as its room holds."""
        N, C, H, W = x_shape
        O = w_shape[0]
        width, height = W + 2 * padding[1], (w_shape[2] - 1) * dilation[0] + 1
        rows = min(max(1, PIXELS // OW), max(1, ROOM // (width * C * stride[0])))
        bands = max(-(-OH // rows), min(OH, -(-ITEMS // max(1, N))))
        rows = -(-OH // bands)
        sizes = N, C, H, W, O, OH, OW, *stride, padding[0], height, width
        return cls(*sizes, rows, -(-OH // rows))

    @property
    def band(self):
        """Numbers of the padded band of x."""
        return ((self.rows - 1) * self.SH + self.height) * self.width * self.C

    def pixels(self, padding):
        """Where the pixels of x go in a band, all rows of the image."""
        return table(self.H, self.W, self.width * self.C, self.C, padding[1] * self.C)


class BandPlaces(NamedTuple):
    """Where things lie, as tables of places: planes and pixels of x and of y, rows and runs."""

    x_planes: np.ndarray
    y_planes: np.ndarray
    x_pixels: np.ndarray  # in the band
    y_pixels: np.ndarray
    rows: np.ndarray  # of the left factor of the product, in the band
    runs: np.ndarray
    K: int  # numbers of a run (weight_grad: rows of the product)


class BandRoom(NamedTuple):
    """Scratch memory: a band of x and one of y, a row for each thread."""

    X: np.ndarray
    Y: np.ndarray


@njit
def _take(x, n, row, rows, g, at, X):
    """The pixels under `rows` rows of output of image n, channels side by side, into X."""
    low = max(0, row * g.SH - g.PH)
    high = min(g.H, (row + rows - 1) * g.SH - g.PH + g.height)
    top, start = (g.PH - row * g.SH) * g.width * g.C, n * g.C * g.H * g.W
    zeros = ((rows - 1) * g.SH + g.height) * g.width * g.C
    first, last = low * g.W, max(low, high) * g.W
    take_band(x, start, g.C, at.x_planes, at.x_pixels, first, last, X, top, zeros)


@njit
def _band(x, w, y, g, at, item, X, Y):
    """One band of one image: in, through the product 32 output channels at a time, and out."""
    n, row = item // g.bands, item % g.bands * g.rows
    rows = min(g.rows, g.OH - row)
    _take(x, n, row, rows, g, at, X)
    count, total = rows * g.OW, at.K * len(at.runs)
    for o in range(0, g.O, 32):
        lanes = block_lanes(o, g.O)
        p = Factors(0, count, at.K, total * o, lanes, 0, 32, 0)
        product(X, at.rows, at.runs, 1, w, 32, Y, p)
        start = (n * g.O * g.OH + row) * g.OW
        give_band(Y, 0, at.y_pixels, count, y, start, at.y_planes, o, lanes, g.O)


@njit(nogil=True)
def _convolve(x, w, y, g, at, room, part):
    """This part's share of the bands of all images."""
    parts, items = len(room.X), g.N * g.bands
    for item in range(items * part // parts, items * (part + 1) // parts):
        _band(x, w, y, g, at, item, room.X[part], room.Y[part])


@njit
def _pack(w, pieces, piece, size, O, lane_at, place, total, packed):
    """packed [block of 32, (u v c), lane] from stretches of w; see the packings below."""
    for o in range(0, O, 16):
        for p in range(pieces):
            start = o // 32 * 32 * total + o % 32 + p * 32
            for k in range(0, size, 16):
                some, count = min(16, O - o), min(16, size - k)
                transpose(w, p * piece + k, lane_at, o, some, packed, start, place, k, count)


@plan
def _plan(x_shape, O, kernel, stride, padding, dilation, OH, OW):
    """The bands, and the BandPlaces of the product."""
    (_, C, H, W), (KH, KW), (DH, DW) = x_shape, kernel, dilation
    g = Bands.cut(x_shape, (O, C, KH, KW), OH, OW, stride, padding, dilation)
    step = g.width * C
    if DW == 1:  # a row of taps is one stretch
        runs, K = np.arange(KH) * (DH * step), KW * C
    else:
        runs, K = table(KH, KW, DH * step, DW * C), C
    channels = np.arange(max(C, O))
    planes = channels * (H * W), channels * (OH * OW)
    pixels = g.pixels(padding), np.arange(g.rows * OW) * 32
    patch_at = table(g.rows, OW, stride[0] * step, stride[1] * C)
    patch_at = np.append(patch_at, np.full(ROWS, patch_at[-1]))  # the last tile reads whole rows
    return g, BandPlaces(*planes, *pixels, patch_at, runs, K)


def _over(x, w, O, packing, kernel, stride, padding, dilation, OH, OW):
    """y [N,O,OH,OW] from x [N,C,H,W] and w, which `packing` brings into the order (u v c), o."""
    N, C = x.shape[:2]
    y = aligned_empty((N, O, OH, OW))
    if not N:
        return y
    g, at = _plan(x.shape, O, kernel, stride, padding, dilation, OH, OW)
    total = C * kernel[0] * kernel[1]
    [[packed]] = scratch(total * up(O, 32), rows=1)
    _pack(w.reshape(-1), *packing, total, packed)
    room = BandRoom(*scratch(g.band, up(g.rows * OW, ROWS) * 32))
    in_parts(_convolve, len(room.X), x.reshape(-1), packed, y.reshape(-1), g, at, room)
    return y


def _by_taps(C, taps):
    """Where number (c, tap) of a kernel lies in the order (tap, c), in rows of 32."""
    return table(C, taps, 32, C * 32)


@plan
def _forward_packing(O, C, taps):
    """w is one piece of (c u v) for each o."""
    return 1, 0, C * taps, O, np.arange(O) * (C * taps), _by_taps(C, taps)


@plan
def _turned_packing(O, C, taps):
    """w is O pieces of (u v) for each c, which is what comes out; taps in reverse."""
    return O, C * taps, taps, C, np.arange(C) * taps, np.arange(taps)[::-1] * (O * 32)


# Where version 2 is the faster one (input_grad of one channel by a factor of three): few output
# channels, or fewer pixels than a tile has rows. Measured on one core.
def _fills(lanes, height, width):
    """Whether most lanes hold an output channel, and most rows of a tile of sums a pixel."""
    return lanes >= 12 and height * width >= 16


def _supports_forward(x, w, stride, padding, dilation, groups):
    size = output_sizes(x.shape[2:], w.shape[2:], stride, padding, dilation)
    return groups == 1 and _fills(w.shape[0], *size)


@register(
    *("conv2d", "forward"),
    backend="numba",
    version=3,
    idea="a product over channels side by side, nothing unfolded",
    dtypes=("float32",),
    supports=_supports_forward,
)
def forward_v3(x, w, stride, padding, dilation, groups):
    """y [N,O,OH,OW] from x [N,C,H,W] and w [O,C,KH,KW]."""
    x, w, (O, C, KH, KW) = np.ascontiguousarray(x), np.ascontiguousarray(w), w.shape
    size = output_sizes(x.shape[2:], (KH, KW), stride, padding, dilation)
    packing = _forward_packing(O, C, KH * KW)
    return _over(x, w, O, packing, (KH, KW), stride, padding, dilation, *size)


def _supports_input_grad(gy, w, x_shape, stride, padding, dilation, groups):
    around = ((k - 1) * d - p for k, d, p in zip(w.shape[2:], dilation, padding))
    turns = groups == 1 and stride == (1, 1) and min(around) >= 0
    return turns and _fills(w.shape[1], *x_shape[2:])


@register(
    *("conv2d", "input_grad"),
    backend="numba",
    version=3,
    idea="forward over gy, the kernel turned around",
    dtypes=("float32",),
    supports=_supports_input_grad,
)
def input_grad_v3(gy, w, x_shape, stride, padding, dilation, groups):
    """gx [N,C,H,W] from gy [N,O,OH,OW] and w [O,C,KH,KW], for a stride of 1."""
    gy, w, (O, C, KH, KW) = np.ascontiguousarray(gy), np.ascontiguousarray(w), w.shape
    packing = _turned_packing(O, C, KH * KW)
    around = tuple((k - 1) * d - p for k, d, p in zip((KH, KW), dilation, padding))
    return _over(gy, w, C, packing, (KH, KW), (1, 1), around, dilation, *x_shape[2:])


@njit(nogil=True)
def _correlate(x, gy, g, pieces, at, room, sums, part):
    """sums [o chunk and piece, block of 32, (u v c), lane]: each in the order of the images."""
    parts, items, blocks = len(room.X), len(sums), g.N * g.bands
    for item in range(items * part // parts, items * (part + 1) // parts):
        chunk, piece = item // pieces * GW_CHANNELS, item % pieces
        first = blocks * piece // pieces
        for block in range(first, blocks * (piece + 1) // pieces):
            keep = 1 if block > first else 0
            _meet(x, gy, chunk, g, at, block, room.X[part], room.Y[part], sums[item], keep)


@njit
def _meet(x, gy, chunk, g, at, block, X, Y, sums, keep):
    """Adds what one band brings to a chunk of output channels: taps by pixels by channels."""
    n, row = block // g.bands, block % g.bands * g.rows
    rows = min(g.rows, g.OH - row)
    _take(x, n, row, rows, g, at, X)
    for o in range(chunk, min(chunk + GW_CHANNELS, g.O), 32):
        lanes, start = block_lanes(o, g.O), ((n * g.O + o) * g.OH + row) * g.OW
        some, count, out = min(32, g.O - o), rows * g.OW, (o - chunk) * len(at.rows)
        take_band(gy, start, some, at.y_planes, at.y_pixels, 0, count, Y, 0, 0)
        p = Factors(0, at.K, g.OW, 0, lanes, out, 32, keep)
        product(X, at.rows, at.runs[:rows], g.SW * g.C, Y, 32, sums, p)


@njit
def _unpack(sums, pieces, O, K, Kp, places, o_at, gw):
    """gw [o, c, u, v]: the pieces summed one after another, turned back."""
    for chunk in range(0, O, GW_CHANNELS):
        total = sums[chunk // GW_CHANNELS * pieces]
        for piece in range(1, pieces):
            more = sums[chunk // GW_CHANNELS * pieces + piece]
            for i in range(len(total)):
                total[i] += more[i]
        for o in range(chunk, min(O, chunk + GW_CHANNELS), 16):
            start = (o - chunk) // 32 * 32 * Kp + o % 32
            for k in range(0, K, 16):
                some, count = min(16, O - o), min(16, K - k)
                transpose(total, start, places, k, count, gw, k, o_at, o, some)


def _supports_weight_grad(gy, x, w_shape, stride, padding, dilation, groups):
    return groups == 1 and _fills(w_shape[0], *gy.shape[2:])


@plan
def _weight_plan(x_shape, w_shape, OH, OW, stride, padding, dilation):
    """The bands, how many pieces, the BandPlaces of the product; and the way back into gw."""
    (_, C, H, W), (O, _, KH, KW) = x_shape, w_shape
    g, K = Bands.cut(x_shape, w_shape, OH, OW, stride, padding, dilation), C * KH * KW
    pieces = min(g.N * g.bands, -(-ITEMS // -(-O // GW_CHANNELS)))
    taps = table(KH, KW, dilation[0] * g.width * C, dilation[1] * C)
    tap_at = (taps[:, None] + np.arange(C)).ravel()
    tap_at = np.append(tap_at, np.full(up(K, ROWS) - K, tap_at[-1]))
    runs = np.arange(g.rows) * (stride[0] * g.width * C)
    channels = np.arange(max(C, O))
    planes = channels * (H * W), channels * (OH * OW)
    pixels = g.pixels(padding), np.arange(g.rows * OW) * 32
    back = K, len(tap_at), channels * K, _by_taps(C, KH * KW)
    return g, pieces, BandPlaces(*planes, *pixels, tap_at, runs, K), back


@register(
    *("conv2d", "weight_grad"),
    backend="numba",
    version=3,
    idea="pixels summed in a product of taps by channels",
    dtypes=("float32",),
    supports=_supports_weight_grad,
)
def weight_grad_v3(gy, x, w_shape, stride, padding, dilation, groups):
    """gw [O,C,KH,KW] from gy [N,O,OH,OW] and x [N,C,H,W]: pieces of the images, then added up."""
    gy, x, (O, *_) = np.ascontiguousarray(gy), np.ascontiguousarray(x), w_shape
    gw = np.zeros(w_shape, np.float32)
    if not len(x):
        return gw
    g, pieces, at, (K, Kp, o_at, back) = _weight_plan(
        x.shape, w_shape, *gy.shape[2:], stride, padding, dilation
    )
    room = BandRoom(*scratch(g.band, g.rows * g.OW * 32))
    [sums] = scratch(Kp * min(GW_CHANNELS, up(O, 32)), rows=-(-O // GW_CHANNELS) * pieces)
    in_parts(_correlate, len(room.X), x.reshape(-1), gy.reshape(-1), g, pieces, at, room, sums)
    _unpack(sums, pieces, O, K, Kp, back, o_at, gw.reshape(-1))
    return gw
