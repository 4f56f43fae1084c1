"""Arrays of one's own: in memory, or in .npz, .npy and IDX files."""

from pathlib import Path

import numpy as np

from .. import idx
from ..dataset import DataSet, Info, Split
from ..files import DataError
from ..read import load_npy, load_npz
from .splits import SPLITS, seeded

AXES = {2: "table", 3: "images", 4: "images"}  # of x -> kind
CLASSES = 1000  # the most classes that whole numbers as labels may stand for


def from_arrays(
    x, y=None, name: str = "arrays", classes=(), seed: int = 0, source: str = ""
) -> DataSet:
    """Arrays as a data set: x [N, D] a table, [N, H, W] or [N, C, H, W] images; y the labels.

    Images of whole numbers from 0 to 255 become float32 in [0, 1], others must lie there; colours
    may be the last axis. y of whole numbers from 0 up are classes, other numbers a quantity
    [N] or [N, K]. A tenth of the examples is for validation, a fifth for the test, by `seed`.
    Raises DataError for other shapes and types, lengths that differ, NaN and infinity.

    >>> data = from_arrays(np.eye(10, 3), np.arange(10) % 2)
    >>> data.train.x.shape, data.info.classes, data.info.kind
    ((7, 3), ('0', '1'), 'binary')
    """
    whole, kind = _example(name, x, y)
    parts, how = seeded("from_arrays", name, "examples", whole, seed)
    return _data_set(name, parts, kind, classes, how, source)


def from_npz(path: str | Path, seed: int = 0) -> DataSet:
    """The arrays of an .npz file: x and y; or x_train, y_train, x_test, …; or train, valid, test.

    Of names like ``train_x`` either order will do. Raises DataError where neither x nor a training
    part is there, and as `from_arrays`.
    """
    path = Path(path)
    arrays = load_npz(path)
    name, found = path.name, {}
    for part in SPLITS:
        x, y = (_first(arrays, f"{a}_{part}", f"{part}_{a}") for a in "xy")
        x = arrays.get(part) if x is None else x
        if x is not None:
            found[part] = _example(f"{path}: {part}", x, y)
    if "train" in found:
        if len({kind for _, kind in found.values()} - {"binary", "table"}) > 1:
            raise DataError(f"{path}: the parts are of different kinds")
        kinds = [kind for _, kind in found.values()]
        kind = kinds[0] if len(set(kinds)) == 1 else "table"
        parts = [found[part][0] if part in found else None for part in SPLITS]
        how = "split as the file says: " + ", ".join(f"{p} {len(found[p][0])}" for p in found)
        return _data_set(name, parts, kind, (), how, str(path))
    x, y = _first(arrays, "x", "X", "data", "images"), _first(arrays, "y", "labels", "target")
    if x is None and len(arrays) == 1:
        [x] = arrays.values()
    if x is None:
        raise DataError(
            f"{path}: expected an array x (and y), or x_train, x_test and so on; there are"
            f" {', '.join(arrays) or 'none'}"
        )
    return from_arrays(x, y, name, seed=seed, source=str(path))


def from_npy(path: str | Path, seed: int = 0) -> DataSet:
    """The one array of an .npy file, without labels. Raises DataError as `from_arrays`."""
    return from_arrays(load_npy(Path(path)), None, Path(path).name, seed=seed, source=str(path))


def from_idx(path: str | Path, seed: int = 0) -> DataSet:
    """Images of an IDX file; their labels from the file next to it, as MNIST's are named.

    ``a-images-idx3-ubyte`` belongs to ``a-labels-idx1-ubyte``. Raises DataError as `from_arrays`.
    """
    path = Path(path)
    labels = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
    y = idx.read(labels, 1) if labels != path and labels.exists() else None
    return from_arrays(idx.read(path), y, path.name, seed=seed, source=str(path))


def _first(arrays: dict, *names: str):
    return next((arrays[n] for n in names if n in arrays), None)


