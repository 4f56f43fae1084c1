"""Dropout in NumPy: a uniform number for each element, compared with p."""

import numpy as np

from ..philox.reference import uniform
from ..registry import register


@register("dropout", "forward", backend="reference", idea="mask as an array")
def forward(x, p, seed, offset):
    """y, with the mask of the stream (see `dropout.forward`)."""
    kept = uniform(x.shape, seed, offset, "float64") >= p
    return np.where(kept, x * x.dtype.type(1 / (1 - p)), x.dtype.type(0))
