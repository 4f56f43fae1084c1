"""Images as rows, the input of every network of dense layers."""

from ... import core as gg


def flat(x):
    """Images [N, C, H, W] (or rows) as rows [N, D], of an array.

    >>> import numpy as np
    >>> flat(np.zeros((2, 1, 3, 3))).shape
    (2, 9)
    """
    return x.reshape(len(x), -1)


def rows(x):
    """Images [N, C, H, W] (or rows) as a tensor [N, D]."""
    return gg.Tensor(flat(x))
