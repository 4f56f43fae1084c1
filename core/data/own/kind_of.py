"""What kind of data a data set holds, where nobody has said it."""

import numpy as np

from ..dataset import DataSet
from ..files import DataError
from ..graph import Graph
from ..mapped import Mapped
from ..special import OneShot, Weights
from ..text import Corpus, WordEval

STEP = 1 << 20  # numbers looked at a time


def kind_of(data: DataSet | Graph | OneShot | Weights | WordEval | Corpus) -> str:
    """The kind of a data set, as the catalogue names kinds: what ``info.kind`` says, or its x.

    Rows of 0 and 1 alone are "binary" unless ``info.kind`` says "table". Raises DataError where
    neither says it.

    >>> from ..dataset import Split
    >>> rows, images = (DataSet("d", Split(x)) for x in (np.eye(3), np.zeros((2, 1, 4, 4))))
    >>> kind_of(rows), kind_of(images)
    ('binary', 'images')
    """
    if not isinstance(data, DataSet):
        return "graph" if isinstance(data, Graph) else data.info.kind
    return data.info.kind or _guess(data, data.train.x)


def is_binary(x) -> bool:
    """Is this an array of 0 and 1 alone? Looks at a part at a time, and stops at the first other.

    >>> is_binary(np.array([[0.0, 1.0]])), is_binary(np.array([[0.5, 1.0]]))
    (True, False)
    """
    if not isinstance(x, np.ndarray | Mapped) or x.ndim != 2:
        return False
    rows = max(1, STEP // max(1, x.shape[1]))
    parts = (x[i : i + rows] for i in range(0, len(x), rows))
    blocks = x.blocks() if isinstance(x, Mapped) else parts
    return all(bool(((part == 0) | (part == 1)).all()) for part in blocks)


def _guess(data: DataSet, x) -> str:
    if isinstance(x, np.ndarray | Mapped):
        if x.ndim == 4:
            return "images"
        if x.ndim == 2:
            return "binary" if all(is_binary(split.x) for _, split in data.splits()) else "table"
        if x.ndim == 1 and x.dtype.kind in "iu":
            return "text"
    elif x and all(isinstance(item, Graph) for item in x):
        return "graphs"
    elif x and all(isinstance(item, np.ndarray) for item in x):
        axes, tokens = {item.ndim for item in x}, all(item.dtype.kind in "iu" for item in x)
        if axes == {2}:
            return "sequences"
        if axes == {1} and tokens:
            return "pairs" if isinstance(data.train.y, list) else "sentences"
        if axes == {1}:
            return "audio"
    what = f"an array of shape {x.shape}" if not isinstance(x, list) else "such a list"
    raise DataError(f"{data.name}: {what} as x does not say what kind of data it is; set info.kind")
