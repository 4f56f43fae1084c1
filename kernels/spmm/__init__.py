"""Products of a sparse matrix and a dense one (SpMM), and what their derivatives need.

A graph of N nodes has an adjacency matrix of N² numbers, nearly all of them 0. Compressed sparse
rows (CSR) keep the E others, row after row: row i has the columns `indices[p]` with the numbers
`values[p]`, for p from `indptr[i]` to `indptr[i + 1]`. A layer on a graph sums over neighbours, and
that is the product of this matrix with the dense matrix of the nodes' vectors.

    N  rows    M  columns    E  stored entries, (i_e, j_e) is the place of entry e    D  numbers

    forward      y[i] = sum over e in row i of v_e x[j_e]          v [E], x [M,D] -> y [N,D]
    transposed   s[j] = sum over e in column j of v_e g[i_e]       v [E], g [N,D] -> s [M,D]
    values_grad  s_e = <g[i_e], x[j_e]>                            g [N,D], x [M,D] -> s [E]
    softmax      a_e = exp(z_e) / sum over e' in row i_e of exp(z_e')        z [E] -> a [E]

The first is linear in v and in x. Its derivatives are the other two: `transposed` is that by x,
`values_grad` that by v, which needs the dense product g xᵀ at the stored places alone (a sampled
dense-dense product, SDDMM). The derivatives of those are of the same three kinds, so that the
family is closed. `softmax` turns scores of edges into attention: the weights of each row sum to 1.

`transposed` could add v_e g[i_e] to row j_e of the result, entry after entry, but several entries
would meet in one row: on a GPU that takes atomic additions, whose order changes from run to run.
`transpose` sorts the entries by column once, stably, for all later products: then each result has
its own stretch of entries, and every sum a fixed order, that of the stored entries.

    pass          reads                         writes     work
    forward       E D (x), E (v, indices)       N D        2 E D
    transposed    E D (g), E (v, rows, place)   M D        2 E D
    values_grad   2 E D, E (rows, indices)      E          2 E D
    softmax       E                             E          5 E

**The ladder.**

    glassgrad bench spmm               time, GB/s and share of the roofline of these; one of them:
                                       glassgrad bench spmm.forward --version 2

    reference   reference.py                 one entry after another
    numba v1    cpu.py                       the same, compiled; a thread takes some of the rows

    glassgrad lab spmm                 loads, sectors and registers of these, without a GPU

    cuda v1     cuda.cu                      a thread a number of the result; softmax:
                                             a thread a row
    cuda v2     rungs/cuda_v2_quads.cuh      forward, transposed: four numbers a thread, so that an
                                             entry is read a quarter as often
    cuda v2     rungs/cuda_v2_warps.cuh      values_grad, softmax: a warp an entry, or a row, so
                                             that neighbours read neighbours

Version 2 of the products adds in the order of version 1, to the same bits. Version 2 of the others
adds in lanes: another order, but always the same.

Source: Yang, Buluç, Owens, "Design principles for sparse matrix multiplication on the GPU", 2018;
the lecture's convolution over the neighbourhood of a vertex (lecture 3, V2 151-158).
"""

import numpy as np

from ..annotations import Count
from ..doors import check_all
from ..errors import DTypeError, ValueRangeError, expect, expect_floats
from ..registry import dispatch


def _whole(name: str, **arrays) -> None:
    """Each array is int64 and has one axis."""
    for key, a in arrays.items():
        dtype = getattr(a, "dtype", type(a).__name__)
        what = f"{key}.dtype must be int64"
        expect(str(dtype) == "int64", name, what, "int64", dtype, DTypeError)
        expect(a.ndim == 1, name, f"{key} must have one axis", "1 axis", a.ndim, **{key: a})


def _inside(name: str, key: str, a, below: int) -> None:
    """Each number is in 0 .. below - 1; on a GPU nobody looks, as it would wait for the device."""
    if isinstance(a, np.ndarray) and a.size:
        low, high = int(a.min()), int(a.max())
        must, ok = f"{key} must lie below {below}", low >= 0 and high < below
        expect(ok, name, must, f"0..{below - 1}", f"{low}..{high}", ValueRangeError, **{key: a})


def _pointer(name: str, indptr, entries: int) -> None:
    """indptr begins with 0, never falls, and ends with the number of entries."""
    expect(len(indptr) > 0, name, "indptr must have an entry more than rows", "≥ 1", 0)
    if isinstance(indptr, np.ndarray):
        ends, want = (int(indptr[0]), int(indptr[-1])), (0, entries)
        must = "indptr must begin with 0 and end with the number of entries"
        expect(ends == want, name, must, want, ends, ValueRangeError)
        falls = int((indptr[1:] < indptr[:-1]).sum())
        expect(not falls, name, "indptr must not fall", "no fall", falls, ValueRangeError)


def _entries(name: str, entries: int, **arrays) -> None:
    """Each array has a number for each entry."""
    for key, a in arrays.items():
        expect(a.shape == (entries,), name, f"{key} must be [E]", (entries,), a.shape)


