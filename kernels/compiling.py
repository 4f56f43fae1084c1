"""Compiling takes seconds, once: whoever waits reads so. Here, so that this needs no Numba.

The first function of a process that is not found on the disk prints one line; `watch` lets a
progress bar count them; inside `nothing_compiled` there is an error instead.
"""

import contextlib
import gc
import threading
from collections.abc import Callable, Iterator

from .errors import BackendError
from .notice import once

USUALLY = {
    "numba": "5 to 20 s for a training",
    "emulated": "3 to 20 s for each operation",
}
NEVER = 2**31 - 1  # objects made before garbage is looked for
_lock, _own = threading.Lock(), threading.local()
_running, _threshold = 0, gc.get_threshold()
_ahead = False
_watchers: list[Callable[[str], None]] = []


class NotCompiled(BackendError):
    """A kernel would have to be compiled inside `nothing_compiled`."""


def begin(name: str, kept: bool = True, backend: str = "numba") -> None:
    """A function or file is about to be compiled, perhaps for one that is being compiled already.

    While Numba compiles, garbage is not collected: it makes many objects and little garbage, and
    looking for it takes a tenth of the time. By the threshold, not by `gc.disable`: so a program's
    own switch, and any threshold that it sets meanwhile, stays as it is.
    """
    global _running, _threshold
    _own.depth = getattr(_own, "depth", 0) + 1
    if _own.depth > 1:
        return
    _own.backend = backend
    with _lock:
        if backend == "numba":
            if not _running:
                _threshold = gc.get_threshold()
                gc.set_threshold(NEVER)
            _running += 1
    what = "CPU kernels" if backend == "numba" else "CUDA kernels for the emulator"
    often = "once on this machine" if kept else "in every process, as no folder can keep them"
    if _ahead:
        usually, hint = "a few minutes for all", ""
    else:
        option = "" if backend == "numba" else " --backend emulated"
        usually = f"usually {USUALLY[backend]}"
        hint = f" (glassgrad compile{option} does it ahead)" if kept else ""
    once(
        f"compiling {what}, beginning with {name}: {usually}, {often}{hint}",
        key=f"compiling {backend}",
    )
    for watcher in _watchers:
        watcher(name)


def end() -> None:
    """It is compiled, or cannot be."""
    global _running
    _own.depth -= 1
    if _own.depth:
        return
    if _own.backend != "numba":
        return
    with _lock:
        _running -= 1
        if not _running and gc.get_threshold()[0] == NEVER:
            gc.set_threshold(*_threshold)


@contextlib.contextmanager
def ahead() -> Iterator[None]:
    """Inside the block kernels are compiled for later: that there is such a way is not said."""
    global _ahead
    before, _ahead = _ahead, True
    try:
        yield
    finally:
        _ahead = before


def watch(watcher: Callable[[str], None]) -> None:
    """Call `watcher(name)` before a function or file is compiled, whichever thread needs it; not
    for the functions that are compiled on its behalf.
    """
    _watchers.append(watcher)


def unwatch(watcher: Callable[[str], None]) -> None:
    """Undo `watch`."""
    _watchers.remove(watcher)


@contextlib.contextmanager
def nothing_compiled() -> Iterator[None]:
    """Inside the block a kernel of this thread that is not on the disk raises NotCompiled."""
    before = getattr(_own, "forbidden", False)
    _own.forbidden = True
    try:
        yield
    finally:
        _own.forbidden = before


def expect_allowed(name: str) -> None:
    """`name` is not on the disk: NotCompiled inside `nothing_compiled`."""
    if getattr(_own, "forbidden", False):
        raise NotCompiled(f"{name} is not compiled yet")
