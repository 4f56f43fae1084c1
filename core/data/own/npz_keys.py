"""The names, shapes and types in an .npz file, read without its numbers; and checks of arrays."""

import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...regular import open_regular
from ..files import FILE_LIMIT, DataError
from ..read import NPY_HEADERS

MOST_MEMBERS = 1000  # of an archive that is looked into


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each array by its name; empty for what is no sound .npz file.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(os.path.join(folder, "d.npz"), x=np.zeros((2, 3)), n=np.int64(1))
    ...     shapes(Path(folder, "d.npz"))
    {'x': (2, 3), 'n': ()}
    """
    try:
        state = path.stat()
    except (OSError, ValueError):
        return {}
    return dict(_shapes(path, state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=4)  # many formats ask about one file
def _shapes(path: Path, size: int, changed: int) -> dict[str, tuple[int, ...]]:
    try:
        with open_regular(path, FILE_LIMIT, DataError) as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                return {}
            found = {}
            for member in members:
                with archive.open(member) as stream:
                    version = np.lib.format.read_magic(stream)
                    found[member.filename.removesuffix(".npy")] = NPY_HEADERS[version](stream)[0]
            return found
    except Exception:  # zipfile and NumPy raise a dozen classes; the reader says what is wrong
        return {}


def expect_keys(path: Path, arrays: dict, keys: tuple[str, ...]) -> None:
    """Raise DataError where one of the keys is missing among the arrays of a file."""
    for key in keys:
        if key not in arrays:
            raise DataError(f"{path}: no array {key!r}; there are {sorted(arrays)}")


def has(*keys: str) -> Callable[[Path], bool]:
    """A `fits` of formats.py: does the .npz file at a path hold arrays of all these names?"""

    def fits(path: Path) -> bool:
        return set(keys) <= shapes(path).keys()

    return fits


def integers(
    path: Path, name: str, a: np.ndarray, shape: tuple, low: int = 0, high: int = 2**62
) -> np.ndarray:
    """The array `a` as int64, with low <= a < high. None in `shape` is any size.

    Raises DataError, with the row, for another shape or type and for a number out of range.

    >>> integers(Path("d.npz"), "edges", np.array([[0, 1], [7, 2]]), (None, 2), 0, 5)
    Traceback (most recent call last):
        ...
    glassgrad.core.data.files.DataError: d.npz, edges, row 1, column 0: 7 is not in 0 … 4
    """
    fits = a.ndim == len(shape) and all(s in (None, n) for s, n in zip(shape, a.shape))
    if not fits or a.dtype.kind not in "iu":
        wanted = ", ".join("N" if s is None else str(s) for s in shape)
        raise DataError(
            f"{path}: {name} must be whole numbers [{wanted}]; got {a.dtype} of shape {a.shape}"
        )
    wrong = np.argwhere((a < low) | (a >= high))
    for place in wrong[:1]:
        where = ", ".join(f"{w} {i}" for w, i in zip(("row", "column", "axis 3"), place))
        of = f"0 … {high - 1}" if low == 0 else f"{low} … {high - 1}"
        raise DataError(
            f"{path}, {name}{', ' + where if where else ''}: {a[tuple(place)]} is not in {of}"
        )
    return a.astype(np.int64)


def csr(path: Path, prefix: str, data, indices, indptr, rows: int, columns: int):
    """(data, indices, indptr) of a sparse matrix [rows, columns], as they are, but checked.

    Row n has the columns indices[indptr[n] : indptr[n + 1]]. Raises DataError, with the row, for
    pointers that are not monotone or end elsewhere, for a column out of range, and for values that
    are not finite.
    """
    pointers = integers(path, f"{prefix}indptr", indptr, (None,), 0, len(indices) + 1)
    if len(pointers) != rows + 1:
        raise DataError(f"{path}: {prefix}indptr has {len(pointers)} numbers, not {rows} + 1")
    for n in np.flatnonzero(np.diff(pointers) < 0)[:1]:
        raise DataError(f"{path}, {prefix}indptr, row {n}: it ends before it begins")
    if pointers[0] != 0 or pointers[-1] != len(indices):
        raise DataError(
            f"{path}: {prefix}indptr runs from {pointers[0]} to {pointers[-1]}, not from 0 to"
            f" {len(indices)}"
        )
    if data.shape != indices.shape:
        raise DataError(
            f"{path}: {prefix}data has the shape {data.shape}, {prefix}indices {indices.shape}"
        )
    if data.dtype.kind not in "biuf":
        raise DataError(f"{path}: {prefix}data must be numbers; got {data.dtype}")
    integers(path, f"{prefix}indices", indices, (None,))
    for what, bad in (
        (f"column {{}} is not in 0 … {columns - 1}", indices >= columns),
        ("the value {} is not finite", ~np.isfinite(data)),
    ):
        for i in np.flatnonzero(bad)[:1]:
            row = int(np.searchsorted(pointers, i, side="right")) - 1
            said = what.format(indices[i] if "column" in what else data[i])
            raise DataError(f"{path}, {prefix.rstrip('_') or 'matrix'}, row {row}: {said}")
    return data, indices, indptr


def texts(path: Path, name: str, a: np.ndarray) -> tuple[str, ...]:
    """Names out of an array of texts [N]. Raises DataError for anything else."""
    if a.ndim != 1 or a.dtype.kind != "U":
        raise DataError(f"{path}: {name} must be texts [N]; got {a.dtype} of shape {a.shape}")
    return tuple(map(str, a))
