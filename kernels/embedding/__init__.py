"""Rows of a table by number, and the way back: sums of rows in a fixed order.

A table w of V vectors (words, mostly) is read at N places; the derivative of that adds each
gradient to the row that it came from.

    V  rows of the table    D  numbers of a row    N  places

    gather        y[n] = w[index_n]                                  w [V,D], index [N] -> y [N,D]
    scatter_add   s[v] = sum over n with index_n = v of g[n]         g [N,D], index [N] -> s [V,D]

They are each other's transposes: <g, gather(w)> = <scatter_add(g), w>, so that each is the other's
derivative, of any order.

The sum is the difficult half. N places fall on V rows unevenly: one word of a text in sixteen is
"the". Threads that add to one row at the same time need atomic additions, whose order changes from
run to run, and the last bits of the sum with it. Here the places are sorted by row first, stably,
so that each row is a stretch of them in the order of n; nobody else adds to it, and two runs give
the same bits.

    pass          reads             writes     work
    gather        N D (and index)   N D        none
    scatter_add   N D (and index)   V D        N D additions; a sort of N on a GPU

**The ladder.**

    glassgrad bench embedding          time, GB/s and share of the roofline of these; one of them:
                                       glassgrad bench embedding.scatter_add --version 2

    reference   reference.py                 one place after another
    numba v1    cpu.py                       the same, compiled; a thread takes some of the columns,
                                             of all places

    glassgrad lab embedding            loads, sectors and registers of these, without a GPU

    cuda v1     cuda.cu                      gather: a thread a number. scatter_add: a thread a
                                             number of the table, which adds up its stretch
    cuda v2     rungs/cuda_v2_pieces.cuh     scatter_add: long stretches are cut in pieces of 32,
                                             whose sums are added in order

In every version of scatter_add the order of the additions depends on the index alone. In version 2
on a GPU it is another than one by one, because of the pieces; all others add one by one.

Source: Nickolls, Buck, Garland, Skadron, "Scalable parallel programming with CUDA", 2008, for sums
over segments; the task is that of every table of word vectors (lecture 3, V2 496-560).
"""

import numpy as np

from ..annotations import Count
from ..doors import check_all
from ..errors import DTypeError, ValueRangeError, expect, expect_floats
from ..registry import dispatch


def _check(name: str, key: str, a, index, rows: int) -> None:
    """`a` has two axes; index is int64 [N], each number a row of the table."""
    expect_floats(name, **{key: a})
    arrays = {key: a, "index": index}
    expect(a.ndim == 2, name, f"{key} must have two axes", "2 axes", a.ndim, **arrays)
    dtype = getattr(index, "dtype", type(index).__name__)
    expect(str(dtype) == "int64", name, "index.dtype must be int64", "int64", dtype, DTypeError)
    expect(index.ndim == 1, name, "index must have the axis [N]", "1 axis", index.ndim, **arrays)
    if index.size and isinstance(index, np.ndarray):  # on a GPU it would wait for the device
        low, high = int(index.min()), int(index.max())
        must, got = f"index must hold rows below {rows}", f"{low}..{high}"
        ok = low >= 0 and high < rows
        expect(ok, name, must, f"0..{rows - 1}", got, ValueRangeError, **arrays)


def gather(w, index):
    """Rows index[N] of the table w [V,D], as a new array [N,D].

    index is int64, each in 0..V-1 (not looked at on a GPU). Raises ShapeError, DTypeError,
    ValueRangeError.

    >>> import numpy as np
    >>> gather(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 1, 0]))
    array([[3., 4.],
           [3., 4.],
           [1., 2.]])
    """
    _check("embedding.gather", "w", w, index, w.shape[0] if getattr(w, "ndim", 0) else 0)
    return dispatch("embedding", "gather", w, index)


def scatter_add(g, index, rows: Count):
    """A table [rows,D] whose row v is the sum of the g[n], [N,D], with index_n = v; else zeros.

    The sums have a fixed order: the same bits in every run and with any number of threads. index
    is int64 [N], each in 0..rows-1 (not looked at on a GPU). Raises ShapeError, DTypeError,
    ValueRangeError.

    >>> import numpy as np
    >>> scatter_add(np.array([[1.0], [2.0], [4.0]]), np.array([1, 0, 1]), rows=3)
    array([[2.],
           [5.],
           [0.]])
    """
    name = "embedding.scatter_add"
    _check(name, "g", g, index, rows)
    n = g.shape[0]
    expect(index.shape == (n,), name, "index.shape must be [N]", (n,), index.shape, g=g)
    return dispatch("embedding", "scatter_add", g, index, rows)


check_all(globals(), prefix="embedding.")
