"""One number of threads for Numba, BLAS and the peers."""

import os
import sys

from ..core.machine import cores
from ..kernels.errors import ValueRangeError
from ..kernels.numba_here import why_not


def fix_threads(number: int | None = None) -> int:
    """Set Numba's and BLAS's threads for the rest of the process; by default all cores.

    Peers set their own to the same number. Raises ValueRangeError where Numba cannot have so many.
    """
    allow_all()
    if why_not():
        return limit_blas(expect_threads(number))
    import numba

    number = expect_threads(number, numba.config.NUMBA_NUM_THREADS)
    numba.set_num_threads(number)
    return limit_blas(number)


def allow_all() -> None:
    """Let Numba have a thread for each core, whatever the environment says, if it is not loaded."""
    if "numba" not in sys.modules:  # read once, when it is imported
        os.environ["NUMBA_NUM_THREADS"] = str(cores())


def expect_threads(number: int | None, most: int | None = None) -> int:
    """The number of threads asked for, by default all cores. ValueRangeError for too many."""
    most = min(cores(), most or cores())
    number = most if number is None else number
    if not 1 <= number <= most:
        raise ValueRangeError(f"bench: threads must be 1 to {most} here; got {number}")
    return number


def limit_blas(number: int) -> int:
    """Set BLAS's threads alone."""
    import scipy.linalg  # noqa: F401  (its BLAS is limited only once it is loaded)
    from threadpoolctl import threadpool_limits

    threadpool_limits(number, user_api="blas")
    return number
