"""Cases of sparse products: empty rows and columns, tails, size 0, hubs, a graph as Cora."""

import numpy as np

from ..case import Case
from . import transpose


def structure(N: int, M: int, E: int, kind: str = "spread") -> tuple[np.ndarray, np.ndarray]:
    """(indptr, indices) of E entries: "spread" over all rows but each fifth, or most in a "hub"."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, max(N, 1), E)
    if kind == "spread":
        rows = np.where(rows % 5 == 4, rows - 1, rows)
    elif kind == "hub":
        rows = np.where(rng.random(E) < 0.7, N // 2, rows)
    else:  # "degrees" as those of a citation network: many small ones, few large ones
        rows = np.minimum(N ** rng.random(E) - 1, N - 1).astype(np.int64)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=N))])
    return indptr.astype(np.int64), rng.integers(0, max(M, 1), E)


def _rows(indptr):
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def _case(pass_, size, make, moved, kind, bench, reduction, flops, exact=True):
    N, M, E, D = size
    return Case(
        "spmm",
        pass_,
        f"N{N} M{M} E{E} D{D} {kind}",
        make,
        flops=flops,
        bytes=moved,
        reduction=max(reduction, 1),
        exact=exact,
        bench=bench,
    )


def _forward(N, M, E, D, kind="spread", bench=False):
    def make(draw, dtype):
        return *structure(N, M, E, kind), draw(E), draw(M, D)

    moved = 4 * (E + M * D + N * D) + 8 * (N + 1 + E)
    return _case("forward", (N, M, E, D), make, moved, kind, bench, E, 2 * E * D)


def _transposed(N, M, E, D, kind="spread", bench=False):
    def make(draw, dtype):
        return *transpose(*structure(N, M, E, kind), M), draw(E), draw(N, D)

    moved = 4 * (E + M * D + N * D) + 8 * (M + 1 + 2 * E)
    return _case("transposed", (N, M, E, D), make, moved, kind, bench, E, 2 * E * D)


def _values_grad(N, M, E, D, kind="spread", bench=False):
    def make(draw, dtype):
        indptr, indices = structure(N, M, E, kind)
        return _rows(indptr), indices, draw(N, D), draw(M, D)

    moved = 4 * (E + M * D + N * D) + 16 * E
    return _case("values_grad", (N, M, E, D), make, moved, kind, bench, D, 2 * E * D)


def _softmax(N, M, E, D, kind="spread", bench=False):
    def make(draw, dtype):
        return structure(N, M, E, kind)[0], draw(E)

    moved = 8 * E + 8 * (N + 1)
    return _case("softmax", (N, M, E, 1), make, moved, kind, bench, E, 5 * E, exact=False)


PRODUCTS = _forward, _transposed, _values_grad
SIZES = (
    *((0, 3, 0, 4), (5, 0, 0, 4), (3, 4, 0, 3), (3, 4, 5, 0), (1, 1, 1, 1), (4, 6, 9, 2)),
    *((31, 33, 127, 31), (33, 31, 127, 33), (9, 7, 40, 127), (40, 33, 200, 16)),
)
SCORES = (0, 3, 0, 1), (3, 4, 0, 1), (1, 1, 1, 1), (31, 9, 127, 1), (33, 9, 300, 1), (7, 9, 500, 1)
CORA = (2708, 2708, 13264, 16, "degrees")  # with loops; the hidden layer of a graph convolution
LARGE = (100_000, 100_000, 1_000_000, 64, "degrees")

CASES = [
    *(make(*size) for make in PRODUCTS for size in SIZES),
    *(make(40, 40, 300, 8, "hub") for make in PRODUCTS),
    *(_softmax(*size) for size in SCORES),
    _softmax(40, 40, 300, 1, "hub"),
    *(make(*size, bench=True) for make in (*PRODUCTS, _softmax) for size in (CORA, LARGE)),
]
