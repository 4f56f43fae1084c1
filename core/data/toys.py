"""Distributions on the line and in the plane whose every detail is known: toys for generators.

A generator that is trained on one of them can be judged without an eye or a classifier: the density
is a formula, and a mode that it misses can be counted. Everything is drawn from Philox, so a seed
gives the same numbers on every machine, and example i of a seed does not depend on how many there
are. x is float32 [N, D].
"""

import math

import numpy as np

from .dataset import DataSet, Info, Split
from .files import DataError
from .streams import SYNTHETIC, check_seed, uniform_rows, whole_number

MOST = 2**27  # examples of a split


def _positive(function: str, name: str, value, zero: bool = False) -> float:
    """`value` as a finite float above 0, or at least 0. Raises DataError for anything else."""
    must = "at least 0" if zero else "above 0"
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (math.isfinite(number) and (number > 0 or (zero and number == 0))):
        raise DataError(f"{function}: {name} must be a number {must}; got {value!r:.60}")
    return number


def _bell(u: np.ndarray) -> np.ndarray:
    """Pairs of uniform numbers [N, 2] -> pairs of N(0, 1), by Box and Muller."""
    r = np.sqrt(-2 * np.log1p(-u[:, :1]))
    angle = 2 * np.pi * u[:, 1:]
    return r * np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


def _made(name: str, draw, columns: int, sizes, seed: int, info: Info) -> DataSet:
    """Splits of the given sizes; `draw` turns uniform numbers [n, columns] into a `Split`."""
    sizes = [whole_number(name, "the size of a split", n, 0, MOST) for n in sizes]
    seed = check_seed(name, seed)
    splits, first = [], 0
    for n in sizes:
        splits.append(draw(uniform_rows(seed, SYNTHETIC, first, n, columns)))
        first += n
    return DataSet(name, *splits, info)


def normal(
    mean: float = -1.0,
    std: float = 1.0,
    train: int = 20_000,
    valid: int = 2000,
    test: int = 10_000,
    seed: int = 0,
) -> DataSet:
    """Draws of N(mean, std²): x float32 [N, 1], without labels.

    The default N(-1, 1) is the target of a well-known one-dimensional generative adversarial net
    (E. Jang 2016). Raises DataError for a std that is not above 0.

    >>> x = normal(train=4000).train.x
    >>> x.shape, round(float(x.mean()), 1), round(float(x.std()), 1)
    ((4000, 1), -1.0, 1.0)
    """
    std = _positive("normal", "std", std)
    if not (isinstance(mean, float | int) and math.isfinite(mean)):
        raise DataError(f"normal: mean must be a finite number; got {mean!r:.60}")
    info = Info(
        source="generated",
        feature_names=("x",),
        note=f"N({mean:g}, {std:g}²), seed {seed}",
        extra={"mean": float(mean), "std": std},
    )

    def draw(u):
        return Split((mean + std * _bell(u)[:, :1]).astype(np.float32))

    return _made("normal", draw, 2, (train, valid, test), seed, info)


def ring(
    modes: int = 8,
    radius: float = 2.0,
    spread: float = 0.1,
    train: int = 8000,
    valid: int = 1000,
    test: int = 2000,
    seed: int = 0,
) -> DataSet:
    """A mixture of `modes` normals with equal weights, on a circle: x float32 [N, 2].

    Mode k has the mean radius·(cos 2πk/modes, sin 2πk/modes) and the covariance spread²·I. y int64
    [N] is the mode of each point. `info.extra` has the means as "centres" [modes, 2] and the
    "spread". With 8 modes it is the usual picture of a generator's collapse (Metz et al. 2017,
    "Unrolled generative adversarial networks", whose spread is 0.02).

    >>> d = ring(modes=4, train=100)
    >>> d.train.x.shape, np.unique(d.train.y).tolist(), d.info.extra["centres"].round(1).tolist()
    ((100, 2), [0, 1, 2, 3], [[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0], [-0.0, -2.0]])
    """
    modes = whole_number("ring", "modes", modes, 1, 2**16)
    radius = _positive("ring", "radius", radius)
    spread = _positive("ring", "spread", spread)
    angles = 2 * np.pi * np.arange(modes) / modes
    centres = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    info = Info(
        source="generated",
        classes=tuple(map(str, range(modes))),
        feature_names=("x1", "x2"),
        note=f"{modes} normals of spread {spread:g} on a circle of radius {radius:g}, seed {seed}",
        extra={"centres": centres, "spread": spread},
    )

    def draw(u):
        y = np.floor(u[:, 2] * modes).astype(np.int64)
        return Split((centres[y] + spread * _bell(u[:, :2])).astype(np.float32), y)

    return _made("ring", draw, 3, (train, valid, test), seed, info)


def moons(
    noise: float = 0.1,
    train: int = 8000,
    valid: int = 1000,
    test: int = 2000,
    seed: int = 0,
) -> DataSet:
    """Two interleaved half circles of radius 1: x float32 [N, 2], y int64 [N] is the half.

    With t ~ U(0, π): (cos t, sin t) for y = 0 and (1 - cos t, ½ - sin t) for y = 1, then N(0,
    noise²) on both coordinates, as in scikit-learn's `make_moons`. Raises DataError for a noise
    below 0.

    >>> d = moons(noise=0, train=3)
    >>> bool(np.allclose(np.hypot(*(d.train.x - d.train.y[:, None] * [1, 0.5]).T), 1))
    True
    """
    noise = _positive("moons", "noise", noise, zero=True)
    info = Info(
        source="generated",
        classes=("upper", "lower"),
        feature_names=("x1", "x2"),
        note=f"noise {noise:g}, seed {seed}",
        extra={"noise": noise},
    )

    def draw(u):
        t, y = np.pi * u[:, 2], (u[:, 3] >= 0.5).astype(np.int64)
        upper = np.stack([np.cos(t), np.sin(t)], axis=1)
        x = np.where(y[:, None] == 0, upper, [1, 0.5] - upper)
        return Split((x + noise * _bell(u[:, :2])).astype(np.float32), y)

    return _made("moons", draw, 4, (train, valid, test), seed, info)
