"""How much memory there is, and whether an array would fit into it.

What does not fit is refused before any work: a system that lends memory on trust ends the process
only when it is written to.
"""

import functools
import math
import os
from pathlib import Path

from .arrays import is_cupy
from .errors import MemoryLimitError, describe


@functools.cache
def memory(root: Path = Path("/")) -> int:
    """Bytes of this machine's memory, or of the control group's share where that is less."""
    try:
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        found = 2**46
    return min([found, *_limits(root)])


def _limits(root: Path) -> list[int]:
    """The limits of the control groups that this process is in: of its own and of those above."""
    found = []
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        old = "memory" in controllers.split(",")
        if controllers and not old:
            continue
        top = root / "sys/fs/cgroup" / ("memory" if old else "")
        name = "memory.limit_in_bytes" if old else "memory.max"
        folder = top / path.strip("/")
        for group in {folder, *folder.parents, top}:
            if group == top or top in group.parents:
                try:
                    found.append(int((group / name).read_text()))
                except (OSError, ValueError):  # no such group in here, or "max": no limit
                    continue
    return found


def expect_fits(function: str, what: str, shape, like, **arrays) -> None:
    """An array of this shape with the dtype of `like` has to fit into memory.

    A GPU says so itself, when it is asked for the memory. Raises MemoryLimitError.

    >>> import numpy as np
    >>> expect_fits("conv2d", "y", (2**31, 2**31), np.zeros(1))
    Traceback (most recent call last):
        ...
    glassgrad.kernels.errors.MemoryLimitError: conv2d: y must fit into memory; shape \
(2147483648, 2147483648) takes 36,893,488,147,419,103,232 bytes
    """
    size = math.prod(shape) * like.dtype.itemsize
    if size > 2**62 or (size > memory() and not is_cupy(like)):
        raise MemoryLimitError(
            f"{function}: {what} must fit into memory; shape {tuple(shape)} takes {size:,} bytes"
            f" {describe(**arrays)}".rstrip()
        )


def expect_planes_fit(function: str, x_shape, y_shape, padding, /, **arrays) -> None:
    """The output y of a sliding window, and x [N,C,H,W] with its padding, have to fit into memory.

    The first of the arrays has their dtype.
    """
    N, C, H, W = x_shape
    padded = N, C, H + 2 * padding[0], W + 2 * padding[1]
    like = next(iter(arrays.values()))
    expect_fits(function, "the padded input", padded, like, **arrays)
    expect_fits(function, "the output", y_shape, like, **arrays)
