"""Philox 4x32-10 in NumPy: all blocks go through the rounds together, as arrays of words."""

import math

import numpy as np

from ..registry import register
from . import blocks

MULTIPLIER = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = 0x9E3779B9, 0xBB67AE85
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def philox4x32(counter, key, rounds: int = 10):
    """The four words of each block; counter: four uint64 arrays of 32-bit values, key: two ints."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(rounds):
        a, b = MULTIPLIER[0] * c0, MULTIPLIER[1] * c2  # 32 x 32 -> 64 bits: never overflows
        c0, c1, c2, c3 = (
            (b >> HALF) ^ c1 ^ np.uint64(k0),
            b & LOW,
            (a >> HALF) ^ c3 ^ np.uint64(k1),
            a & LOW,
        )
        k0, k1 = (k0 + WEYL[0]) % 2**32, (k1 + WEYL[1]) % 2**32
    return c0, c1, c2, c3


def words(seed, offset, n):
    """The words of the blocks that hold elements 0..n-1: uint64[blocks(n), 4]."""
    found = np.empty((blocks(n), 4), np.uint64)  # first, so that too many are refused at once
    index = np.uint64(offset) + np.arange(blocks(n), dtype=np.uint64)
    zero = np.zeros_like(index)
    counter = index & LOW, index >> HALF, zero, zero
    return np.stack(philox4x32(counter, (seed % 2**32, seed >> 32)), axis=1, out=found)


@register("philox", "bits", backend="reference", idea="ten rounds on arrays of words")
def bits(seed, offset, n):
    """The first n words of the stream (see `philox.bits`)."""
    return words(seed, offset, n).reshape(-1)[:n].astype(np.uint32)


@register("philox", "uniform", backend="reference", idea="the top 24 bits of each word")
def uniform(shape, seed, offset, dtype):
    """Uniform numbers in [0, 1) of that shape (see `philox.uniform`)."""
    top = bits(seed, offset, math.prod(shape)) >> np.uint32(8)
    return (top.astype(dtype) * np.dtype(dtype).type(2.0**-24)).reshape(shape)


@register("philox", "normal", backend="reference", idea="Box-Muller on pairs of words")
def normal(shape, seed, offset, dtype):
    """Standard normal numbers of that shape (see `philox.normal`)."""
    real, n = np.dtype(dtype).type, math.prod(shape)
    top = words(seed, offset, n).reshape(-1, 2) >> np.uint64(8)
    u1 = (top[:, 0] + np.uint64(1)).astype(dtype) * real(2.0**-24)
    u2 = top[:, 1].astype(dtype) * real(2.0**-24)
    radius, angle = np.sqrt(real(-2) * np.log(u1)), real(2 * math.pi) * u2
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return pairs.reshape(-1)[:n].reshape(shape)
