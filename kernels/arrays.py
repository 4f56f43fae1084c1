"""Which of the two array libraries, NumPy or CuPy, an array belongs to."""

import functools

import numpy as np


@functools.cache
def _of_cupy(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "cupy"


def is_cupy(a) -> bool:
    """True for a CuPy array; CuPy itself is never imported to find out."""
    return _of_cupy(type(a))


def xp_of(*arrays):
    """The array module of the arrays: cupy if one of them lies on the GPU, else numpy.

    >>> xp_of(np.zeros(2)).__name__
    'numpy'
    """
    for a in arrays:
        if is_cupy(a):
            import cupy

            return cupy
    return np


@functools.cache
def multiprocessors(device: int) -> int:
    """Of a GPU by its number. CuPy asks the driver a hundred questions to answer this one: once."""
    import cupy

    return cupy.cuda.Device(device).attributes["MultiProcessorCount"]


def address(a) -> int:
    """Where the first number of an array lies, on its own device."""
    return a.data.ptr if is_cupy(a) else a.__array_interface__["data"][0]


def aligned(*arrays, to: int = 16) -> bool:
    """May a kernel load `to` bytes at once from the first number on?

    An array of its own always allows it; a view such as ``x[1:]`` may begin between two vectors and
    still be contiguous. What is not contiguous is copied before a launch, and the copy allows it.

    >>> aligned(np.zeros(8)[2:], to=16), aligned(np.zeros(8)[1:], to=16), aligned(np.zeros(8)[1::2])
    (True, False, True)
    """
    return all(not a.flags.c_contiguous or address(a) % to == 0 for a in arrays)
