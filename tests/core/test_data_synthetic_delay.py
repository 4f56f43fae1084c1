"""The Mackey-Glass series: by SciPy's integration, and in parts in the order of time."""

import numpy as np
import pytest

from glassgrad.core.data import DataError, load
from glassgrad.core.data.synthetic_delay import course, mackey_glass
from tests.tools import assert_close


def test_mackey_glass_is_the_solution_of_its_equation():
    """By the method of steps: in each interval of length τ an ordinary equation, by SciPy."""
    integrate = pytest.importorskip("scipy.integrate")
    solved, start = [], 1.2

    def then(t):
        return solved[min(int(t // 17), len(solved) - 1)].sol(t)[0] if t >= 0 else 0.0

    for k in range(9):

        def change(t, x, k=k):
            past = then(t - 17) if k else 0.0
            return [0.2 * past / (1 + past**10) - 0.1 * x[0]]

        found = integrate.solve_ivp(
            change, (17 * k, 17 * k + 17), [start], rtol=1e-10, atol=1e-11, dense_output=True
        )
        solved.append(found)
        start = found.y[0, -1]
    want = np.array([then(t) for t in range(150)])
    assert abs(course(150, 17) - want).max() < 2e-5
    data = mackey_glass(train=20, valid=5, test=7)
    whole = np.concatenate([p.x for _, p in data.splits()])[:, 0]
    assert_close(whole, course(150, 17)[118:], rtol=1e-6)


def test_the_set_is_known_by_name_and_refuses_what_makes_no_series():
    data = load("mackey_glass", train=9, valid=2, test=3, delay=30)
    assert [len(p) for _, p in data.splits()] == [9, 2, 3] and data.info.kind == "series"
    assert not any(m.any() for m in data.info.extra["missing"].values())
    for changes in ({"train": 0}, {"delay": 0}, {"test": 1.5}):
        with pytest.raises(DataError, match="mackey_glass: "):
            load("mackey_glass", **changes)
