"""Philox against the published vectors, a scalar loop of its own, and statistics."""

import math

import numpy as np
import pytest
from scipy import stats

from glassgrad.kernels import (
    BackendError,
    DTypeError,
    GlassgradError,
    ShapeError,
    ValueRangeError,
    backend,
    philox,
)
from glassgrad.kernels.philox.reference import philox4x32
from tests.tools import assert_close

CPU = ["reference", "numba"]
PI = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)
KNOWN = [  # counter, key, words: the known-answer vectors published with Random123
    ((0,) * 4, (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (*PI, (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
]


def scalar_block(counter, key):
    """The ten rounds in plain Python integers, written from the paper."""
    c, k = list(counter), list(key)
    for i in range(10):
        if i:
            k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
        hi0, lo0 = divmod(0xD2511F53 * c[0], 2**32)
        hi1, lo1 = divmod(0xCD9E8D57 * c[2], 2**32)
        c = [hi1 ^ c[1] ^ k[0], lo1, hi0 ^ c[3] ^ k[1], lo0]
    return tuple(c)


def scalar_word(seed, offset, i):
    counter = offset + i // 4
    return scalar_block((counter % 2**32, counter >> 32, 0, 0), (seed % 2**32, seed >> 32))[i % 4]


@pytest.mark.parametrize("counter, key, words", KNOWN)
def test_known_answers(counter, key, words):
    assert scalar_block(counter, key) == words
    got = philox4x32(tuple(np.full(1, c, np.uint64) for c in counter), key)
    assert tuple(int(w[0]) for w in got) == words


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32, 0x243F6A8885A308D3, 2**64 - 1])
@pytest.mark.parametrize("offset", [0, 2**32 - 1, 2**63 - 1, 2**64 - 3])
def test_words_against_the_scalar_loop(name, seed, offset):
    with backend(name):
        got = philox.bits(seed, offset, 11)
    assert got.dtype == np.uint32
    assert got.tolist() == [scalar_word(seed, offset, i) for i in range(11)]


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_against_the_formula(name, dtype):
    word = [scalar_word(5, 9, i) for i in range(36)]
    uniform = [(b >> 8) / 2**24 for b in word]
    normal = []
    for b0, b1 in zip(word[0::2], word[1::2]):
        radius = math.sqrt(-2 * math.log(((b0 >> 8) + 1) / 2**24))
        angle = 2 * math.pi * (b1 >> 8) / 2**24
        normal += [radius * math.cos(angle), radius * math.sin(angle)]
    with backend(name):
        u, z = philox.uniform((5, 7), 5, 9, dtype), philox.normal((5, 7), 5, 9, dtype)
    assert u.dtype == z.dtype == dtype
    assert u.reshape(-1).tolist() == uniform[:35]  # exact, in both dtypes
    assert_close(z.reshape(-1), np.array(normal[:35], dtype))


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 31, 33, 127])
def test_a_shorter_draw_is_the_start_of_a_longer_one(name, n):
    with backend(name):
        assert np.array_equal(philox.bits(3, 1, n), philox.bits(3, 1, 130)[:n])
        for draw in philox.uniform, philox.normal:
            assert np.array_equal(draw(n, 3, 1), draw(130, 3, 1)[:n])


def test_float32_normals_are_those_of_float64_up_to_rounding():
    fast = philox.normal(200_000, 11, 0)
    with backend("reference"):
        slow = philox.normal(200_000, 11, 0)
        double = philox.normal(200_000, 11, 0, "float64")
    ulp = np.spacing(np.abs(double).astype("float32"))
    assert (np.abs(fast - double) <= 4 * ulp).all()  # its angle is an integer until the last step
    assert np.abs(slow - double).max() < 4e-6  # an angle near 2 pi is rounded to 2.4e-7


