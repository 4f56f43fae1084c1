"""What a forecast of a series is compared with: no change, last season, a linear autoregression.

Each takes the series z float64 [T] and the numbers of the last known steps t [N], and returns what
it expects of z_{t+1} ... z_{t+H}, [N, H] ::

    persistence      z_t
    seasonal         z at the same place of the last known period m:   z_{t+h-m⌈h/m⌉}
    autoregression   c + Σ_{k<p} a_k z_{t-k}, least squares on the steps before `known`; for more
                     than one step each forecast is read in the place of the value
"""

import numpy as np


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
