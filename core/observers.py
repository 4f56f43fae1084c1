"""Who watches the calls: `trace` and the debug dial see every one that finishes, in its thread."""

import threading

from . import debug

_hooks = threading.local()


def watchers() -> list:
    """The observers of this thread: callables (function, seconds, arrays, outs, settings, ran)."""
    if not hasattr(_hooks, "list"):
        _hooks.list = []
    return _hooks.list


def watch_start():
    return debug.clock() if watchers() or debug.level() >= 2 else None


def watch_end(function, start, arrays, outs, settings, ran):
    seconds = None if start is None else debug.clock() - start
    for watcher in watchers():
        watcher(function, seconds, arrays, outs, settings, ran)
    if debug.level():
        debug.report(function.name, seconds, arrays, outs, ran)
