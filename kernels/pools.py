"""Two thread pools on the same cores: BLAS works with one, Numba with another.

Each, by default, leaves its threads spinning when it has done its work, in the hope of more: GNU
OpenMP, which Numba uses, for some milliseconds, OpenBLAS for 2^26 cycles, 26 ms at 2.6 GHz. Whoever
comes next in those milliseconds shares its cores with spinning threads: on two cores a product was
measured to take 152 ms in place of 6, and an LSTM after a product 6.7 ms in place of 3.4.

So OpenMP's threads sleep at once here, and OpenBLAS's after 2^18 cycles, a tenth of a millisecond:
products that follow each other still find them awake. The libraries read these variables when they
are loaded, hence this module is imported before NumPy; where NumPy was there first, the pools go on
as they are. Who has set a variable is obeyed.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "18")
