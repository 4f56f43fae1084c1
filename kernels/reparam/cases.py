"""Cases of the reparameterised sample: rows that begin in each lane of a Philox block, size 0."""

from ..case import Case

SEED, HIGH = 0x9E3779B97F4A7C15, 2**32 - 2


def _forward(N: int, D: int, offset: int = 0, bench: bool = False) -> Case:
    return Case(
        "reparam",
        "forward",
        f"N{N} D{D} offset {offset}",
        lambda draw, dtype: (draw(N, D), draw(N, D), SEED, offset),
        flops=50 * N * D,
        bytes=4 * (3 * N * D + N),
        reduction=max(D, 1),
        floor=1.0,  # the divergence is a difference: 1 + logvar - mu² - e^logvar is 0 at mu = 0
        bench=bench,
    )


def _backward(N: int, D: int, offset: int = 0, bench: bool = False) -> Case:
    return Case(
        "reparam",
        "backward",
        f"N{N} D{D} offset {offset}",
        lambda draw, dtype: (draw(N, D), draw(N), draw(N, D), draw(N, D), SEED, offset),
        flops=50 * N * D,
        bytes=4 * (5 * N * D + N),
        bench=bench,
    )


SIZES = (0, 5), (3, 0), (1, 1), (7, 2), (31, 3), (33, 31), (2, 127), (5, 64), (3, 1032)

CASES = [
    *(make(N, D) for make in (_forward, _backward) for N, D in SIZES),
    *(make(5, 7, offset=HIGH) for make in (_forward, _backward)),
    *(make(100, 200, bench=True) for make in (_forward, _backward)),
    *(make(4096, 256, bench=True) for make in (_forward, _backward)),
]
