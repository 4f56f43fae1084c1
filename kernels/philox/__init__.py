"""Philox 4x32-10: random numbers as a function of a key and a counter, the same on every backend.

A block of four 32-bit words is a bijection of a 128-bit counter under a 64-bit key: ten rounds of

    (c0, c1, c2, c3)  <-  (hi(B c2) ^ c1 ^ k0,  lo(B c2),  hi(A c0) ^ c3 ^ k1,  lo(A c0))
    (k0, k1)          <-  (k0 + 0x9E3779B9,  k1 + 0xBB67AE85)          (between rounds, mod 2^32)

with A = 0xD2511F53, B = 0xCD9E8D57, hi and lo the halves of the 64-bit product. There is no state:
any element of any stream is computed alone, so a GPU thread needs nothing but its own index, and a
backward pass makes the noise of the forward pass again instead of storing it.

    key      k0, k1          the seed, low and high 32 bits
    counter  c0, c1, 0, 0    offset + i // 4, low and high 32 bits
    word i                   lane i % 4 of that block

From words b to numbers, with 24 bits each so that float32 and float64 give the same values:

    uniform    u = (b >> 8) 2^-24                                   in [0, 1)
    normal     u1 = ((b0 >> 8) + 1) 2^-24 in (0, 1],  u2 = (b1 >> 8) 2^-24          (Box-Muller)
               n0 = sqrt(-2 ln u1) cos(2 pi u2),  n1 = sqrt(-2 ln u1) sin(2 pi u2)
               lanes 0, 1 give normals 0, 1; lanes 2, 3 give normals 2, 3

A normal of dtype float32 is computed in float32: it equals the float64 one up to rounding. The
largest normal possible is sqrt(48 ln 2) = 5.77.

A call that takes n numbers uses `blocks(n)` counters: advance the offset by that much and the next
call's numbers are disjoint from these.

**The ladder.** Words, uniforms and normals in each version.

    glassgrad bench philox        time, GB/s and share of the roofline of these

    reference   reference.py                 all blocks go through the rounds together, as arrays
    numba v1    cpu.py                       a loop over blocks, eight at a time in vector registers

    glassgrad lab philox          stores, sectors and registers of these, without a GPU; by line:
                                  glassgrad lab philox.normal --version 2

    cuda v1     cuda.cu                      a thread an element
    cuda v2     rungs/cuda_v2_blocks.cuh     a thread a block of four words, one store of 16 bytes
                                             (words and float32)

What other families share with these: `philox.cuh` on the GPU, `fill_words` and `fill_normals` of
cpu.py.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

import math
import operator

import numpy

from ..annotations import Count, DType, Library, Shape
from ..doors import check_all
from ..errors import FLOATS, DTypeError, GlassgradError, ShapeError, ValueRangeError, expect
from ..registry import dispatch


def blocks(n: int) -> int:
    """How many 4-word blocks n numbers take: ceil(n / 4), the step from one offset to the next.

    >>> blocks(0), blocks(1), blocks(4), blocks(5)
    (0, 1, 1, 2)
    """
    return (n + 3) // 4


def _integer(function: str, name: str, value, error: type[GlassgradError]) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise error(f"{function}: {name} must be an integer; got {value!r}") from None


def check_stream(function: str, seed: int, offset: int, n: int) -> tuple[int, int]:
    """Seed and offset as Python ints; raises ValueRangeError unless n numbers fit the stream.

    Both are unsigned 64-bit integers, and the last counter used must not wrap around 2^64.

    >>> check_stream("bits", 7, 2**64 - 1, 4)
    (7, 18446744073709551615)
    """
    seed = _integer(function, "seed", seed, ValueRangeError)
    offset = _integer(function, "offset", offset, ValueRangeError)
    for name, value in (("seed", seed), ("offset", offset)):
        in_range = 0 <= value < 2**64
        must = f"{name} must be an unsigned 64-bit integer"
        expect(in_range, function, must, "0 <= value < 2**64", value, ValueRangeError)
    expect(
        offset + blocks(n) <= 2**64,
        function,
        f"the counter must not wrap: offset + {blocks(n)} blocks for {n} numbers",
        "at most 2**64",
        offset + blocks(n),
        ValueRangeError,
    )
    return seed, offset


def _shape(function: str, shape) -> tuple[int, ...]:
    sizes = (shape,) if not isinstance(shape, tuple | list) else shape
    sizes = tuple(_integer(function, "every size of shape", s, ShapeError) for s in sizes)
    ok = all(s >= 0 for s in sizes)
    expect(ok, function, "sizes must not be negative", "all sizes >= 0", sizes)
    return sizes


def _draw(name: str, shape, seed: int, offset: int, dtype, xp):
    shape = _shape(name, shape)
    seed, offset = check_stream(name, seed, offset, math.prod(shape))
    try:
        kind = numpy.dtype(dtype).name
    except TypeError:
        kind = repr(dtype)
    expect(kind in FLOATS, name, "dtype must be float32 or float64", FLOATS, kind, DTypeError)
    return dispatch("philox", name, shape, seed, offset, kind, like=xp.empty(0))


def bits(seed: int, offset: int, n: Count, xp: Library = numpy):
    """The first n words of the stream of `seed` from block `offset`, as uint32[n].

    `xp` is the array module of the result (numpy or cupy). Raises ValueRangeError where seed or
    offset is not an unsigned 64-bit integer or the counter would wrap, ShapeError where n < 0.
    Source: Salmon et al. 2011.

    >>> [hex(word) for word in bits(seed=0, offset=0, n=4)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    n = _integer("bits", "n", n, ShapeError)
    expect(n >= 0, "bits", "n must not be negative", "n >= 0", n)
    seed, offset = check_stream("bits", seed, offset, n)
    return dispatch("philox", "bits", seed, offset, n, like=xp.empty(0))


def uniform(shape: Shape, seed: int, offset: int, dtype: DType = "float32", xp: Library = numpy):
    """Uniform numbers (b >> 8) 2^-24 in [0, 1), element i in C order from word i of the stream.

    `shape` is an int or a tuple. The values are multiples of 2^-24, the same in both dtypes.
    Raises ShapeError, ValueRangeError (see `bits`), DTypeError. Source: Salmon et al. 2011.

    >>> uniform((2, 2), seed=0, offset=0, dtype="float64").round(4)
    array([[0.399 , 0.8805],
           [0.7357, 0.6055]])
    """
    return _draw("uniform", shape, seed, offset, dtype, xp)


def normal(shape: Shape, seed: int, offset: int, dtype: DType = "float32", xp: Library = numpy):
    """Standard normal numbers by Box-Muller, element i in C order from block offset + i // 4.

    `shape` is an int or a tuple; float32 is computed in float32 and equals float64 up to rounding.
    Raises ShapeError, ValueRangeError (see `bits`), DTypeError.
    Source: Box & Muller 1958 on Salmon et al. 2011.

    >>> normal(4, seed=0, offset=0, dtype="float64").round(4)
    array([ 0.9911, -0.9247, -0.6176, -0.4821])
    """
    return _draw("normal", shape, seed, offset, dtype, xp)


check_all(globals(), prefix="philox.")
