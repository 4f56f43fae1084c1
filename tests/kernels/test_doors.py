"""The front door: what goes through unchanged, what gets its plain form, what is refused."""

import inspect
import pickle
import traceback
from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np
import pytest

from glassgrad.kernels.annotations import (
    Array,
    Axes,
    Axis,
    DType,
    Lengths,
    Number,
    Pair,
    Shape,
    kind_of,
)
from glassgrad.kernels.doors import check_all, checked
from glassgrad.kernels.errors import (
    ArgumentError,
    DTypeError,
    GlassgradError,
    MemoryLimitError,
    ShapeError,
    ValueRangeError,
)


@checked
def layer(
    x: Array, stride: Pair = 1, groups: int = 1, *, axis: Axes | None = None, rate: float = 0.5,
    variant: Literal["lecture", "library"] = "lecture", free=None,
):  # fmt: skip
    """What it does."""
    return stride, groups, axis, rate, variant, free


X = np.zeros(3)


def test_the_door_keeps_signature_doc_and_module():
    assert layer.__name__ == "layer" and layer.__doc__ == "What it does."
    assert [*inspect.signature(layer).parameters][:2] == ["x", "stride"]
    assert inspect.signature(layer).parameters["groups"].default == 1
    assert layer.__module__ == __name__ and inspect.getsource(layer).startswith("@checked")
    assert pickle.loads(pickle.dumps(layer)) is layer
    assert checked(layer) is layer


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ({}, (1, 1, None, 0.5, "lecture", None)),
        ({"stride": (2, 3), "axis": [0, np.int8(1)]}, ((2, 3), 1, (0, 1), 0.5, "lecture", None)),
        ({"stride": [np.int64(2), 3]}, ((2, 3), 1, None, 0.5, "lecture", None)),
        ({"groups": np.array(4)}, (1, 4, None, 0.5, "lecture", None)),
        ({"rate": 2}, (1, 1, None, 2, "lecture", None)),
        ({"rate": np.float32(0.25), "variant": "library"}, (1, 1, None, 0.25, "library", None)),
        ({"free": object}, (1, 1, None, 0.5, "lecture", object)),
    ],
)
def test_what_makes_sense_goes_through(given, passed):
    assert layer(X, **given) == passed


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: layer(), ArgumentError, "layer: missing argument 'x'"),
        (lambda: layer(X, grups=2), ArgumentError, "'grups'; did you mean 'groups'"),
        (lambda: layer(X, 1, 2, 3), ArgumentError, "layer: takes 3 arguments; got 4"),
        (lambda: layer(X, groups=1.5), DTypeError, "groups has the wrong type; expected an"),
        (lambda: layer(X, groups=True), DTypeError, "groups has the wrong type; .* got True"),
        (lambda: layer(X, stride=(True, 1)), DTypeError, "stride has the wrong type"),
        (lambda: layer(X, groups=2**70), ValueRangeError, "groups is not allowed; expected an int"),
        (lambda: layer(X, groups=10**5000), ValueRangeError, "got a value of type int"),
        (lambda: layer(X, stride=2**40), ShapeError, "stride is not allowed; .*1099511627776"),
        (lambda: layer(X, stride=(1, 2, 3)), ShapeError, "stride is not allowed"),
        (lambda: layer(X, stride={1, 2}), DTypeError, "stride has the wrong type"),
        (lambda: layer(X, stride="22"), DTypeError, "stride has the wrong type"),
        (lambda: layer(X, axis="x"), DTypeError, "axis has the wrong type"),
        (lambda: layer(X, rate=float("nan")), ValueRangeError, "rate is not allowed; .*finite"),
        (lambda: layer(X, rate="0.5"), DTypeError, "rate has the wrong type"),
        (lambda: layer(X, rate=X), DTypeError, r"rate .* got an array \(3,\) float64"),
        (lambda: layer(X, variant="lectrue"), ValueRangeError, "did you mean 'lecture'"),
        (lambda: layer(X, variant=["lecture"]), DTypeError, "variant has the wrong type"),
        (lambda: layer([[1], [2, 3]]), ValueRangeError, "x is not allowed"),
    ],
)
def test_what_makes_no_sense_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


