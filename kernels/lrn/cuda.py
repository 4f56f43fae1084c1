"""Launch geometry of local response normalisation: a thread a number, or a thread a place."""

from typing import NamedTuple

from ..launcher import Source, ceil_div, contiguous, empty

source = Source(__file__)
BLOCK = 256  # threads, as in cuda.cu
WINDOW = 8  # channels, as in rungs/cuda_v2_walk.cuh


class Sizes(NamedTuple):
    """`struct Sizes` of cuda.cu."""

    N: int
    C: int
    L: int
    n: int


def _launch(version, pass_, x, n, arrays, outputs, numbers):
    size = Sizes(*x.shape, n)
    threads = x.size if version == 1 else size.N * size.L
    if x.size:
        inputs = map(contiguous, arrays)
        kernel, grid = f"lrn_{pass_}_v{version}", ceil_div(threads, BLOCK)
        source.launch(kernel, grid, BLOCK, *inputs, *outputs, size, *numbers)


def _forward(version, x, n, k, a, beta):
    y, s = empty(x, x.shape), empty(x, x.shape)
    _launch(version, "forward", x, n, (x,), (y, s), (k, a, beta))
    return y, s


def _backward(version, g, x, s, n, a, beta):
    gx = empty(x, x.shape)
    _launch(version, "backward", x, n, (g, x, s), (gx,), (a, beta))
    return gx


NUMBER, WALK = {"idea": "a thread a number"}, "a thread a place, its window in registers"
source.implements_each(
    "lrn",
    "forward",
    _forward,
    {1: NUMBER, 2: {"idea": WALK, "supports": lambda x, n, *rest: n <= WINDOW}},
)
source.implements_each(
    "lrn",
    "backward",
    _backward,
    {1: NUMBER, 2: {"idea": WALK, "supports": lambda g, x, s, n, *rest: n <= WINDOW}},
)
