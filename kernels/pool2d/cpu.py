"""Pooling on the CPU: window by window, one plane (n, c) per thread.

x is read once and the result written once; the running maximum or sum stays in a register. The
part of a window that lies inside the image is found before its loops, so that the padding costs no
test per pixel. Planes are independent and each is walked in reading order: the results do not
depend on the number of threads.
"""

import numpy as np
from numba import prange

from ..compiled import njit
from ..registry import register


@njit(parallel=True)
def _max_forward(x, y, index, KH, KW, SH, SW, PH, PW):
    M, H, W = x.shape
    _, OH, OW = y.shape
    for m in prange(M):
        plane = x[m].reshape(-1)
        for i in range(OH):
            r0, r1 = max(i * SH - PH, 0), min(i * SH - PH + KH, H)
            for j in range(OW):
                s0, s1 = max(j * SW - PW, 0), min(j * SW - PW + KW, W)
                at = r0 * W + s0
                best = plane[at]
                for r in range(r0, r1):
                    for p in range(r * W + s0, r * W + s1):
                        value = plane[p]
                        # no branch: random data would mispredict it. NaN <= best is false: it wins
                        wins = (not value <= best) & (best == best)
                        best = value if wins else best
                        at = p if wins else at
                y[m, i, j] = best
                index[m, i, j] = at


@njit(parallel=True)
def _scatter(gy, index, gx):
    for m in prange(gy.shape[0]):
        gx[m, :] = 0
        for q in range(gy.shape[1]):
            gx[m, index[m, q]] += gy[m, q]


@njit(parallel=True)
def _gather(x, index, y):
    for m in prange(y.shape[0]):
        for q in range(y.shape[1]):
            y[m, q] = x[m, index[m, q]]


@njit(parallel=True)
def _avg_forward(x, y, KH, KW, SH, SW, PH, PW):
    M, H, W = x.shape
    _, OH, OW = y.shape
    area = x.dtype.type(KH * KW)
    for m in prange(M):
        for i in range(OH):
            r0, r1 = max(i * SH - PH, 0), min(i * SH - PH + KH, H)
            for j in range(OW):
                s0, s1 = max(j * SW - PW, 0), min(j * SW - PW + KW, W)
                total = x.dtype.type(0)
                for r in range(r0, r1):
                    for s in range(s0, s1):
                        total += x[m, r, s]
                y[m, i, j] = total / area


@njit(parallel=True)
def _avg_backward(gy, gx, KH, KW, SH, SW, PH, PW):
    M, H, W = gx.shape
    _, OH, OW = gy.shape
    area = gy.dtype.type(KH * KW)
    for m in prange(M):
        gx[m] = 0
        for i in range(OH):
            r0, r1 = max(i * SH - PH, 0), min(i * SH - PH + KH, H)
            for j in range(OW):
                s0, s1 = max(j * SW - PW, 0), min(j * SW - PW + KW, W)
                share = gy[m, i, j] / area
                for r in range(r0, r1):
                    for s in range(s0, s1):
                        gx[m, r, s] += share


def _planes(a):
    """[N,C,H,W] as [N*C,H,W], contiguous."""
    N, C, H, W = a.shape
    return np.ascontiguousarray(a).reshape(N * C, H, W)


def _flat(a):
    """[N,C,H,W] as [N*C,H*W], contiguous."""
    N, C, H, W = a.shape
    return np.ascontiguousarray(a).reshape(N * C, H * W)


def _output_shape(x_shape, kernel, stride, padding):
    sizes = zip(x_shape[2:], kernel, stride, padding)
    return (*x_shape[:2], *((size + 2 * p - k) // s + 1 for size, k, s, p in sizes))


@register("pool2d", "max_forward", backend="numba", idea="running maximum, window by window")
def max_forward(x, kernel, stride, padding):
    y = np.empty(_output_shape(x.shape, kernel, stride, padding), x.dtype)
    index = np.empty(y.shape, np.int64)
    _max_forward(_planes(x), _planes(y), _planes(index), *kernel, *stride, *padding)
    return y, index


@register("pool2d", "max_backward", backend="numba", idea="add at the index, a plane per thread")
def max_backward(gy, index, x_shape):
    gx = np.empty(x_shape, gy.dtype)
    _scatter(_flat(gy), _flat(index), _flat(gx))
    return gx


@register("pool2d", "max_gather", backend="numba", idea="take at the index, a plane per thread")
def max_gather(x, index):
    y = np.empty(index.shape, x.dtype)
    _gather(_flat(x), _flat(index), _flat(y))
    return y


@register("pool2d", "avg_forward", backend="numba", idea="running sum, window by window")
def avg_forward(x, kernel, stride, padding):
    y = np.empty(_output_shape(x.shape, kernel, stride, padding), x.dtype)
    _avg_forward(_planes(x), _planes(y), *kernel, *stride, *padding)
    return y


@register("pool2d", "avg_backward", backend="numba", idea="add each share over its window")
def avg_backward(gy, x_shape, kernel, stride, padding):
    gx = np.empty(x_shape, gy.dtype)
    _avg_backward(_planes(gy), _planes(gx), *kernel, *stride, *padding)
    return gx
