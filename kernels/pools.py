"""Two thread pools on the same cores: BLAS works with one, Numba with another.

Each, by default, leaves its threads spinning when it has done its work, in the hope of more: GNU
OpenMP, which Numba uses, for some milliseconds, OpenBLAS for 2^26 cycles, 26 ms at 2.6 GHz. Whoever
comes next in those milliseconds shares its cores with spinning threads: on two cores a product was
measured to take 152 ms in place of 6, and a training step of an LSTM 26 ms in place of 14.

So OpenMP's threads sleep at once here, and OpenBLAS's after 2^18 cycles, a tenth of a millisecond:
products that follow each other still find them awake. The libraries read these variables when they
are loaded, hence this module is imported before NumPy. Where NumPy was there first its OpenBLAS is
told to read them again; OpenMP, once loaded, goes on as it is. Who has set a variable is obeyed.
"""

import ctypes
import os
import sys

BLAS_WAIT = "OPENBLAS_THREAD_TIMEOUT"


def shorten_waits() -> None:
    """Set the variables, and have those read that were read before."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if BLAS_WAIT in os.environ:
        return
    os.environ[BLAS_WAIT] = "18"
    if "numpy" not in sys.modules:
        return
    from threadpoolctl import threadpool_info

    for pool in threadpool_info():
        if pool["internal_api"] == "openblas":
            library = ctypes.CDLL(pool["filepath"])
            if hasattr(library, "openblas_read_env") and hasattr(library, "blas_thread_shutdown_"):
                library.openblas_read_env()
                library.blas_thread_shutdown_()  # as before a fork: the next product starts anew


shorten_waits()