def _example(name: str, x, y) -> tuple[Split, str]:
    x = np.asarray(x)
    if x.dtype.kind not in "biuf":
        raise DataError(f"{name}: x must be numbers; got {x.dtype}")
    if x.ndim not in AXES:
        raise DataError(f"{name}: x must be [N, D], [N, H, W] or [N, C, H, W]; got {x.shape}")
    if 0 in x.shape:
        raise DataError(f"{name}: x is empty: {x.shape}")
    kind = AXES[x.ndim]
    x = _images(name, x) if kind == "images" else x.astype(np.float32)
    if kind == "table" and np.isin(x, (0, 1)).all():
        kind = "binary"
    return Split(x, None if y is None else _labels(name, y, len(x))), kind


def _images(name: str, x: np.ndarray) -> np.ndarray:
    if x.ndim == 3:
        x = x[:, None]
    elif x.shape[1] not in (1, 3) and x.shape[3] in (1, 3):
        x = x.transpose(0, 3, 1, 2)
    if x.shape[1] not in (1, 3):
        raise DataError(f"{name}: images have 1 or 3 channels; got x of shape {x.shape}")
    if x.dtype.kind == "u" and x.dtype.itemsize == 1:
        return np.ascontiguousarray(x, np.float32) / np.float32(255)
    low, high = float(x.min()), float(x.max())
    if not (low >= 0 and high <= 255):
        raise DataError(f"{name}: pixels must lie in [0, 1], or be 0 … 255; got {low:g} … {high:g}")
    whole = x.dtype.kind in "biu" or (high > 1 and (x == np.round(x)).all())
    if high > 1 and not whole:
        raise DataError(f"{name}: pixels must lie in [0, 1], or be 0 … 255; got {low:g} … {high:g}")
    return np.ascontiguousarray(x, np.float32) / np.float32(255 if high > 1 else 1)


def _labels(name: str, y, n: int) -> np.ndarray:
    y = np.asarray(y)
    if len(y.shape) == 0 or len(y) != n:
        raise DataError(f"{name}: x has {n} examples, y has the shape {y.shape}")
    if y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind in "iub":
        y = y[:, 0]
    if y.dtype.kind in "iub" and y.ndim == 1:
        low, high = int(y.min()), int(y.max())
        if low < 0 or high >= CLASSES:
            raise DataError(
                f"{name}: whole numbers as labels must be 0 … {CLASSES - 1}; got {low} … {high}"
                " (a quantity must be of a floating-point type)"
            )
        return y.astype(np.int64)
    if y.dtype.kind not in "fiu" or y.ndim > 2:
        raise DataError(
            f"{name}: y must be classes [N] or numbers [N] or [N, K]; got {y.dtype} of shape"
            f" {y.shape}"
        )
    return y.astype(np.float32).reshape(n, -1)


def _data_set(name, parts, kind, classes, how, source) -> DataSet:
    x, y = parts[0].x, parts[0].y
    if any(p is not None and p.x.shape[1:] != x.shape[1:] for p in parts):
        raise DataError(f"{name}: the parts have different shapes")
    if any(p is not None and (p.y is None) != (y is None) for p in parts):
        raise DataError(f"{name}: some parts have labels, others have none")
    if y is not None and y.dtype.kind == "i":
        most = max(int(p.y.max()) for p in parts if p is not None and len(p)) + 1
        classes = tuple(classes) or tuple(map(str, range(most)))
        if len(classes) < most:
            raise DataError(f"{name}: {len(classes)} names of classes for labels up to {most - 1}")
        label = f"{len(classes)} classes"
    else:
        label = "no label" if y is None else f"{y.shape[1]} numbers to be predicted"
    shape = tuple(x.shape[1:]) if kind == "images" else None
    what = (
        f"images of {shape[0]} x {shape[1]} x {shape[2]}"
        if shape
        else f"rows of {x.shape[1]} numbers"
    )
    info = Info(
        source=source or "arrays", classes=tuple(classes), image_shape=shape, note=how, kind=kind,
        understood=(what, label, how),
    )  # fmt: skip
    return DataSet(name, *parts, info)
