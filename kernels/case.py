"""A case: arguments for one pass of one operation, shared by the tests and the benchmarks."""

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .errors import BackendError
from .registry import OPERATIONS, Implementation, home, of_others, operations

ROUNDED = {"full": 0.0, "tf32": 4 * 2.0**-11, "bf16": 4 * 2.0**-8}


@dataclass(frozen=True)
class Case:
    """Arguments of one kernel call, with its cost.

    `make(draw, dtype)` returns the argument tuple; `draw(*shape)` gives a float array of that
    shape and dtype. Tests pass a `draw` of small integers where the result must then be exact.
    """

    op: str
    pass_: str
    name: str  # e.g. "N2 C3 H9 W8 O4 k3 s2 p1"
    make: Callable
    flops: int
    bytes: int  # least traffic at float32: every input read once, every output written once
    reduction: int = 1  # length of the longest sum: sets the tolerance
    exact: bool = False  # small-integer inputs give exactly representable results
    bench: bool = False  # large enough to be worth timing
    floor: float = 0.0  # size of terms that cancel in the result: errors are measured against it

    def tolerance(self, dtype: str, precision: str = "full") -> float:
        """The largest error, relative to the largest number of the result, that rounding explains.

        Errors of a sum of n terms grow as √n; eight times that leaves room for what follows the
        sum. Factors rounded to fewer bits (tf32, bf16) add four units of their own roundoff.
        """
        eps = 2.0**-23 if dtype == "float32" else 2.0**-52
        return 8 * eps * max(1.0, float(self.reduction)) ** 0.5 + ROUNDED[precision]

    def normal(self, dtype: str = "float32") -> tuple:
        """The arguments made of normal numbers, the same in every run."""
        rng = np.random.default_rng(0)
        return self.make(lambda *shape: np.asarray(rng.standard_normal(shape)).astype(dtype), dtype)

    def __str__(self):
        return f"{self.op}.{self.pass_}: {self.name}"


def cases(op=None, pass_=None) -> list[Case]:
    """All cases of one operation, or of all: the list CASES of its file, or of `cases.py`.

    Raises BackendError for an unknown operation, and for one of yours without cases.
    """
    found = []
    for o in operations() if op is None else (op,):
        found += [c for c in _listed(o) if o in OPERATIONS or c.op == o]
    return [c for c in found if pass_ in (None, c.pass_)]


def _listed(op: str) -> list[Case]:
    where = home(op)
    imported = importlib.import_module if op in OPERATIONS else functools.partial(of_others, op)
    module = imported(where)
    if hasattr(module, "__path__") and not hasattr(module, "CASES"):
        module = imported(f"{where}.cases")
    listed = getattr(module, "CASES", None)
    if not (isinstance(listed, list | tuple) and all(isinstance(c, Case) for c in listed)):
        must = "needs CASES, a list of glassgrad.kernels.Case"
        raise BackendError(f"{op}: {getattr(module, '__file__', where)} {must}")
    return list(listed)


def largest(op: str, pass_: str, records: list[Implementation]) -> Case:
    """The small case that most of these versions support, of those the one with the most work.

    >>> from glassgrad.kernels import implementations
    >>> largest("philox", "bits", implementations("philox", "bits", "reference")).bench
    False
    """

    def worth(case):
        args = case.normal()
        return sum(r.supports(*args) for r in records), case.flops, case.bytes

    return max((c for c in cases(op, pass_) if not c.bench), key=worth)
