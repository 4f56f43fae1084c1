"""The parts of Numba that are not in its public interface, in one place.

To keep machine code on disk (`compiled`) and to name it by what it is compiled from (`meaning`)
takes more of Numba than it promises to leave as it is. A version that has moved or renamed a part
is reported here, when the first kernel is imported, and not in the middle of a training.
"""

import numba

from .errors import BackendError


def _changed(what) -> BackendError:
    return BackendError(
        f"Numba {numba.__version__} has changed a part that compiled kernels need ({what}): install"
        " a version that glassgrad is tested with (README), or use the backend 'reference'"
    )


try:
    from numba.core import event
    from numba.core.caching import _Cache as Cache
    from numba.core.compiler import CompileResult
    from numba.core.dispatcher import Dispatcher
    from numba.core.extending import _Intrinsic as Intrinsic
    from numba.core.serialize import dumps, loads
    from numba.np.ufunc.dufunc import DUFunc
except ImportError as error:
    raise _changed(error) from error

__all__ = [
    "Cache",
    "CompileResult",
    "DUFunc",
    "Dispatcher",
    "Intrinsic",
    "dumps",
    "event",
    "expect_parts",
    "loads",
]


def expect_parts(owner, *names: str) -> None:
    """Raises BackendError unless a class or object of Numba's has the attributes."""
    for name in names:
        if not hasattr(owner, name):
            raise _changed(f"{owner} has no {name}")


expect_parts(Cache, "load_overload", "save_overload")
expect_parts(CompileResult, "_rebuild", "_reduce")
