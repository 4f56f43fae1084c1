"""What an argument may be: a small vocabulary, used as annotations and read by doors.py.

A public function says what it takes once, in its signature::

    def conv2d(x: Tensor, w: Tensor, b: Tensor | None = None, stride: Pair = 1, groups: int = 1)

and the door in front of it refuses everything else, by name, before any work is done. Besides the
kinds below an annotation may be ``int``, ``float``, ``bool``, ``str``, ``Literal[...]``, a class, a
union of these, ``Iterable`` or ``Callable``; what is none of them is not checked. A default is
always accepted, and a kind only looks at the *form* of a value: that a rate is positive, or that
shapes fit together, stays with the function, which knows why.

    Pair      an int or a pair (vertical, horizontal), in pixels
    Axis      an axis by number;  Axes  one, or a tuple of several
    Shape     lengths of a new array, which has to fit into memory
    Lengths   lengths of an array that is there already; one may be -1
    Count     how many elements, which have to fit into memory
    Widths    a pair of ints (before, after) for each axis
    Number    a real number, infinity and NaN included, where ``float`` has to be finite
    DType     a dtype that tensors may have
    Array     an array, or nested lists of numbers
    Library   the module that an array comes from: numpy or cupy
"""

import collections.abc
import inspect
import math
import operator
import types
import typing
from typing import Annotated, Literal

import numpy as np

from .arrays import is_cupy
from .capacity import memory
from .errors import ShapeError, ValueRangeError, nearest

WORD = 2**63  # what fits 64 bits; seeds and offsets are unsigned
PIXELS = 2**31 - 1  # sizes within an array: kernels count in 32 bits
MOST = memory() // 4  # numbers of one array, at 4 bytes each
LARGEST = 1.7976931348623157e308
DTYPES = ("float32", "float64", "int64", "int32", "int16", "int8", "bool",
          "uint64", "uint32", "uint16", "uint8")  # fmt: skip


class Kind:
    """One kind of argument.

    must    what the message says: "expected {must}"
    read    value -> the value to pass on; TypeError for another kind of thing, ValueError or
            OverflowError for one that lies out of range
    test    source of a quick test that the usual values pass: {v} is the value, {k} this kind
    known   types, or values, that the test asks for;  look  a function that it calls
    error   what is raised for a value out of range
    """

    def __init__(
        self, name: str, must: str, read, test: str = "False", known=(), look=None,
        error=ValueRangeError,
    ):  # fmt: skip
        self.name, self.must, self.read, self.test = name, must, read, test
        self.known, self.look, self.parts, self.error = frozenset(known), look, (), error

    def __repr__(self):
        return self.name


def _refuse_text(value):
    """Strings turn into numbers by themselves, which nobody means here."""
    if isinstance(value, (str, bytes, bytearray)):
        raise TypeError


def whole(value, low: int = -WORD, high: int = 2 * WORD - 1) -> int:
    """An integer of any library as int, within bounds.

    >>> whole(np.int8(3)), whole(np.array(3))
    (3, 3)
    """
    _refuse_tracked(value)
    if isinstance(value, bool):  # Embedding(True, 4) is a slip
        raise TypeError
    number = operator.index(value)
    if not low <= number <= high:
        raise ValueError
    return number


def _refuse_tracked(value):
    """No gradient would flow to a tracked tensor, of which only the number is taken."""
    if getattr(value, "requires_grad", False) is True:
        raise TypeError


def real(value) -> float | int:
    """An int or a float as it is; of any other number, a 0-d array among them, the float.

    An array would change later under the hands of whoever keeps it.
    """
    if type(value) in (int, float):
        float(value)
        return value
    _refuse_text(value)
    _refuse_tracked(value)
    if getattr(value, "ndim", 0) or isinstance(value, complex | np.complexfloating):
        raise TypeError
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, bool | complex):
        raise TypeError
    return float(number)


def finite(value):
    """`real`, without NaN and infinity."""
    value = real(value)
    if not math.isfinite(value):
        raise ValueError
    return value


def _truth(value):
    if isinstance(value, bool | np.bool_):
        return value
    if operator.index(value) not in (0, 1):
        raise ValueError
    return value


def _text(value):
    if not isinstance(value, str):
        raise TypeError
    return value


def _pair(value):
    """An int, or two of them as a tuple."""
    try:
        return whole(value, -PIXELS, PIXELS)
    except TypeError:
        _refuse_text(value)
        if isinstance(value, collections.abc.Mapping | collections.abc.Set):
            raise
        both = tuple(whole(v, -PIXELS, PIXELS) for v in value)
    if len(both) != 2:
        raise ValueError
    return both


