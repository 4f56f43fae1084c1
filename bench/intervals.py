"""A mean over seeds with its 95 % interval, for tables of trainings."""

from typing import NamedTuple

import numpy as np

from ..kernels.errors import ValueRangeError, expect


class Interval(NamedTuple):
    """A mean and half the width of its 95 % interval.

    >>> f"{Interval(2.0, 0.25):.1f}", str(Interval(2.0, 0.25))
    ('2.0 ± 0.2', '2.000 ± 0.250')
    """

    mean: float
    half: float

    def __format__(self, spec):
        return f"{self.mean:{spec}} ± {self.half:{spec}}"

    def __str__(self):
        return f"{self:.3f}"


def interval(values) -> Interval:
    """The mean of values of different seeds, with the 95 % interval of Student's distribution.

    Raises ValueRangeError for fewer than two.

    >>> str(interval([1.0, 2.0, 3.0]))  # 4.303 · 1/√3
    '2.000 ± 2.484'
    """
    from scipy.stats import t

    v = np.asarray(values, np.float64)
    expect(v.size >= 2, "interval", "there must be two values or more", "≥ 2", v.size,
           ValueRangeError)  # fmt: skip
    half = t.ppf(0.975, v.size - 1) * v.std(ddof=1) / np.sqrt(v.size)
    return Interval(float(v.mean()), float(half))


def seeds_of(text: str) -> int:
    """A number of seeds from the command line: two or more, as an interval needs them."""
    from argparse import ArgumentTypeError

    if not text.isdecimal() or int(text) < 2:
        raise ArgumentTypeError(f"an interval needs two seeds or more, got {text!r}")
    return int(text)
