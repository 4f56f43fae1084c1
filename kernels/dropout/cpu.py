"""Dropout in Numba: each word decides its element as soon as it is made; the mask is not stored."""

import numpy as np

from ..compiled import njit
from ..philox.cpu import TOP24, philox_block
from ..registry import register
from . import threshold


@njit
def _forward(x, scale, first_kept, seed, offset, y):
    zero = y.dtype.type(0)
    for first in range(0, x.size, 4):
        words = philox_block(seed, offset + np.uint64(first // 4))
        for lane in range(min(4, x.size - first)):
            kept = words[lane] >> TOP24 >= first_kept
            y[first + lane] = x[first + lane] * scale if kept else zero


@register("dropout", "forward", backend="numba", idea="bits, mask and scale in one pass")
def forward(x, p, seed, offset):
    x = np.ascontiguousarray(x).reshape(x.shape)  # ascontiguousarray alone makes () into (1,)
    y = np.empty(x.shape, x.dtype)
    limits = x.dtype.type(1 / (1 - p)), np.uint64(threshold(p))
    _forward(x.reshape(-1), *limits, np.uint64(seed), np.uint64(offset), y.reshape(-1))
    return y
