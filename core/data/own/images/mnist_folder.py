"""A folder with the four files of MNIST, plain or packed: their split is the official one."""

import os
from pathlib import Path

import numpy as np

from ... import idx
from ...dataset import DataSet, Info, Split
from ...files import DataError
from ...streams import whole_number
from ..lines import counted
from ..splits import untrained
from .image_npz import unit

PARTS = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def is_mnist_folder(path: Path) -> bool:
    """Does a folder hold the four files, each plain or packed?"""
    return None not in _files(path)


def _files(path: Path) -> list[Path | None]:
    return [
        next((f for f in (path / part, path / f"{part}.gz") if os.path.isfile(f)), None)
        for part in PARTS
    ]


def from_mnist_folder(path: str | Path, valid: int | None = None) -> DataSet:
    """The images in the four files of a folder, named as MNIST's are, with .gz or without.

    The validation split is the last `valid` training images, by default a sixth: 10,000 of 60,000.
    Raises DataError for a missing file, for images that are not uint8, and for labels that do not
    belong to them.
    """
    path = Path(path)
    files = _files(path)
    for part, file in zip(PARTS, files):
        if file is None:
            raise DataError(f"{path}: there is no file {part} or {part}.gz")
    (x, y), (test_x, test_y) = (_part(*files[k : k + 2]) for k in (0, 2))
    if x.shape[1:] != test_x.shape[1:]:
        raise DataError(f"{path}: the images are of {x.shape[1:]} and {test_x.shape[1:]}")
    valid = len(x) // 6 if valid is None else valid
    cut = len(x) - whole_number(str(path), "valid", valid, 0, len(x) - 1)
    classes = tuple(map(str, range(int(max(y.max(), test_y.max())) + 1)))
    shape = x.shape[1:]
    how = f"validation: the last {len(x) - cut} of the {len(x):,} official training examples"
    parts = Split(x[:cut], y[:cut]), Split(x[cut:], y[cut:]), Split(test_x, test_y)
    said = (
        f"images of {shape[0]} x {shape[1]} x {shape[2]}, in MNIST's four files",
        "; ".join((counted(len(classes), "class", "classes"), *untrained(classes, parts))),
        how,
    )
    info = Info(str(path), classes, image_shape=shape, note=how, kind="images", understood=said)
    return DataSet(path.name, *parts, info)


def _part(images: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    x, y = idx.read(images, 3), idx.read(labels, 1)
    if x.dtype != np.uint8 or y.dtype != np.uint8 or 0 in x.shape:
        raise DataError(f"{images}: expected uint8 images with uint8 labels; got {x.dtype}")
    if len(x) != len(y):
        raise DataError(f"{labels}: {len(y):,} labels for {len(x):,} images")
    return unit(x), y.astype(np.int64)
