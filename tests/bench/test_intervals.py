"""Intervals of means over seeds, next to SciPy's."""

import argparse

import numpy as np
import pytest
from scipy import stats

from glassgrad.bench.intervals import Interval, interval, seeds_of
from glassgrad.kernels.errors import ValueRangeError


@pytest.mark.parametrize("v", [[2.1, 2.25, 1.9], [1.0, 2.0], list(range(9))], ids=len)
def test_an_interval_is_students(v):
    low, high = stats.t.interval(0.95, len(v) - 1, np.mean(v), stats.sem(v))
    found = interval(v)
    assert found.mean - found.half == pytest.approx(low)
    assert found.mean + found.half == pytest.approx(high)


def test_one_value_has_no_interval():
    with pytest.raises(ValueRangeError, match="two values or more"):
        interval([1.0])
    for text in ("1", "-3", "two"):
        with pytest.raises(argparse.ArgumentTypeError, match="two seeds or more"):
            seeds_of(text)
    assert seeds_of("12") == 12


def test_an_interval_is_written_with_the_digits_asked_for():
    assert f"{Interval(1.25, 0.5):.2f}" == "1.25 ± 0.50"
    assert str(Interval(-1.0, 0.5)) == "-1.000 ± 0.500"
