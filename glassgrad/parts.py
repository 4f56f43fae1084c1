"""Which part of the data the final figures and the pictures of a run are of."""

from dataclasses import replace

from .core.data import DataSet, Split


def held_out(data: DataSet) -> tuple[str, Split]:
    """(name, split) that the final figures are for: test, or the next best that there is.

    >>> from glassgrad.core.data import load
    >>> name, split = held_out(load("digits"))
    >>> name, len(split)
    ('test', 300)
    """
    splits = dict(data.splits())
    name = next(n for n in ("test", "valid", "train") if len(splits.get(n) or ()))
    return name, splits[name]


def shown(data: DataSet) -> DataSet:
    """The data for the pictures of a system: without a test part, with the next best in its place.

    >>> import numpy as np
    >>> data = DataSet("mine", Split(np.zeros((3, 2))))
    >>> len(shown(data).test)
    3
    """
    return (
        data if data.test is not None and len(data.test) else replace(data, test=held_out(data)[1])
    )
