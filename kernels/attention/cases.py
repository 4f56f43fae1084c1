"""Cases of attention: one key, tails of warps, blocks and threads, other widths of values, causal.

Each query has a key: without one lse is -infinity, which the tests of this family look at.
"""

import numpy as np

from ..case import Case


def _lengths(B, N):
    """All keys in the first example, fewer in the others."""
    return np.array([max(1, N - b * (N // 2 + 1)) for b in range(B)], np.int64)


def _given(draw, B, M, N, D, E, bench):
    lengths = np.full(B, N) if bench else _lengths(B, N)
    return draw(B, M, D), draw(B, N, D), draw(B, N, E), lengths, D**-0.5 if D else 1.0


def _name(B, M, N, D, E, causal):
    return f"B{B} M{M} N{N} D{D} E{E}{' causal' if causal else ''}"


def _forward(B, M, N, D, E, causal=False, bench=False) -> Case:
    return Case(
        "attention",
        "forward",
        _name(B, M, N, D, E, causal),
        lambda draw, dtype: (*_given(draw, B, M, N, D, E, bench), causal),
        flops=2 * B * M * N * (D + E),
        bytes=4 * B * (M * D + N * (D + E) + M * E + M),
        reduction=D + N + 8,
        floor=1.0,
        bench=bench,
    )


def _backward(B, M, N, D, E, causal=False, bench=False) -> Case:
    def make(draw, dtype):
        from .reference import forward

        q, k, v, lengths, scale = _given(draw, B, M, N, D, E, bench)
        o, lse = forward(*(a.astype(float) for a in (q, k, v)), lengths, scale, causal)
        go = draw(B, M, E)
        return go, q, k, v, o.astype(dtype), lse.astype(dtype), lengths, scale, causal

    return Case(
        "attention",
        "backward",
        _name(B, M, N, D, E, causal),
        make,
        flops=2 * B * M * N * (3 * D + 2 * E),
        bytes=4 * B * (2 * M * D + 2 * N * (D + E) + 2 * M * E + M),
        reduction=D + E + M + N + 8,
        floor=1.0,
        bench=bench,
    )


SIZES = (
    (0, 2, 3, 4, 5), (1, 0, 3, 2, 2), (1, 1, 1, 1, 1), (3, 4, 5, 3, 2),
    (1, 9, 33, 31, 33), (2, 33, 9, 1, 65), (1, 65, 70, 8, 8), (1, 3, 127, 5, 3), (1, 2, 3, 0, 1),
    (2, 70, 130, 33, 31), (9, 66, 31, 16, 16),
)  # fmt: skip

CASES = [
    *(make(*size) for make in (_forward, _backward) for size in SIZES),
    *(make(2, 9, 7, 4, 3, causal=True) for make in (_forward, _backward)),
    *(make(2, 130, 65, 9, 7, causal=True) for make in (_forward, _backward)),
    *(make(9, 66, 31, 15, 17, causal=True) for make in (_forward, _backward)),
    *(make(1, 7, 40, 4, 3, causal=True) for make in (_forward, _backward)),
    *(make(32, 256, 256, 64, 64, bench=True) for make in (_forward, _backward)),
]
