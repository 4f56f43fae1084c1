"""Cases of the random generator: tails of the 4-word block, counters above 32 bits, size 0.

The cost of a block is 10 rounds of 2 multiplications, 4 xors and 2 key additions: 20 operations a
word; Box-Muller adds about 20 a number (half of a logarithm, a root, a cosine and a sine).
"""

import math

import numpy as np

from ..case import Case

SEED = 0x9E3779B97F4A7C15
HIGH = 2**32 - 2  # the low half of the counter overflows into the high half two blocks later


def _bits(n: int, seed: int = SEED, offset: int = 0, bench: bool = False) -> Case:
    return Case(
        "philox",
        "bits",
        f"n{n} offset {offset}",
        lambda draw, dtype: (seed, offset, n),
        flops=20 * n,
        bytes=4 * n,
        exact=True,
        bench=bench,
    )


def _floats(pass_: str, shape: tuple, offset: int = 0, bench: bool = False) -> Case:
    n = math.prod(shape)
    return Case(
        "philox",
        pass_,
        f"shape {shape} offset {offset}",
        lambda draw, dtype: (shape, SEED, offset, np.dtype(dtype).name),
        flops=(20 if pass_ == "uniform" else 40) * n,
        bytes=4 * n,
        exact=pass_ == "uniform",
        bench=bench,
    )


SHAPES = (0,), (1,), (31,), (33,), (127,), (3, 0, 2), (5, 7, 3), ()

CASES = [
    *(_bits(n) for n in (0, 1, 2, 3, 4, 31, 33, 127)),
    _bits(33, offset=HIGH),
    _bits(33, seed=1, offset=2**64 - 9),
    _bits(4_000_000, bench=True),
    *(_floats(p, shape) for p in ("uniform", "normal") for shape in SHAPES),
    *(_floats(p, (33,), offset=HIGH) for p in ("uniform", "normal")),
    *(_floats(p, (100, 200), bench=True) for p in ("uniform", "normal")),
    *(_floats(p, (4_000_000,), bench=True) for p in ("uniform", "normal")),
]
