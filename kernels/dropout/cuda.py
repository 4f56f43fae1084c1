"""Dropout on the GPU: the launch geometry of `cuda.cu` and of the rung that it includes."""

from ..arrays import aligned
from ..launcher import Source, ceil_div, contiguous, empty
from . import threshold

source = Source(__file__)
THREADS = 256
EACH = {1: 1, 2: 4}  # elements of a thread
RUNGS = {
    1: {"idea": "a thread an element"},
    2: {
        "idea": "a thread a block of four, vectors",
        "dtypes": ("float32",),
        "supports": lambda x, *rest: aligned(x),
    },
}


def _forward(version, x, p, seed, offset):
    x, y = contiguous(x), empty(x, x.shape)
    if x.size:
        grid = ceil_div(ceil_div(x.size, EACH[version]), THREADS)
        numbers = x.size, 1 / (1 - p), threshold(p), seed, offset
        source.launch(f"dropout_forward_v{version}", grid, THREADS, x, y, *numbers)
    return y


source.implements_each("dropout", "forward", _forward, RUNGS)
