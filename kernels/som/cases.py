"""Cases of the self-organising map: tails of the 32 lanes, far data, size 0, every rule."""

import numpy as np

from ..case import Case
from . import RULES


def _pair(pass_: str, N: int, M: int, D: int, shift: int = 0, bench: bool = False) -> Case:
    """`distances` or `winners`; `shift` moves samples and nodes away from the origin together."""
    out = N * M if pass_ == "distances" else 2 * N
    return Case(
        "som",
        pass_,
        f"N{N} M{M} D{D}" + (f" at {shift}" if shift else ""),
        lambda draw, dtype: (draw(N, D) + shift, draw(M, D) + shift),
        flops=3 * N * M * D,
        bytes=4 * (N * D + M * D + out),
        reduction=max(D, 1),
        exact=True,
        bench=bench,
    )


def _update(N: int, M: int, D: int, rule: str, bench: bool = False) -> Case:
    def make(draw, dtype):
        winner = np.arange(N) * 7 % max(M, 1)
        return draw(M, D), draw(N, D), winner, draw(M, M), 0.125, rule

    return Case(
        "som",
        "update",
        f"N{N} M{M} D{D} {rule}",
        make,
        flops=2 * N * D + 2 * M * M * D,
        bytes=4 * (2 * M * D + N * D + M * M) + 8 * N,
        reduction=max(N * M, 1),
        exact=rule == "additive",  # the others divide: by the number of nodes, or by a norm
        bench=bench,
    )


def _online(N: int, M: int, D: int, rule: str, hard: bool = False, bench: bool = False) -> Case:
    """`hard` has the winner alone move half the way: exact in small integers for a few samples."""

    def make(draw, dtype):
        w, x = draw(M, D), draw(N, D)
        table = np.stack([np.eye(M)] * 2).astype(w.dtype) if hard else draw(2, M, M)
        rates = np.full(N, 0.5 if hard else 2.0**-6, w.dtype)
        return w, x, table, np.arange(N) % 2, rates, rule

    return Case(
        "som",
        "online",
        f"N{N} M{M} D{D} {rule}{' hard' if hard else ''}",
        make,
        flops=5 * N * M * D,
        bytes=4 * (2 * M * D + N * D + 2 * M * M + 2 * N) + 16 * N,
        reduction=max(D, 1) * max(N, 1),
        exact=hard,
        bench=bench,
    )


SIZES = (0, 3, 2), (0, 0, 2), (3, 4, 0), (1, 1, 1), (31, 33, 3), (33, 31, 5), (127, 127, 33)

CASES = [
    *(_pair(p, *size) for p in ("distances", "winners") for size in SIZES),
    *(_pair(p, 33, 40, 34, shift=1000) for p in ("distances", "winners")),
    _pair("winners", 67, 333, 36),  # more than 128 pairs to settle, of several tiles
    *(_update(*size, rule) for rule in RULES for size in SIZES),
    *(_online(*size, rule) for rule in RULES for size in SIZES[:-1]),
    _online(9, 127, 33, "difference"),
    _online(5, 33, 3, "difference", hard=True),
    *(_pair("winners", *size, bench=True) for size in ((20000, 400, 3), (2000, 900, 784))),
    _pair("winners", 5000, 100, 64, bench=True),
    _pair("distances", 2000, 900, 784, bench=True),
    _update(20000, 400, 64, "difference", bench=True),
    _online(1000, 900, 784, "difference", bench=True),
    _online(1000, 100, 16, "difference", bench=True),
]
