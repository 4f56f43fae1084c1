"""Two crews of threads on the same cores: BLAS works with one, our kernels with another.

OpenBLAS's threads, by default, go on spinning when they have done their work, in the hope of more:
for 2^26 cycles, 26 ms at 2.6 GHz. Whoever comes next in those milliseconds shares its cores with
spinning threads: on two cores a training step of an LSTM was measured to take 26 ms in place of 14.

So they sleep after 2^18 cycles here, a tenth of a millisecond: products that follow each other
still find them awake. OpenBLAS reads its variable when it is loaded, hence this module is imported
before NumPy. Where NumPy is loaded first, its OpenBLAS reads the variable again and starts new
threads. That is done only in a process of one thread, where no product can be running, and where
the library exports the functions for it: that of NumPy 2.5 does not, so there its threads go on
spinning unless glassgrad is imported before NumPy. A variable that the user has set stays as it is.
(Our own threads sleep at once, see threads.py.)
"""

import ctypes
import os
import sys

BLAS_WAIT = "OPENBLAS_THREAD_TIMEOUT"


def shorten_waits() -> None:
    """Set the variable, and have it read again where it was read before."""
    if BLAS_WAIT in os.environ:
        return
    os.environ[BLAS_WAIT] = "18"
    if "numpy" not in sys.modules or len(sys._current_frames()) > 1:
        return
    from threadpoolctl import threadpool_info

    for pool in threadpool_info():
        if pool["internal_api"] == "openblas":
            library = ctypes.CDLL(pool["filepath"])
            if hasattr(library, "openblas_read_env") and hasattr(library, "blas_thread_shutdown_"):
                library.openblas_read_env()
                library.blas_thread_shutdown_()  # the next product starts them again


shorten_waits()
