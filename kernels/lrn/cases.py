"""Cases of local response normalisation: windows wider than the channels, even ones, tails."""

import numpy as np

from ..case import Case

PAPER = (2.0, 1e-4, 0.75)  # k, a, β
STRONG = (1.0, 0.5, 0.6)  # where the window matters, and β is no multiple of a quarter


def _forward(N, C, L, n, numbers=STRONG, bench=False) -> Case:
    return Case(
        "lrn",
        "forward",
        f"N{N} C{C} L{L} n{n} β{numbers[2]:g}",
        lambda draw, dtype: (draw(N, C, L), n, *numbers),
        flops=N * C * L * (2 * n + 3),
        bytes=4 * 3 * N * C * L,
        reduction=n + 8,  # and a power
        bench=bench,
    )


def _backward(N, C, L, n, numbers=STRONG, bench=False) -> Case:
    k, a, beta = numbers

    def make(draw, dtype):
        s = np.asarray(k + a * draw(N, C, L) ** 2).astype(dtype)
        return draw(N, C, L), draw(N, C, L), s, n, a, beta

    return Case(
        "lrn",
        "backward",
        f"N{N} C{C} L{L} n{n} β{numbers[2]:g}",
        make,
        flops=N * C * L * (3 * n + 5),
        bytes=4 * 4 * N * C * L,
        reduction=n + 8,
        floor=1.0,  # a difference
        bench=bench,
    )


SIZES = (
    (0, 3, 4, 5), (2, 0, 3, 3), (2, 3, 0, 3), (1, 1, 1, 1), (1, 3, 2, 9), (2, 7, 5, 4),
    (3, 31, 33, 5), (1, 127, 3, 3), (2, 9, 31, 8),
)  # fmt: skip

CASES = [
    *(make(*size) for make in (_forward, _backward) for size in SIZES),
    *(make(2, 6, 17, 5, numbers) for make in (_forward, _backward)
      for numbers in (PAPER, (1.0, 0.5, 0.0), (1.0, 0.5, 2.5))),
    *(make(32, 96, 729, 5, PAPER, bench=True) for make in (_forward, _backward)),
]  # fmt: skip
