"""Cases of skip-gram: one table and two, words that meet again, none that count, tails, size 0."""

import numpy as np

from ..case import Case
from .alias import alias_table

RATE = 2.0**-4
SEED, HIGH = 0x9E3779B9, 2**32 - 2


def _pairs(V: int, N: int, k: int, apart: bool):
    """centre, context [N], negative [N,k] of V words; `apart`: no two pairs share a word."""
    if apart:
        words = np.random.default_rng(0).permutation(V)[: N * (k + 2)].reshape(N, k + 2)
        return words[:, 0].copy(), words[:, 1].copy(), words[:, 2:].copy()
    rng = np.random.default_rng(V + N)
    centre, context = (rng.integers(0, max(V, 1), N) for _ in range(2))
    return centre, context, rng.integers(-1, max(V, 1), (N, k))


def _bytes(N: int, k: int, D: int, ways: int) -> int:
    """Vectors of all targets there and (where they change) back; the numbers of the words."""
    return 4 * ways * N * (k + 2) * D + 8 * N * (k + 2)


def _loss(V: int, D: int, N: int, k: int, tables: int = 2, bench: bool = False) -> Case:
    def make(draw, dtype):
        return draw(V, D), draw(V, D) if tables == 2 else None, *_pairs(V, N, k, False)

    return Case(
        "skip_gram",
        "loss",
        f"V{V} D{D} N{N} k{k} tables {tables}",
        make,
        flops=2 * N * (k + 1) * D,
        bytes=_bytes(N, k, D, 1),
        reduction=max(D * (k + 1), 1),
        floor=1.0,
        bench=bench,
    )


def _step(V: int, D: int, N: int, k: int, tables: int = 2, racing=False, bench=False) -> Case:
    """`racing` pairs share no word, so that the result does not depend on who comes first."""

    def make(draw, dtype):
        w, c = (draw(V, D) / np.sqrt(max(D, 1)).astype(dtype) for _ in range(2))
        rates = np.full(N, RATE, dtype)
        return w, c if tables == 2 else None, *_pairs(V, N, k, racing), rates, False

    return Case(
        "skip_gram",
        "racing" if racing else "step",
        f"V{V} D{D} N{N} k{k} tables {tables}",
        make,
        flops=6 * N * (k + 1) * D,
        bytes=_bytes(N, k, D, 2),
        reduction=max(N * (k + 1), D, 1),
        floor=1.0,
        bench=bench,
    )


def _noise(V: int, count: int, each: int, offset: int = 0, bench: bool = False) -> Case:
    table = alias_table((1.0 + np.arange(V)[::-1]) ** 0.75)
    return Case(
        "skip_gram",
        "noise",
        f"V{V} {count} x {each} offset {offset}",
        lambda draw, dtype: (*table, count, each, SEED, offset),
        flops=20 * count * each,
        bytes=16 * V + 8 * count * each,
        exact=True,
        bench=bench,
    )


def _outside(V: int, N: int, each: int, offset: int = 0, bench: bool = False) -> Case:
    """Word u has in its list what a coin says; the last word all, the one before none."""

    def make(draw, dtype):
        rows = min(V, 200)  # the others' lists are those again
        member = np.random.default_rng(V).random((rows, V)) < 0.5
        member[-1:], member[-2:-1] = True, False
        lists = [np.flatnonzero(member[u % rows]) for u in range(V)]
        first = np.concatenate([[0], np.cumsum([len(a) for a in lists])]).astype(np.int64)
        words = np.concatenate([*lists, np.empty(0, np.int64)]).astype(np.int64)
        return first, words, np.arange(N) * 7 % max(V, 1), each, SEED, offset

    return Case(
        "skip_gram",
        "outside",
        f"V{V} N{N} x {each} offset {offset}",
        make,
        flops=20 * N * each,
        bytes=8 * (N + N * each + V + V * V // 2),
        exact=True,
        bench=bench,
    )


SIZES = (5, 3, 0, 2), (4, 0, 3, 2), (2, 1, 1, 0), (1, 2, 3, 4), (7, 33, 31, 5), (40, 100, 20, 5)
APART = (5, 3, 0, 2), (8, 0, 2, 2), (4, 33, 2, 0), (60, 31, 7, 5), (300, 100, 40, 5)

CASES = [
    *(_loss(*size, tables=t) for t in (1, 2) for size in SIZES),
    *(_step(*size, tables=t) for t in (1, 2) for size in SIZES),
    *(_step(*size, tables=t, racing=True) for t in (1, 2) for size in APART),
    *(_noise(*size) for size in ((1, 3, 1), (33, 31, 5), (5, 0, 2), (5, 2, 0), (1000, 301, 3))),
    _noise(7, 33, 5, HIGH),
    *(_outside(*size) for size in ((1, 3, 1), (2, 9, 3), (33, 31, 5), (5, 0, 2), (127, 300, 3))),
    _outside(9, 33, 5, HIGH),
    _loss(30_000, 100, 10_000, 5, bench=True),
    _step(30_000, 100, 10_000, 5, bench=True),
    _step(70_000, 100, 10_000, 5, racing=True, bench=True),
    _noise(30_000, 10_000, 5, bench=True),
    _outside(4000, 10_000, 5, bench=True),
]
