"""Pooling on the CPU: the formula of each pass as plain loops, compiled (version 1).

m counts planes, the N*C images of one channel. Planes do not depend on each other, so each thread
gets a part of them. Each window is cut to the image first: its pixels in the padding then cost no
test. `_max_backward` and `_avg_backward` add where a window says, in reading order; that is the sum
of the page without a search for all windows over a pixel.

For `max_backward` and `max_gather` this is all there is: 8 bytes of index bring one number, and
memory is the limit. What the other passes waste, and the versions that do not:

    v2   every place of the window in turn, for thousands of windows   rungs/cpu_v2_flat_runs.py
    v2   of avg_backward: gy along one line, which is added to rows    rungs/cpu_v2_lines.py

The results do not depend on the number of threads.
"""

import numpy as np

from ..compiled import njit
from ..registry import register
from ..threads import in_parts, parts_for
from .geometry import Geometry
from .planes import flat, planes
from .rungs import cpu_v2_flat_runs, cpu_v2_lines  # noqa: F401  (they register themselves)


@njit
def _inside(first, taps, size):
    """The pixels first ... first + taps - 1 that the image has: the first one, and their end."""
    return max(first, 0), min(first + taps, size)


@njit(nogil=True)
def _max_forward(x, y, index, g, parts, part):
    """y[m,i,j] = largest x[m,r,s] of window (i,j), index[m,i,j] = r*W + s where it was found."""
    for m in range(part * len(x) // parts, (part + 1) * len(x) // parts):
        for i in range(g.OH):
            r0, r1 = _inside(i * g.SH - g.PH, g.KH, g.H)
            for j in range(g.OW):
                s0, s1 = _inside(j * g.SW - g.PW, g.KW, g.W)
                best, at = x[m, r0, s0], r0 * g.W + s0
                for r in range(r0, r1):
                    for s in range(s0, s1):
                        value = x[m, r, s]
                        # NaN <= best is false: it wins. best == best is false for a NaN: it stays.
                        if not value <= best and best == best:
                            best, at = value, r * g.W + s
                y[m, i, j], index[m, i, j] = best, at


@njit(nogil=True)
def _max_backward(gy, index, gx, parts, part):
    """gx[m,p] = sum of gy[m,q] over the outputs q with index[m,q] = p."""
    for m in range(part * len(gy) // parts, (part + 1) * len(gy) // parts):
        gx[m, :] = 0
        for q in range(gy.shape[1]):
            gx[m, index[m, q]] += gy[m, q]


@njit(nogil=True)
def _max_gather(x, index, y, parts, part):
    """y[m,q] = x[m,index[m,q]]."""
    for m in range(part * len(y) // parts, (part + 1) * len(y) // parts):
        for q in range(y.shape[1]):
            y[m, q] = x[m, index[m, q]]


@njit(nogil=True)
def _avg_forward(x, y, g, parts, part):
    """y[m,i,j] = sum of x[m,r,s] over window (i,j), divided by KH KW."""
    area = x.dtype.type(g.KH * g.KW)
    for m in range(part * len(x) // parts, (part + 1) * len(x) // parts):
        for i in range(g.OH):
            r0, r1 = _inside(i * g.SH - g.PH, g.KH, g.H)
            for j in range(g.OW):
                s0, s1 = _inside(j * g.SW - g.PW, g.KW, g.W)
                total = x.dtype.type(0)
                for r in range(r0, r1):
                    for s in range(s0, s1):
                        total += x[m, r, s]
                y[m, i, j] = total / area


@njit(nogil=True)
def _avg_backward(gy, gx, g, parts, part):
    """gx[m,r,s] += gy[m,i,j] / (KH KW) for every window (i,j) and each of its pixels (r,s)."""
    area = gy.dtype.type(g.KH * g.KW)
    for m in range(part * len(gx) // parts, (part + 1) * len(gx) // parts):
        gx[m, :, :] = 0
        for i in range(g.OH):
            r0, r1 = _inside(i * g.SH - g.PH, g.KH, g.H)
            for j in range(g.OW):
                s0, s1 = _inside(j * g.SW - g.PW, g.KW, g.W)
                share = gy[m, i, j] / area
                for r in range(r0, r1):
                    for s in range(s0, s1):
                        gx[m, r, s] += share


@register("pool2d", "max_forward", backend="numba", idea="the formula as loops over every window")
def max_forward_v1(x, *options):
    """y, index [N,C,OH,OW] from x [N,C,H,W]; planes on threads."""
    g = Geometry.of(x.shape, *options)
    y, index = np.empty(g.y_shape, x.dtype), np.empty(g.y_shape, np.int64)
    parts = parts_for(y.size, g.N * g.C)
    in_parts(_max_forward, parts, planes(x), planes(y), planes(index), g, parts)
    return y, index


@register("pool2d", "max_backward", backend="numba", idea="add at the index, a plane per thread")
def max_backward_v1(gy, index, x_shape):
    """gx of `x_shape` [N,C,H,W] from gy and index [N,C,OH,OW]; planes on threads."""
    gx = np.empty(x_shape, gy.dtype)
    at, parts = _unsigned(index), parts_for(gx.size, x_shape[0] * x_shape[1])
    in_parts(_max_backward, parts, flat(gy), at, flat(gx), parts)
    return gx


@register("pool2d", "max_gather", backend="numba", idea="take at the index, a plane per thread")
def max_gather_v1(x, index):
    """y [N,C,OH,OW] from x [N,C,H,W] and index; planes on threads."""
    y = np.empty(index.shape, x.dtype)
    at, parts = _unsigned(index), parts_for(y.size, x.shape[0] * x.shape[1])
    in_parts(_max_gather, parts, flat(x), at, flat(y), parts)
    return y


def _unsigned(index):
    """The index of each plane as uint64: compiled code then tests no index for being negative."""
    return flat(index).view(np.uint64)


@register("pool2d", "avg_forward", backend="numba", idea="the formula as loops over every window")
def avg_forward_v1(x, *options):
    """y [N,C,OH,OW] from x [N,C,H,W]; planes on threads."""
    g = Geometry.of(x.shape, *options)
    y = np.empty(g.y_shape, x.dtype)
    parts = parts_for(y.size, g.N * g.C)
    in_parts(_avg_forward, parts, planes(x), planes(y), g, parts)
    return y


@register("pool2d", "avg_backward", backend="numba", idea="add each share over its window")
def avg_backward_v1(gy, x_shape, *options):
    """gx of `x_shape` [N,C,H,W] from gy [N,C,OH,OW]; planes on threads."""
    g, gx = Geometry.of(x_shape, *options), np.empty(x_shape, gy.dtype)
    parts = parts_for(gx.size, g.N * g.C)
    in_parts(_avg_backward, parts, planes(gy), planes(gx), g, parts)
    return gx
