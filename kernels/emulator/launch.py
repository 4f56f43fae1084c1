"""Arrays and numbers to the compiled library and back; findings become an error or a report."""

import ctypes
import functools
import itertools
import json
import os
import signal
import threading

import numpy as np

from ..errors import BackendError, GlassgradError, KernelError, ValueRangeError
from ..source import FOLDER, Signature, Text
from ..trust import Unusable, opened
from . import report
from .compiler import library


class _Array(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("cell", ctypes.c_void_p),
        ("bytes", ctypes.c_uint64),
        ("writable", ctypes.c_int32),
    ]


class _Launch(ctypes.Structure):
    _fields_ = [
        ("kernel", ctypes.c_void_p),
        ("arguments", ctypes.c_void_p),
        ("grid", ctypes.c_uint32 * 3),
        ("block", ctypes.c_uint32 * 3),
        ("dynamic_shared", ctypes.c_uint64),
        ("cooperative", ctypes.c_int32),
        ("count", ctypes.c_int32),
        ("arrays", ctypes.POINTER(_Array)),
        ("limit", ctypes.c_double),
        ("patience", ctypes.c_int32),
        ("stacks", ctypes.c_void_p),
        ("apart", ctypes.c_int32),
    ]


class _Stacks(ctypes.Structure):
    _fields_ = [
        ("base", ctypes.c_void_p),
        ("capacity", ctypes.c_uint64),
        ("guarded", ctypes.c_uint64),
    ]


OURS = [FOLDER.resolve(), FOLDER.resolve().with_name("bench")]  # where the kernels are that we test
_stacks = (_Stacks * 8)()  # of threads, kept by the libraries from launch to launch


@functools.cache
def _load(path):
    try:
        with opened(path) as (number, _):
            made = ctypes.CDLL(_checked(path, number), mode=os.RTLD_LOCAL | os.RTLD_NOW)
    except (OSError, Unusable) as error:  # it was whole a moment ago
        raise BackendError(f"the emulator cannot load what it has compiled: {error}") from None
    made.emulator_launch.argtypes = [ctypes.POINTER(_Launch)]
    made.emulator_launch.restype = ctypes.c_char_p
    return made


_loads = itertools.count(1)


def _checked(path, number: int) -> str:
    """A name of the open file that was checked: its path may lead to another one by now.

    The loader takes a name that it knows for the library that it has. The number of a file comes
    again, so every name has a slash more than the last.
    """
    names = "/proc/self/fd"
    return f"{names}{'/' * next(_loads)}{number}" if os.path.isdir(names) else str(path)


@functools.cache
def _library(text: Text, real: str, index: str, instrumented: bool):
    path = library(text, real, index, instrumented)
    return path, _load(path)


# A library has one runtime. A fork waits for the launch of another thread: its copy would hold half
# a launch, and locks that nobody opens.
_one_at_a_time = threading.RLock()
os.register_at_fork(
    before=_one_at_a_time.acquire,
    after_in_parent=_one_at_a_time.release,
    after_in_child=_one_at_a_time.release,
)


def _limit() -> float:
    """Seconds of a processor without any progress after which a launch ends; 0: it never does."""
    said = os.environ.get("GLASSGRAD_EMULATOR_SECONDS", "10")
    try:
        seconds = float(said)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        must = "GLASSGRAD_EMULATOR_SECONDS must be a number of seconds, 0 for no limit"
        raise ValueRangeError(f"{must}; got {said!r}")
    return seconds


def _patience() -> int:
    """How many Ctrl-C end a launch: the first, or where somebody listens who wants to end in order
    (as training does), the second; none where this thread does not hear them.
    """
    if threading.current_thread() is not threading.main_thread():
        return 0
    listener = signal.getsignal(signal.SIGINT)
    return 1 if listener is signal.default_int_handler else 2 if callable(listener) else 0


def launch(text: Text, signature: Signature, real, index, grid, block, values, shared, cooperative):
    """Run a kernel whose arguments were checked; KernelError for what the runtime found.

    Inside `watching` the launch is instrumented, and what was found goes into the report instead.
    Kernels of other files than our own run in a process of their own (apart.cpp), whose answer may
    be as wrecked as its memory: KernelError for that, too.
    """
    watched = report.current()
    path, made = _library(text, real, index, watched is not None)
    pairs = list(zip(signature.parameters, values))
    cells, arrays, known = [], [], []
    for parameter, value in pairs:
        if parameter.pointer:
            cell = ctypes.c_void_p(0 if value is None else value.ctypes.data)
            at = ctypes.addressof(cell)
            if value is not None:
                arrays.append((parameter, value))
                known.append(_Array(cell.value, at, value.nbytes, not parameter.constant))
        else:
            cell = np.array(value)
            at = cell.ctypes.data
        cells.append((at, cell))
    table = (ctypes.c_void_p * max(1, len(cells)))(*(at for at, _ in cells))
    wanted = _Launch(
        ctypes.cast(getattr(made, f"emulate_{signature.kernel}"), ctypes.c_void_p),
        ctypes.addressof(table),
        (ctypes.c_uint32 * 3)(*grid),
        (ctypes.c_uint32 * 3)(*block),
        shared,
        cooperative,
        len(arrays),
        (_Array * max(1, len(known)))(*known),
        _limit(),
        _patience(),
        ctypes.addressof(_stacks),
        not any(map(text.path.is_relative_to, OURS)),
    )
    with _one_at_a_time:
        raw = made.emulator_launch(ctypes.byref(wanted))
    names = [p.name for p, _ in arrays]
    found = []
    try:
        answer = json.loads(raw.decode("utf-8", "replace"))
        if answer["interrupted"]:
            raise KeyboardInterrupt
        if (answer["findings"] or watched is not None) and not path.is_file():
            # addresses become lines only next to it
            library(text, real, index, watched is not None)
        if watched is not None:
            watched.add(path, signature.kernel, grid, block, names, answer)
        else:
            found = report.findings(path, signature.kernel, names, answer)
    except GlassgradError:
        raise
    except (ValueError, LookupError, TypeError) as error:
        if not wanted.apart:
            raise
        said = f"{signature.kernel}: its process has answered nonsense: the kernel has probably"
        raise KernelError(f"{said} written where memory is that is not its own") from error
    if found:
        raise KernelError("\n".join(map(str, found)))
    if watched is not None and not answer["findings"]:
        watched.suspect(signature.kernel, [(p.name, v) for p, v in arrays if not p.constant])
