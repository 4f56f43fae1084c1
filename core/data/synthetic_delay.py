"""Generated series: the Mackey-Glass equation, a chaotic model of the number of blood cells.

    dx/dt = 0.2 x(t-τ) / (1 + x(t-τ)^10) - 0.1 x(t),     x(0) = 1.2,  x(t) = 0 for t < 0

The number of cells depends on how many there were τ ago. From τ = 16.8 on it is chaotic: two
courses that begin nearly alike are soon apart, so that no forecast is good for long. There is no
noise: what a forecast misses it has not learnt.

Integrated by Runge and Kutta's method of fourth order in steps of 0.1; between two steps the past
is Hermite's cubic through values and derivatives, of the same order. Source: Mackey, Glass,
"Oscillation and chaos in physiological control systems", 1977; as a task: Lapedes, Farber 1987.
"""

import numpy as np

from .dataset import DataSet, Info, Split
from .own.splits import SPLITS
from .streams import whole_number

STEP, PER_UNIT = 0.1, 10
TRANSIENT = 118  # units of time that are left out, as is usual


def course(length: int, delay: int) -> np.ndarray:
    """x at the times 0, 1, ... length - 1, float64.

    >>> course(4, 17).round(4).tolist()
    [1.2, 1.0858, 0.9825, 0.889]
    """
    lag, steps = delay * PER_UNIT, (length - 1) * PER_UNIT
    past = [0.0] * lag + [1.2]  # x at t - τ, ..., t
    slope = [0.0] * lag  # dx/dt at the same times but the last

    def change(x: float, then: float) -> float:
        return 0.2 * then / (1.0 + then**10) - 0.1 * x

    for t in range(steps):
        x, a, b = past[-1], past[t], past[t + 1]
        first = change(x, a)
        slope.append(first)
        middle = 0.5 * (a + b) + STEP / 8 * (slope[t] - slope[t + 1])
        if t + 1 == lag:  # the jump from 0 to 1.2 has no middle
            middle, b = 0.0, 0.0
        k2 = change(x + 0.5 * STEP * first, middle)
        k3 = change(x + 0.5 * STEP * k2, middle)
        k4 = change(x + STEP * k3, b)
        past.append(x + STEP / 6 * (first + 2 * k2 + 2 * k3 + k4))
    return np.array(past[lag::PER_UNIT])


def mackey_glass(train: int = 2000, valid: int = 500, test: int = 500, delay: int = 17) -> DataSet:
    """One quantity at equal steps of time: x float32 [T, 1], in order of time.

    delay  τ; from 17 on the series is chaotic

    Raises DataError for sizes below 1 and delays below 1.

    >>> data = mackey_glass()
    >>> [len(part) for _, part in data.splits()], data.train.x.std().round(2)
    ([2000, 500, 500], np.float32(0.23))
    """
    sizes = [whole_number("mackey_glass", name, n, 1, 10**6)
             for name, n in (("train", train), ("valid", valid), ("test", test))]  # fmt: skip
    delay = whole_number("mackey_glass", "delay", delay, 1, 10**4)
    x = course(TRANSIENT + sum(sizes), delay)[TRANSIENT:].astype(np.float32)[:, None]
    parts = np.split(x, np.cumsum(sizes)[:2])
    missing = {name: np.zeros_like(part, bool) for name, part in zip(SPLITS, parts)}
    note = f"delay {delay}; in order of time: {'/'.join(map(str, sizes))}"
    info = Info("generated", feature_names=("x",), note=note, kind="series",
                extra={"missing": missing})  # fmt: skip
    return DataSet("mackey_glass", *map(Split, parts), info)
