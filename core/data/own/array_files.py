"""Arrays of one's own in files: .npz, .npy and IDX, one file or one for each split."""

import math
from functools import partial
from pathlib import Path

import numpy as np

from .. import idx
from ..dataset import DataSet, Split
from ..files import DataError
from ..mapped import Mapped, is_too_large, mapped
from ..read import load_npy, load_npz, npz_bytes
from ..room import expect_room, size_in_words, unpacked_size
from .array_labels import numbered
from .arrays import AXES, check_bits, data_set, example, white_of
from .splits import OTHER, SPLITS, given_files, seeded

COPIES = 2  # of the numbers as float32, while a file is read: the whole, and its splits


def from_npz(
    path: str | Path, seed: int = 0, valid: str | Path | None = None,
    test: str | Path | None = None, bits: str | None = None,
) -> DataSet:  # fmt: skip
    """The arrays of an .npz file: x and y; or x_train, y_train, x_test, …; or train, valid, test.

    Of names like ``train_x`` either order will do. `valid` and `test` are files with x and y, of
    which these splits are; bits="median" makes 0 and 1 of a table. Raises DataError where neither x
    nor a training part is there, where they would not fit into memory, and as `from_arrays`.
    """
    path, files = Path(path), given_files(valid=valid, test=test)
    check_bits(bits)
    for file in (path, *files.values()):
        need = npz_bytes(file)
        expect_room(file, (1 + COPIES) * need, f"{need // 4:,} numbers")
    arrays = load_npz(path)
    in_parts = any(f"x_{p}" in arrays or f"{p}_x" in arrays or p in arrays for p in SPLITS)
    if in_parts and not files.keys() & set(SPLITS):
        found = _in_parts(path, arrays, bits, files.get(OTHER))
        if found is not None:
            return found
    parts = {part: _xy(file, load_npz(file)) for part, file in files.items()}
    return _of_files(path, _xy(path, arrays), parts, files, seed, bits)


def _in_parts(path: Path, arrays: dict, bits, other: Path | None = None) -> DataSet | None:
    """The splits that a file holds itself; None where it has no part for training.

    The examples of the file `other` take the place of the test part.
    """
    found, white = {}, None
    given = (_first(arrays, f"y_{part}", f"{part}_y") for part in SPLITS)
    classes = _classes(path, *(y for y in given if y is not None))
    for part in SPLITS:
        x, y = (_first(arrays, f"{a}_{part}", f"{part}_{a}") for a in "xy")
        x = arrays.get(part) if x is None else x
        if x is not None:
            y = _number(f"{path}: {part}", y, classes)
            like = found["train"][0].y if "train" in found else None
            found[part] = example(f"{path}: {part}", x, y, white, like)
            if part == "train" and x.ndim in AXES and AXES[x.ndim] == "images":
                white = white_of(str(path), x)
    if "train" not in found:
        return None
    if other is not None:
        x, y = _xy(other, load_npz(other))
        y = _number(str(other), y, classes)
        found["test"] = example(str(other), x, y, white, found["train"][0].y)
    kinds = [kind for _, kind in found.values()]
    if len(set(kinds) - {"binary", "table"}) > 1:
        raise DataError(f"{path}: the parts are of different kinds")
    kind = kinds[0] if len(set(kinds)) == 1 else "table"
    parts = [found[part][0] if part in found else None for part in SPLITS]
    how = "split as the file says: " + ", ".join(f"{p} {len(found[p][0])}" for p in found)
    return data_set(path.name, parts, kind, classes, how, str(path), bits)


def _classes(path: Path, *labels) -> tuple[str, ...]:
    """The classes that texts as labels are, of all parts of a file; none for other labels."""
    if not labels or any(y.dtype.kind != "U" for y in labels):
        return ()
    return numbered(path, np.concatenate([y.reshape(-1) for y in labels]))[1]


def _number(name: str, y, classes: tuple[str, ...]):
    return numbered(name, y, classes)[0] if classes and y is not None else y


def _xy(path: Path, arrays: dict) -> tuple:
    x, y = _first(arrays, "x", "X", "data", "images"), _first(arrays, "y", "labels", "target")
    if x is None and len(arrays) == 1:
        [x] = arrays.values()
    if x is None:
        raise DataError(
            f"{path}: expected an array x (and y), or x_train, x_test and so on; there are"
            f" {', '.join(arrays) or 'none'}"
        )
    return x, y


