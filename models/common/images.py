"""Rows and weight vectors of a model as images, for the pictures of many systems.

Where the data are no images, the sheets of this page are those of row_pictures.py.
"""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from . import row_pictures


def has_images(data: DataSet) -> bool:
    """Are the samples images [N, C, H, W]?"""
    return data.train.x.ndim == 4


def as_images(x: np.ndarray, data: DataSet) -> np.ndarray | None:
    """Rows [N, D] as grey images [N, H, W]; None if the data are not images."""
    shape = data.train.x.shape[1:]
    return x.reshape(len(x), *shape).mean(axis=1) if len(shape) == 3 else None


def filters_of(weights: np.ndarray, data: DataSet) -> np.ndarray:
    """Weight vectors [M, D], longest first, as rows of images: 0 is grey, the largest 0 or 1.

    Weights of pixels that are 0 in every training image are grey: training never changed them.

    >>> from glassgrad.core.data import Split
    >>> data = DataSet("one", Split(np.array([[1.0, 0.0, 1.0]])))
    >>> filters_of(np.array([[1.0, 9.0, -2.0]]), data).tolist()
    [[0.75, 0.5, 0.0]]
    """
    w = weights * (data.train.x != 0).any(axis=0).ravel()
    w = w[np.argsort(-np.linalg.norm(w, axis=1), kind="stable")]
    return 0.5 + 0.5 * w / np.maximum(np.abs(w).max(axis=1, keepdims=True), 1e-12)


def filter_sheet(weights: np.ndarray, data: DataSet, title: str):
    """Weight vectors [M, D] as images, the largest magnitude of each black or white, 0 grey.

    Of rows that are no images they are rows of colours, a named column each.
    """
    if not has_images(data):
        return row_pictures.weights(weights, data, title)
    w = filters_of(weights, data)[:60]
    return pictures.image_sheet(as_images(w, data), columns=min(12, len(w)), title=title)


def sample_sheet(x: np.ndarray, data: DataSet, title: str):
    """Rows [N, D] that a model drew, as images; of other data next to the test split."""
    if not has_images(data):
        return row_pictures.generated(x, data, title)
    return pictures.image_sheet(as_images(x, data), title=title)


def reconstruction_sheet(reconstruct, data: DataSet):
    """Test images over their reconstructions; of other data the squared errors by column.

    reconstruct  rows [N, D] -> rows [N, D]
    """
    n = 12 if has_images(data) else 500
    x = data.test.x[:n].reshape(-1, data.test.x[0].size)
    y = reconstruct(x)
    if not has_images(data):
        title = f"reconstructions of {len(x)} test rows, by column"
        return row_pictures.column_errors(x, {"reconstruction": y}, data, title)
    return pictures.reconstructions(as_images(x, data), as_images(y, data))
