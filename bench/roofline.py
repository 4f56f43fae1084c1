"""What this machine can do at best, measured: arithmetic by a matrix product, traffic by a copy.

A kernel that takes F operations and must move B bytes cannot be done sooner than

    max(F / peak, B / bandwidth)                 (Williams, Waterman & Patterson 2009)

as long as its arrays are too large for the caches. The peak is that of a float32 product of
1024 x 1024 matrices (8192 on a GPU); the bandwidth counts what a copy reads and what it writes.
Both are the best of their runs, since a ceiling is asked for.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .timing import Effort, alternate

SIZE = {"cpu": 1024, "cuda": 8192}  # rows and columns of the matrices
COPIED = {"cpu": 1 << 27, "cuda": 1 << 30}  # bytes, far beyond any cache


@dataclass(frozen=True)
class Roofline:
    """Operations and bytes in a second."""

    flops: float
    bytes: float

    def share(self, flops: float, moved: float, seconds: float) -> float:
        """Which part of `seconds` the work would take at best; 1 is on the roofline.

        >>> Roofline(flops=100.0, bytes=10.0).share(flops=100, moved=20, seconds=4.0)
        0.5
        """
        return max(flops / self.flops, moved / self.bytes) / seconds

    def bound(self, flops: float, moved: float) -> str:
        """What keeps the work from being faster: "arithmetic" or "memory"."""
        return "arithmetic" if flops / self.flops > moved / self.bytes else "memory"


def measure(xp, clock, threads: int, effort: Effort) -> Roofline:
    """The roofline of the device of the array module xp."""
    n = SIZE[clock.device]
    a, b = xp.full((n, n), 0.5, "float32"), xp.full((n, n), 2.0, "float32")
    out = xp.empty_like(a)
    with ThreadPoolExecutor(threads) as pool:
        copy, moved = _copy(xp, COPIED[clock.device], pool, threads)
        calls = {"product": lambda: xp.matmul(a, b, out=out), "copy": copy}
        found = alternate(calls, clock, effort)
    return Roofline(2 * n**3 / found["product"].best, moved / found["copy"].best)


def _copy(xp, size: int, pool: ThreadPoolExecutor, threads: int):
    """A copy by all threads, and the bytes that it reads and writes."""
    source, target = xp.ones(size, "uint8"), xp.ones(size, "uint8")
    if xp is not np:
        return (lambda: xp.copyto(target, source)), 2 * size
    parts = list(zip(np.array_split(target, threads), np.array_split(source, threads)))
    return (lambda: list(pool.map(lambda part: np.copyto(*part), parts))), 2 * size
