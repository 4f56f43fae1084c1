"""Matrix products by BLAS, with the same bits whatever number of threads there are.

A BLAS that shares a product out over its threads cuts it differently for one thread and for two,
and the sums come out in another order: trained weights would depend on how many cores were free.
So the product is cut here, along the longer side of the result, in as many parts as the machine has
cores (eight at most), and each part is left to BLAS as a product for one thread. The parts go to
our own threads (threads.py), which sleep when there is nothing to do: BLAS's, which spin for a
while, would be in the way of the kernels that come next. A stack of matrices is cut along the
stack; where one matrix serves them all the rows of the others are one tall matrix.

Of the machine's BLAS that is asked: OpenBLAS, which NumPy's wheels bring, chooses its kernels by
the processor, so that bits differ between machines anyway. Another BLAS is left to itself.
"""

import contextlib
import ctypes
import functools
import os
import threading

import numpy as np

from .arrays import xp_of

LEAST = 1 << 23  # multiplications in a part: enough to be worth a thread's waking up
CORES = min(8, os.cpu_count() or 1)
EDGE = 16  # parts end at multiples of this: BLAS's tiles are no wider


class _OpenBLAS:
    """Holds NumPy's OpenBLAS at one thread while somebody is inside; `set` is None without one."""

    def __init__(self):
        library = ctypes.PyDLL(np._core._multiarray_umath.__file__)  # sees what it is linked with
        self.get = self.set = None
        for name in ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}"):
            with contextlib.suppress(AttributeError):
                self.set = getattr(library, name.format("set_num_threads"))
                self.get = getattr(library, name.format("get_num_threads"))
                break
        self.lock, self.inside, self.before = threading.Lock(), 0, 1
        self.own = threading.local()  # how deep inside each thread is
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._alone)

    def __enter__(self):
        with self.lock:
            if not self.inside:
                self.before = self.get()
                self.set(1)
            self.inside += 1
            self.own.depth = self._depth() + 1

    def __exit__(self, *error):
        with self.lock:
            self.own.depth -= 1
            self.inside -= 1
            if not self.inside:
                self.set(self.before)

    def _depth(self) -> int:
        return getattr(self.own, "depth", 0)

    def _alone(self):
        """In a forked process: of the threads that were inside only this one is left."""
        self.lock = threading.Lock()
        if self.inside and not self._depth():
            self.set(self.before)
        self.inside = self._depth()


@functools.cache
def _blas() -> _OpenBLAS:
    return _OpenBLAS()


def blas_at_one_thread():
    """A context in which OpenBLAS uses one thread, for products that are left to NumPy."""
    return contextlib.nullcontext() if _blas().set is None else _blas()


def product(x, y, out=None):
    """x @ y: [..., M, K] @ [..., K, N] -> [..., M, N], as NumPy's matmul; CuPy arrays too.

    `out` shares no memory with x or y.

    >>> product(np.ones((2, 3)), np.ones((3, 4))).tolist()
    [[3.0, 3.0, 3.0, 3.0], [3.0, 3.0, 3.0, 3.0]]
    """
    if not isinstance(x, np.ndarray):
        return xp_of(x).matmul(x, y, out=out)
    blas = _blas()
    if blas.set is None:
        return np.matmul(x, y, out=out)
    if out is None and x.size and y.size:
        if x.ndim > 2 == y.ndim:
            return product(x.reshape(-1, x.shape[-1]), y).reshape(*x.shape[:-1], y.shape[1])
        if x.ndim > 3 and x.shape[:-2] == y.shape[:-2]:
            stacks = x.reshape(-1, *x.shape[-2:]), y.reshape(-1, *y.shape[-2:])
            return product(*stacks).reshape(*x.shape[:-1], y.shape[-1])
    with blas:
        parts = _parts(x, y)
        if parts == 1:
            return np.matmul(x, y, out=out)
        return _in_parts(x, y, parts, out)


def _parts(x, y) -> int:
    """How many parts: by the shapes and the machine alone."""
    if x.ndim == 2 == y.ndim or (x.ndim == 3 == y.ndim and len(x) == len(y)):
        return max(1, min(CORES, x.size * y.shape[-1] // LEAST))
    return 1


def _in_parts(x, y, parts: int, out):
    from .threads import in_parts

    if out is None:
        shape = (*x.shape[:-1], y.shape[-1])
        out = np.empty(shape, np.result_type(x, y))
    rows, columns = out.shape[-2:]

    def matrices(part):
        own = slice(part * len(x) // parts, (part + 1) * len(x) // parts)
        np.matmul(x[own], y[own], out=out[own])

    def upper(part):
        own = _share(rows, parts, part)
        np.matmul(x[own], y, out=out[own])

    def left(part):
        own = _share(columns, parts, part)
        np.matmul(x, y[:, own], out=out[:, own])

    in_parts(matrices if x.ndim == 3 else upper if rows >= columns else left, parts)
    return out


def _share(n: int, parts: int, part: int) -> slice:
    blocks = -(-n // EDGE)
    return slice(part * blocks // parts * EDGE, min((part + 1) * blocks // parts * EDGE, n))
