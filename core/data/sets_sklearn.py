"""The sets bundled with scikit-learn: real data on every machine, without a network.

The tables have no official split; they are split by the fixed permutation order(N, seed). Each
docstring gives the sizes as train / valid / test. `DataSet.whole()` returns all rows,
`DataSet.standardised()` centred and scaled columns.
"""

from itertools import pairwise

import numpy as np

from .batches import three_way
from .dataset import DataSet, Info, Split
from .files import DataError
from .streams import SYNTHETIC, check_seed, uniform, whole_number

PHOTOGRAPHS = ("china", "flower")
BLOCKS = (10, 15)  # of `photographs`: rows and columns


def _bundled(loader: str):
    try:
        from sklearn import datasets
    except ImportError as error:
        raise DataError(
            f"{loader}: scikit-learn, which carries this set, is not installed: pip install"
            " scikit-learn"
        ) from error
    return getattr(datasets, loader)


def _table(name: str, loader: str, valid: int, test: int, seed: int, regression=False) -> DataSet:
    raw = _bundled(loader)()
    x = np.asarray(raw.data, np.float32)
    y = np.asarray(raw.target, np.float32 if regression else np.int64)
    if regression and y.ndim == 1:
        y = y[:, None]
    names = [] if regression else [str(c) for c in raw.target_names]
    targets = [str(t) for t in raw.get("target_names") or ["target"]] if regression else []
    sizes = f"{len(x) - valid - test}/{valid}/{test}"
    info = Info(
        "scikit-learn",
        tuple(names),
        tuple(str(f) for f in raw.feature_names),
        tuple(targets),
        note=f"fixed random split {sizes}, seed {seed}",
    )
    return DataSet(name, *three_way(x, y, valid, test, seed), info)


def digits(seed: int = 0) -> DataSet:
    """1797 handwritten digits 8x8, grey levels / 16: x [N, 1, 8, 8]; 1297 / 200 / 300.

    Source: Alpaydin & Kaynak 1998 (the UCI test set).
    """
    raw = _bundled("load_digits")()
    x = (np.asarray(raw.images, np.float32) / np.float32(16))[:, None]
    info = Info(
        "scikit-learn",
        tuple(str(c) for c in raw.target_names),
        image_shape=(1, 8, 8),
        note=f"fixed random split 1297/200/300, seed {seed}",
    )
    y = np.asarray(raw.target, np.int64)
    return DataSet("digits", *three_way(x, y, 200, 300, seed), info)


def iris(seed: int = 0) -> DataSet:
    """150 flowers, 4 lengths in cm, 3 species; 90 / 30 / 30. Source: Fisher 1936."""
    return _table("iris", "load_iris", 30, 30, seed)


def wine(seed: int = 0) -> DataSet:
    """178 wines, 13 chemical measurements, 3 cultivars; 106 / 36 / 36. Source: Forina 1991, UCI."""
    return _table("wine", "load_wine", 36, 36, seed)


def breast_cancer(seed: int = 0) -> DataSet:
    """569 tumours, 30 measurements, 0 malignant or 1 benign; 341 / 114 / 114.

    Source: Street, Wolberg, Mangasarian 1993, UCI.
    """
    return _table("breast_cancer", "load_breast_cancer", 114, 114, seed)


def diabetes(seed: int = 0) -> DataSet:
    """442 patients, 10 scaled measurements; y [N, 1]: progression in a year; 264 / 89 / 89.

    Source: Efron, Hastie, Johnstone, Tibshirani 2004.
    """
    return _table("diabetes", "load_diabetes", 89, 89, seed, regression=True)


def linnerud(seed: int = 0) -> DataSet:
    """20 men: 3 exercises in x, weight, waist and pulse in y [N, 3]; 14 / 3 / 3."""
    return _table("linnerud", "load_linnerud", 3, 3, seed, regression=True)


def _picture(name: str) -> np.ndarray:
    """A bundled photograph [427, 640, 3] in [0, 1]."""
    return np.asarray(_bundled("load_sample_image")(f"{name}.jpg"), np.float32) / np.float32(255)