def from_npy(
    path: str | Path, seed: int = 0, labels: str | Path | None = None,
    valid: str | Path | None = None, test: str | Path | None = None, bits: str | None = None,
    in_file: bool = False,
) -> DataSet:  # fmt: skip
    """The array of an .npy file, its labels those in another, if `labels` names one.

    An array that takes more than a quarter of the free memory stays in the file; its split is the
    same. With `in_file` any does, and an eighth of it at most is in memory at a time. `valid` and
    `test` are files that are these splits (without labels). Raises DataError as `from_arrays`.
    """
    path, files = Path(path), given_files(valid=valid, test=test)
    check_bits(bits)
    y = [load_npy(file) for file in given_files(labels=labels).values()]
    if y and files:
        raise DataError(f"{path}: labels and files for splits do not go together; use .npz")
    load = mapped if any(map(is_too_large, (path, *files.values()))) else load_npy
    if in_file:
        load = partial(mapped, share=1 / 8)
    parts = {part: (load(file), None) for part, file in files.items()}
    return _of_files(path, (load(path), y[0] if y else None), parts, files, seed, bits)


def from_idx(
    path: str | Path, seed: int = 0, valid: str | Path | None = None,
    test: str | Path | None = None,
) -> DataSet:  # fmt: skip
    """Images of an IDX file; their labels from the file next to it, as MNIST's are named.

    ``a-images-idx3-ubyte`` belongs to ``a-labels-idx1-ubyte``. `valid` and `test` are IDX files of
    images that are these splits. Raises DataError where they would not fit into memory, and as
    `from_arrays`.
    """
    path, files = Path(path), given_files(valid=valid, test=test)
    for file in (path, *files.values()):
        n = unpacked_size(file) if file.is_file() else 0
        expect_room(file, n + 4 * COPIES * n, f"{n:,} numbers")
    parts = {part: _idx(file) for part, file in files.items()}
    return _of_files(path, _idx(path), parts, files, seed)


def _idx(path: Path) -> tuple:
    labels = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
    y = idx.read(labels, 1) if labels != path and labels.exists() else None
    return idx.read(path), y


def _first(arrays: dict, *names: str):
    return next((arrays[n] for n in names if n in arrays), None)


def _of_files(path: Path, xy: tuple, others: dict, files: dict, seed: int, bits=None) -> DataSet:
    """One file of examples, and those that are splits of their own."""
    x, y = xy
    classes = _classes(path, *([] if y is None else [y]))
    whole, kind = example(str(path), x, _number(str(path), y, classes))
    white = None
    if kind == "images":
        white = whole.x.white if isinstance(whole.x, Mapped) else white_of(str(path), xy[0])
    given = {}
    for part, (x, y) in others.items():
        y = _number(str(files[part]), y, classes)
        given[part], other = example(str(files[part]), x, y, white, whole.y)
        if other != kind and "images" in (kind, other):
            raise DataError(f"{files[part]}: {other}, where {path} holds {kind}")
        if other != kind:
            kind = "table"
        if math.prod(given[part].x.shape[1:]) != math.prod(whole.x.shape[1:]):
            raise DataError(
                f"{files[part]}: {list(given[part].x.shape[1:])} an example, where {path} has"
                f" {list(whole.x.shape[1:])}"
            )
    given = {part: found[:] for part, found in given.items()}  # what is small is read
    parts, how = seeded("from_arrays", path, "examples", whole, seed, given)
    parts = [part[:] for part in parts]
    return data_set(path.name, parts, kind, classes, how, str(path), bits, _stays(whole, parts))


def _stays(whole: Split, parts: list[Split]) -> tuple[str, ...]:
    """What to say where arrays are larger than memory."""
    if not isinstance(whole.x, Mapped) and not any(isinstance(p.x, Mapped) for p in parts):
        return ()
    kept = [name for name, part in zip(SPLITS, parts) if isinstance(part.x, Mapped)]
    verb = "stay" if len(kept) > 1 else "stays"
    size = size_in_words(4 * whole.x.size)
    return (f"{size} as float32: {' and '.join(kept) or 'no split'} {verb} in the file",)
