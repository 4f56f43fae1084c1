"""One gradient case, and the arrays that most of them want."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GradCase:
    """A function of float64 arrays whose derivatives are to be checked."""

    name: str  # begins with the function's name, then a space and what is special, if anything
    f: Callable  # tensors -> a tensor or several
    make: Callable  # np.random.Generator -> list of arrays
    order: int = 2
    note: str = ""

    @property
    def function(self) -> str:
        """The name of the function that the case belongs to."""
        return self.name.partition(" ")[0]

    def arrays(self) -> list[np.ndarray]:
        """Its inputs, the same every time."""
        return list(self.make(np.random.default_rng(zlib.crc32(self.name.encode()))))


def normal(*shapes):
    """`make` for standard normal arrays of the given shapes.

    >>> [a.shape for a in normal((2,), (3, 1))(np.random.default_rng(0))]
    [(2,), (3, 1)]
    """
    return lambda rng: [rng.standard_normal(s) for s in shapes]


def positive(*shapes):
    """`make` for arrays with values in [½, 2]."""
    return lambda rng: [rng.uniform(0.5, 2.0, s) for s in shapes]


def away(*shapes):
    """`make` for arrays of both signs with no value nearer than 0.2 to zero."""

    def make(rng):
        return [rng.choice([-1.0, 1.0], s) * rng.uniform(0.2, 1.5, s) for s in shapes]

    return make


def spread(*shapes):
    """`make` for arrays whose values are at least 0.1 apart: an extremum has no kink there."""

    def make(rng):
        arrays = []
        for s in shapes:
            n = int(np.prod(s))
            arrays.append((rng.permutation(n) * 0.2 - 0.1 * n + 0.05).reshape(s))
        return arrays

    return make
