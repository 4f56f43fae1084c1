"""The reparameterised sample on the CPU: the formulas as plain loops, compiled (version 1).

n counts inputs, which do not depend on each other, so that each thread gets a part of them; j
counts dimensions. The noise is drawn first, as an array.

What this wastes, and the version that does not: `rungs/cpu_v2_one_pass.py`.
"""

import numpy as np

from ..compiled import njit
from ..philox.cpu import normal
from ..registry import register
from ..threads import in_parts, parts_for
from .rungs import cpu_v2_one_pass  # noqa: F401  (it registers itself)


@njit(nogil=True)
def _forward(mu, logvar, eps, z, kl, parts, part):
    N, D = mu.shape
    for n in range(part * N // parts, (part + 1) * N // parts):
        total = 0.0
        for j in range(D):
            sigma = np.exp(logvar[n, j] / 2)
            z[n, j] = mu[n, j] + sigma * eps[n, j]
            total += 1 + logvar[n, j] - mu[n, j] ** 2 - sigma**2
        kl[n] = -total / 2


@njit(nogil=True)
def _backward(gz, gkl, mu, logvar, eps, gmu, glogvar, parts, part):
    N, D = mu.shape
    for n in range(part * N // parts, (part + 1) * N // parts):
        for j in range(D):
            sigma = np.exp(logvar[n, j] / 2)
            gmu[n, j] = gz[n, j] + gkl[n] * mu[n, j]
            glogvar[n, j] = (gz[n, j] * sigma * eps[n, j] + gkl[n] * (sigma**2 - 1)) / 2


@register("reparam", "forward", backend="numba", idea="the noise as an array, then plain loops")
def forward(mu, logvar, seed, offset):
    """z, kl of every input (see `reparam.forward`)."""
    mu, logvar = np.ascontiguousarray(mu), np.ascontiguousarray(logvar)
    eps, parts = normal(mu.shape, seed, offset, mu.dtype), parts_for(mu.size, len(mu))
    z, kl = np.empty_like(mu), np.empty(len(mu), mu.dtype)
    in_parts(_forward, parts, mu, logvar, eps, z, kl, parts)
    return z, kl


@register("reparam", "backward", backend="numba", idea="the same noise again, then plain loops")
def backward(gz, gkl, mu, logvar, seed, offset):
    """gmu, glogvar of every input (see `reparam.backward`)."""
    gz, gkl, mu, logvar = map(np.ascontiguousarray, (gz, gkl, mu, logvar))
    eps, parts = normal(mu.shape, seed, offset, mu.dtype), parts_for(mu.size, len(mu))
    gmu, glogvar = np.empty_like(mu), np.empty_like(mu)
    in_parts(_backward, parts, gz, gkl, mu, logvar, eps, gmu, glogvar, parts)
    return gmu, glogvar
