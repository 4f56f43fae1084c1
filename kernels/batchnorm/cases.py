"""Cases of batch normalisation: images and vectors, tails of lanes, blocks and pieces."""

import numpy as np

from ..case import Case


def _forward(N: int, C: int, L: int, bench: bool = False) -> Case:
    return Case(
        "batchnorm",
        "forward",
        f"N{N} C{C} L{L}",
        lambda draw, dtype: (draw(N, C, L), draw(C), draw(C), 0.01),
        flops=7 * N * C * L,
        bytes=4 * (2 * N * C * L + 4 * C),
        reduction=max(N * L, 1),
        bench=bench,
    )


def _backward(N: int, C: int, L: int, bench: bool = False) -> Case:
    def make(draw, dtype):
        mean, variance = draw(C) / 4, np.asarray(draw(C) ** 2 + 0.5).astype(dtype)
        return draw(N, C, L), draw(N, C, L), draw(C), mean.astype(dtype), variance, 0.01

    return Case(
        "batchnorm",
        "backward",
        f"N{N} C{C} L{L}",
        make,
        flops=10 * N * C * L,
        bytes=4 * (3 * N * C * L + 5 * C),
        reduction=max(N * L, 1),
        floor=1.0,  # what is left of g after two projections
        bench=bench,
    )


SIZES = (
    (3, 0, 4),
    (2, 1, 1),
    (1, 3, 7),
    (31, 5, 1),
    (130, 33, 1),
    (4, 31, 33),
    (2, 3, 2100),
    (1370, 2, 3),
)

CASES = [
    *(make(*size) for make in (_forward, _backward) for size in SIZES),
    *(make(100, 16, 784, bench=True) for make in (_forward, _backward)),
    *(make(2048, 512, 1, bench=True) for make in (_forward, _backward)),
]
