"""The reparameterised sample in Numba: noise, sample and divergence in one pass, nothing stored.

The loop runs over blocks of four elements of the flat array, so that each Philox block is computed
once; a row may begin in the middle of a block.
"""

import numpy as np

from ..compiled import njit
from ..philox.cpu import normal_block
from ..registry import register


@njit
def _forward(mu, logvar, seed, offset, columns, z, kl):
    real = z.dtype.type
    half, one = real(0.5), real(1)
    row, column, total = 0, 0, real(0)
    for first in range(0, mu.size, 4):
        eps = normal_block(seed, offset + np.uint64(first // 4), mu)
        for lane in range(min(4, mu.size - first)):
            i = first + lane
            sigma = np.exp(half * logvar[i])  # one exponential serves both: e^logvar = sigma^2
            z[i] = mu[i] + sigma * eps[lane]
            total += one + logvar[i] - mu[i] * mu[i] - sigma * sigma
            column += 1
            if column == columns:
                kl[row] = -half * total
                row, column, total = row + 1, 0, real(0)


@njit
def _backward(gz, gkl, mu, logvar, seed, offset, columns, gmu, glogvar):
    real = gmu.dtype.type
    half, one = real(0.5), real(1)
    row, column = 0, 0
    for first in range(0, mu.size, 4):
        eps = normal_block(seed, offset + np.uint64(first // 4), mu)
        for lane in range(min(4, mu.size - first)):
            i = first + lane
            gmu[i] = gz[i] + gkl[row] * mu[i]
            sigma = np.exp(half * logvar[i])
            glogvar[i] = half * (gz[i] * sigma * eps[lane] + gkl[row] * (sigma * sigma - one))
            column += 1
            if column == columns:
                row, column = row + 1, 0


def _flat(a):
    return np.ascontiguousarray(a).reshape(-1)


@register("reparam", "forward", backend="numba", idea="noise, sample and KL in one pass")
def forward(mu, logvar, seed, offset):
    z, kl = np.empty(mu.shape, mu.dtype), np.zeros(len(mu), mu.dtype)
    args = np.uint64(seed), np.uint64(offset), mu.shape[1]
    _forward(_flat(mu), _flat(logvar), *args, z.reshape(-1), kl)
    return z, kl


@register("reparam", "backward", backend="numba", idea="the noise made again, nothing stored")
def backward(gz, gkl, mu, logvar, seed, offset):
    gmu, glogvar = np.empty(mu.shape, mu.dtype), np.empty(mu.shape, mu.dtype)
    args = np.uint64(seed), np.uint64(offset), mu.shape[1]
    inputs = _flat(gz), _flat(gkl), _flat(mu), _flat(logvar)
    _backward(*inputs, *args, gmu.reshape(-1), glogvar.reshape(-1))
    return gmu, glogvar
