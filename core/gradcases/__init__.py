"""A gradient case for every differentiable function: what `glassgrad gradcheck` runs.

A case is a function of float64 arrays and a way to make them. `run` checks the first and the second
derivative of each against finite differences (core/gradcheck.py) and returns one row for each.

A case belongs to the function that its name begins with: "conv2d groups" to ``conv2d``. Every entry
of `FUNCTIONS` has one, the derivatives of derivatives (``conv2d_input_grad``) included, and so has
every public function that is composed of others; a test holds that true.

The layers of core/nn have cases of their own, in modules.py.

Notes say what to expect: ``linear`` (in each argument alone where there are several: ``bilinear``),
``piecewise`` (kinks, around which gradcheck moves the point), ``discrete`` (no derivative at all).
Where a note begins with "linear" or "piecewise linear" the second derivative is zero.
"""

import time
from dataclasses import dataclass

from ...kernels.checks import choice
from ...kernels.errors import GlassgradError, ValueRangeError, nearest
from ..gradcheck import gradcheck
from . import elementwise, losses, networks, orderings, shapes
from .case import GradCase

CASES: list[GradCase] = [
    *elementwise.CASES, *shapes.CASES, *orderings.CASES, *networks.CASES, *losses.CASES,
]  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What became of one case at one order."""

    name: str
    order: int
    passed: bool
    error: float  # largest error relative to the gradient's scale; NaN where the check failed
    directions: int
    resampled: int
    zero: bool  # at order 2: the second derivative is zero
    note: str
    seconds: float
    message: str  # why it failed, else empty

    def __str__(self):
        verdict = f"{self.error:.1e}" if self.passed else f"FAILED  {self.message}"
        return f"{self.name:<44} order {self.order}  {verdict}"


def run(name: str | None = None, order: int = 2) -> list[Row]:
    """Check every case, or those of one function or of one name, at all orders up to `order`.

    Raises ValueRangeError for a name without a case; a failed check is a row, not an error.

    >>> [row.passed for row in run("tanh")]
    [True, True]
    """
    choice("gradcheck", "order", order, (1, 2))
    chosen = [c for c in CASES if name in (None, c.name, c.function)]
    if not chosen:
        functions = sorted({c.function for c in CASES})
        known, hint = ", ".join(functions), nearest(name, functions)
        raise ValueRangeError(f"gradcheck: no case for {name!r}; known are {known}{hint}")
    return [check(case, k) for case in chosen for k in range(1, min(order, case.order) + 1)]


def check(case: GradCase, order: int) -> Row:
    """One case at one order.

    >>> str(check(GradCase("id", lambda x: x * 1, lambda rng: [rng.standard_normal(2)]), 1))[:2]
    'id'
    """
    start = time.perf_counter()
    try:
        report = gradcheck(case.f, *case.arrays(), order=order, name=case.name, directions=16)
    except GlassgradError as failure:
        seconds = time.perf_counter() - start
        nan = float("nan")
        return Row(case.name, order, False, nan, 0, 0, False, case.note, seconds, str(failure))
    seconds = time.perf_counter() - start
    return Row(
        case.name, order, True, report.error, report.directions, report.resampled, report.zero,
        case.note, seconds, "",
    )  # fmt: skip
