"""An array that stays in its file: slices of it are read when they are asked for.

A file of examples may be larger than memory. Training needs a minibatch of them at a time, and so
do evaluation, the digest and the check for NaN. What needs all examples at once is refused, with
their size, before the system runs out of memory.
"""

import os
from pathlib import Path

import numpy as np

from ..regular import open_regular
from .files import DataError
from .read import npy_header
from .room import MAPPED, room, size_in_words

LARGEST = 1 << 50  # bytes of a file
BLOCK = 16 << 20  # bytes of float32 that are looked at a time
HARMLESS = frozenset({np.shape, np.ndim, np.size, np.may_share_memory, np.shares_memory})


class Mapped(np.ndarray):
    """Numbers in a file, [N, ...]. Indexing gives float32 in memory: x / white, then (x - m) / s.

    A slice that is itself larger than a quarter of the free memory stays in the file. Whatever
    needs all numbers raises DataError.

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
    glassgrad.core.data.files.DataError: d.npy: 16 bytes of numbers stay in the file, but 'add' \
needs all of them in memory; a file of fewer examples will do
    """

    white = mean_row = deviation = None
    what, most = "", 0

    def __array_finalize__(self, other):
        for name in ("white", "mean_row", "deviation", "what", "most"):
            setattr(self, name, getattr(other, name, getattr(type(self), name)))

    def __getitem__(self, index):
        if isinstance(index, tuple) and index:
            rows = self[index[0]]
            if isinstance(rows, Mapped):
                raise self._refused("a slice of all rows")
            scalar = isinstance(index[0], int | np.integer)
            return rows[index[1:] if scalar else (slice(None), *index[1:])]
        if isinstance(index, slice):
            view = super().__getitem__(index)
            large = 4 * view.size > self.most
            return view if large else self._read(view)
        picked = np.asarray(index)
        if picked.dtype.kind == "b":
            picked = np.flatnonzero(picked)
        if 4 * picked.size * int(np.prod(self.shape[1:])) > self.most:
            raise self._refused("an index of so many rows")
        return self._read(super().__getitem__(picked), rows=picked.ndim > 0)

    def _read(self, raw, rows: bool = True):
        shape = np.shape(raw)
        raw = raw.view(np.ndarray) if isinstance(raw, np.ndarray) else raw
        with np.errstate(over="ignore"):  # a data set refuses what is infinite in float32
            x = np.array(raw, np.float32)
        if self.white is not None:
            x /= np.float32(self.white)
        if self.mean_row is not None:
            row = shape[1:] if rows else shape
            m, s = (a.reshape(row) for a in (self.mean_row, self.deviation))
            x = ((x - m) / s).astype(np.float32)
        return x

    def __repr__(self):
        return f"Mapped({self.what}, {self.dtype}, {list(self.shape)})"

    __str__ = __repr__

    def __array_ufunc__(self, function, method, *inputs, **options):
        raise self._refused(repr(function.__name__))

    def __array_function__(self, function, types, args, kwargs):
        if function in HARMLESS:
            return super().__array_function__(function, types, args, kwargs)
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
        rows = max(1, min(BLOCK, self.most) // (4 * max(1, int(np.prod(self.shape[1:])))))
        for start in range(0, len(self), rows):
            yield self[start : start + rows]

    def standardised(self, mean: np.ndarray, deviation: np.ndarray) -> "Mapped":
        """The same with (x - mean) / deviation on every read."""
        found = self.view()
        if self.mean_row is not None:
            mean, deviation = self.mean_row + mean * self.deviation, self.deviation * deviation
        found.mean_row, found.deviation = mean, deviation
        return found


def _refuse(name: str):
    def method(self, *args, **options):
        raise self._refused(repr(name))

    return method


for _name in ("astype", "copy", "flatten", "tolist", "tobytes", "transpose", "swapaxes", "sort"):
    setattr(Mapped, _name, _refuse(_name))


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
    return 4 * int(np.prod(shape, dtype=object)) > MAPPED * room()


def mapped(path: str | Path, white: float | None = None) -> Mapped:
    """The array of an .npy file as it lies there. Raises DataError as `read.load_npy` does."""
    path = Path(path)
    shape, fortran, dtype, start = _header(path)
    try:
        x = np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C").view(Mapped)
    except (OSError, ValueError) as error:  # a limit on the address space
        raise DataError(f"{path} cannot be mapped into memory: {error!s:.120}") from None
    x.what, x.white, x.most = path.name, white, int(MAPPED * room())
    row = 4 * int(np.prod(shape[1:], dtype=object))
    if row > x.most:
        raise DataError(f"{path}: one example takes {size_in_words(row)}: too much for this memory")
    return x


def _header(path: Path):
    with open_regular(path, LARGEST, DataError) as file:
        return npy_header(file, str(path), os.fstat(file.fileno()).st_size)