def _axes(value):
    if isinstance(value, tuple | list):
        return tuple(whole(v, -WORD, WORD) for v in value)
    return whole(value, -WORD, WORD)


def _lengths(value, least: int = -WORD) -> tuple[int, ...]:
    try:
        return (whole(value, least, WORD),)
    except TypeError:
        _refuse_text(value)
        if isinstance(value, collections.abc.Mapping | collections.abc.Set):
            raise
        return tuple(whole(v, least, WORD) for v in value)


def _shape(value) -> tuple[int, ...]:
    lengths = _lengths(value, 0)
    if math.prod(lengths) > MOST or len(lengths) > 64:
        raise OverflowError
    return lengths


def are_lengths(value) -> bool:
    """A tuple of plain ints?"""
    if type(value) is not tuple:
        return False
    for n in value:  # noqa: SIM110  (all() over a generator takes three times as long)
        if type(n) is not int or not -WORD <= n < WORD:
            return False
    return True


def _dtype(value):
    if isinstance(value, type) and issubclass(value, np.generic | bool | int | float):
        value = np.dtype(value)
    if not isinstance(value, str | np.dtype):
        raise TypeError
    name = np.dtype(value).name
    if name not in DTYPES:
        raise TypeError
    return np.dtype(name)  # in the machine's own order of bytes


def _array(value):
    """An array as it is; nested lists of numbers, and what can turn into one, as array."""
    if isinstance(value, np.ndarray) or is_cupy(value):
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError
    return array


def _library(value):
    if not callable(getattr(value, "empty", None)):
        raise TypeError
    return value


def _iterable(value):
    _refuse_text(value)
    iter(value)
    return value


def _widths(value) -> tuple:
    """Pairs of ints, as tuples: an iterator would be empty when the gradient is computed."""
    _refuse_text(value)
    pairs = tuple(tuple(whole(n, -PIXELS, PIXELS) for n in pair) for pair in value)
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError
    return pairs


def _nothing(value):
    if value is not None:
        raise TypeError


def _callable(value):
    if not callable(value):
        raise TypeError
    return value


_NUMBER = "type({v}) in {k}.known and -LARGEST <= {v} <= LARGEST".replace("LARGEST", repr(LARGEST))
_INT = f"type({{v}}) is int and {-WORD} <= {{v}} < {WORD}"
_PIXEL = f"type({{v}}) is int and {-PIXELS} <= {{v}} <= {PIXELS}"
_KNOWN = "type({v}) in {k}.known"
INT = Kind("int", "an int of at most 64 bits", whole, _INT)
FLOAT = Kind("float", "a finite number", finite, _NUMBER, (float, int))
BOOL = Kind("bool", "True or False", _truth, _KNOWN, (bool,))
STR = Kind("str", "a string", _text, _KNOWN, (str,))
ITERABLE = Kind("Iterable", "an iterable, such as a list", _iterable, _KNOWN,
                (list, tuple))  # fmt: skip
CALLABLE = Kind("Callable", "a function", _callable, _KNOWN, (types.FunctionType,))
NONE = Kind("None", "None", _nothing, "{v} is None")
_ARRAY = Kind("Array", "an array of numbers", _array, _KNOWN, (np.ndarray,))

Pair = Annotated[
    int | tuple[int, int],
    Kind("Pair", f"an int or a pair of ints, at most {PIXELS}", _pair, _PIXEL,
         error=ShapeError),
]  # fmt: skip
Axis = Annotated[int, Kind("Axis", "an int", lambda v: whole(v, -WORD, WORD), _INT)]
Axes = Annotated[
    int | tuple[int, ...],
    Kind("Axes", "an int or a tuple of ints", _axes, _INT, error=ShapeError),
]  # fmt: skip
Shape = Annotated[int | tuple[int, ...], Kind(
    "Shape", "lengths (integers ≥ 0) of an array that fits into memory", _shape, error=ShapeError,
)]  # fmt: skip
Lengths = Annotated[int | tuple[int, ...], Kind(
    "Lengths", "lengths (integers)", _lengths, "{k}.look({v})", look=are_lengths, error=ShapeError,
)]  # fmt: skip
Count = Annotated[
    int,
    Kind("Count", "how many: an int ≥ 0, as many as memory holds", lambda v: whole(v, 0, MOST),
         "type({v}) is int and 0 <= {v} <= {k}.look", look=MOST, error=ShapeError),
]  # fmt: skip
Widths = Annotated[
    tuple[tuple[int, int], ...],
    Kind("Widths", "a pair of ints (before, after) for each axis", _widths, error=ShapeError),
]  # fmt: skip
Number = Annotated[float, Kind("Number", "a number", real, _KNOWN, (float,))]
Library = Annotated[
    types.ModuleType,
    Kind("Library", "numpy or cupy", _library, "{v} is {k}.look", look=np),
]
DType = Annotated[
    str | type | np.dtype, Kind("DType", f"a dtype, one of {', '.join(DTYPES)}", _dtype,
              "type({v}) is str and {v} in {k}.known", DTYPES),
]  # fmt: skip
Array = Annotated[np.ndarray, _ARRAY]

