"""One number of threads for Numba, BLAS and the peers."""

import os
import sys

from ..cli.machine import cores
from ..kernels.errors import ValueRangeError


def fix_threads(number: int | None = None) -> int:
    """Set Numba's and BLAS's threads for the rest of the process; by default all cores.

    Peers set their own to the same number. Raises ValueRangeError where Numba cannot have so many.
    """
    most = cores()
    number = most if number is None else number
    if "numba" not in sys.modules:  # read once, when it is imported
        os.environ["NUMBA_NUM_THREADS"] = str(most)
    import numba
    import scipy.linalg  # noqa: F401  (its BLAS is limited only once it is loaded)
    from threadpoolctl import threadpool_limits

    most = min(most, numba.config.NUMBA_NUM_THREADS)
    if not 1 <= number <= most:
        raise ValueRangeError(f"bench: threads must be 1 to {most} here; got {number}")
    numba.set_num_threads(number)
    threadpool_limits(number, user_api="blas")
    return number
