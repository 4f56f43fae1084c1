"""Dropout in Numba: words and mask while they are in the cache, neither ever stored.

What remains is the work of making the words, 1.4 cycles an element (philox/cpu.py): reading x and
writing y hides behind it.
"""

import numpy as np

from ..compiled import njit
from ..elementary import vectorised
from ..philox.cpu import CHUNK, TOP24, fill_words, run, share
from ..registry import register
from . import threshold


@vectorised
def _keep(x, words, scale, first_kept, y):
    zero = y.dtype.type(0)
    for i in range(min(x.size, words.size, y.size)):
        kept = np.int32(words[i] >> TOP24) >= first_kept
        value = x[i] * scale
        y[i] = value if kept else zero


@njit(nogil=True)
def _forward(seed, offset, x, scale, first_kept, y, parts, part):
    first, last = share(x.size, parts, part)
    words = np.empty(CHUNK, np.uint32)
    for i in range(first, last, CHUNK):
        some = slice(i, min(i + CHUNK, last))
        fill_words(seed, offset + np.uint64(i // 4), words)
        _keep(x[some], words, scale, first_kept, y[some])


@register("dropout", "forward", backend="numba", idea="bits, mask and scale in one pass")
def forward(x, p, seed, offset):
    """y, with the mask of the stream (see `dropout.forward`)."""
    x = np.ascontiguousarray(x).reshape(x.shape)  # ascontiguousarray alone makes () into (1,)
    y = np.empty(x.shape, x.dtype)
    limits = x.dtype.type(1 / (1 - p)), np.int32(threshold(p))
    run(_forward, seed, offset, x.reshape(-1), *limits, y.reshape(-1), size=x.size)
    return y
