"""Memory that is freed stays with the process, for the next array.

By default the C library of Linux gives large arrays back to the system as soon as they are freed,
and a training step frees all that it has made. The next one gets fresh pages: each must be emptied
and entered into the page table when it is first touched, which was measured on a virtual machine to
take twenty times as long as writing to it again. With the settings below an array of up to 32 MiB,
the most that glibc allows, comes out of memory that the process has used before, and up to 1 GiB of
it is kept from step to step: an LSTM's of 12.4 ms took 9.3 there.

Who has set GLIBC_TUNABLES, MALLOC_TRIM_THRESHOLD_ or MALLOC_MMAP_THRESHOLD_ has chosen otherwise,
and is obeyed. Other C libraries than glibc have no such settings.
"""

import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # numbers in <malloc.h>
LARGEST, KEPT = 32 << 20, 1 << 30  # bytes
CHOSEN = {"GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"}


def keep() -> bool:
    """Set it for this process; whether that was possible and wanted."""
    if CHOSEN & os.environ.keys():
        return False
    try:
        libc = ctypes.CDLL(None)
        libc.gnu_get_libc_version  # noqa: B018  (others have a mallopt that means other things)
    except (AttributeError, OSError, TypeError):  # TypeError: Windows, which wants a name
        return False
    return bool(libc.mallopt(M_MMAP_THRESHOLD, LARGEST) and libc.mallopt(M_TRIM_THRESHOLD, KEPT))


keep()
