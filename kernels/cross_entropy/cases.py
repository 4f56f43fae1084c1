"""Cases of the cross-entropy: tails of lanes and warps, one class, many, size 0, no label."""

import numpy as np

from ..case import Case


def _labels(N, K, all_known):
    """Classes; unless all are known, none in every eighth row."""
    n = np.arange(N)
    return np.where((n % 8 == 5) & (not all_known), -1, n * 7 % K)


def _forward(N: int, K: int, bench: bool = False) -> Case:
    return Case(
        "cross_entropy",
        "forward",
        f"N{N} K{K}",
        lambda draw, dtype: (draw(N, K), _labels(N, K, bench)),
        flops=4 * N * K,
        bytes=4 * (N * K + 2 * N) + 8 * N,
        reduction=max(K, 1),
        floor=1.0,  # the loss is a difference of logarithms
        bench=bench,
    )


def _backward(N: int, K: int, bench: bool = False) -> Case:
    def make(draw, dtype):
        z = draw(N, K)
        lse = np.log(np.exp(z.astype(float)).sum(axis=1)).astype(dtype) if K else draw(N)
        return draw(N), z, _labels(N, K, bench), lse

    return Case(
        "cross_entropy",
        "backward",
        f"N{N} K{K}",
        make,
        flops=4 * N * K,
        bytes=4 * (2 * N * K + 2 * N) + 8 * N,
        bench=bench,
    )


SIZES = (0, 5), (1, 1), (3, 2), (9, 10), (31, 33), (5, 127), (2, 1000)

CASES = [
    *(make(*size) for make in (_forward, _backward) for size in SIZES),
    *(make(4096, 1000, bench=True) for make in (_forward, _backward)),
    *(make(100, 10, bench=True) for make in (_forward, _backward)),
]
