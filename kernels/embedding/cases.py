"""Cases of the table of rows: rows met never, once and often, tails, size 0, words of a text."""

import numpy as np

from ..case import Case


def _index(N: int, V: int, kind: str) -> np.ndarray:
    """Places: "spread" evenly, all on "one" row, or as often as the "words" of a text (Zipf)."""
    if kind == "one":
        return np.full(N, V // 2)
    if kind == "words":
        u = np.random.default_rng(0).random(N)
        return np.minimum(V**u - 1, V - 1).astype(np.int64)  # row v as often as 1 / (v + 1)
    return np.arange(N) * 7 % max(V, 1)


def _gather(V: int, D: int, N: int, kind: str = "spread", bench: bool = False) -> Case:
    return Case(
        "embedding",
        "gather",
        f"V{V} D{D} N{N} {kind}",
        lambda draw, dtype: (draw(V, D), _index(N, V, kind)),
        flops=0,
        bytes=4 * 2 * N * D + 8 * N,
        exact=True,
        bench=bench,
    )


def _scatter_add(V: int, D: int, N: int, kind: str = "spread", bench: bool = False) -> Case:
    return Case(
        "embedding",
        "scatter_add",
        f"V{V} D{D} N{N} {kind}",
        lambda draw, dtype: (draw(N, D), _index(N, V, kind), V),
        flops=N * D,
        bytes=4 * (N * D + V * D) + 8 * N,
        reduction=max(N, 1),
        exact=True,
        bench=bench,
    )


SIZES = (0, 3, 0), (5, 0, 4), (3, 4, 0), (1, 1, 1), (4, 3, 2), (33, 31, 31), (31, 127, 33)
LARGE = (30_000, 100, 50_000, "words"), (100, 64, 100_000, "words")

CASES = [
    *(make(*size) for make in (_gather, _scatter_add) for size in SIZES),
    *(make(40, 5, 300, kind) for make in (_gather, _scatter_add) for kind in ("one", "words")),
    _scatter_add(3, 33, 97),  # pieces of 32 and one place more
    *(make(*size, bench=True) for make in (_gather, _scatter_add) for size in LARGE),
]
