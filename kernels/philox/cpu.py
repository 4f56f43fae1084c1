"""Philox 4x32-10 in Numba: each block is computed in registers and written once.

`philox_block`, `normal_block` and `TOP24` are what the other families use to make their noise
inside their own loops; LLVM inlines them there.
"""

import math

import numpy as np

from ..compiled import njit
from ..registry import register

A, B = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL0, WEYL1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
TOP24 = np.uint64(8)  # a word shifted right by this leaves its 24 highest bits
TWO_PI = 2 * math.pi


@njit
def philox_block(seed, counter):
    """The four words, as uint64, of block `counter` under `seed`, both uint64.

    Words live in 64-bit variables: Numba widens 32-bit integers anyway, and LLVM sees from the
    masks that a 32 x 32 -> 64 multiplication is enough.
    """
    k0, k1 = seed & LOW, seed >> HALF
    c0, c1 = counter & LOW, counter >> HALF
    c2 = c3 = np.uint64(0)
    for _ in range(10):
        a, b = A * c0, B * c2
        c0, c1, c2, c3 = (b >> HALF) ^ c1 ^ k0, b & LOW, (a >> HALF) ^ c3 ^ k1, a & LOW
        k0, k1 = (k0 + WEYL0) & LOW, (k1 + WEYL1) & LOW
    return c0, c1, c2, c3


@njit
def box_muller(b0, b1, like):
    """Two normals from two words, computed in the dtype of the array `like`."""
    real = like.dtype.type
    u1 = real(np.int64(b0 >> TOP24) + 1) * real(2.0**-24)
    u2 = real(np.int64(b1 >> TOP24)) * real(2.0**-24)
    radius, angle = np.sqrt(real(-2) * np.log(u1)), real(TWO_PI) * u2
    return radius * np.cos(angle), radius * np.sin(angle)


@njit
def normal_block(seed, counter, like):
    """The four normals of block `counter`, computed in the dtype of the array `like`."""
    b0, b1, b2, b3 = philox_block(seed, counter)
    n0, n1 = box_muller(b0, b1, like)
    n2, n3 = box_muller(b2, b3, like)
    return n0, n1, n2, n3


@njit
def _bits(seed, offset, out):
    whole = out.size // 4
    for i in range(whole):
        b = philox_block(seed, offset + np.uint64(i))
        for lane in range(4):
            out[4 * i + lane] = b[lane]
    if 4 * whole < out.size:
        b = philox_block(seed, offset + np.uint64(whole))
        for lane in range(out.size - 4 * whole):
            out[4 * whole + lane] = b[lane]


@njit
def _uniform(seed, offset, out):
    real = out.dtype.type
    whole = out.size // 4
    for i in range(whole):
        b = philox_block(seed, offset + np.uint64(i))
        for lane in range(4):
            out[4 * i + lane] = real(np.int64(b[lane] >> TOP24)) * real(2.0**-24)
    if 4 * whole < out.size:
        b = philox_block(seed, offset + np.uint64(whole))
        for lane in range(out.size - 4 * whole):
            out[4 * whole + lane] = real(np.int64(b[lane] >> TOP24)) * real(2.0**-24)


@njit
def _normal(seed, offset, out):
    whole = out.size // 4
    for i in range(whole):
        b = normal_block(seed, offset + np.uint64(i), out)
        for lane in range(4):
            out[4 * i + lane] = b[lane]
    if 4 * whole < out.size:
        b = normal_block(seed, offset + np.uint64(whole), out)
        for lane in range(out.size - 4 * whole):
            out[4 * whole + lane] = b[lane]


@register("philox", "bits", backend="numba", idea="one block at a time, in registers")
def bits(seed, offset, n):
    out = np.empty(n, np.uint32)
    _bits(np.uint64(seed), np.uint64(offset), out)
    return out


@register("philox", "uniform", backend="numba", idea="words to uniforms before they are stored")
def uniform(shape, seed, offset, dtype):
    out = np.empty(shape, dtype)
    _uniform(np.uint64(seed), np.uint64(offset), out.reshape(-1))
    return out


@register("philox", "normal", backend="numba", idea="words to normals before they are stored")
def normal(shape, seed, offset, dtype):
    out = np.empty(shape, dtype)
    _normal(np.uint64(seed), np.uint64(offset), out.reshape(-1))
    return out
