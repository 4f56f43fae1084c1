"""Products with a sparse matrix, and the softmax over its rows: what layers on graphs are made of.

A has the entries v at the places (i_e, j_e) of a `SparsePattern`. The three products are each
other's derivatives, so that any order works. With the cotangent g of the result:

    spmm               y = A x                 dv = sddmm(g, x)     dx = spmm_transposed(v, g)
    spmm_transposed    s = Aᵀ x                dv = sddmm(x, g)     dx = spmm(v, g)
    sddmm              s_e = <a[i_e], b[j_e]>  da = spmm(g, b)      db = spmm_transposed(g, a)
"""

from ...kernels import spmm as kernel
from ...kernels.errors import expect
from ..differentiable import differentiable
from ..kinds import Like
from ..sparsity import SparsePattern
from ..tensor import Tensor, as_tensor
from .arithmetic import mul, sub
from .indexing import _rows
from .shapes import reshape


def _flops(arrays, outs, settings) -> int:
    """A multiplication and an addition for each entry and each number of a row."""
    return 2 * settings["pattern"].entries * arrays[1].shape[1]


@differentiable(
    values=lambda g, x, pattern: _sddmm(g, x, pattern),
    x=lambda g, values, pattern: _spmm_transposed(values, g, pattern),
    floats=True, flops=_flops, name="spmm",
)  # fmt: skip
def _spmm(values, x, /, pattern):
    at = pattern.on(x)
    return kernel.forward(at.indptr, at.indices, values, x)


@differentiable(
    values=lambda g, x, pattern: _sddmm(x, g, pattern),
    x=lambda g, values, pattern: _spmm(values, g, pattern),
    flops=_flops, name="spmm_transposed",
)  # fmt: skip
def _spmm_transposed(values, x, /, pattern):
    return kernel.transposed(*pattern.turned_on(x), values, x)


@differentiable(
    a=lambda g, b, pattern: _spmm(g, b, pattern),
    b=lambda g, a, pattern: _spmm_transposed(g, a, pattern),
    floats=True, flops=_flops, name="sddmm",
)  # fmt: skip
def _sddmm(a, b, /, pattern):
    at = pattern.on(b)
    return kernel.values_grad(at.rows, at.indices, a, b)


def _softmax_back(g, out, pattern):
    """out (g - Σ out g), the sum over the row of each entry."""
    weighted = mul(g, out)
    ones = Tensor(out.xp.ones((pattern.shape[1], 1), out.dtype))
    sums = _rows(_spmm(weighted, ones, pattern), pattern.on(out.data).rows)
    return sub(weighted, mul(out, reshape(sums, out.shape)))


@differentiable(
    scores=_softmax_back, floats=True, flops=lambda arrays, outs, settings: 5 * outs[0].size,
    name="sparse_softmax",
)  # fmt: skip
def _sparse_softmax(scores, /, pattern):
    return kernel.softmax(pattern.on(scores).indptr, scores)


def _expect_entries(name: str, key: str, a: Tensor, pattern: SparsePattern) -> None:
    want, what = (pattern.entries,), f"{key} must have a number for each entry"
    expect(a.shape == want, name, what, want, a.shape, **{key: a})


def _expect_rows(name: str, key: str, a: Tensor, rows: int) -> None:
    expect(a.ndim == 2, name, f"{key} must have two axes", 2, a.ndim, **{key: a})
    what = f"{key} does not fit the pattern, its rows"
    expect(a.shape[0] == rows, name, what, rows, a.shape[0], **{key: a})


def spmm(values: Like, x: Like, pattern: SparsePattern) -> Tensor:
    """y [N,D] = A x, with the sparse matrix A [N,M] of these values [E] and x [M,D].

    y_i = Σ_e v_e x[j_e] over the entries e of row i: a weighted sum over neighbours, where A is
    the adjacency matrix of a graph. Differentiable in both. Raises ShapeError or DTypeError.

    >>> import glassgrad as gg
    >>> ring = gg.SparsePattern([0, 1, 2, 3], [1, 2, 0], columns=3)
    >>> gg.spmm([1.0, 1.0, 0.5], [[1.0], [2.0], [4.0]], ring).numpy().ravel().tolist()
    [2.0, 4.0, 0.5]
    """
    values, x = as_tensor(values), as_tensor(x)
    _expect_entries("spmm", "values", values, pattern)
    _expect_rows("spmm", "x", x, pattern.shape[1])
    return _spmm(values, x, pattern)


def sddmm(a: Like, b: Like, pattern: SparsePattern) -> Tensor:
    """s [E] with s_e = <a[i_e], b[j_e]>: the dense product a bᵀ at the places of a pattern alone.

    a [N,D], b [M,D]. Differentiable in both. Raises ShapeError or DTypeError.

    >>> import glassgrad as gg
    >>> pattern = gg.SparsePattern([0, 1, 2], [1, 1], columns=2)
    >>> gg.sddmm([[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]], pattern)
    tensor([23., 53.])
    """
    a, b = as_tensor(a), as_tensor(b)
    _expect_rows("sddmm", "a", a, pattern.shape[0])
    _expect_rows("sddmm", "b", b, pattern.shape[1])
    expect(a.shape == (a.shape[0], b.shape[1]), "sddmm", "a and b must be of one width",
           b.shape[1], a.shape[1], a=a, b=b)  # fmt: skip
    return _sddmm(a, b, pattern)


def sparse_softmax(scores: Like, pattern: SparsePattern) -> Tensor:
    """α [E] = exp(s_e) / Σ exp(s_e') over the entries e' in the row of e: attention on edges.

    The weights of each row that has entries sum to 1. Raises ShapeError or DTypeError.

    >>> import glassgrad as gg
    >>> pattern = gg.SparsePattern([0, 2, 3], [0, 1, 1], columns=2)
    >>> gg.sparse_softmax([2.0, 2.0, -7.0], pattern)
    tensor([0.5, 0.5, 1. ])
    """
    scores = as_tensor(scores)
    _expect_entries("sparse_softmax", "scores", scores, pattern)
    return _sparse_softmax(scores, pattern)
