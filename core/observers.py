"""Observers of calls: `trace` and the debug dial see every finished call of their thread."""

import threading

from . import debug

_hooks = threading.local()


def watchers() -> list:
    """The observers of this thread: callables (function, seconds, arrays, outs, settings, ran)."""
    if not hasattr(_hooks, "list"):
        _hooks.list = []
    return _hooks.list


def watch_start():
    """The time now if anybody watches this thread's calls, else None."""
    return debug.clock() if watchers() or debug.level() >= 2 else None


def watch_end(function, start, arrays, outs, settings, ran):
    """Report a finished call to the watchers and to the debug dial."""
    seconds = None if start is None else debug.clock() - start
    for watcher in watchers():
        watcher(function, seconds, arrays, outs, settings, ran)
    if debug.level():
        debug.report(function.name, seconds, arrays, outs, ran)
