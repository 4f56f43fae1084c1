"""A validation split for data sets that come without one."""

from dataclasses import replace

import numpy as np

from ...core.data import DataSet, order


def with_validation(data: DataSet, seed: int = 0) -> DataSet:
    """The data set; without validation rows, a tenth of its training rows become them, at least 1.

    Which ones is drawn from the seed. A single row is left in training.

    >>> from glassgrad.core.data import Split
    >>> data = with_validation(DataSet("d", Split(np.zeros((30, 2)), np.zeros(30, int))))
    >>> len(data.train), len(data.valid)
    (27, 3)
    """
    few = max(1, len(data.train) // 10)
    if (data.valid is not None and len(data.valid)) or len(data.train) < 2:
        return data
    rows = order(len(data.train), seed)
    train, valid = (data.train[np.sort(part)] for part in (rows[few:], rows[:few]))
    return replace(data, train=train, valid=valid)
