"""What a forecast of a series is compared with: no change, last season, a linear autoregression.

Each takes the series z float64 [T] and the numbers of the last known steps t [N], and returns what
it expects of z_{t+1} ... z_{t+H}, [N, H] ::

    persistence      z_t
    seasonal         z at the same place of the last known period m:   z_{t+h-m⌈h/m⌉}
    autoregression   c + Σ_{k<p} a_k z_{t-k}, least squares on the steps before `known`; for more
                     than one step each forecast is read in the place of the value
"""

import numpy as np

from ...core.data import DataSet
from .forecast_data import TRANSFORMS


def yardsticks(data: DataSet, s) -> dict[str, np.ndarray]:
    """{name: forecasts [N, H]} for the test windows of prepared data, in the units of the series.

    The season is the longest lag of the differences, if it is above 1. The autoregression has as
    many values as the net reads, of f(z), and is fitted to all before the test part.
    """
    series = data.info.extra["series"]
    z, n = np.concatenate(list(series.values())), len(data.test)
    known = len(z) - len(series["test"])
    t = np.arange(n) + len(z) - s.horizon - n  # the last window ends where the series does
    found = {"persistence": persistence(z, t, s.horizon)}
    season = max(s.differences, default=1)
    if season > 1:
        found[f"season before ({season})"] = seasonal(z, t, s.horizon, season)
    f, order = TRANSFORMS[s.transform], max(1, min(s.past, known // 3))
    linear = autoregression(f.forward(z), t, s.horizon, order, known)
    of = "" if s.transform == "none" else f" of the {s.transform}"
    return found | {f"autoregression ({order}){of}": f.backward(linear)}


def persistence(z: np.ndarray, t: np.ndarray, horizon: int) -> np.ndarray:
    """The last known value, again and again.

    >>> persistence(np.array([1.0, 4.0, 9.0]), np.array([1]), 2)
    array([[4., 4.]])
    """
    return np.repeat(z[t][:, None], horizon, axis=1)


def seasonal(z: np.ndarray, t: np.ndarray, horizon: int, period: int) -> np.ndarray:
    """The values one period before, or as many periods as it takes for them to be known.

    >>> seasonal(np.arange(6.0), np.array([5]), 3, 2)
    array([[4., 5., 4.]])
    """
    h = np.arange(1, horizon + 1)
    return z[t[:, None] + h - period * -(-h // period)]


def autoregression(
    z: np.ndarray, t: np.ndarray, horizon: int, order: int, known: int
) -> np.ndarray:
    """Forecasts of the linear model of `order` values that fits z[:known] best.

    >>> z = 0.5 ** np.arange(9.0)
    >>> autoregression(z, np.array([7]), 2, 1, 8) / z[7]
    array([[0.5 , 0.25]])
    """
    rows = np.lib.stride_tricks.sliding_window_view(z, order)
    inputs = np.column_stack([np.ones(known - order), rows[: known - order]])
    weights = np.linalg.lstsq(inputs, z[order:known], rcond=None)[0]
    past, found = rows[t - order + 1], []
    for _ in range(horizon):
        found.append(weights[0] + past @ weights[1:])
        past = np.column_stack([past[:, 1:], found[-1]])
    return np.column_stack(found)
