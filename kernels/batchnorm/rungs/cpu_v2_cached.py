"""Batch normalisation on the CPU, version 2: a channel stays in the cache till its last use.

Version 1 adds number to number in one long chain in float64, so that each addition waits for the
one before and no vector instruction helps; and where channels have one place (L = 1), neighbours in
memory belong to different channels, so that it brings a whole line of the cache for each number.

Where channels have places (L > 1) each is N runs of L neighbours, and threads share out channels.
Vectors (L = 1) have the channels as neighbours: threads share out blocks of rows, once for each of
the steps sum, sum of squares, result. Sums are taken over PIECE numbers of a run, in lanes, or over
ROWS rows, and their totals add up in float64: the order depends on the shape alone.

    glassgrad bench batchnorm      both versions, next to each other
"""

import numpy as np

from ...compiled import njit
from ...elementary import vectorised
from ...registry import register
from ...threads import in_parts, parts_for

IDEA = "a channel at a time, in the cache"
PIECE = 1024  # numbers of a run added in single precision
ROWS = 64  # rows of a column likewise
SUM = {"contract", "reassoc"}  # sums in lanes: another order than one by one, but always the same


@njit(fastmath=SUM, error_model="numpy")
def _piece(a):
    total = a.dtype.type(0)
    for i in range(a.size):
        total += a[i]
    return total


@njit(fastmath=SUM, error_model="numpy")
def _piece_squared(a, mean):
    total = a.dtype.type(0)
    for i in range(a.size):
        total += (a[i] - mean) * (a[i] - mean)
    return total


@njit(fastmath=SUM, error_model="numpy")
def _piece_product(g, a, mean):
    total = a.dtype.type(0)
    for i in range(min(g.size, a.size)):
        total += g[i] * (a[i] - mean)
    return total


@vectorised
def _scale(a, mean, factor, shift, out):
    for i in range(min(a.size, out.size)):
        out[i] = (a[i] - mean) * factor + shift


@vectorised
def _gradient(g, a, mean, factor, mean_g, slope, out):
    for i in range(min(g.size, a.size, out.size)):
        out[i] = factor * (g[i] - mean_g - (a[i] - mean) * slope)


