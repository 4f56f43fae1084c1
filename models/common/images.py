"""Rows and weight vectors of a model as images, for the pictures of many systems."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet


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
    """Weight vectors [M, D] as images, the largest magnitude of each black or white, 0 grey."""
    w = filters_of(weights, data)[:60]
    return pictures.image_sheet(as_images(w, data), columns=min(12, len(w)), title=title)
