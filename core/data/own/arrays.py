"""Arrays of one's own as a data set: what they are, and what they must be."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ..dataset import DataSet, Info, Split
from ..files import DataError
from ..mapped import Mapped
from .array_labels import CLASSES, numbered
from .bits import above_median, check_bits
from .kind_of import is_binary
from .lines import counted
from .splits import seeded, untrained

AXES = {2: "table", 3: "images", 4: "images"}  # of x -> kind


def from_arrays(
    x, y=None, name: str = "arrays", classes: Iterable = (), seed: int = 0, source: str = "",
    bits: str | None = None,
) -> DataSet:  # fmt: skip
    """Arrays as a data set: x [N, D] a table, [N, H, W] or [N, C, H, W] images; y the labels.

    Images of whole numbers from 0 to 255 become float32 in [0, 1], others must lie there; colours
    may be the last axis. y of whole numbers from 0 up are classes, and so are texts, whose sorted
    values name them; other numbers are a quantity [N] or [N, K]. A tenth of the examples is for
    validation, a fifth for the test, by `seed`. With bits="median" a column of numbers becomes 1
    above its training median, 0 elsewhere. Raises DataError for other shapes and types, lengths
    that differ, NaN and infinity.

    >>> data = from_arrays(np.eye(10, 3), np.arange(10) % 2)
    >>> data.train.x.shape, data.info.classes, data.info.kind
    ((7, 3), ('0', '1'), 'binary')
    """
    check_bits(bits)
    y, classes = (y, classes) if y is None else numbered(name, y, classes)
    whole, kind = example(name, x, y)
    parts, how = seeded("from_arrays", name, "examples", whole, seed)
    return data_set(name, parts, kind, classes, how, source, bits)


def example(
    name: str, x: np.ndarray | Mapped, y, white: float | None = None, like: np.ndarray | None = None
) -> tuple[Split, str]:
    """The examples x with their labels y, as a split, and their kind.

    `white` is the value of a white pixel, where other examples have decided it (`white_of`); so are
    `like` the labels of the training part, which say whether y is classes or a quantity.
    """
    stays = isinstance(x, Mapped)
    x = x if stays else np.asarray(x)
    stored = x.raw.dtype if stays else x.dtype
    if stored.kind not in "biuf":
        raise DataError(f"{name}: x must be numbers; got {stored}")
    if x.ndim not in AXES:
        raise DataError(f"{name}: x must be [N, D], [N, H, W] or [N, C, H, W]; got {x.shape}")
    if 0 in x.shape:
        raise DataError(f"{name}: x is empty: {x.shape}")
    kind = AXES[x.ndim]
    if stays:
        x = _images_in_file(name, x, white) if kind == "images" else x
    else:
        x = _images(name, x, white) if kind == "images" else x.astype(np.float32)
    if kind == "table" and is_binary(x):
        kind = "binary"
    y = None if y is None else _labels(name, y, len(x), like)
    for what, a in (("x", x), ("y", y)):  # here they are in the order of the file
        _expect_finite(name, what, a)
    return Split(x, y), kind


def _expect_finite(name: str, what: str, a) -> None:
    if isinstance(a, np.ndarray) and a.dtype.kind == "f" and not np.isfinite(a.sum()):
        for row, *rest in np.argwhere(~np.isfinite(a))[:1].tolist():
            at = f", column {rest[0]}" if len(rest) == 1 else f", pixel {tuple(rest)}"
            raise DataError(f"{name}: {what} has {a[(row, *rest)]} at row {row}{at}")


def white_of(name: str, x: np.ndarray | Mapped, white: float | None = None) -> float:
    """The value of a white pixel in images x: 255 for bytes and 0 … 255, 1 for [0, 1].

    `white` is that of the training part, which x must not exceed.
    """
    stored = x.raw.dtype if isinstance(x, Mapped) else x.dtype
    if stored == np.uint8:
        low, high, whole = 0.0, 255.0, True
    else:
        low, high, whole = np.inf, -np.inf, True
        for block in x.blocks() if isinstance(x, Mapped) else [x]:
            low, high = np.minimum(low, block.min()), np.maximum(high, block.max())
            whole = whole and (stored.kind in "biu" or bool((block == np.round(block)).all()))
    if not (low >= 0 and high <= 255) or (high > 1 and not whole):
        raise DataError(f"{name}: pixels must lie in [0, 1], or be 0 … 255; got {low:g} … {high:g}")
    if white is not None and high > 1 and white == 1:
        raise DataError(f"{name}: pixels up to {high:g}; in the training part up to 1")
    return white or (255.0 if high > 1 else 1.0)


def _images(name: str, x: np.ndarray, white: float | None) -> np.ndarray:
    if x.ndim == 3:
        x = x[:, None]
    elif x.shape[1] not in (1, 3) and x.shape[3] in (1, 3):
        x = x.transpose(0, 3, 1, 2)
    if x.shape[1] not in (1, 3):
        raise DataError(f"{name}: images have 1 or 3 channels; got x of shape {x.shape}")
    return np.ascontiguousarray(x, np.float32) / np.float32(white_of(name, x, white))


def _images_in_file(name: str, x: Mapped, white: float | None) -> Mapped:
    if x.ndim == 3:
        x = x.reshape(len(x), 1, *x.shape[1:])
    if x.shape[1] not in (1, 3):
        raise DataError(
            f"{name}: images larger than memory must be [N, H, W] or [N, C, H, W] with 1 or 3"
            f" channels; got {list(x.shape)}"
        )
    return replace(x, white=white_of(name, x, white))


def _labels(name: str, y, n: int, like: np.ndarray | None = None) -> np.ndarray:
    y = np.asarray(y)
    if len(y.shape) == 0 or len(y) != n:
        raise DataError(f"{name}: x has {n} examples, y has the shape {y.shape}")
    if like is not None:
        y = same_type(name, y, like)
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


def same_type(name, y: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Labels y of another part as those of the training part are, `like`: classes or a quantity.

    Whole numbers become floats where the training part has floats, and the reverse. Raises
    DataError where y are fractions and `like` are classes, and for another number of columns.

    >>> same_type("d", np.array([1, 2]), np.zeros((3, 1), np.float32)).tolist()
    [[1.0], [2.0]]
    >>> same_type("d", np.array([1.0, 0.0]), np.array([0, 1])).tolist()
    [1, 0]
    """
    if y.dtype.kind not in "biuf" or y.ndim not in (1, 2):
        return y
    columns = 1 if y.ndim == 1 else y.shape[1]
    expected = 1 if like.ndim == 1 else like.shape[1]
    if columns != expected:
        raise DataError(f"{name}: {columns} labels an example; the training part has {expected}")
    if like.dtype.kind == "f":
        return y.astype(np.float32).reshape(len(y), columns)
    for n in np.flatnonzero((y != np.floor(y)) | ~(np.abs(y) < 1 << 31))[:1]:
        raise DataError(
            f"{name}: the label of example {n} is {y.flat[n]:g}, no whole number; those of the"
            " training part are classes"
        )
    return y.astype(np.int64).reshape(len(y))


