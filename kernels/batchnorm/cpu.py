"""Batch normalisation on the CPU: the formulas as plain loops, compiled (version 1).

Channels do not depend on each other, so each thread gets a part of them. n counts samples, l the
places of a channel; sums and means are float64, whatever the arrays hold.

What this wastes, and the version that does not: `rungs/cpu_v2_cached.py`.
"""

import numpy as np

from ..compiled import njit
from ..registry import register
from ..threads import in_parts, parts_for
from .rungs import cpu_v2_cached  # noqa: F401  (it registers itself)

LOOPS = "the formulas as plain loops"


@njit(nogil=True, error_model="numpy")  # division by zero gives infinity
def _forward(x, gamma, beta, eps, y, mean, variance, parts, part):
    N, C, L = x.shape
    for c in range(part * C // parts, (part + 1) * C // parts):
        total = 0.0
        for n in range(N):
            for l in range(L):
                total += x[n, c, l]
        mu = total / (N * L)
        total = 0.0  # of squares about the mean: mean of squares less square of mean would cancel
        for n in range(N):
            for l in range(L):
                total += (x[n, c, l] - mu) ** 2
        var = total / (N * L)
        for n in range(N):
            for l in range(L):
                hat = (x[n, c, l] - mu) / np.sqrt(var + eps)
                y[n, c, l] = gamma[c] * hat + beta[c]
        mean[c], variance[c] = mu, var


@njit(nogil=True, error_model="numpy")
def _backward(g, x, gamma, mean, variance, eps, gx, ggamma, gbeta, parts, part):
    N, C, L = x.shape
    for c in range(part * C // parts, (part + 1) * C // parts):
        root = np.sqrt(variance[c] + eps)
        sum_g = sum_gx = 0.0  # of g and of g x^: the gradients of beta and gamma
        for n in range(N):
            for l in range(L):
                hat = (x[n, c, l] - mean[c]) / root
                sum_g += g[n, c, l]
                sum_gx += g[n, c, l] * hat
        for n in range(N):
            for l in range(L):
                hat = (x[n, c, l] - mean[c]) / root
                left = g[n, c, l] - sum_g / (N * L) - hat * sum_gx / (N * L)
                gx[n, c, l] = gamma[c] / root * left
        gbeta[c], ggamma[c] = sum_g, sum_gx


@register("batchnorm", "forward", backend="numba", idea=LOOPS)
def forward(x, gamma, beta, eps):
    """y, mean, variance of every channel (see `batchnorm.forward`)."""
    x, gamma, beta = (np.ascontiguousarray(a) for a in (x, gamma, beta))
    C, parts = x.shape[1], parts_for(x.size, x.shape[1])
    y, mean, variance = np.empty_like(x), np.empty(C, x.dtype), np.empty(C, x.dtype)
    in_parts(_forward, parts, x, gamma, beta, eps, y, mean, variance, parts)
    return y, mean, variance


@register("batchnorm", "backward", backend="numba", idea=LOOPS)
def backward(g, x, gamma, mean, variance, eps):
    """gx, ggamma, gbeta of every channel (see `batchnorm.backward`)."""
    g, x, gamma, mean, variance = map(np.ascontiguousarray, (g, x, gamma, mean, variance))
    C, parts = x.shape[1], parts_for(x.size, x.shape[1])
    gx, ggamma, gbeta = np.empty_like(x), np.empty(C, x.dtype), np.empty(C, x.dtype)
    in_parts(_backward, parts, g, x, gamma, mean, variance, eps, gx, ggamma, gbeta, parts)
    return gx, ggamma, gbeta
