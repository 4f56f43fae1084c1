"""Where a sparse matrix has its entries: what products with it, and their derivatives, look up."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..kernels import spmm as kernel
from ..kernels.annotations import Array, Count
from ..kernels.errors import DTypeError, ValueRangeError, expect
from .arrays import device_of, to_device


class Placed(NamedTuple):
    """The arrays of a pattern on one device (kernels/spmm): rows of entries, then columns."""

    indptr: np.ndarray  # [N+1]
    indices: np.ndarray  # [E]
    rows: np.ndarray  # [E], the row of each entry


class SparsePattern:
    """The places of the E entries of a sparse matrix [N, M], in compressed sparse rows (CSR).

    indptr [N+1] and indices [E] are whole numbers: row i has its entries in the columns
    ``indices[indptr[i]:indptr[i + 1]]``. The values of the entries are no part of it: they are an
    argument of `spmm`, with a derivative. Its arrays are never changed, and are kept on each device
    that asks for them. The entries sorted by column, which the transposed product reads, are found
    at the first such product. Raises ShapeError, DTypeError, ValueRangeError.

    >>> pattern = SparsePattern([0, 2, 2], [0, 2], columns=3)
    >>> pattern
    SparsePattern(2 x 3, 2 entries)
    >>> pattern.rows.tolist()
    [0, 0]
    """

    def __init__(self, indptr: Array, indices: Array, columns: Count):
        self.indptr, self.indices = _whole("indptr", indptr), _whole("indices", indices)
        _check(self.indptr, self.indices, columns)
        self.shape, self.entries = (len(self.indptr) - 1, columns), len(self.indices)
        self.rows = np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))
        self._placed: dict[str, Placed] = {}
        self._turned: dict[str, tuple] = {}

    def __repr__(self) -> str:
        return f"SparsePattern({self.shape[0]} x {self.shape[1]}, {self.entries} entries)"

    def on(self, like) -> Placed:
        """Its arrays on the device of the array `like`."""
        device = device_of(like)
        if device not in self._placed:
            parts = self.indptr, self.indices, self.rows
            self._placed[device] = Placed(*(to_device(a, device) for a in parts))
        return self._placed[device]

    @functools.cached_property
    def turned(self) -> tuple:
        """What kernels/spmm `transpose` returns: (indptr, rows, place) of the entries by column."""
        return kernel.transpose(self.indptr, self.indices, self.shape[1])

    def turned_on(self, like) -> tuple:
        """The same on the device of the array `like`."""
        device = device_of(like)
        if device not in self._turned:
            self._turned[device] = tuple(to_device(a, device) for a in self.turned)
        return self._turned[device]


def _whole(name: str, numbers) -> np.ndarray:
    """A copy in int64, of one axis."""
    a = np.array(numbers)
    what = f"{name} must hold whole numbers"
    expect(a.dtype.kind in "iu" or not a.size, "SparsePattern", what, "int64", a.dtype, DTypeError)
    expect(a.ndim == 1, "SparsePattern", f"{name} must have one axis", "1 axis", a.ndim)
    return a.astype(np.int64)


def _check(indptr: np.ndarray, indices: np.ndarray, columns: int) -> None:
    """indptr goes from 0 up to the number of entries; every index is that of a column."""
    name, count = "SparsePattern", len(indices)
    expect(len(indptr) > 0, name, "indptr must have an entry more than rows", "≥ 1", 0)
    ends, want = (int(indptr[0]), int(indptr[-1])), (0, count)
    what = "indptr must begin with 0 and end with the number of entries"
    expect(ends == want, name, what, want, ends, ValueRangeError)
    falls = int((np.diff(indptr) < 0).sum())
    expect(not falls, name, "indptr must not fall", "no fall", falls, ValueRangeError)
    if count:
        low, high = int(indices.min()), int(indices.max())
        what, got = f"indices must lie below {columns}", f"{low}..{high}"
        inside = low >= 0 and high < columns
        expect(inside, name, what, f"0..{columns - 1}", got, ValueRangeError)


def block_diagonal(patterns: Sequence[SparsePattern]) -> SparsePattern:
    """Several matrices as one: their blocks along the diagonal, zeros elsewhere.

    Several graphs are one graph without edges between them: one product serves all. The entries
    are those of the first pattern, then those of the second, and so on.

    >>> one = SparsePattern([0, 1], [0], columns=1)
    >>> block_diagonal([one, SparsePattern([0, 2], [1, 0], columns=2)]).indices.tolist()
    [0, 2, 1]
    """
    below = np.cumsum([0, *(p.shape[1] for p in patterns)])
    ends = np.cumsum([0, *(p.entries for p in patterns)])
    indptr = [p.indptr[1:] + end for p, end in zip(patterns, ends)]
    indices = [p.indices + column for p, column in zip(patterns, below)]
    return SparsePattern(
        np.concatenate([np.zeros(1, np.int64), *indptr]),
        np.concatenate([np.zeros(0, np.int64), *indices]),
        int(below[-1]),
    )
