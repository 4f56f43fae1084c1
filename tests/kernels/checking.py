"""What tests of kernels share, with what glassgrad/testing/checking.py has for everybody."""

from glassgrad.kernels import backend
from glassgrad.testing.checking import (
    arguments,
    check,
    poisoned,
    threads,
    why_no_emulator,
    why_no_gpu,
)

__all__ = ["arguments", "check", "on", "poisoned", "threads", "why_no_emulator", "why_no_gpu"]


def on(name: str, op: str):
    """`backend` for a name such as "numba", or "numba v1", which pins the version of `op`."""
    name, _, version = name.partition(" v")
    return backend(name, **({op: int(version)} if version else {}))
