"""Arrays of one's own in files: .npz, .npy and IDX, one file or one for each split."""

import math
from pathlib import Path

import numpy as np

from .. import idx
from ..dataset import DataSet, Split
from ..files import DataError
from ..mapped import Mapped, is_too_large, mapped
from ..read import load_npy, load_npz, npz_bytes
from ..room import expect_room, size_in_words, unpacked_size
from .arrays import AXES, check_bits, data_set, example, white_of
from .kind_of import is_binary
from .splits import LEAST, SPLITS, given_files, in_words, seeded

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
    if not files and any(f"x_{p}" in arrays or f"{p}_x" in arrays or p in arrays for p in SPLITS):
        told = _told(path, arrays, bits)
        if told is not None:
            return told
    parts = {part: _xy(file, load_npz(file)) for part, file in files.items()}
    return _of_files(path, _xy(path, arrays), parts, files, seed, bits)


def _told(path: Path, arrays: dict, bits) -> DataSet | None:
    """The splits that a file holds itself; None where it has no part for training."""
    found, white = {}, None
    for part in SPLITS:
        x, y = (_first(arrays, f"{a}_{part}", f"{part}_{a}") for a in "xy")
        x = arrays.get(part) if x is None else x
        if x is not None:
            like = found["train"][0].y if "train" in found else None
            found[part] = example(f"{path}: {part}", x, y, white, like)
            if part == "train" and x.ndim in AXES and AXES[x.ndim] == "images":
                white = white_of(str(path), x)
    if "train" not in found:
        return None
    kinds = [kind for _, kind in found.values()]
    if len(set(kinds) - {"binary", "table"}) > 1:
        raise DataError(f"{path}: the parts are of different kinds")
    kind = kinds[0] if len(set(kinds)) == 1 else "table"
    parts = [found[part][0] if part in found else None for part in SPLITS]
    how = "split as the file says: " + ", ".join(f"{p} {len(found[p][0])}" for p in found)
    return data_set(path.name, parts, kind, (), how, str(path), bits)


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
) -> DataSet:  # fmt: skip
    """The array of an .npy file, its labels those in another, if `labels` names one.

    An array that takes more than a quarter of the free memory stays in the file, and is split in
    its order. `valid` and `test` are files that are these splits (without labels). Raises DataError
    as `from_arrays`.
    """
    path, files = Path(path), given_files(valid=valid, test=test)
    check_bits(bits)
    if labels is not None and files:
        raise DataError(f"{path}: labels and files for splits do not go together; use .npz")
    y = None if labels is None else load_npy(Path(labels))
    if any(map(is_too_large, (path, *files.values()))):
        return _in_the_file(path, y, files)
    parts = {part: (load_npy(file), None) for part, file in files.items()}
    return _of_files(path, (load_npy(path), y), parts, files, seed, bits)


def _in_the_file(path: Path, y, files: dict[str, Path]) -> DataSet:
    """Arrays that are larger than memory, as they lie in their files."""
    whole, kind, white = _lasting(path, None)
    given = {}
    for part, file in files.items():
        x, other, _ = _lasting(file, white)
        if kind != other and "images" in (kind, other):
            raise DataError(f"{file}: {other}, where {path} holds {kind}")
        given[part] = Split(x[: len(x)])
    if y is not None:
        y = example(f"{path}: labels", np.zeros((len(whole), 1)), y)[0].y
    n = len(whole)
    valid = 0 if "valid" in given else n // 10
    test = 0 if "test" in given else n // 5
    if n < LEAST:
        raise DataError(f"{path}: {n} examples are too few to split; at least {LEAST} are needed")
    cuts = (0, n - valid - test, n - test, n)
    parts = [
        given.get(part) or Split(whole[a:b], None if y is None else y[a:b])
        for part, a, b in zip(SPLITS, cuts, cuts[1:])
    ]
    kept = [p for p, part in zip(SPLITS, parts) if isinstance(part.x, Mapped)]
    size = size_in_words(4 * whole.size)
    how = in_words(parts, given, "in the order of the file")
    verb = "stay" if len(kept) > 1 else "stays"
    stays = f"{size} as float32: {' and '.join(kept) or 'no split'} {verb} in the file"
    return data_set(path.name, parts, kind, (), how, str(path), None, (stays,))


def _lasting(path: Path, white: float | None) -> tuple[Mapped, str, float | None]:
    """An array in its file, its kind, and what a white pixel is where it holds images."""
    x = mapped(path)
    if x.dtype.kind not in "biuf" or x.ndim not in AXES or 0 in x.shape:
        raise DataError(f"{path}: expected numbers [N, D], [N, H, W] or [N, C, H, W]; got {x!r}")
    if AXES[x.ndim] == "table":
        return x, "binary" if is_binary(x) else "table", None
    if x.ndim == 3:
        x = x.reshape(len(x), 1, *x.shape[1:])
    if x.shape[1] not in (1, 3):
        raise DataError(
            f"{path}: images larger than memory must be [N, H, W] or [N, C, H, W] with 1 or 3"
            f" channels; got {list(x.shape)}"
        )
    if x.dtype != np.uint8:
        low = min(float(block.min()) for block in x.blocks())
        high = max(float(block.max()) for block in x.blocks())
        if not (low >= 0 and high <= 1):
            raise DataError(
                f"{path}: images larger than memory must be bytes, or lie in [0, 1]; got {low:g} …"
                f" {high:g}"
            )
    x.white = 255.0 if x.dtype == np.uint8 else 1.0
    return x, "images", x.white


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
    whole, kind = example(str(path), *xy)
    white = white_of(str(path), xy[0]) if kind == "images" else None
    given = {}
    for part, (x, y) in others.items():
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
    parts, how = seeded("from_arrays", path, "examples", whole, seed, given)
    return data_set(path.name, parts, kind, (), how, str(path), bits)
