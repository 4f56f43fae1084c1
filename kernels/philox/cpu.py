"""Philox 4x32-10 in Numba: eight blocks at a time in vector registers, parts on threads.

A 32 x 32 -> 64 bit multiplication is one instruction of vectors of 64-bit lanes, and reads the low
halves of its lanes alone: the words keep whatever stands above them, and nothing is masked away.
Twenty multiplications, shifts and xors make the four words of a block: 1.4 cycles a word on a core
with 512-bit vectors, which is the floor under everything that draws.

`fill_words` and `fill_normals` are what the other families make their noise with, into scratch
arrays that stay in the cache.
"""

import numpy as np

from ..compiled import njit
from ..elementary import log_unit, turn, vectorised
from ..registry import register
from ..threads import in_parts, parts_for

A, B = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL0, WEYL1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW, HALF, ZERO = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(0)
TOP24 = np.uint32(8)  # a word shifted right by this leaves its 24 highest bits
CHUNK = 512  # numbers made at a time, also where fewer are wanted


@njit(inline="always")  # a call would end the vectors, and LLVM finds it too long to inline
def _block(seed, counter):
    """The four words of block `counter` under `seed`, as the low halves of four uint64."""
    k0, k1 = seed & LOW, seed >> HALF
    c0, c1 = counter & LOW, counter >> HALF
    c2 = c3 = ZERO
    for _ in range(10):
        a, b = A * (c0 & LOW), B * (c2 & LOW)
        c0, c1, c2, c3 = (b >> HALF) ^ c1 ^ k0, b, (a >> HALF) ^ c3 ^ k1, a
        k0, k1 = k0 + WEYL0, k1 + WEYL1
    return c0, c1, c2, c3


@vectorised
def fill_words(seed, counter, words):
    """words[4 i + l] = lane l of block counter + i, for a uint32 array of whole blocks."""
    for i in range(words.size // 4):
        b0, b1, b2, b3 = _block(seed, counter + np.uint64(i))
        words[4 * i] = np.uint32(b0)
        words[4 * i + 1] = np.uint32(b1)
        words[4 * i + 2] = np.uint32(b2)
        words[4 * i + 3] = np.uint32(b3)


@vectorised
def _to_uniforms(words, out):
    real = out.dtype.type
    for i in range(min(words.size, out.size)):
        out[i] = real(np.int32(words[i] >> TOP24)) * real(2.0**-24)


@vectorised
def _to_normals(words, out):
    """Box-Muller on pairs; `out` is of an even length."""
    for i in range(min(words.size // 2, out.size // 2)):
        top0, top1 = np.int32(words[2 * i] >> TOP24), np.int32(words[2 * i + 1] >> TOP24)
        radius = np.sqrt(out.dtype.type(-2) * log_unit(np.int32(top0 + 1), out))
        cosine, sine = turn(top1, out)
        out[2 * i] = radius * cosine
        out[2 * i + 1] = radius * sine


@njit
def fill_normals(seed, counter, words, normals):
    """Normals of the blocks from `counter` on, in scratch arrays of whole blocks."""
    fill_words(seed, counter, words)
    _to_normals(words, normals)


@njit
def share(n, parts, part):
    """The first element of a part of n, a multiple of 4, and the first one after it."""
    blocks = (n + 3) // 4
    return 4 * (part * blocks // parts), min(4 * ((part + 1) * blocks // parts), n)


@vectorised
def _copy(made, out):
    for i in range(min(made.size, out.size)):
        out[i] = made[i]


@njit(nogil=True)
def _bits(seed, offset, out, parts, part):
    first, last = share(out.size, parts, part)
    words = np.empty(CHUNK, np.uint32)
    for i in range(first, last, CHUNK):
        fill_words(seed, offset + np.uint64(i // 4), words)
        _copy(words, out[i : min(i + CHUNK, last)])


@njit(nogil=True)
def _uniform(seed, offset, out, parts, part):
    first, last = share(out.size, parts, part)
    words = np.empty(CHUNK, np.uint32)
    for i in range(first, last, CHUNK):
        fill_words(seed, offset + np.uint64(i // 4), words)
        _to_uniforms(words, out[i : min(i + CHUNK, last)])


@njit(nogil=True)
def _normal(seed, offset, out, parts, part):
    first, last = share(out.size, parts, part)
    words, normals = np.empty(CHUNK, np.uint32), np.empty(CHUNK, out.dtype)
    for i in range(first, last, CHUNK):
        fill_normals(seed, offset + np.uint64(i // 4), words, normals)
        _copy(normals, out[i : min(i + CHUNK, last)])


def run(kernel, seed, offset, *args, size):
    """A kernel on the stream (seed, offset), in as many parts as `size` numbers are worth."""
    parts = parts_for(size)
    in_parts(kernel, parts, np.uint64(seed), np.uint64(offset), *args, parts)


@register("philox", "bits", backend="numba", idea="eight blocks at a time, in vector registers")
def bits(seed, offset, n):
    """The first n words of the stream (see `philox.bits`)."""
    out = np.empty(n, np.uint32)
    run(_bits, seed, offset, out, size=n)
    return out


@register(
    "philox", "uniform", backend="numba", idea="words to uniforms while they are in the cache"
)
def uniform(shape, seed, offset, dtype):
    """Uniform numbers in [0, 1) of that shape (see `philox.uniform`)."""
    out = np.empty(shape, dtype)
    run(_uniform, seed, offset, out.reshape(-1), size=out.size)
    return out


@register("philox", "normal", backend="numba", idea="words to normals while they are in the cache")
def normal(shape, seed, offset, dtype):
    """Standard normal numbers of that shape (see `philox.normal`)."""
    out = np.empty(shape, dtype)
    run(_normal, seed, offset, out.reshape(-1), size=out.size)
    return out
