"""Checks that several families share: sizes given as numbers, and shapes that must fit together."""

import math
import operator

from .errors import DTypeError, ValueRangeError, expect, nearest


def choice(function: str, name: str, value, known, error=ValueRangeError):
    """The value, which is one of the names known; an error that says which one was meant, if not.

    >>> choice("gru", "variant", "lectrue", ("lecture", "library"))
    Traceback (most recent call last):
        ...
    glassgrad.kernels.errors.ValueRangeError: gru: variant must be known; expected 'lecture' or \
'library', got 'lectrue'; did you mean 'lecture'?
    """
    if value not in list(known):  # a list: what cannot be hashed can be asked for too
        hint = nearest(value, filter(lambda k: isinstance(k, str), known))
        wanted, got = " or ".join(map(repr, known)), f"{value!r:.80}{hint}"
        expect(False, function, f"{name} must be known", wanted, got, error)
    return value


def within(
    function: str, name: str, value, *, least=None, above=None, most=None, below=None,
) -> None:  # fmt: skip
    """A number lies in its range, infinity and NaN in none; the error names the nearest that does.

    >>> within("variance", "ddof", -3, least=0)
    Traceback (most recent call last):
        ...
    glassgrad.kernels.errors.ValueRangeError: variance: ddof must lie in its range; expected \
0 ≤ ddof, got -3; the nearest is 0
    """
    low, high = (least, "≤") if above is None else (above, "<"), (most, "≤")
    high = high if below is None else (below, "<")
    try:
        good = (
            abs(value) < math.inf
            and (least is None or value >= least) and (above is None or value > above)
            and (most is None or value <= most) and (below is None or value < below)
        )  # fmt: skip
        good = bool(good)
    except (TypeError, ValueError):
        raise DTypeError(f"{function}: {name} must be a number; got {value!r:.80}") from None
    if not good:
        wanted = "" if low[0] is None else f"{low[0]} {low[1]} "
        wanted += name + ("" if high[0] is None else f" {high[1]} {high[0]}")
        wanted = "a finite number" if wanted == name else wanted
        near = least if least is not None and value < least else most
        near = near if near is not None and (value < near or value > near) else None
        hint = "" if near is None else f"; the nearest is {near}"
        must = f"{name} must lie in its range"
        expect(False, function, must, wanted, f"{value}{hint}", ValueRangeError)


def pair(function: str, name: str, value, least: int) -> tuple[int, int]:
    """An int, or a (vertical, horizontal) pair of ints, as a pair; each at least `least`.

    >>> pair("conv2d", "stride", 2, least=1)
    (2, 2)
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    expect(len(values) == 2, function, f"{name} must be an int or a pair", "2 numbers", value)
    try:
        first, second = (operator.index(v) for v in values)
    except TypeError:
        raise DTypeError(f"{function}: {name} must be made of ints; got {value!r}") from None
    expect(min(first, second) >= least, function, f"{name} must be >= {least}", least, value)
    return first, second


def shape4(function: str, name: str, shape, letters: str) -> tuple[int, int, int, int]:
    """A shape of four sizes as a tuple of ints, none negative.

    >>> shape4("conv2d", "x_shape", [8, 3, 32, 32], "N,C,H,W")
    (8, 3, 32, 32)
    """
    sizes = tuple(operator.index(s) for s in shape)
    expect(len(sizes) == 4, function, f"{name} must be [{letters}]", "4 axes", f"{len(sizes)}")
    expect(min(sizes) >= 0, function, f"{name} must have no negative size", ">= 0", sizes)
    return sizes


def plane(function: str, name: str, arrays: dict) -> tuple[int, int]:
    """N and H, from the array of a recurrent layer that defines them."""
    ndim = arrays[name].ndim
    expect(ndim == 2, function, f"{name}.ndim must be 2, [N, H]", 2, ndim, **arrays)
    return arrays[name].shape


def steps(function: str, name: str, arrays: dict) -> int:
    """T, from the array of a recurrent layer that defines it."""
    ndim = arrays[name].ndim
    expect(ndim == 3, function, f"{name}.ndim must be 3, [T, N, …]", 3, ndim, **arrays)
    return arrays[name].shape[0]


def shapes(function: str, wanted: dict, arrays: dict) -> None:
    """Every array that is there has the shape wanted for its name.

    >>> import numpy as np
    >>> shapes("lstm", {"c": (2, 3)}, {"c": np.zeros((2, 4))})
    Traceback (most recent call last):
        ...
    glassgrad.kernels.errors.ShapeError: lstm: c.shape must fit the others; expected (2, 3), got \
(2, 4) (c=(2, 4) float64)
    """
    for name, shape in wanted.items():
        if name in arrays:
            got = tuple(arrays[name].shape)
            must = f"{name}.shape must fit the others"
            expect(got == shape, function, must, shape, got, **arrays)