@njit(nogil=True, error_model="numpy")
def _forward_runs(x, gamma, beta, eps, y, mean, variance, parts, part):
    N, C, L = x.shape
    real = x.dtype.type
    for c in range(part * C // parts, (part + 1) * C // parts):
        total = 0.0
        for n in range(N):
            for i in range(0, L, PIECE):
                total += _piece(x[n, c, i : i + PIECE])
        mu = real(total / (N * L))
        total = 0.0
        for n in range(N):
            for i in range(0, L, PIECE):
                total += _piece_squared(x[n, c, i : i + PIECE], mu)
        mean[c], variance[c] = mu, real(total / (N * L))
        factor = gamma[c] / np.sqrt(variance[c] + eps)
        for n in range(N):
            _scale(x[n, c], mu, factor, beta[c], y[n, c])


@njit(nogil=True, error_model="numpy")
def _backward_runs(g, x, gamma, mean, variance, eps, gx, ggamma, gbeta, parts, part):
    N, C, L = x.shape
    real = x.dtype.type
    for c in range(part * C // parts, (part + 1) * C // parts):
        sum_g, sum_gx = 0.0, 0.0
        for n in range(N):
            for i in range(0, L, PIECE):
                some = slice(i, i + PIECE)
                sum_g += _piece(g[n, c, some])
                sum_gx += _piece_product(g[n, c, some], x[n, c, some], mean[c])
        over = real(1) / np.sqrt(variance[c] + eps)
        gbeta[c], ggamma[c] = sum_g, sum_gx * over
        mean_g = real(sum_g / (N * L))
        slope = real(sum_gx / (N * L)) * over * over  # x^ times the mean of g x^
        for n in range(N):
            _gradient(g[n, c], x[n, c], mean[c], gamma[c] * over, mean_g, slope, gx[n, c])


@vectorised
def _add_row(a, total):
    for c in range(min(a.size, total.size)):
        total[c] += a[c]


@vectorised
def _add_row_squared(a, mean, total):
    for c in range(min(a.size, mean.size, total.size)):
        total[c] += (a[c] - mean[c]) * (a[c] - mean[c])


@vectorised
def _add_row_product(g, a, mean, total):
    for c in range(min(g.size, a.size, mean.size, total.size)):
        total[c] += g[c] * (a[c] - mean[c])


@vectorised
def _scale_row(a, mean, factor, shift, out):
    for c in range(min(a.size, mean.size, factor.size, shift.size, out.size)):
        out[c] = (a[c] - mean[c]) * factor[c] + shift[c]


@vectorised
def _gradient_row(g, a, mean, factor, mean_g, slope, out):
    for c in range(min(g.size, a.size, mean.size, out.size)):
        out[c] = factor[c] * (g[c] - mean_g[c] - (a[c] - mean[c]) * slope[c])


@njit
def _rows(N, parts, part):
    """The rows of a part: whole blocks of ROWS."""
    blocks = (N + ROWS - 1) // ROWS
    return part * blocks // parts * ROWS, min((part + 1) * blocks // parts * ROWS, N)


@njit(nogil=True)
def _sum_rows(x, sums, parts, part):
    """sums[b] = the sum of block b of rows; `sums` comes as zeros, here and below."""
    for n in range(*_rows(len(x), parts, part)):
        _add_row(x[n], sums[n // ROWS])


@njit(nogil=True)
def _square_rows(x, mean, sums, parts, part):
    for n in range(*_rows(len(x), parts, part)):
        _add_row_squared(x[n], mean, sums[n // ROWS])


@njit(nogil=True)
def _product_rows(g, x, mean, sums_g, sums_gx, parts, part):
    for n in range(*_rows(len(x), parts, part)):
        _add_row(g[n], sums_g[n // ROWS])
        _add_row_product(g[n], x[n], mean, sums_gx[n // ROWS])


@njit(nogil=True)
def _scale_rows(x, mean, factor, shift, y, parts, part):
    for n in range(*_rows(len(x), parts, part)):
        _scale_row(x[n], mean, factor, shift, y[n])


@njit(nogil=True)
def _gradient_rows(g, x, mean, factor, mean_g, slope, gx, parts, part):
    for n in range(*_rows(len(x), parts, part)):
        _gradient_row(g[n], x[n], mean, factor, mean_g, slope, gx[n])


def _partial_sums(x):
    """How many parts the rows are shared out in; two sums of every column for each ROWS rows."""
    blocks = -(-len(x) // ROWS)
    return parts_for(x.size, blocks), np.zeros((2, blocks, x.shape[1]), x.dtype)


def _forward_vectors(x, gamma, beta, eps, y):
    N, real = len(x), x.dtype.type
    parts, sums = _partial_sums(x)
    in_parts(_sum_rows, parts, x, sums[0], parts)
    mean = (sums[0].sum(axis=0, dtype=np.float64) / N).astype(real)
    in_parts(_square_rows, parts, x, mean, sums[1], parts)
    variance = (sums[1].sum(axis=0, dtype=np.float64) / N).astype(real)
    factor = gamma / np.sqrt(variance + eps)
    in_parts(_scale_rows, parts, x, mean, factor, beta, y, parts)
    return mean, variance


def _backward_vectors(g, x, gamma, mean, variance, eps, gx):
    N, real = len(x), x.dtype.type
    parts, sums = _partial_sums(x)
    in_parts(_product_rows, parts, g, x, mean, *sums, parts)
    sum_g, sum_gx = sums.sum(axis=1, dtype=np.float64)
    over = real(1) / np.sqrt(variance + eps)
    slope = (sum_gx / N).astype(real) * over * over
    others = gamma * over, (sum_g / N).astype(real), slope
    in_parts(_gradient_rows, parts, g, x, mean, *others, gx, parts)
    return (sum_gx * over).astype(real), sum_g.astype(real)


@register("batchnorm", "forward", backend="numba", version=2, idea=IDEA)
def forward(x, gamma, beta, eps):
    """y, mean, variance of every channel (see `batchnorm.forward`)."""
    x, gamma, beta = (np.ascontiguousarray(a) for a in (x, gamma, beta))
    (N, C, L), eps, y = x.shape, x.dtype.type(eps), np.empty(x.shape, x.dtype)
    if L == 1 and C:
        return y, *_forward_vectors(x.reshape(N, C), gamma, beta, eps, y.reshape(N, C))
    mean, variance = np.empty(C, x.dtype), np.empty(C, x.dtype)
    if C:
        parts = parts_for(x.size, C)
        in_parts(_forward_runs, parts, x, gamma, beta, eps, y, mean, variance, parts)
    return y, mean, variance


@register("batchnorm", "backward", backend="numba", version=2, idea=IDEA)
def backward(g, x, gamma, mean, variance, eps):
    """gx, ggamma, gbeta of every channel (see `batchnorm.backward`)."""
    g, x, *vectors = (np.ascontiguousarray(a) for a in (g, x, gamma, mean, variance))
    (N, C, L), eps, gx = x.shape, x.dtype.type(eps), np.empty(x.shape, x.dtype)
    if L == 1 and C:
        rows = g.reshape(N, C), x.reshape(N, C)
        return gx, *_backward_vectors(*rows, *vectors, eps, gx.reshape(N, C))
    ggamma, gbeta = np.empty(C, x.dtype), np.empty(C, x.dtype)
    if C:
        parts = parts_for(x.size, C)
        in_parts(_backward_runs, parts, g, x, *vectors, eps, gx, ggamma, gbeta, parts)
    return gx, ggamma, gbeta