def data_set(name, parts, kind, classes, how, source, bits=None, more=()) -> DataSet:
    """The splits as a data set, once they agree in their shapes and in having labels.

    `more` is what else was understood, a line each.
    """
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
        label = "; ".join((counted(len(classes), "class", "classes"), *untrained(classes, parts)))
    else:
        label = "no label" if y is None else f"{counted(y.shape[1], 'number')} to be predicted"
    shape = tuple(x.shape[1:]) if kind == "images" else None
    kept = [p.x for p in parts if p is not None and isinstance(p.x, Mapped)]
    if bits and (shape or (kept and kind != "binary")):
        raise DataError(f"{name}: bits are made of tables in memory; this is {shape or kept[0]!r}")
    if bits and not kept:
        parts, words = above_median(parts, range(x.shape[1]))
        more, kind = (*more, *(f"column {i + 1}: {done}" for i, done in words.items())), "binary"
    what = (
        f"images of {shape[0]} x {shape[1]} x {shape[2]}"
        if shape
        else f"rows of {counted(x.shape[1], 'number')}"
    )
    info = Info(
        source=source or "arrays", classes=tuple(classes), image_shape=shape, note=how, kind=kind,
        understood=(what, *more, label, how),
    )  # fmt: skip
    return DataSet(name, *parts, info)