_kinds = {int: INT, float: FLOAT, bool: BOOL, str: STR, type(None): NONE,
          np.ndarray: _ARRAY, tuple: ITERABLE, list: ITERABLE,
          collections.abc.Callable: CALLABLE}  # fmt: skip
_GOES_THROUGH = (collections.abc.Iterable, collections.abc.Sequence, collections.abc.Iterator)


def register(cls: type, kind: Kind) -> None:
    """Have the annotation `cls` mean `kind`: for classes that other things may stand for."""
    _kinds[cls] = kind


def kind_of(annotation) -> Kind | None:
    """What an annotation means; None where it is not checked.

    >>> kind_of(int | None).must
    'an int of at most 64 bits or None'
    """
    if annotation in (inspect.Parameter.empty, object, typing.Any):
        return None
    if annotation in _kinds:
        return _kinds[annotation]
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return next((m for m in annotation.__metadata__ if isinstance(m, Kind)), None)
    if origin is Literal:
        return _choice(typing.get_args(annotation))
    if origin in (types.UnionType, typing.Union):
        parts = [kind_of(a) for a in typing.get_args(annotation)]
        return None if None in parts else _union(parts)
    inside = typing.get_args(annotation)
    if origin is tuple and inside[-1] is not ...:
        return _fixed(inside)
    if origin in (tuple, collections.abc.Sequence) and inside and kind_of(inside[0]):
        return _sequence(kind_of(inside[0]))
    if origin in _GOES_THROUGH or annotation in _GOES_THROUGH:
        return ITERABLE
    if origin in _kinds:
        return _kinds[origin]
    cls = origin or annotation
    return _instance(cls) if isinstance(cls, type) else None


def _sequence(part: Kind) -> Kind:
    """A list or tuple of things of one kind, unchanged."""

    def read(value):
        if not isinstance(value, list | tuple | np.ndarray):
            raise TypeError
        for v in value:
            part.read(v)
        return value

    return Kind("Sequence", f"a list or tuple, each {part.must}", read)


def _fixed(annotations: tuple) -> Kind:
    """A tuple of as many things, of these kinds."""
    parts = [kind_of(a) for a in annotations]

    def read(value):
        _refuse_text(value)
        return tuple(p.read(v) if p else v for p, v in zip(parts, value, strict=True))

    names = ", ".join(p.must if p else "anything" for p in parts)
    return Kind("tuple", f"a tuple ({names})", read)


def _instance(cls: type) -> Kind:
    def read(value):
        if not isinstance(value, cls):
            raise TypeError
        return value

    article = "an" if cls.__name__[0] in "AEIOaeio" else "a"
    return Kind(cls.__name__, f"{article} {cls.__name__}", read, _KNOWN, (cls,))


def _choice(allowed: tuple) -> Kind:
    def read(value):
        if not isinstance(value, str | int | np.generic):
            raise TypeError
        if value not in allowed:
            raise ValueError
        return value

    *first, last = map(repr, allowed)
    must = f"{', '.join(first)} or {last}" if first else last
    return Kind("Literal", must, read, "type({v}) is str and {v} in {k}.known", allowed)


def _union(parts: list[Kind]) -> Kind:
    def read(value):
        errors = []
        for part in parts:
            try:
                return part.read(value)
            except (TypeError, ValueError, OverflowError) as error:
                errors.append(error)
        raise next((e for e in errors if not isinstance(e, TypeError)), errors[0])

    tests = [p.test.format(v="{v}", k=f"{{k}}.parts[{i}]") for i, p in enumerate(parts)]
    kind = Kind(
        " | ".join(p.name for p in parts), " or ".join(p.must for p in parts), read,
        " or ".join(f"({t})" for t in tests),
    )  # fmt: skip
    kind.parts, kind.known = tuple(parts), frozenset().union(*(p.known for p in parts))
    return kind


def hint(value, kind: Kind) -> str:
    """What the message about a string ends with: the choice probably meant."""
    choices = [c for c in kind.known if isinstance(c, str)]
    return nearest(value, choices) if isinstance(value, str) else ""
