"""The random stream on the GPU: the launch geometry of `cuda.cu` and of the rung it includes.

Nothing given to these functions is an array, so that its type could say where to run: each is
registered once for CuPy and once for NumPy.
"""

import importlib

from ..launcher import Source, ceil_div
from ..registry import register

source = Source(__file__)
THREADS = 256
EACH = {1: 1, 2: 4}  # numbers of a thread
LIBRARIES = {"cuda": "cupy", "emulated": "numpy"}
RUNGS = {
    1: {"idea": "a thread an element"},
    2: {"idea": "a thread a block of four, one vector store", "dtypes": ("float32",)},
}


def _fill(library, pass_, version, shape, seed, offset, dtype):
    """A new array of that library, filled by the kernel of that pass and version."""
    out = importlib.import_module(library).empty(shape, dtype)
    if out.size:
        grid = ceil_div(ceil_div(out.size, EACH[version]), THREADS)
        kernel = f"philox_{pass_}_v{version}"
        source.launch(kernel, grid, THREADS, out.reshape(-1), out.size, seed, offset)
    return out


def _register(pass_, version, backend):
    library, record = LIBRARIES[backend], RUNGS[version]
    if pass_ == "bits":

        def make(seed, offset, n):
            return _fill(library, pass_, version, n, seed, offset, "uint32")

    else:

        def make(shape, seed, offset, dtype):
            return _fill(library, pass_, version, shape, seed, offset, dtype)

    make.__name__ = make.__qualname__ = f"{pass_}_v{version}"
    make.__doc__ = f"{record['idea']}."
    register("philox", pass_, backend=backend, version=version, **record)(make)


for _pass in ("bits", "uniform", "normal"):
    for _version in RUNGS:
        for _backend in LIBRARIES:
            _register(_pass, _version, _backend)
