"""Calls of every pass on arrays of any size, beyond 2^31 elements too, checked without a large
reference.

The samples of a call are independent: images of a batch, rows of a matrix, channels of a
normalisation. So a few windows of them (the first, those around byte 2^31, the last) go to the
reference alone in float64, which must give what the large call has there. Where results are sums
over all samples (gradients of weights), every sample outside the windows gets a zero that takes it
out of the sum.

A file here for each kind of pass lists its calls, calls.py all of them. The tests run them beyond
32-bit indices, and small in the emulator; bandwidth.py measures those that are bound by memory.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ...kernels import implementations
from ...kernels.arrays import is_cupy
from ..verify import arrays, expect_close, reference, several

PERIOD = 1_000_003  # a prime: no row, plane or power of two falls on it again
PLACES = (0.0, 0.25, 0.5, 1.0)  # of the windows: byte 2^31 is a quarter of 2^31 floats
BELOW, ABOVE = 2**31 - 1, 2**31 + 2**20  # elements: the most for 32-bit indices, and more


class Fill:
    """Arrays of normal numbers, `PERIOD` of them over and over: quickly made however large."""

    def __init__(self, xp, dtype: str = "float32"):
        self.xp, self.dtype = xp, dtype

    def __call__(self, *shape: int, seed: int = 0, form: Callable = lambda a: a):
        """An array of that shape; `form` is applied to the numbers, in float64.

        >>> Fill(np)(2, 3).dtype, Fill(np)(4, form=np.abs).min() >= 0
        (dtype('float32'), np.True_)
        """
        out = self.xp.empty(shape, self.dtype)
        flat = out.reshape(-1)
        drawn = np.random.default_rng(seed).standard_normal(min(PERIOD, max(flat.size, 1)))
        block = self.xp.asarray(np.asarray(form(drawn)).astype(self.dtype))
        for start in range(0, flat.size, PERIOD):
            flat[start : start + PERIOD] = block[: flat.size - start]
        return out


def some(a):
    """Numbers that are not negative, and off zero.

    >>> some(np.array([-1.0, 0.0]))
    array([1.5, 0.5])
    """
    return a * a + 0.5


@dataclass(frozen=True)
class Large:
    """A call whose largest array has about as many elements as are asked for.

    `make(fill, n)` gives the arguments. `cut` says of each argument along which axis its samples
    lie; None: all of it belongs to every sample; "shape": a shape whose first number is that of the
    samples, "count": that number itself. `joins` says the same of the results; None: a sum over all
    samples; "unknown": it is not looked at. `alone` are the arguments whose samples outside the
    windows are set to zero. `moved(arguments, start)` puts right what depends on where a window
    starts, the offset of a random stream; windows then go to the reference one by one.
    """

    op: str
    pass_: str
    name: str
    make: Callable
    cut: tuple
    joins: tuple
    alone: tuple[int, ...] = ()
    moved: Callable | None = None
    window: int = 3  # samples
    places: tuple[float, ...] = PLACES
    reduction: int = 1
    floor: float = 0.0
    in_place: bool = False  # the first results are the arguments that they change
    bandwidth: bool = False  # bound by memory: bandwidth.py measures it
    patient: frozenset = frozenset()  # versions that take too long for a sample

    def __str__(self):
        return f"{self.op}.{self.pass_}: {self.name}"

    def arguments(self, fill: Fill, n: int) -> tuple:
        """The arguments, their largest array of about n elements."""
        args = list(self.make(fill, n))
        for i in self.alone:
            self._clear(args[i], self.cut[i], self.windows(args))
        return tuple(args)

    def windows(self, args) -> list[slice]:
        """The samples that are looked at, in order; none twice."""
        count, length = self.count(args), self.window
        starts = [max(0, min(int(p * count) // 4 * 4, count - length)) for p in self.places]
        if self.moved:  # streams are cut at whole blocks of four
            starts = [s // 4 * 4 for s in starts]
        found, end = [], 0
        for start in sorted(set(starts)):
            stop = (
                count if self.moved and start + length + 4 > count else min(start + length, count)
            )
            found += [slice(max(start, end), stop)] if stop > max(start, end) else []
            end = max(end, stop)
        return found

    def count(self, args) -> int:
        """The number of samples, from the first argument that says it."""
        axis, a = next((c, a) for c, a in zip(self.cut, args) if not (c is None or a is None))
        return {"count": lambda: a, "shape": lambda: a[0]}.get(axis, lambda: a.shape[axis])()

    def _clear(self, a, axis: int, windows: list[slice]) -> None:
        edges = [0, *itertools.chain.from_iterable((w.start, w.stop) for w in windows)]
        for start, stop in zip(edges[::2], [*edges[1::2], a.shape[axis]]):
            a[(slice(None),) * axis + (slice(start, stop),)] = 0

    def wanted(self, args: tuple) -> tuple[list, list[tuple]]:
        """(groups of windows, the reference's results on each group's samples alone)."""
        windows = self.windows(args)
        groups = [[w] for w in windows] if self.moved else [windows]
        return groups, [self._reference(args, group) for group in groups]

    def _reference(self, args, group) -> tuple:
        given = [_taken(a, c, group) for a, c in zip(args, self.cut)]
        if self.moved:
            given = self.moved(given, group[0].start)
        return reference(self.op, self.pass_, *map(_double, given))

    def check(self, what: str, result, groups: list, wanted: list[tuple], rtol=None) -> float:
        """The largest relative error in the windows; VerifyError where one is wrong."""
        worst, results = 0.0, several(result)
        known = [i for i, axis in enumerate(self.joins) if axis != "unknown"]
        for group, want in zip(groups, wanted):
            got = arrays([_taken(results[i], self.joins[i], group) for i in known])
            want = [want[i] for i in known]
            # what the reference says more finely is compared to the coarser dtype's rounding
            error = expect_close(f"{what}, {group}", got, want, self.reduction, self.floor, rtol)
            worst = max(worst, error)
        return worst

    def records(self, backend: str) -> Iterator:
        """Every version that can take it in float32, but those that would take minutes."""
        for record in implementations(self.op, self.pass_, backend):
            if "float32" in record.dtypes and record.version not in self.patient:
                yield record


def _taken(a, axis, group: list[slice]):
    """The samples of a group, on the host, side by side."""
    if axis in ("shape", "count"):
        length = sum(w.stop - w.start for w in group)
        return length if axis == "count" else (length, *a[1:])
    if a is None or not hasattr(a, "shape"):
        return a
    if axis is None:
        return a.get() if is_cupy(a) else a.copy()
    parts = [a[(slice(None),) * axis + (w,)] for w in group]
    return np.concatenate([p.get() if is_cupy(p) else p for p in parts], axis)


def _double(value):
    """Floats as float64, and the name of their dtype."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype("float64")
    return "float64" if isinstance(value, str) and value == "float32" else value