def test_statistics():
    n = 400_000
    u, z = philox.uniform(n, 2024, 0, "float64"), philox.normal(n, 2024, 0, "float64")
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert stats.kstest(z, "norm").pvalue > 1e-3
    assert u.min() >= 0 and u.max() < 1
    assert abs(z.mean()) < 4 / n**0.5 and abs(z.var() - 1) < 4 * (2 / n) ** 0.5
    assert abs(stats.skew(z)) < 4 * (6 / n) ** 0.5
    assert abs(stats.kurtosis(z)) < 4 * (24 / n) ** 0.5
    for lag in 1, 2, 4:  # the two normals of a pair, the pairs of a block, neighbouring blocks
        assert abs(np.mean(z[:-lag] * z[lag:])) < 4 / n**0.5
    ones = np.unpackbits(philox.bits(2024, 0, n).view(np.uint8)).mean()
    assert abs(ones - 0.5) < 4 * 0.5 / (32 * n) ** 0.5


def test_streams_of_neighbouring_seeds_are_independent():
    z = np.stack([philox.normal(100_000, seed, 0, "float64") for seed in range(4)])
    off_diagonal = np.corrcoef(z)[~np.eye(4, dtype=bool)]
    assert np.abs(off_diagonal).max() < 4.5 / 100_000**0.5


def test_advancing_by_blocks_makes_draws_disjoint():
    one = philox.bits(7, 0, 10)
    two = philox.bits(7, philox.blocks(10), 10)
    run = philox.bits(7, 0, 24)
    assert np.array_equal(one, run[:10]) and np.array_equal(two, run[12:22])
    assert not set(one.tolist()) & set(two.tolist())


def test_last_counter_may_be_used_but_not_passed():
    assert philox.bits(0, 2**64 - 1, 4).size == 4
    with pytest.raises(ValueRangeError, match="must not wrap"):
        philox.bits(0, 2**64 - 1, 5)


@pytest.mark.parametrize("seed, offset", [(-1, 0), (2**64, 0), (0, -1), (0, 2**64)])
def test_seed_and_offset_out_of_range(seed, offset):
    for call in (
        lambda: philox.bits(seed, offset, 1),
        lambda: philox.uniform(1, seed, offset),
        lambda: philox.normal((1, 1), seed, offset),
    ):
        with pytest.raises(ValueRangeError, match="seed" if seed else "offset"):
            call()
    with pytest.raises(DTypeError, match="seed has the wrong type; expected an int"):
        philox.bits(1.5, 0, 1)


def test_absurd_arguments():
    with pytest.raises(ShapeError, match="n is not allowed; expected how many"):
        philox.bits(0, 0, -1)
    with pytest.raises(DTypeError, match="n has the wrong type"):
        philox.bits(0, 0, (3, 3))
    with pytest.raises(ShapeError, match=r"normal: shape is not allowed.*\(2, -3\)"):
        philox.normal((2, -3), 0, 0)
    with pytest.raises(DTypeError, match="shape has the wrong type"):
        philox.uniform(2.5, 0, 0)
    for dtype in "int32", "float16", "no such dtype":
        with pytest.raises(DTypeError, match=r"uniform: dtype .*float32.*float64"):
            philox.uniform(3, 0, 0, dtype)


def test_a_numpy_seed_is_a_seed():
    assert np.array_equal(philox.bits(np.uint64(2**63), np.int32(3), 5), philox.bits(2**63, 3, 5))


def test_the_array_module_decides_the_device():
    """A module whose arrays lie on the GPU must not be served by a CPU backend."""
    fake = type("Fake", (), {"empty": staticmethod(lambda n: OnGpu())})
    OnGpu = type("ndarray", (), {"__module__": "cupy"})
    with backend("numba"), pytest.raises(GlassgradError, match="cannot run on an array on the GPU"):
        philox.bits(0, 0, 4, xp=fake)
    with pytest.raises(BackendError), backend("no such backend"):
        philox.bits(0, 0, 4)


@pytest.mark.parametrize("name", CPU)
def test_a_long_stream_goes_on_where_its_pieces_end(name):
    """Kernels make words some hundred at a time: none is skipped or made twice between."""
    n = 3001
    with backend(name):
        whole = philox.bits(5, 7, n)
        pieces = [philox.bits(5, 7 + at // 4, min(40, n - at)) for at in range(0, n, 40)]
    assert np.array_equal(whole, np.concatenate(pieces)) and len(np.unique(whole)) > n - 5