class Hostile:
    """Answers every question with an error of its own."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __repr__(self):
        raise RuntimeError("repr")

    def __index__(self):
        raise RuntimeError("index")


@pytest.mark.parametrize(
    "annotation",
    [int, float, bool, str, Pair, Axis, Axes, Shape, Lengths, Number, DType, Array, Iterable,
     Callable, Literal["a"], int | None, np.ndarray | list, dict],
)  # fmt: skip
def test_no_kind_is_upset_by_a_hostile_object(annotation):
    @checked
    def function(argument: annotation):
        return argument

    with pytest.raises(GlassgradError, match="function: argument"):
        function(Hostile())


def test_a_shape_has_to_fit_into_memory():
    kind = kind_of(Shape)
    assert kind.read([2, np.int64(3)]) == (2, 3) and kind.read(4) == (4,)
    for shape in ((2**62, 4), 2**62, (1,) * 65, -1):
        with pytest.raises((ValueError, OverflowError)):
            kind.read(shape)
    assert kind_of(Lengths).read((-1, 2)) == (-1, 2)


def test_memory_that_ends_is_our_error():
    @checked
    def large(n: int):
        return np.empty(n)

    with pytest.raises(MemoryLimitError, match="large: memory is too small; Unable to allocate"):
        large(2**55)


def test_classes_speak_in_their_own_name():
    class Base:
        def __init__(self, size: int, *parts: int, **named: float):
            self.all = size, parts, named

        def forward(self, x):
            return x

        def scale(self, by: float):
            return by

        @classmethod
        def made(cls, size: int):
            return cls(size)

    Base.__module__ = "glassgrad.made_up"
    Base.__init__.__qualname__ = "Base.__init__"

    class Layer(checked(Base)):
        pass

    assert Layer(1, 2, 3, a=0.5).all == (1, (2, 3), {"a": 0.5}) and Layer.made(2).all[0] == 2
    for call, message in [
        (lambda: Layer(), "Layer: missing argument 'size'"),
        (lambda: Layer(1, "a"), "Layer: parts has the wrong type"),
        (lambda: Layer(1, a="a"), "Layer: named has the wrong type"),
        (lambda: Layer(1).forward(), "Layer: missing argument 'x'"),
        (lambda: Layer(1).forward(1, 2), "Layer: takes 1 arguments; got 2"),
        (lambda: Layer(1).scale("a"), "Layer.scale: by has the wrong type"),
        (lambda: Layer.made("a"), "Base.made: size has the wrong type"),
    ]:
        with pytest.raises(TypeError, match=message) as caught:
            call()
        assert isinstance(caught.value, GlassgradError)


def foreign(n: int):
    """Raises what NumPy raises for it; its module's name says whose the last frame is."""
    return np.zeros(2).reshape(n) if n > 0 else 10.0 ** (-n)


def test_an_error_of_the_array_library_leaves_in_our_own_form():
    door = checked(foreign)
    with pytest.raises(ValueError) as caught:
        door(3)
    assert not isinstance(caught.value, GlassgradError)  # out of this file: somebody else's
    theirs = type(foreign)(foreign.__code__, {"__name__": "glassgrad.made_up", "np": np})
    theirs.__annotations__ = foreign.__annotations__
    with pytest.raises(ShapeError, match="foreign: cannot reshape array"):
        checked(theirs)(3)
    with pytest.raises(ValueRangeError, match="foreign: a number grows too large"):
        checked(theirs)(-1000)


def test_a_namespace_gets_its_doors_and_tracebacks_show_them():
    def raising(n: int):
        raise KeyError(n)

    namespace = {"raising": raising, "other": 3}
    check_all(namespace, ["raising", "other"], "family.")
    with pytest.raises(DTypeError, match=r"family\.raising: n"):
        namespace["raising"]("a")
    with pytest.raises(KeyError) as caught:
        namespace["raising"](1)
    text = "".join(traceback.format_tb(caught.value.__traceback__))
    assert "_function(n)" in text  # the line of the door
