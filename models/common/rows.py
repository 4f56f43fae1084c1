"""Images as rows, the input of every network of dense layers."""

from ... import core as gg


def rows(x):
    """Images [N, C, H, W] (or rows) as a tensor [N, D]."""
    return gg.Tensor(x.reshape(len(x), -1))
