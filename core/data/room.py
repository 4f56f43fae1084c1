"""How much memory is free, and whether what a file holds fits into it: asked before it is read.

Linux lends memory on trust and ends a process that uses too much of it, without a word. So a reader
estimates what it will need, and refuses in one line.
"""

import bz2
import os
from pathlib import Path

from ...kernels.capacity import memory
from .files import DataError

SHARE = 0.5  # of the free memory, for a data set; the rest is for the training on it
MAPPED = 0.25  # of the free memory: a larger array stays in its file (mapped.py)
SMALL = 16 << 20  # bytes that are always there
GZIP = 1032  # the most bytes that a byte of a .gz stands for
PROBE = 1 << 20  # bytes of a .bz2 that are unpacked to learn how dense it is …
MOST_PROBE = 64 << 20  # … to so many at most


def room(root: Path = Path("/proc")) -> int:
    """Bytes that this process may still use: free memory, or less where a limit is set.

    >>> room() > 0
    True
    """
    found = [memory()]
    found += [1024 * v for v in _fields(root / "meminfo", "MemAvailable")]
    try:
        import resource
    except ImportError:  # Windows
        return min(found)
    status = root / "self/status"
    for limit, field in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
        most = resource.getrlimit(limit)[0]
        for used in _fields(status, field):
            if most != resource.RLIM_INFINITY:
                found.append(max(0, most - 1024 * used))
    return min(found)


def _fields(path: Path, name: str) -> list[int]:
    """The number behind ``name:`` in a file of /proc; none where the system has no such file."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return []
    return [int(line.split()[1]) for line in lines if line.startswith(name + ":")]


def expect_room(name, need: float, what: str) -> None:
    """Raise DataError where `need` bytes are more than half of the memory that is free.

    >>> expect_room("d.csv", 2**60, "1 row")
    Traceback (most recent call last):
        ...
    glassgrad.core.data.files.DataError: d.csv: 1 row would take about 1,073,741,824.0 GiB of \
memory, more than half of what is free; an array in an .npy file may be larger than memory
    """
    if need > SMALL and need > SHARE * room():
        raise DataError(
            f"{name}: {what} would take about {size_in_words(need)} of memory, more than half of"
            " what is free; an array in an .npy file may be larger than memory"
        )


def size_in_words(size: float) -> str:
    """Bytes as MiB or GiB.

    >>> size_in_words(3 * 2**20), size_in_words(2**31)
    ('3.0 MiB', '2.0 GiB')
    """
    return f"{size / 2**20:,.1f} MiB" if size < 2**30 else f"{size / 2**30:,.1f} GiB"


def unpacked_size(path: Path) -> int:
    """Bytes of a file's content, at least its own size, and 0 where there is no such file.

    A .gz says it in its last four bytes; a damaged one says anything. Of a .bz2 the first megabyte
    is unpacked, and the rest taken for as dense.
    """
    if not path.is_file():
        return 0
    size, ending = os.path.getsize(path), path.suffix.lower()
    if ending == ".gz" and size >= 18:
        with open(path, "rb") as file:
            file.seek(-4, os.SEEK_END)
            return max(size, min(int.from_bytes(file.read(4), "little"), GZIP * size))
    if ending == ".bz2":
        with open(path, "rb") as file:
            packed = file.read(PROBE)
        stream = bz2.BZ2Decompressor()
        try:
            found = len(stream.decompress(packed, MOST_PROBE))
        except OSError:  # damaged: the reader says so
            return size
        return max(size, found * size // max(1, len(packed) - len(stream.unused_data)))
    return size
