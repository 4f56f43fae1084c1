"""Examples and labels in a few words: types, shapes, how many there are of each class."""

from collections.abc import Sequence

import numpy as np

SHOWN = 10  # classes, of which the numbers are said


def shape(x) -> str:
    """An array by its type and shape; a list by what is in it, and how long that is.

    >>> shape(np.zeros((2, 3))), shape([np.zeros((2, 3)), np.zeros((4, 3))])
    ('float64 [2, 3]', '2 float64 [T, 3], T 2 … 4 (mean 3.0)')
    """
    if not isinstance(x, list):
        return f"{x.dtype} {list(x.shape)}"
    if not x:
        return "an empty list"
    if hasattr(x[0], "nodes"):
        sizes, what = [g.nodes for g in x], "graphs, nodes"
    elif not all(hasattr(a, "dtype") for a in x):
        return f"{len(x):,} of {type(x[0]).__name__}"
    else:
        sizes = [len(a) for a in x]
        inner = "".join(f", {n}" for n in x[0].shape[1:])
        what = f"{x[0].dtype} [T{inner}], T"
    mean = sum(sizes) / len(sizes)
    return f"{len(x):,} {what} {min(sizes):,} … {max(sizes):,} (mean {mean:,.1f})"


def labels(split, classes: Sequence[str] = ()) -> str:
    """The labels of a split: how many examples there are of each class, or the shape of y.

    >>> from .dataset import Split
    >>> labels(Split(np.zeros((3, 1)), np.array([1, 0, 1])), ("cat", "dog"))
    'cat 1, dog 2'
    """
    if split.y is None:
        return "none"
    if isinstance(split.y, list) or split.y.dtype.kind != "i" or not classes:
        return shape(split.y)
    return of_each(classes, np.bincount(split.y.ravel(), minlength=len(classes)))


def of_each(names: Sequence[str], counts) -> str:
    """How many there are of each class, of ten at most.

    >>> of_each(("cat", "dog"), [1, 2])
    'cat 1, dog 2'
    """
    shown = [f"{name} {n}" for name, n in zip(names, counts)]
    return ", ".join(shown[:SHOWN]) + (" …" if len(shown) > SHOWN else "")
