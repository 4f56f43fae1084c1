"""What the machine code of a compiled function depends on, as digits equal in every process.

Numba takes a function's globals and closure as constants, and compiles the functions that it calls
into it. So the meaning of a function is its byte code with its constants and names, its options and
defaults, and the values behind its names: numbers, strings, tuples and arrays as they are, other
compiled functions by their own meaning, their file if it is not one of this package. Library
functions count by name, as the versions of Python and Numba are hashed elsewhere.
"""

import enum
import functools
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numba.types import Type

from .cache import fingerprint
from .numba_parts import Dispatcher, DUFunc, Intrinsic

SOURCES = Path(__file__).parent
LIBRARIES = {"numba", "numpy", "llvmlite", *sys.stdlib_module_names}  # followed by name alone
PLAIN = (
    bool, int, float, complex, str, bytes, types.NoneType, types.EllipsisType, slice, range,
    np.generic, np.dtype, Type,
)  # fmt: skip


class Unknown(Exception):
    """A value whose effect on the code cannot be judged: the code must not be kept."""


def meaning(value) -> str:
    """Sixteen digits that differ wherever the code compiled from `value` may. Raises Unknown."""
    return fingerprint(*_parts(value, {}))


@functools.cache
def content(file: str) -> bytes:
    """The bytes of a source file when first asked for; empty where the folder's hash covers it."""
    path = Path(file)
    return b"" if path.is_relative_to(SOURCES) or not path.is_file() else path.read_bytes()


def _parts(value, seen: dict[int, int]) -> Iterator[str | bytes]:
    """The meaning piece by piece; what is in `seen` already (a recursion) counts by its number."""
    kind = type(value)
    yield f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, enum.Enum):
        yield value.name
        yield from _parts(value.value, seen)
    elif isinstance(value, PLAIN):
        text = repr(value)
        if " at 0x" in text and not isinstance(value, str | bytes):
            raise Unknown(text)
        yield text.encode("utf-8", "backslashreplace")
    elif isinstance(value, tuple | list):
        yield str(len(value))
        for one in value:
            yield from _parts(one, seen)
    elif isinstance(value, set | frozenset):
        yield from sorted(meaning(one) for one in value)
        yield "end"
    elif isinstance(value, dict):
        yield from _parts([*value.items()], seen)
    elif kind is np.ndarray and not value.dtype.hasobject:
        yield f"{value.dtype!r} {value.shape} {value.strides}"
        yield value.tobytes()
    elif isinstance(value, types.CodeType):
        yield from _of_code(value, seen)
    elif isinstance(value, Dispatcher | DUFunc | Intrinsic | types.FunctionType):
        if id(value) in seen:
            yield f"number {seen[id(value)]}"
        else:
            seen[id(value)] = len(seen)
            yield from _of_function(value, seen)
    else:
        yield _named(value)


def _of_code(code: types.CodeType, seen) -> Iterator[str | bytes]:
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    yield f"{code.co_qualname} {code.co_firstlineno} {names} {counts}"
    yield code.co_code
    yield code.co_exceptiontable
    yield from _parts(code.co_consts, seen)


def _of_function(value, seen) -> Iterator[str | bytes]:
    if isinstance(value, Dispatcher):
        yield from _parts(value.targetoptions, seen)
        yield from _parts(getattr(value, "locals", None) or {}, seen)
        function = value.py_func
    elif isinstance(value, DUFunc):
        yield from _parts(value._dispatcher, seen)
        return
    else:
        function = value._defn if isinstance(value, Intrinsic) else value
    yield f"{function.__module__}.{function.__qualname__}"
    if function.__module__.partition(".")[0] in LIBRARIES:
        return
    yield content(function.__code__.co_filename)
    yield from _of_code(function.__code__, seen)
    yield from _parts((function.__defaults__, function.__kwdefaults__), seen)
    for cell in function.__closure__ or ():
        try:
            held = cell.cell_contents
        except ValueError:  # nothing in it yet
            yield "empty"
        else:
            yield from _parts(held, seen)
    for name in sorted(_names(function.__code__)):
        if name in function.__globals__:
            yield name
            yield from _behind(function.__globals__[name], _names(function.__code__), seen)


def _names(code: types.CodeType) -> set[str]:
    """The globals and attributes that the code and the functions inside it ask for."""
    inner = (_names(one) for one in code.co_consts if isinstance(one, types.CodeType))
    return {*code.co_names}.union(*inner)


def _behind(value, names: set[str], seen) -> Iterator[str | bytes]:
    """A global; of a module that is no library, what has one of the names."""
    if not isinstance(value, types.ModuleType):
        yield from _parts(value, seen)
        return
    yield value.__name__
    if value.__name__.partition(".")[0] not in LIBRARIES and id(value) not in seen:
        seen[id(value)] = len(seen)
        for name in sorted(names & vars(value).keys()):
            yield name
            yield from _behind(vars(value)[name], names, seen)


def _named(value) -> str:
    """A class, ufunc or function written in C: by name; an enumeration with its members."""
    if isinstance(value, enum.EnumMeta):
        return meaning([*value.__members__.items()])
    if isinstance(value, type) and not hasattr(value, "class_type"):  # Numba's jitclass has one
        fields = getattr(value, "_fields", ())  # of a named tuple
        return f"{value.__module__}.{value.__qualname__} {fields}"
    if isinstance(value, np.ufunc | types.BuiltinFunctionType):
        return f"{getattr(value, '__module__', None)}.{value.__name__}"
    if type(value).__module__.partition(".")[0] in LIBRARIES and callable(value):
        return f"{getattr(value, '__module__', None)}.{getattr(value, '__name__', '?')}"
    raise Unknown(repr(value))