def _photograph(name: str, patch: int, count: int, grey: bool, seed: int) -> DataSet:
    image = _picture(name)
    if grey:  # ITU-R BT.601 luma
        image = image @ np.array([[0.299], [0.587], [0.114]], np.float32)
    height, width, channels = image.shape
    seed = check_seed(name, seed)
    bands = (0, width * 8 // 10, width * 9 // 10, width)  # the splits never share a pixel
    narrowest = min(b - a for a, b in pairwise(bands))
    patch = whole_number(name, "patch", patch, 1, min(height, narrowest))
    count = whole_number(name, "count", count, 10, 2**24)
    splits = []
    sizes = (count - 2 * (count // 10), count // 10, count // 10)
    for k, (size, low, high) in enumerate(zip(sizes, bands, bands[1:])):
        u = uniform((size, 2), seed, SYNTHETIC + (k << 32), "float64")
        top = np.floor(u[:, 0] * (height - patch + 1)).astype(int)
        left = low + np.floor(u[:, 1] * (high - low - patch + 1)).astype(int)
        step = np.arange(patch)
        rows, columns = top[:, None, None] + step[:, None], left[:, None, None] + step
        splits.append(Split(np.ascontiguousarray(image[rows, columns].transpose(0, 3, 1, 2))))
    info = Info(
        "scikit-learn",
        image_shape=(channels, patch, patch),
        note="patches from the left 80 % of the picture, the next 10 % and the last 10 %",
        extra={"image": np.ascontiguousarray(image.transpose(2, 0, 1))},
    )
    return DataSet(name, *splits, info)


def photographs(patch: int = 16, shrink: int = 2, count: int = 8000, seed: int = 0) -> DataSet:
    """Colour patches of `china.jpg` and `flower.jpg` in turn: x [N, 3, patch, patch], y which.

    The pictures are made smaller by `shrink` (means of squares), so that a patch shows more than a
    line. They are cut into 10 x 15 blocks. A block belongs to one split, so the splits never share
    a pixel, and, unlike the bands of `china`, each has blocks from all over the pictures. 80 % of
    `count` for training, 10 % for validation, 10 % for the test. Raises DataError for impossible
    sizes.
    """
    name, seed = "photographs", check_seed("photographs", seed)
    shrink = whole_number(name, "shrink", shrink, 1, 16)
    pictures = [_shrunk(_picture(which), shrink) for which in PHOTOGRAPHS]
    height, width, _ = pictures[0].shape
    tall, wide = height // BLOCKS[0], width // BLOCKS[1]
    patch = whole_number(name, "patch", patch, 1, min(tall, wide))
    count = whole_number(name, "count", count, 20, 2**24)
    splits, rows, columns = [], *np.indices(BLOCKS).reshape(2, -1)
    turn = (columns + 3 * rows) % 10  # all three splits in every row of blocks
    sizes = (count - 2 * (count // 10), count // 10, count // 10)
    for k, (size, own) in enumerate(zip(sizes, (turn % 5 != 0, turn == 0, turn == 5))):
        u = uniform((size, 3), seed, SYNTHETIC + (k << 32), "float64")
        block = np.flatnonzero(own)[np.floor(u[:, 0] * own.sum()).astype(int)]
        top = rows[block] * tall + np.floor(u[:, 1] * (tall - patch + 1)).astype(int)
        left = columns[block] * wide + np.floor(u[:, 2] * (wide - patch + 1)).astype(int)
        y, step = np.arange(size) % len(pictures), np.arange(patch)
        at = (y[:, None, None], top[:, None, None] + step[:, None], left[:, None, None] + step)
        found = np.stack(pictures)[at].transpose(0, 3, 1, 2)
        splits.append(Split(np.ascontiguousarray(found), y))
    info = Info(
        "scikit-learn",
        PHOTOGRAPHS,
        image_shape=(3, patch, patch),
        note="patches from 10 x 15 blocks of each picture, 120 for training, 15 and 15 held out",
    )
    return DataSet(name, *splits, info)


def _shrunk(image: np.ndarray, by: int) -> np.ndarray:
    """Means of squares of `by` x `by` pixels, [H, W, C] -> [H/by, W/by, C]; the rest is cut off."""
    height, width, channels = image.shape
    h, w = height // by, width // by
    return image[: h * by, : w * by].reshape(h, by, w, by, channels).mean(axis=(1, 3))


def china(patch: int = 8, count: int = 10_000, grey: bool = False, seed: int = 0) -> DataSet:
    """Patches of the photograph `china.jpg` (427x640): x [N, C, patch, patch] in [0, 1], no y.

    80 % of `count` for training, 10 % for validation, 10 % for the test, from separate vertical
    bands of the picture; `info.extra["image"]` is the whole picture [C, H, W]. Raises DataError for
    impossible sizes.
    """
    return _photograph("china", patch, count, grey, seed)


def flower(patch: int = 8, count: int = 10_000, grey: bool = False, seed: int = 0) -> DataSet:
    """Patches of the photograph `flower.jpg` (427x640); see `china`."""
    return _photograph("flower", patch, count, grey, seed)
