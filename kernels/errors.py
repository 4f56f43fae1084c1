"""One form for every error: the function, the argument, what was expected, what came, every shape.

conv2d: w.shape[1] must equal x.shape[1]; expected 3, got 4
(x=(8, 3, 32, 32) float32, w=(16, 4, 5, 5) float32)
"""

import numpy as np

from .arrays import is_cupy


def printable(text) -> str:
    r"""Text in which control characters, but for line feeds and tabs, are escaped.

    Paths, names in a data file and settings of a run folder come from anywhere; on a terminal an
    escape sequence in one would move the cursor, hide a line or set the title.

    >>> print(printable("a\x1b[31mb\u202ec"))
    a\x1b[31mb\u202ec
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )


class GlassgradError(Exception):
    """Base of every error that glassgrad raises on purpose; its message can be printed safely."""

    def __str__(self) -> str:
        return printable(super().__str__())


class ShapeError(GlassgradError, ValueError):
    """An array has the wrong shape, or a size makes no sense."""


class DTypeError(GlassgradError, TypeError):
    """An array has a dtype that the function does not accept."""


class DeviceError(GlassgradError, RuntimeError):
    """Arrays lie on different devices, or the device asked for is not there."""


class ArgumentError(GlassgradError, TypeError):
    """An argument is missing, or there is one that the function does not have."""


class MemoryLimitError(GlassgradError, MemoryError):
    """An array would be larger than the memory there is."""


class ValueRangeError(GlassgradError, ValueError):
    """A value lies outside the range that the function accepts (a label, a probability, NaN)."""


class BackendError(GlassgradError, LookupError):
    """No implementation of the operation is registered for the backend asked for."""


class CompileError(BackendError):
    """A compiler, or what comes before it, refused a kernel file; with the file's path and line."""


class KernelError(GlassgradError, RuntimeError):
    """A kernel went wrong while it ran: a barrier not all threads reach, memory out of bounds."""


def shown(value) -> str:
    """A value for a message, short whatever it is.

    >>> shown(1.5), shown(np.zeros((2, 3)))
    ('1.5', 'an array (2, 3) float64')
    """
    try:
        shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
        if isinstance(shape, tuple) and dtype is not None and shape:
            return f"an array {shape} {dtype}"
        text = repr(value)
    except Exception:  # someone else's repr, or an integer of too many digits to print
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."


def describe(**arrays) -> str:
    """The arrays by name, each with shape and dtype: ``(x=(8, 3) float32, w=(4, 3) float64)``."""
    parts = []
    for name, a in arrays.items():
        shape, dtype = getattr(a, "shape", None), getattr(a, "dtype", None)
        parts.append(f"{name}={shown(a)}" if shape is None else f"{name}={tuple(shape)} {dtype}")
    return f"({', '.join(parts)})" if parts else ""


def expect(ok: bool, function: str, must: str, expected, got, error=ShapeError, **arrays) -> None:
    """Raise `error` in the form above unless `ok`.

    >>> expect(3 == 4, "conv2d", "w.shape[1] must equal x.shape[1]", 3, 4)
    Traceback (most recent call last):
        ...
    glassgrad.kernels.errors.ShapeError: conv2d: w.shape[1] must equal x.shape[1]; expected 3, got 4
    """
    if not ok:
        message = f"{function}: {must}; expected {expected}, got {got}"
        raise error(f"{message} {describe(**arrays)}".rstrip())


def nearest(word, known, cutoff: float = 0.5) -> str:
    """What an error about an unknown name ends with: the name probably meant, or nothing.

    >>> nearest("conv3d", ["conv2d", "pool2d"]), nearest("xyz", ["conv2d", "pool2d"])
    ("; did you mean 'conv2d'?", '')
    """
    import difflib

    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=cutoff)
    return f"; did you mean {near[0]!r}?" if near else ""


FLOATS = ("float32", "float64")
_NATIVE = [np.dtype(name) for name in FLOATS]


def expect_floats(function: str, **arrays) -> None:
    """All arrays are NumPy or CuPy arrays of one dtype, float32 or float64, on one device."""
    first_name, first = next(iter(arrays.items()))
    kind = type(first)
    known = kind is np.ndarray or is_cupy(first)
    dtype = first.dtype if known else None
    if (
        known
        and dtype in _NATIVE
        and all(type(a) is kind and a.dtype is dtype for a in arrays.values())
    ):
        return  # the usual case: no messages to be made
    for name, a in arrays.items():
        if not isinstance(a, np.ndarray) and not is_cupy(a):
            raise DTypeError(f"{function}: {name} must be an array; got {type(a).__name__}")
        if isinstance(a, np.ndarray) and type(a) is not np.ndarray:
            raise DTypeError(
                f"{function}: {name} must be a plain array; got {type(a).__name__}, whose meaning"
                " (a mask, say) would be lost; take np.asarray(...) of it"
            )
        expect(
            str(a.dtype) in FLOATS,
            function,
            f"{name}.dtype must be float32 or float64",
            "float32 or float64",
            a.dtype,
            DTypeError,
            **arrays,
        )
        expect(
            a.dtype == first.dtype,
            function,
            f"{name}.dtype must equal {first_name}.dtype",
            first.dtype,
            a.dtype,
            DTypeError,
            **arrays,
        )
        expect(
            type(a) is type(first),
            function,
            f"{name} must lie on the device of {first_name}",
            type(first).__module__,
            type(a).__module__,
            DeviceError,
            **arrays,
        )
