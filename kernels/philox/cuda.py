"""Launch geometry of the stream: a thread an element (v1), or a thread a block of four (v2).

Nothing given to these functions is an array, so that its type could say where to run: each is
registered once for CuPy and once for NumPy.
"""

import importlib

from ..launcher import Source, ceil_div
from ..registry import register

source = Source(__file__)
THREADS = 256


def _fill(library, kernel, each, shape, seed, offset, dtype):
    """A new array filled by `kernel`, whose threads make `each` numbers apiece."""
    out = importlib.import_module(library).empty(shape, dtype)
    if out.size:
        grid = ceil_div(ceil_div(out.size, each), THREADS)
        source.launch(kernel, grid, THREADS, out.reshape(-1), out.size, seed, offset)
    return out


def _register(pass_, version, idea, each, dtypes):
    kernel = f"philox_{pass_}_v{version}"
    for backend, library in (("cuda", "cupy"), ("emulated", "numpy")):
        options = {"backend": backend, "version": version, "idea": idea, "dtypes": dtypes}
        if pass_ == "bits":

            def make(seed, offset, n, library=library):
                return _fill(library, kernel, each, n, seed, offset, "uint32")

        else:

            def make(shape, seed, offset, dtype, library=library):
                return _fill(library, kernel, each, shape, seed, offset, dtype)

        register("philox", pass_, **options)(make)


for _pass in ("bits", "uniform", "normal"):
    _register(_pass, 1, "a thread an element", 1, ("float32", "float64"))
    _register(_pass, 2, "a thread a block of four, one vector store", 4, ("float32",))
