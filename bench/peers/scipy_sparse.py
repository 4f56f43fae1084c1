"""SciPy: products of a sparse matrix, which adds up row after row."""

import numpy as np

from ..job import Contender


def why_not(device: str) -> str:
    """It works on NumPy arrays alone; it comes with glassgrad."""
    return "SciPy has no GPU version" if device == "cuda" else ""


def set_threads(number: int) -> None:
    """Its products of sparse matrices have one."""


def version(device: str) -> str:
    """Of the package."""
    import scipy

    return scipy.__version__


def _scatter_add(g, index, rows) -> Contender:
    from scipy.sparse import csr_matrix

    ones, places = np.ones(len(g), g.dtype), np.arange(len(g))

    def add():  # making the matrix is part of it: every step has another index
        return csr_matrix((ones, (index, places)), (rows, len(g))) @ g

    return Contender(add)


def _matrix(indptr, indices, values, columns):
    from scipy.sparse import csr_matrix

    return csr_matrix((values, indices, indptr), (len(indptr) - 1, columns))


def _forward(indptr, indices, values, x) -> Contender:
    a = _matrix(indptr, indices, values, len(x))
    return Contender(lambda: a @ x)


def _transposed(indptr, rows, place, values, g) -> Contender:
    """The transposed matrix is made once; its values are new in every step."""
    a = _matrix(indptr, rows, values, len(g))

    def product():
        a.data = values[place]
        return a @ g

    return Contender(product)


BUILDERS = {
    "embedding.scatter_add": _scatter_add,
    "spmm.forward": _forward,
    "spmm.transposed": _transposed,
}
JOBS = frozenset(BUILDERS)


def contender(name: str, *given) -> Contender | None:
    """A contender for the sum of rows, or a product."""
    return BUILDERS[name](*given) if name in BUILDERS else None
