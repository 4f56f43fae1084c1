"""Compiling takes seconds, once: whoever waits is told. Here, so that telling needs no Numba.

The first function of a process that is not found on the disk prints one line; `watching` lets a
progress bar count them.
"""

import contextlib
import gc
import threading
from collections.abc import Callable, Iterator

from .notice import once

USUALLY = {"numba": "up to 20 s for a training", "emulated": "3 to 20 s for each file"}
_lock, _own = threading.Lock(), threading.local()
_running, _collects = 0, True
_watchers: list[Callable[[str], None]] = []


def begin(name: str, kept: bool = True, backend: str = "numba") -> None:
    """A function or file is about to be compiled, perhaps for one that is being compiled already.

    Garbage is not collected until `end`: a compiler makes many objects and little garbage, and
    looking for it takes a tenth of the time.
    """
    global _running, _collects
    _own.depth = getattr(_own, "depth", 0) + 1
    if _own.depth > 1:
        return
    with _lock:
        if not _running:
            _collects = gc.isenabled()
            gc.disable()
        _running += 1
    what = "kernels" if backend == "numba" else "CUDA kernels for the emulator"
    often = "once on this machine" if kept else "in every process, as no folder can keep it"
    once(f"compiling {what}, first {name}: usually {USUALLY[backend]}, {often}")
    for watcher in _watchers:
        watcher(name)


def end() -> None:
    """It is compiled, or cannot be."""
    global _running
    _own.depth -= 1
    if _own.depth:
        return
    with _lock:
        _running -= 1
        if not _running and _collects:
            gc.enable()


@contextlib.contextmanager
def watching(watcher: Callable[[str], None]) -> Iterator[None]:
    """Inside the block `watcher(name)` is called before a function or file is compiled, whichever
    thread needs it; not for the functions that are compiled on its behalf.
    """
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)