def _matrices(name: str, **arrays) -> None:
    """Floats of one dtype; all but the values have two axes."""
    expect_floats(name, **arrays)
    for key, a in arrays.items():
        if key not in ("values", "scores"):
            expect(a.ndim == 2, name, f"{key} must have two axes", "2 axes", a.ndim, **{key: a})


def forward(indptr, indices, values, x):
    """y [N,D] = A x with A [N,M] in compressed sparse rows and x [M,D].

    indptr [N+1] and indices [E] are int64 (not looked at on a GPU), values [E] and x floats. A row
    without entries is zero. Raises ShapeError, DTypeError, ValueRangeError.

    >>> import numpy as np
    >>> forward(np.array([0, 2, 2]), np.array([0, 1]), np.array([2.0, 3.0]), np.eye(2))
    array([[2., 3.],
           [0., 0.]])
    """
    name = "spmm.forward"
    _whole(name, indptr=indptr, indices=indices)
    _matrices(name, values=values, x=x)
    _entries(name, len(indices), values=values)
    _pointer(name, indptr, len(indices))
    _inside(name, "indices", indices, x.shape[0])
    return dispatch("spmm", "forward", indptr, indices, values, x)


def transposed(indptr, rows, place, values, g):
    """s [M,D] = Aᵀ g with A [N,M] and g [N,D]; the first three are what `transpose` returns.

    values [E] are in the order of A's rows. A column without entries gives zeros. Raises
    ShapeError, DTypeError, ValueRangeError.

    >>> import numpy as np
    >>> turned = transpose(np.array([0, 2, 3]), np.array([0, 1, 1]), columns=2)
    >>> transposed(*turned, np.array([2.0, 3.0, 5.0]), np.ones((2, 1)))
    array([[2.],
           [8.]])
    """
    name = "spmm.transposed"
    _whole(name, indptr=indptr, rows=rows, place=place)
    _matrices(name, values=values, g=g)
    _entries(name, len(rows), place=place, values=values)
    _pointer(name, indptr, len(rows))
    _inside(name, "rows", rows, g.shape[0])
    _inside(name, "place", place, len(values))
    return dispatch("spmm", "transposed", indptr, rows, place, values, g)


def values_grad(rows, indices, g, x):
    """s [E] with s_e = <g[rows_e], x[indices_e]>, for g [N,D], x [M,D], rows and indices [E].

    Raises ShapeError, DTypeError, ValueRangeError.

    >>> import numpy as np
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> values_grad(np.array([0, 1, 1]), np.array([0, 0, 1]), x, x)
    array([ 5., 11., 25.])
    """
    name = "spmm.values_grad"
    _whole(name, rows=rows, indices=indices)
    _matrices(name, g=g, x=x)
    _entries(name, len(rows), indices=indices)
    expect(g.shape[1] == x.shape[1], name, "g and x must be of one width", g.shape[1], x.shape[1])
    _inside(name, "rows", rows, g.shape[0])
    _inside(name, "indices", indices, x.shape[0])
    return dispatch("spmm", "values_grad", rows, indices, g, x)


def softmax(indptr, scores):
    """a [E]: the softmax of the scores [E] of each row, Σ a = 1 in every row that has entries.

    The largest score of a row is subtracted first, so that nothing overflows. Raises ShapeError,
    DTypeError, ValueRangeError.

    >>> import numpy as np
    >>> softmax(np.array([0, 2, 2, 3]), np.array([1000.0, 1000.0, -5.0]))
    array([0.5, 0.5, 1. ])
    """
    name = "spmm.softmax"
    _whole(name, indptr=indptr)
    _matrices(name, scores=scores)
    expect(scores.ndim == 1, name, "scores must have one axis", "1 axis", scores.ndim)
    _pointer(name, indptr, len(scores))
    return dispatch("spmm", "softmax", indptr, scores)


def transpose(indptr, indices, columns: Count):
    """(indptr_t [M+1], rows [E], place [E]): the entries of a CSR matrix, column after column.

    Column j has the entries `place[p]`, in the rows `rows[p]`, for p from `indptr_t[j]` to
    `indptr_t[j + 1]`, in ascending order. Works on NumPy arrays. Raises ShapeError, DTypeError,
    ValueRangeError.

    >>> import numpy as np
    >>> [a.tolist() for a in transpose(np.array([0, 2, 3]), np.array([2, 0, 2]), columns=3)]
    [[0, 1, 1, 3], [0, 0, 1], [1, 0, 2]]
    """
    name = "spmm.transpose"
    _whole(name, indptr=indptr, indices=indices)
    _pointer(name, indptr, len(indices))
    _inside(name, "indices", indices, columns)
    place = np.argsort(indices, kind="stable")
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))[place]
    counts = np.bincount(indices, minlength=columns)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), rows, place


check_all(globals(), prefix="spmm.")
