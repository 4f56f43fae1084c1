"""Products with a sparse matrix on the GPU: the launch geometry of `cuda.cu`."""

from typing import NamedTuple

from ..launcher import Source, ceil_div, contiguous, empty, zeros

source = Source(__file__)
BLOCK, WARPS = 256, 8  # threads and warps of a block, as in cuda.cu


class Sizes(NamedTuple):
    """`struct Sizes` of cuda.cu."""

    rows: int
    D: int


def _product(kernel, version, structure, values, x):
    """The result [rows, D] of either product; the structure begins with its indptr."""
    size = Sizes(len(structure[0]) - 1, x.shape[1])
    if not values.size:
        return zeros(x, (size.rows, size.D))
    y = empty(x, (size.rows, size.D))
    if y.size:
        arrays = [contiguous(a) for a in (*structure, values, x)]
        grid = ceil_div(y.size // (4 if version == 2 else 1), BLOCK)
        source.launch(f"spmm_{kernel}_v{version}", grid, BLOCK, *arrays, y, size)
    return y


def _forward(version, indptr, indices, values, x):
    return _product("forward", version, (indptr, indices), values, x)


def _transposed(version, indptr, rows, place, values, g):
    return _product("transposed", version, (indptr, rows, place), values, g)


def _in_quads(*args):
    """Are rows of the dense matrix whole vectors of four?"""
    return args[-1].shape[1] % 4 == 0


PRODUCTS = {
    1: {"idea": "a thread a number"},
    2: {"idea": "four numbers a thread", "dtypes": ("float32",), "supports": _in_quads},
}
source.implements_each("spmm", "forward", _forward, PRODUCTS)
source.implements_each("spmm", "transposed", _transposed, PRODUCTS)


def _values_grad(version, rows, indices, g, x):
    size, out = Sizes(len(rows), x.shape[1]), (empty if x.size else zeros)(x, (len(rows),))
    if size.rows and size.D:
        arrays = [contiguous(a) for a in (rows, indices, g, x)]
        grid = ceil_div(size.rows, BLOCK if version == 1 else WARPS)
        source.launch(f"spmm_values_grad_v{version}", grid, BLOCK, *arrays, out, size)
    return out


source.implements_each(
    "spmm",
    "values_grad",
    _values_grad,
    {1: {"idea": "a thread an entry"}, 2: {"idea": "a warp an entry"}},
)


def _softmax(version, indptr, scores):
    rows, a = len(indptr) - 1, empty(scores, scores.shape)
    if a.size:
        grid = ceil_div(rows, BLOCK if version == 1 else WARPS)
        arrays = contiguous(indptr), contiguous(scores), a
        source.launch(f"spmm_softmax_v{version}", grid, BLOCK, *arrays, rows)
    return a


source.implements_each(
    "spmm",
    "softmax",
    _softmax,
    {1: {"idea": "a thread a row"}, 2: {"idea": "a warp a row"}},
)
