"""How far CUDA's own exp, tanh and so on may move a result: by their documented errors.

A tolerance of 8 ε √n covers roundings: those of a sum of n terms and of a few operations after it.
On a GPU exp and the like are not correctly rounded: the CUDA C++ Programming Guide (appendix
"Mathematical Functions", without -use_fast_math) gives the largest error of each in units in the
last place. How much this moves a result depends on the formula, most where terms cancel. So it is
measured: the reference runs in float64 with each value of such a function off by its bound, up,
down, and with signs drawn at random; a result may move as far as the largest of these, no further.

The CPU backends have no such allowance.
"""

import contextlib
from collections.abc import Iterator
from unittest import mock

import numpy as np

from ..kernels import backend
from ..kernels.registry import find
from .arrays import EPS

ULPS = {  # NumPy's name -> the largest error in float32 and in float64
    "exp": (2, 1),
    "expm1": (1, 1),
    "log": (1, 1),
    "log1p": (1, 1),
    "tanh": (2, 1),
    "sin": (2, 2),
    "cos": (2, 2),
    "sqrt": (0, 0),
}
DRAWS = 8  # of random signs


class Off:
    """The functions of `ULPS`, each value off by its bound; `sign(shape)` says which way."""

    def __init__(self, dtype: str, sign, times: float = 1.0):
        self.dtype, self.sign, self.times, self.calls = dtype, sign, times, 0

    @contextlib.contextmanager
    def __call__(self) -> Iterator["Off"]:
        """Inside the block NumPy's functions are these."""
        with contextlib.ExitStack() as stack:
            for name, ulps in ULPS.items():
                off = self.times * ulps[self.dtype == "float64"] * EPS[self.dtype]
                if off:
                    own = self._moved(getattr(np, name), off)
                    stack.enter_context(mock.patch.object(np, name, own))
            yield self

    def _moved(self, function, off: float):
        def moved(x, *args, **kwargs):
            self.calls += 1
            value = function(x, *args, **kwargs)
            return value * (1 + off * self.sign(np.shape(value))).astype(value.dtype)

        return moved


def reference(op: str, pass_: str, *args) -> tuple:
    """The results of the reference on NumPy arrays, as a tuple even where it is a single one."""
    with backend("reference"):
        found = find(op, pass_, "reference", args).function(*args)
    return tuple(found) if isinstance(found, tuple | list) else (found,)


def double(value):
    """An argument in float64."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype("float64")
    return "float64" if isinstance(value, str) and value == "float32" else value


def signs():
    """All up, all down, and some drawn at random."""
    yield lambda shape: np.float64(1.0)
    yield lambda shape: np.float64(-1.0)
    rng = np.random.default_rng(0)
    for _ in range(DRAWS):
        yield lambda shape: rng.choice([-1.0, 1.0], shape)


def allowance(op: str, pass_: str, args: tuple, dtype: str) -> tuple[float, ...]:
    """For each result of a pass, how far CUDA's functions may move one of its numbers.

    >>> allowance("dropout", "forward", (np.ones(2), 0.0, 1, 0), "float32")
    (0.0,)
    """
    args = tuple(map(double, args))
    exact = reference(op, pass_, *args)
    furthest = [0.0] * len(exact)
    for sign in signs():
        with Off(dtype, sign)() as off:
            found = reference(op, pass_, *args)
        if not off.calls:
            break  # nothing on the way but sums and products
        for i, (got, want) in enumerate(zip(found, exact)):
            if want is not None and want.dtype.kind == "f" and want.size:
                furthest[i] = max(furthest[i], float(np.abs(got - want).max()))
    return tuple(furthest)
