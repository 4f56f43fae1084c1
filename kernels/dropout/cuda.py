"""Launch geometry of dropout: a thread an element (v1), or a thread a block of four words (v2)."""

from ..arrays import aligned
from ..launcher import Source, ceil_div, contiguous, empty
from . import threshold

source = Source(__file__)
THREADS = 256


def _run(kernel, each, x, p, seed, offset):
    x, y = contiguous(x), empty(x, x.shape)
    if x.size:
        grid = ceil_div(ceil_div(x.size, each), THREADS)
        numbers = x.size, 1 / (1 - p), threshold(p), seed, offset
        source.launch(kernel, grid, THREADS, x, y, *numbers)
    return y


@source.implements("dropout", "forward", version=1, idea="a thread an element")
def forward_v1(x, p, seed, offset):
    return _run("dropout_forward_v1", 1, x, p, seed, offset)


@source.implements(
    "dropout",
    "forward",
    version=2,
    idea="a thread a block of four, vectors",
    dtypes=("float32",),
    supports=lambda x, *rest: aligned(x),
)
def forward_v2(x, p, seed, offset):
    return _run("dropout_forward_v2", 4, x, p, seed, offset)
