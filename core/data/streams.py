"""Random draws for data, as functions of (seed, use, number): nothing is read from a global state.

The 64-bit counter space of a seed is divided into regions, one per use, so that no two uses share
words (kernels count from 0). In a region, bits 32 to 59 are the epoch or the number of the example
and bits 0 to 31 the position. The NumPy Philox is called directly: the data must not depend on the
backend, and a permutation should not have to compile anything.
"""

import operator

import numpy as np

from ...kernels.philox.reference import bits, philox4x32, uniform
from .files import DataError

SHUFFLE, FOLDS, SYNTHETIC, BINARISE = (k << 60 for k in (4, 5, 6, 7))

__all__ = [
    "BINARISE",
    "FOLDS",
    "SHUFFLE",
    "SYNTHETIC",
    "check_seed",
    "permutation",
    "uniform",
    "uniform_rows",
    "whole_number",
]


def whole_number(function: str, name: str, value, low: int, high: int = 2**63 - 1) -> int:
    """`value` as an int from low to high. Raises DataError for anything else."""
    try:
        number = operator.index(value)
    except TypeError:
        raise DataError(f"{function}: {name} must be an integer; got {value!r}") from None
    if not low <= number <= high:
        raise DataError(f"{function}: {name} must be from {low} to {high}; got {number}")
    return number


def check_seed(function: str, seed) -> int:
    """A seed as an int: 0 <= seed < 2^64."""
    return whole_number(function, "seed", seed, 0, 2**64 - 1)


def permutation(n: int, seed: int, offset: int) -> np.ndarray:
    """0 .. n-1 in the order of n 64-bit keys, two words each; int64[n].

    Equal keys (for n = 10^6 with a probability of 3e-8) stay in ascending order.
    """
    words = bits(seed, offset, 2 * n).astype(np.uint64)
    keys = (words[0::2] << np.uint64(32)) | words[1::2]
    return np.argsort(keys, kind="stable").astype(np.int64)


def uniform_rows(seed: int, region: int, first: int, count: int, each: int) -> np.ndarray:
    """Uniform numbers [count, each] in [0, 1), float64; row i is that of example first + i.

    Row i equals uniform(each, seed, region + ((first + i) << 32)).
    """
    out = np.empty((count, each))
    position = np.arange(-(-each // 4), dtype=np.uint64)[None, :]
    zero = np.zeros((1, 1), np.uint64)
    step = max(1, (1 << 18) // max(1, each))  # rows at a time, to bound the memory
    for at in range(0, count, step):
        rows = np.arange(first + at, first + min(at + step, count), dtype=np.uint64)[:, None]
        counter = position, np.uint64(region >> 32) + rows, zero, zero
        words = np.stack(philox4x32(counter, (seed % 2**32, seed >> 32)), axis=-1)
        numbers = (words >> np.uint64(8)).reshape(len(rows), -1)[:, :each] * 2.0**-24
        out[at : at + len(rows)] = numbers
    return out
