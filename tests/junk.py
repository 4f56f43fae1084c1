"""Junk for every public function: one argument of a valid call spoilt, dropped, or one too many.

    python -m tests.junk 4000 0 numba     4 000 calls chosen by seed 0, on that backend; "all" for
                                          every call there is

prints JSON: how many calls there were, how many returned, how many ended in an error of ours, and
each that ended in anything else: an error of Python's or of an array library, a call that took
longer than `PATIENCE`, more memory than `MEMORY` wanted. It runs as a process of its own, whose
memory is bounded, so that a crash is seen from outside and harms nobody.
"""

import decimal
import fractions
import inspect
import json
import math
import random
import resource
import signal
import sys
import warnings

import numpy as np

import glassgrad as gg
from glassgrad.core import nn

from .junk_calls import calls, rng, t

PATIENCE = 10.0  # seconds for one call
MEMORY = 6 << 30  # bytes of address space beyond what the process has at the start


class Odd:
    """Has nothing that anybody would ask for."""


class Hostile:
    """Answers what it is asked with an error of its own."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __repr__(self):
        raise RuntimeError("repr")


class Index:
    """An integer by its own account."""

    def __index__(self):
        return 2**65


class Text(str):
    """A string that is not exactly one."""


JUNK = {
    "None": lambda: None, "True": lambda: True, "text": lambda: "abc", "no text": lambda: "",
    "number as text": lambda: "1", "bytes": lambda: b"ab", "str subclass": lambda: Text("mean"),
    "1.5": lambda: 1.5, "-1": lambda: -1, "-7": lambda: -7, "0": lambda: 0, "1": lambda: 1,
    "2**33": lambda: 2**33, "2**40": lambda: 2**40, "2**62": lambda: 2**62, "2**63": lambda: 2**63,
    "2**70": lambda: 2**70, "-2**70": lambda: -(2**70), "10**400": lambda: 10**400,
    "10**5000": lambda: 10**5000, "nan": lambda: float("nan"), "inf": lambda: float("inf"),
    "-inf": lambda: float("-inf"), "1e300": lambda: 1e300, "1j": lambda: 1j,
    "2**31-2": lambda: 2**31 - 2, "2**31-1": lambda: 2**31 - 1, "2**31": lambda: 2**31,
    "1-2**31": lambda: 1 - 2**31, "-2**31": lambda: -(2**31), "2**32-1": lambda: 2**32 - 1,
    "2**32": lambda: 2**32, "2**63-1": lambda: 2**63 - 1, "-2**63": lambda: -(2**63),
    "2**64-1": lambda: 2**64 - 1, "2**64": lambda: 2**64, "2**20": lambda: 2**20,
    "10**6": lambda: 10**6, "2": lambda: 2, "65": lambda: 65, "1e308": lambda: 1e308,
    "-1e308": lambda: -1e308, "1e-320": lambda: 1e-320, "-0.0": lambda: -0.0,
    "below 1": lambda: math.nextafter(1, 0), "above 1": lambda: math.nextafter(1, 2),
    "(2**31-1, 2**31-1)": lambda: (2**31 - 1, 2**31 - 1), "(1, 2**20)": lambda: (1, 2**20),
    "(1, 'a')": lambda: (1, "a"), "(2**63, 1)": lambda: (2**63, 1),
    "masked": lambda: np.ma.masked_array([1.0, 2.0], [True, False]),
    "[masked]": lambda: [np.ma.masked_array([1.0, 2.0], [True, False])],
    "matrix": lambda: np.ones((2, 2)).view(np.matrix),
    "fraction": lambda: fractions.Fraction(1, 3), "decimal": lambda: decimal.Decimal("0.5"),
    "np.int64": lambda: np.int64(3), "np.float64 nan": lambda: np.float64("nan"),
    "[]": list, "()": lambda: (), "{}": dict, "set": lambda: {1, 2},
    "ragged": lambda: [[1.0], [2.0, 3.0]], "deep ragged": lambda: [1, [2, [3]]],
    "(1, 2, 3)": lambda: (1, 2, 3), "(2**40, 2**40)": lambda: (2**40, 2**40),
    "(2**62, 4)": lambda: (2**62, 4), "(-1, -1)": lambda: (-1, -1), "[None]": lambda: [None],
    "(1.5, 1)": lambda: (1.5, 1), "('a', 'b')": lambda: ("a", "b"), "[[1, 2]]": lambda: [[1, 2]],
    "dict": lambda: {"a": 1}, "dict of tensors": lambda: {"0": t(2)},
    "list of tensors": lambda: [t(2), t(3)], "range": lambda: range(3), "slice": lambda: slice(1),
    "...": lambda: ..., "NotImplemented": lambda: NotImplemented, "object": Odd,
    "hostile": Hostile, "index": Index, "class": lambda: Odd, "int": lambda: int,
    "function": lambda: len, "lambda": lambda: lambda *a: a, "iterator": lambda: iter([1, 2]),
    "module": lambda: math, "generator": rng, "layer": lambda: nn.Tanh(),
    "tensor": lambda: t(2), "tracked": lambda: t(2, grad=True), "scalar": lambda: t(),
    "tensor of ints": lambda: gg.tensor([1, 2]), "empty tensor": lambda: t(0),
    "tensor [2, 3, 4, 5]": lambda: t(2, 3, 4, 5), "bools": lambda: gg.tensor([True, False]),
    "array": lambda: np.ones(2), "float16": lambda: np.ones(2, np.float16),
    "longdouble": lambda: np.ones(2, np.longdouble), "complex": lambda: np.ones(2, complex),
    "objects": lambda: np.array([None, 1], object), "texts": lambda: np.array(["a", "b"]),
    "structured": lambda: np.zeros(2, "f4,i4"), "dates": lambda: np.zeros(2, "M8[s]"),
    "nan array": lambda: np.full(2, np.nan, "float32"), "0-d array": lambda: np.array(3),
    "empty array": lambda: np.zeros((0, 3), "float32"), "big endian": lambda: np.ones(2, ">f4"),
    "read-only": lambda: np.broadcast_to(np.float32(1), (2, 2)), "uint8": lambda: np.ones(2, "u1"),
}  # fmt: skip


CALLABLE = {"class", "int", "function", "lambda", "object", "layer"}  # errors of their own
CALLS_BACK = {
    ("gg.gradcheck", 0),
    ("gg.hvp", 0),
    ("gg.jacobian", 0),
    ("init.everywhere", 1),
    ("nn.mlp", 1),
}  # arguments that are called


class Hang(BaseException):
    """A call took longer than `PATIENCE`."""


def spoilt() -> list[tuple]:
    """(name of the call, what is done to it, of which argument)."""
    found = []
    for name, make in calls().items():
        function, args, kwargs = make()
        names = _parameters(function)
        places = list(range(len(args)))
        places += [*kwargs, *[n for n in names[len(args) :] if n not in kwargs]]
        start = 1 if name.split(".")[0] in ("Tensor", "Generator", "Module") else 0
        for place in places[start:]:
            called = (name, place) in CALLS_BACK or place in ("activation", "stop")
            found += [(name, j, place) for j in JUNK if not (called and j in CALLABLE)]
        if not name.startswith("Tensor.__"):  # Python itself calls them, with the right number
            found += [(name, "dropped", p) for p in range(start, len(args))]
            found += [(name, "dropped", k) for k in kwargs]
            if args and names:
                found.append((name, "twice", None))
            found += [(name, "unexpected", None), (name, "one more", None)]
    return found


def _parameters(function) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def spoil(name: str, what: str, place):
    """(callable, arguments, keyword arguments) of the call with that done to it."""
    function, args, kwargs = calls()[name]()
    if what == "dropped":
        if isinstance(place, int):
            del args[place:]
        else:
            del kwargs[place]
    elif what == "unexpected":
        kwargs["unheard_of"] = 1
    elif what == "twice":
        kwargs[_parameters(function)[0]] = args[0]
    elif what == "one more":
        args += [1] * 20
    elif isinstance(place, int):
        args[place] = JUNK[what]()
    else:
        kwargs[place] = JUNK[what]()
    return function, args, kwargs


def outcome(function, args, kwargs) -> str | None:
    """What a call ended in: "value", "ours", or the name of a foreign error."""
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        result = function(*args, **kwargs)
        if hasattr(result, "__enter__") and not isinstance(result, np.ndarray):
            with result:
                pass
        elif hasattr(result, "__next__"):
            next(result, None)
        return "value"
    except gg.GlassgradError:
        return "ours"
    except Hang:
        return "hang"
    except BaseException as error:
        return f"{type(error).__name__}: {error!s:.120}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def run(wanted, seed: int) -> dict:
    """Make the calls; the report."""
    todo = spoilt()
    if wanted != "all":
        todo = random.Random(seed).sample(todo, min(int(wanted), len(todo)))
    for name in {name for name, _, _ in todo}:  # compiled, before anybody looks at the clock
        function, args, kwargs = calls()[name]()
        function(*args, **kwargs)
    counts, foreign = {"value": 0, "ours": 0}, []
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, what, place in todo:
        found = outcome(*spoil(name, what, place))
        now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if now - most > 1 << 20:  # kilobytes
            foreign.append((name, what, place, f"took {(now - most) >> 10} MiB, then {found}"))
        elif found in counts:
            counts[found] += 1
        else:
            foreign.append((name, what, place, found))
        most = max(most, now)
    return {"calls": len(todo), **counts, "foreign": foreign}


def _hang(*_):
    raise Hang


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    signal.signal(signal.SIGALRM, _hang)
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    bound = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    with gg.backend(sys.argv[3]):
        print(json.dumps(run(sys.argv[1], int(sys.argv[2]))))
