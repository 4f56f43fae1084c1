"""A series as windows: the past, and what came next; transforms and differences, and their undoing.

u_t = f(z_t),   y_t = Π_d (1 - B^d) u_t = Σ_j a_j u_{t-j},  a_0 = 1
undone step by step:   u_t = y_t - Σ_{j≥1} a_j u_{t-j}
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ...core.arrays import xp_of
from ...core.data import DataSet, Split
from ...core.training.settings import SettingError


@dataclass(frozen=True)
class Transform:
    """A function of a value, its inverse, and the least value that it takes."""

    forward: Callable
    backward: Callable
    least: float = -np.inf


TRANSFORMS = {
    "none": Transform(lambda z: z, lambda u: u),
    "log": Transform(lambda z: xp_of(z).log(z), lambda u: xp_of(u).exp(u), np.nextafter(0, 1)),
    "root": Transform(lambda z: xp_of(z).sqrt(z), lambda u: u.clip(0) ** 2, 0.0),
}


def coefficients(lags: tuple[int, ...]) -> np.ndarray:
    """a_0, a_1, ... of Π_d (1 - B^d).

    >>> coefficients((1, 2))
    array([ 1., -1., -1.,  1.])
    """
    a = np.ones(1)
    for lag in lags:
        a = np.convolve(a, [1.0, *[0.0] * (lag - 1), -1.0])
    return a


def differenced(u, a: np.ndarray):
    """Σ_j a_j u_{t-j} along the second axis of u [N, T, ...], where all terms are known.

    >>> differenced(np.array([[1.0, 4.0, 9.0]]), coefficients((1,)))
    array([[3., 5.]])
    """
    steps = u.shape[1] - len(a) + 1
    terms = ((c, len(a) - 1 - j) for j, c in enumerate(a) if c)
    return sum(float(c) * u[:, at : at + steps] for c, at in terms)


def continued(u, y, a: np.ndarray):
    """u_{t+1} ... u_{t+H} [N, H] after u [N, T] from their differences y [N, H].

    >>> continued(np.array([[1.0, 4.0, 9.0]]), np.array([[7.0, 9.0]]), coefficients((1,)))
    array([[16., 25.]])
    """
    steps = [u[:, k] for k in range(u.shape[1] - len(a) + 1, u.shape[1])]
    for h in range(y.shape[1]):
        back = (float(c) * steps[-j] for j, c in enumerate(a) if j and c)
        steps.append(y[:, h] - sum(back))
    return xp_of(u).stack(steps[len(a) - 1 :], axis=1)


def as_windows(data: DataSet, length: int, horizon: int, column: int, transform: str) -> DataSet:
    """Each part as windows x [N, length, D] with y [N, horizon, 2]: values to come, and if known.

    What comes is in the part; the window before it may begin in the part before, where that is the
    past of this one. Values that were interpolated are read, but not judged: their y is (z, 0).

    ``info.extra["series"]`` keeps the quantity of each part as it was, float64.

    Raises SettingError where a part has no forecast, or values that the transform does not take.
    """
    columns = data.train.x.shape[1]
    if column > columns:
        raise SettingError(f"{data.name}: column must be at most {columns}; got {column}")
    found, before = {}, np.zeros((0, columns), np.float32)
    for name, split in data.splits():
        low = float(split.x.min())
        if low < TRANSFORMS[transform].least:
            must = "above 0" if transform == "log" else "at least 0"
            raise SettingError(
                f"{data.name}: with transform={transform} values must be {must}; got {low:g}"
            )
        if not follows(data, name):
            before = before[:0]
        z = np.concatenate([before, split.x])
        first = max(length, len(before))  # of the values to come
        starts = np.arange(first, len(z) - horizon + 1)
        if not len(starts):
            raise SettingError(
                f"{data.name}: the {name} part has {len(split)} values, too few to forecast"
                f" {horizon} after {length}"
            )
        known = np.ones(len(z), bool)
        missing = data.info.extra.get("missing", {}).get(name)
        if missing is not None:
            known[len(before) :] = ~missing[:, column - 1]
        ahead = starts[:, None] + np.arange(horizon)
        y = np.stack([z[ahead, column - 1], known[ahead]], axis=2).astype(np.float32)
        found[name] = Split(z[starts[:, None] + np.arange(-length, 0)], y)
        before = z[-length:]
    series = {name: split.x[:, column - 1].astype(np.float64) for name, split in data.splits()}
    extra = {**data.info.extra, "series": series}
    return replace(data, **found, info=replace(data.info, extra=extra))


def follows(data: DataSet, name: str) -> bool:
    """Does the part go on where the one before it ends? True where nothing says when it is."""
    order = [part for part, _ in data.splits()]
    times = data.info.extra.get("times", {})
    at = order.index(name)
    if not at or order[at - 1] not in times or name not in times:
        return at > 0
    before, after = times[order[at - 1]], times[name]
    step = (before[-1] - before[0]) / max(1, len(before) - 1)
    return bool(0 * step < after[0] - before[-1] <= 2 * step)
