"""Channels side by side: the layout in which a vector holds sixteen channels of one pixel.

x arrives as [N,C,H,W]: one channel's pixels lie together. The fast convolutions work on one band of
an image at a time, turned to [pixel, channel] with the zeros of the padding in place, small enough
to stay in the cache of its core; results are turned back on the way out. Then every tap of a kernel
is a constant distance, no vector is ever cut by the edge of an image, whatever its width, and the
channels of a row of taps lie in one stretch of memory.

Scratch memory is taken once for each call, one stretch for each thread, at multiples of a cache
line, so that no vector straddles two.
"""

import functools
import math

import numpy as np
from numba import get_num_threads

from ...compiled import njit
from .microkernel import LANES, ROWS, make_multiply, transpose

_wide, _narrow = make_multiply(2), make_multiply(1)
FEW = 4  # channels: fewer fill less than a quarter of a vector, and are faster moved one by one


# Decorates functions of shapes alone, whose results (mostly tables of places) are kept for the next
# call: for a small image they take longer to make than the convolution itself.
plan = functools.lru_cache(maxsize=64)


def up(n: int, step: int) -> int:
    """n, or the next multiple of `step` above it."""
    return -(-n // step) * step


def aligned_empty(shape):
    """np.empty, but starting on a cache line: a store that straddles two costs twice as much."""
    size = math.prod(shape)
    flat = np.empty(size + LANES, np.float32)
    start = -(flat.__array_interface__["data"][0] // 4) % LANES
    return flat[start : start + size].reshape(shape)


def scratch(*sizes: int, rows: int | None = None):
    """One flat float32 array for each size, [rows, size]; by default a row for each thread.

    All start on a cache line, and all are zero: tiles are whole, so that numbers nobody has written
    are multiplied too. Their results are thrown away, but where old memory happens to hold
    subnormal numbers, each product takes the processor a hundred times as long.
    """
    rows = get_num_threads() if rows is None else rows
    sizes = [up(size, LANES) + LANES for size in sizes]
    flat, start, parts = aligned_empty((rows * sum(sizes),)), 0, []
    flat[:] = 0
    for size in sizes:
        parts.append(flat[start : start + rows * size].reshape(rows, size))
        start += rows * size
    return parts


def table(rows, columns, row_step, column_step, start=0):
    """Where the pixels of an image lie: start + row_step * i + column_step * j, flat."""
    i, j = np.ogrid[:rows, :columns]
    return (start + row_step * i + column_step * j).ravel()


@njit
def product(a, rows, runs, step, b, b_row, out, p):
    """out = a b, where the Factors `p` say: tile after tile of microkernel.py.

    `step` lies between two numbers of a row of a, `b_row` between two rows of b.
    Tiles are whole: up to ROWS - 1 rows more are read (of `rows` too) and written.
    """
    for r in range(0, p.count, ROWS):
        if p.lanes == 32:
            _wide(a, rows, r, runs, step, b, b_row, out, p.out + r * p.out_row, p)
        else:
            _narrow(a, rows, r, runs, step, b, b_row, out, p.out + r * p.out_row, p)


@njit
def block_lanes(o0, O):
    """Lanes of the block of output channels that starts at o0: 32, or 16 where that is enough."""
    return 32 if O - o0 > 16 else 16


@njit
def take_band(x, start, channels, planes, pixels, low, high, out, out_start, first):
    """Pixels low..high of `channels` planes of x (at start + planes[c]), channels side by side.

    Pixel q goes to out_start + pixels[q]; `first` numbers to be set to zero before.
    """
    out[:first] = 0
    if channels < FEW:
        for c in range(channels):
            for q in range(low, high):
                out[out_start + pixels[q] + c] = x[start + planes[c] + q]
        return
    for q in range(low, high, 16):  # squares of 16 pixels by 16 channels, cut at the edges
        count = min(16, high - q)
        for c in range(0, channels, 16):
            some = min(16, channels - c)
            transpose(x, start + q, planes, c, some, out, out_start + c, pixels, q, count)


@njit
def give_band(band, start, pixels, count, y, y_start, planes, o0, lanes, O):
    """`count` pixels of a block of channels (pixel q at start + pixels[q]) into planes of y."""
    for o in range(o0, min(o0 + lanes, O), 16):
        some = min(16, O - o)
        for q in range(0, count, 16):
            rows = min(16, count - q)
            transpose(band, start + o - o0, pixels, q, rows, y, y_start + q, planes, o, some)
