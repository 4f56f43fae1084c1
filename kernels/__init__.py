"""Arrays in, arrays out: the hand-written kernels. This layer knows nothing of gradients.

Each family is a folder and a lesson, read in this order: the page (`__init__.py`, the maths, the
shapes and the cost), `reference.py` (NumPy, like the formula), `cpu.py` (Numba, fast), `cuda.cu`
and `cuda.py` (CUDA C and its launch geometry), `cases.py` (the shapes that tests and benchmarks
share). Families of your own are like them, in one file or a folder: `own.py`.
"""

from . import kept_pages, pools  # noqa: F401  # isort: skip  (before NumPy is loaded)

import importlib

from .case import Case, cases
from .doors import check_all
from .errors import (
    BackendError,
    DeviceError,
    DTypeError,
    GlassgradError,
    KernelError,
    ShapeError,
    ValueRangeError,
)
from .launcher import Source, ceil_div, contiguous, empty, zeros
from .registry import (
    BACKENDS,
    OPERATIONS,
    Implementation,
    backend,
    dispatch,
    implementations,
    register,
)

__all__ = [
    "BACKENDS",
    "OPERATIONS",
    "BackendError",
    "Case",
    "DTypeError",
    "DeviceError",
    "GlassgradError",
    "Implementation",
    "KernelError",
    "ShapeError",
    "Source",
    "ValueRangeError",
    "backend",
    "cases",
    "ceil_div",
    "contiguous",
    "dispatch",
    "empty",
    "implementations",
    "register",
    "zeros",
    *OPERATIONS,
]


check_all(globals(), ["backend"])


def __getattr__(name: str):
    """The families, each imported when first used."""
    if name in OPERATIONS:
        return importlib.import_module(f".{name}", __package__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
