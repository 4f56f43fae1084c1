"""SciPy: a sparse matrix of ones times the gradients, which adds them up row after row."""

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


BUILDERS = {"embedding.scatter_add": _scatter_add}
JOBS = frozenset(BUILDERS)


def contender(name: str, *given) -> Contender | None:
    """A contender for the sum of rows."""
    return BUILDERS[name](*given) if name in BUILDERS else None
