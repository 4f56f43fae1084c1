"""An array that stays in its file: slices of it are read when they are asked for.

A file of examples may be larger than memory. Training needs a minibatch of them at a time, and so
do evaluation, the digest and the check for NaN. What needs all examples at once is refused, with
their size, before the system runs out of memory.
"""

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..regular import open_regular
from .files import DataError
from .read import npy_header
from .room import MAPPED, SHARE, room, size_in_words

LARGEST = 1 << 50  # bytes of a file
BLOCK = 16 << 20  # bytes of float32 that are looked at a time
SHAPES = {np.shape: "shape", np.ndim: "ndim", np.size: "size"}  # need none of the numbers


@dataclass(frozen=True, eq=False, repr=False)
class Mapped:
    """Numbers in a file, [N, ...]. Indexing gives float32 in memory: x / white, then (x - m) / s.

    It is no NumPy array, so that nothing takes the numbers of the file for those that are meant.
    Rows that take more than a quarter of the free memory stay in the file, whether a slice or an
    index picks them. Whatever needs all numbers raises DataError.

    raw    the array in the file, [N', ...]
    what   the name of the file, for messages
    most   bytes of float32 that may be in memory
    row    the shape of an example
    index  the rows of `raw` that these are, int64 [N]; without, all of them in order

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.npy")
    ...     np.save(path, np.array([[0, 255], [51, 0]], np.uint8))
    ...     x = mapped(path, white=255.0)
    ...     x[[1, 0]].tolist()
    [[0.20000000298023224, 0.0], [0.0, 1.0]]
    >>> x.mean()
    Traceback (most recent call last):
        ...
    glassgrad.core.data.files.DataError: d.npy: 16 bytes of numbers stay in the file, but 'mean' \
needs all of them in memory; a file of fewer examples will do
    """

    raw: np.ndarray
    what: str
    most: int
    row: tuple[int, ...]
    index: np.ndarray | None = None
    white: float | None = None
    mean_row: np.ndarray | None = None
    deviation: np.ndarray | None = None

    dtype = np.dtype(np.float32)  # of what is read; that of the file is ``raw.dtype``
    shape = property(lambda self: (len(self), *self.row))
    ndim = property(lambda self: 1 + len(self.row))
    size = property(lambda self: len(self) * math.prod(self.row))

    def __len__(self) -> int:
        return len(self.raw if self.index is None else self.index)

    def __iter__(self):
        return (row for block in self.blocks() for row in block)

    def __getitem__(self, index):
        if isinstance(index, tuple):
            rows = self[index[0]] if index else self
            if isinstance(rows, Mapped):
                raise self._refused("a slice of all rows")
            scalar = isinstance(index[0], int | np.integer)
            return rows[index[1:] if scalar else (slice(None), *index[1:])]
        if not isinstance(index, slice):
            index = self._rows(index)
        if self.index is not None or not isinstance(index, slice):
            rows = self.index[index] if self.index is not None else index
            shape = np.shape(rows)
        else:
            rows, shape = index, (len(range(*index.indices(len(self)))),)
        if 4 * math.prod((*shape, *self.row)) <= self.most:
            return self._read(self.raw[rows], shape)
        if len(shape) != 1:
            raise self._refused("an index of so many rows")
        if isinstance(rows, slice):
            return replace(self, raw=self.raw[rows])
        return replace(self, index=rows)

    def part(self, first: int, last: int) -> "Mapped":
        """The rows first .. last - 1, none of which is read yet.

        >>> x = Mapped(np.arange(6).reshape(3, 2), "d.npy", 1 << 20, (2,))
        >>> x.part(1, 3)
        Mapped(d.npy, int64, [2, 2])
        >>> x.part(1, 3).read().tolist()
        [[2.0, 3.0], [4.0, 5.0]]
        """
        if self.index is not None:
            return replace(self, index=self.index[first:last])
        return replace(self, raw=self.raw[first:last])

    def read(self) -> np.ndarray:
        """All of these rows in memory; DataError where they take more than half of what is free."""
        if 4 * self.size > SHARE * room():
            raise self._refused(f"reading {len(self)} rows at once")
        return self._read(self.raw if self.index is None else self.raw[self.index], (len(self),))

    def _rows(self, index) -> np.ndarray:
        """An index of rows as whole numbers from 0 to N - 1."""
        found = np.asarray(index)
        if found.dtype.kind == "b" and found.shape == (len(self),):
            return np.flatnonzero(found)
        if found.size == 0:
            return found.astype(np.int64)
        if found.dtype.kind not in "iu":
            raise IndexError(f"{self!r}: rows are picked by whole numbers; got {index!r:.60}")
        if int(found.min()) < -len(self) or int(found.max()) >= len(self):
            raise IndexError(f"{self!r}: there is no such row: {int(found.min())} … {found.max()}")
        found = found.astype(np.int64)
        return np.where(found < 0, found + len(self), found)

    def _read(self, raw, shape: tuple[int, ...]) -> np.ndarray:
        with np.errstate(over="ignore"):  # a data set refuses what is infinite in float32
            x = np.array(raw, np.float32).reshape(*shape, *self.row)
        if self.white is not None:
            x /= np.float32(self.white)
        if self.mean_row is not None:
            m, s = (a.reshape(self.row) for a in (self.mean_row, self.deviation))
            x = ((x - m) / s).astype(np.float32)
        return x

    def __repr__(self):
        return f"Mapped({self.what}, {self.raw.dtype}, {list(self.shape)})"

    def __format__(self, spec):
        return format(repr(self), spec)

    def __array__(self, *args, **options):
        raise self._refused("'asarray'")

    def __array_ufunc__(self, function, method, *inputs, **options):
        raise self._refused(repr(function.__name__))

    def __array_function__(self, function, types, args, kwargs):
        if function in SHAPES and len(args) == 1 and not kwargs:
            return getattr(self, SHAPES[function])
        raise self._refused(repr(function.__name__))

    def _refused(self, what: str) -> DataError:
        size = 4 * self.size
        size = size_in_words(size) if size >= 1 << 20 else f"{size} bytes"
        return DataError(
            f"{self.what}: {size} of numbers stay in the file, but {what} needs all of them in"
            " memory; a file of fewer examples will do"
        )

    def blocks(self):
        """All rows in order, as arrays in memory of at most 16 MiB."""
        rows = max(1, min(BLOCK, self.most) // (4 * max(1, math.prod(self.row))))
        for start in range(0, len(self), rows):
            yield self[start : start + rows]

    def reshape(self, *shape) -> "Mapped":
        """The same examples in another shape. Raises DataError where N is not its first axis."""
        first, *row = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        if first != len(self):
            raise self._refused(f"the shape {[first, *row]}")
        return replace(self, row=np.empty(self.row, bool).reshape(row).shape)

    def standardised(self, mean: np.ndarray, deviation: np.ndarray) -> "Mapped":
        """The same with (x - mean) / deviation on every read."""
        mean, deviation = np.reshape(mean, -1), np.reshape(deviation, -1)
        if self.mean_row is not None:
            mean, deviation = self.mean_row + mean * self.deviation, self.deviation * deviation
        return replace(self, mean_row=mean, deviation=deviation)


def _refuse(name: str):
    def refused(self, *args, **options):
        raise self._refused(repr(name))

    return refused if callable(getattr(np.ndarray, name)) else property(refused)


# what NumPy asks of an array before it copies, and what every class has
_LEFT = {"__array_interface__", "__array_struct__", "__array_priority__", "__array_finalize__",
         "__buffer__", "__class_getitem__", "__doc__", *vars(Mapped), *dir(object)}  # fmt: skip
_COMPARED = {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"}
_COPIED = {"__reduce__", "__reduce_ex__"}
for _name in sorted(set(dir(np.ndarray)) - _LEFT | _COMPARED | _COPIED):
    setattr(Mapped, _name, _refuse(_name))


def moments(x: Mapped) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the columns of x [N, ...], float64, a block at a time."""
    n, mean, square = 0, 0.0, 0.0
    for block in x.blocks():
        wide = block.astype(np.float64)
        here, k = wide.mean(axis=0), len(wide)
        spread = ((wide - here) ** 2).sum(axis=0)
        step = here - mean  # of Chan, Golub, LeVeque 1979: no difference of large numbers
        square = square + spread + step**2 * (n * k / (n + k))
        mean, n = mean + step * (k / (n + k)), n + k
    return mean, np.sqrt(square / n)


def is_too_large(path: Path) -> bool:
    """Does the array of an .npy file, as float32, take more than a quarter of the free memory?"""
    shape, _, _, _ = _header(path)
    return 4 * math.prod(shape) > MAPPED * room()


def mapped(path: str | Path, white: float | None = None, share: float = 1.0) -> Mapped:
    """The array of an .npy file as it lies there. Raises DataError as `read.load_npy` does.

    At most this share of its numbers is in memory at a time, however small it is.
    """
    path = Path(path)
    shape, fortran, dtype, start = _header(path)
    try:
        raw = np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C").view(np.ndarray)
    except (OSError, ValueError) as error:  # a limit on the address space
        raise DataError(f"{path} cannot be mapped into memory: {error!s:.120}") from None
    most, row = int(MAPPED * room()), 4 * math.prod(shape[1:])
    most = min(most, max(row, int(share * shape[0] * row)))
    if row > most:
        raise DataError(f"{path}: one example takes {size_in_words(row)}: too much for this memory")
    return Mapped(raw, path.name, most, tuple(shape[1:]), white=white)


def _header(path: Path):
    with open_regular(path, LARGEST, DataError) as file:
        return npy_header(file, str(path), os.fstat(file.fileno()).st_size)
