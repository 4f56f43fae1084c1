"""Rows of a table on the GPU: the places sorted by row, and the launch geometry of `cuda.cu`."""

from typing import NamedTuple

from ..arrays import xp_of
from ..launcher import Source, ceil_div, contiguous, empty, zeros

source = Source(__file__)
BLOCK = 256  # threads, as in cuda.cu
PIECE = 32  # places, as in rungs/cuda_v2_pieces.cuh


class Sizes(NamedTuple):
    """`struct Sizes` of cuda.cu."""

    V: int
    D: int
    N: int


@source.implements("embedding", "gather", version=1, idea="a thread a number")
def gather_v1(w, index):
    """y [N,D] from w [V,D] and index [N]."""
    size = Sizes(*w.shape, len(index))
    y = empty(w, (size.N, size.D))
    if y.size:
        arrays = contiguous(w), contiguous(index), y
        source.launch("embedding_gather_v1", ceil_div(y.size, BLOCK), BLOCK, *arrays, size)
    return y


def _stretches(index, rows):
    """(order [N], first [V+1]): the places row after row in the order of n, and where each begins.

    One stable sort on either array module: the place breaks the tie of two numbers of one row.
    """
    xp, N = xp_of(index), len(index)
    order = (index * N + xp.arange(N)).argsort().astype("int64", copy=False)
    first = xp.searchsorted(index[order], xp.arange(rows + 1)).astype("int64", copy=False)
    return order, contiguous(first)


def _scatter_add(version, g, index, rows):
    size = Sizes(rows, g.shape[1], len(index))
    if not size.N or not size.D:
        return zeros(g, (rows, size.D))
    sums, (order, first) = empty(g, (rows, size.D)), _stretches(index, rows)
    g, grid = contiguous(g), ceil_div(sums.size, BLOCK)
    if version == 1:
        source.launch("embedding_scatter_add_v1", grid, BLOCK, g, order, first, sums, size)
        return sums
    pieces = -((first[:-1] - first[1:]) // PIECE)  # of each row, the last one maybe short
    piece_first = zeros(g, (rows + 1,), "int64")
    piece_first[1:] = pieces.cumsum()
    most = size.N // PIECE + min(rows, size.N)  # how many there are is known on the device alone
    partial = empty(g, (most, size.D))
    arrays = g, order, first, piece_first, partial
    source.launch("embedding_pieces_v2", ceil_div(partial.size, BLOCK), BLOCK, *arrays, most, size)
    source.launch("embedding_scatter_add_v2", grid, BLOCK, partial, piece_first, sums, size)
    return sums


source.implements_each(
    "embedding",
    "scatter_add",
    _scatter_add,
    {
        1: {"idea": "places sorted by row, a thread a number of the table"},
        2: {"idea": "long stretches in pieces, summed side by side"},
    },
)
