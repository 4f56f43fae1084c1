"""The reparameterised sample on the CPU, version 2: one pass, the noise never stored.

Version 1 writes the noise out and reads it again, N D numbers each time, takes one element at a
time, and calls the C library for each exponential.

Here rows are taken some at a time, about CHUNK numbers: their noise is made into scratch arrays
that stay in the cache, beginning with the Philox block that the first of them lies in, and a few
short loops go over them, each vectorised. Noise is 3 cycles an element, the exponential 1
(elementary.py, philox/cpu.py), which is the floor; the traffic hides behind it.

    glassgrad bench reparam      both versions, next to each other
"""

import numpy as np

from ...compiled import njit
from ...elementary import exp, vectorised
from ...philox.cpu import CHUNK, fill_normals, run
from ...registry import register

FORWARD, BACKWARD = "noise, sample and KL in one pass", "the noise made again, nothing stored"
SUM = {"contract", "reassoc"}  # a row's sum in sixteen lanes: another order, but always the same


@vectorised
def _sample(mu, logvar, eps, z, terms):
    real = z.dtype.type
    for i in range(min(mu.size, logvar.size, z.size, terms.size)):
        sigma = exp(real(0.5) * logvar[i])  # one exponential serves both: e^logvar = sigma^2
        z[i] = mu[i] + sigma * eps[i]
        terms[i] = real(1) + logvar[i] - mu[i] * mu[i] - sigma * sigma


@vectorised
def _mean_gradient(gz, gkl, mu, gmu):
    for i in range(min(gz.size, mu.size, gmu.size)):
        gmu[i] = gz[i] + gkl[i] * mu[i]


@vectorised
def _logvar_gradient(gz, gkl, logvar, eps, glogvar):
    real = glogvar.dtype.type
    for i in range(min(gz.size, logvar.size, glogvar.size)):
        sigma = exp(real(0.5) * logvar[i])
        glogvar[i] = real(0.5) * (gz[i] * sigma * eps[i] + gkl[i] * (sigma * sigma - real(1)))


@njit(fastmath=SUM)
def _sum(terms):
    total = terms.dtype.type(0)
    for i in range(terms.size):
        total += terms[i]
    return total


@njit
def _some_rows(rows, columns, parts, part):
    """First row of a part and the first after it, how many rows at a time, and what they take."""
    some = max(1, CHUNK // columns)
    return part * rows // parts, (part + 1) * rows // parts, some, some * columns


@njit
def _noise(seed, offset, start, words, normals):
    """Normals start, start + 1, ... of the stream, in a view of the scratch array."""
    fill_normals(seed, offset + np.uint64(start // 4), words, normals)
    return normals[start % 4 :]


@njit(nogil=True)
def _forward(seed, offset, mu, logvar, columns, z, kl, parts, part):
    first, last, some, most = _some_rows(kl.size, columns, parts, part)
    scratch = (most + 7) // 4 * 4
    words, normals = np.empty(scratch, np.uint32), np.empty(scratch, z.dtype)
    terms = np.empty(most, z.dtype)
    for row in range(first, last, some):
        count = min(some, last - row)
        own = slice(row * columns, (row + count) * columns)
        eps = _noise(seed, offset, row * columns, words, normals)
        _sample(mu[own], logvar[own], eps, z[own], terms)
        for n in range(count):
            kl[row + n] = z.dtype.type(-0.5) * _sum(terms[n * columns : (n + 1) * columns])


@njit(nogil=True)
def _backward(seed, offset, gz, gkl, mu, logvar, columns, gmu, glogvar, parts, part):
    first, last, some, most = _some_rows(gkl.size, columns, parts, part)
    scratch = (most + 7) // 4 * 4
    words, normals = np.empty(scratch, np.uint32), np.empty(scratch, gz.dtype)
    spread = np.empty(most, gz.dtype)  # gkl of the row that each element lies in
    for row in range(first, last, some):
        count = min(some, last - row)
        own = slice(row * columns, (row + count) * columns)
        for n in range(count):
            spread[n * columns : (n + 1) * columns] = gkl[row + n]
        eps = _noise(seed, offset, row * columns, words, normals)
        _mean_gradient(gz[own], spread, mu[own], gmu[own])
        _logvar_gradient(gz[own], spread, logvar[own], eps, glogvar[own])


def _flat(a):
    return np.ascontiguousarray(a).reshape(-1)


@register("reparam", "forward", backend="numba", version=2, idea=FORWARD)
def forward(mu, logvar, seed, offset):
    """z, kl of every input (see `reparam.forward`)."""
    z, kl = np.empty(mu.shape, mu.dtype), np.zeros(len(mu), mu.dtype)
    if mu.size:
        args = _flat(mu), _flat(logvar), mu.shape[1], z.reshape(-1), kl
        run(_forward, seed, offset, *args, size=mu.size)
    return z, kl


@register("reparam", "backward", backend="numba", version=2, idea=BACKWARD)
def backward(gz, gkl, mu, logvar, seed, offset):
    """gmu, glogvar of every input (see `reparam.backward`)."""
    gmu, glogvar = np.empty(mu.shape, mu.dtype), np.empty(mu.shape, mu.dtype)
    if mu.size:
        inputs = _flat(gz), _flat(gkl), _flat(mu), _flat(logvar)
        args = *inputs, mu.shape[1], gmu.reshape(-1), glogvar.reshape(-1)
        run(_backward, seed, offset, *args, size=mu.size)
    return gmu, glogvar
