"""A small simulator, and a table of its runs: heat in a square plate with a source.

    ∂u/∂t = κ ∇·((1 + βu) ∇u) - h u + q(x, y)        on [0, 1]², u = 0 at the edges and at t = 0
    q(x, y) = 40 exp(-((x - a)² + (y - b)²) / 2s²)

κ is the conductivity of the cold plate, β how it grows with the temperature u, h the loss to the
air, (a, b) and s the place and the width of the source. With F = u + βu²/2 the first term is κ∇²F,
for which there are the usual five-point differences; time goes in explicit steps, as long as they
are stable. Sensors on a 5 x 5 grid tell u at the time T.
"""

import numpy as np

from .dataset import DataSet, Info, Split
from .files import DataError
from .streams import SYNTHETIC, check_seed, uniform_rows
from .synthetic import _three

NAMES = ("conductivity", "growth", "loss", "source x", "source y", "source width")
LOW = np.array([0.5, 0.0, 0.0, 0.25, 0.25, 0.08])
HIGH = np.array([1.5, 1.0, 10.0, 0.75, 0.75, 0.20])
STRENGTH, TIME, SENSORS = 40.0, 0.06, 5
TORSION = 0.0737  # the largest value of v on the plate where -∇²v = 1 and v = 0 at the edges
CELLS = 18  # steps of the grid from edge to edge
TOGETHER = 32  # plates that are computed at a time: they fit in the cache


def heated_plates(parameters: np.ndarray, time: float = TIME, cells: int = CELLS) -> np.ndarray:
    """The temperatures of the sensors [N, 25], float64, row by row of the plate from y = 1/6 on.

    parameters  [N, 6]: κ, β, h, a, b and s of each plate
    cells       steps of the grid from edge to edge: a multiple of 6, so that sensors are on it

    The time step is 0.23 / (cells² κ (1 + βu)), which is stable below 0.25. By the maximum
    principle κF ≤ 0.0737 max q, so κ (1 + βu) = κ √(1 + 2βF) ≤ √(κ² + 5.9 βκ); its maximum over the
    plates counts, and over those between `LOW` and `HIGH`. Raises DataError for parameters that are
    no such plates.

    >>> u = heated_plates(np.array([[1.0, 0.0, 0.0, 0.5, 0.5, 0.1]])).reshape(5, 5)
    >>> bool(u[2, 2] == u.max()), bool(np.allclose(u, u.T))
    (True, True)
    """
    p = np.asarray(parameters, np.float64)
    if p.ndim != 2 or p.shape[1] != len(NAMES) or not np.isfinite(p).all():
        raise DataError(f"heated_plates: parameters must be [N, {len(NAMES)}]; got {p.shape}")
    if p.size and (p[:, [0, 5]].min() <= 0 or p[:, 1:3].min() < 0):
        raise DataError("heated_plates: κ and s must be above 0, β and h at least 0")
    if cells % 6 or not 6 <= cells <= 600 or not 0 < time <= 10:
        raise DataError("heated_plates: cells must be a multiple of 6 up to 600, time in (0, 10]")
    speed = max(_fastest(HIGH[None]), _fastest(p)) if len(p) else 0.0
    steps = int(np.ceil(time * speed * cells**2 / 0.23))
    if steps > 10**6:
        raise DataError(f"heated_plates: {steps} steps of time are too many; at most 10^6")
    parts = [_plates(p[i : i + TOGETHER], time, cells, steps) for i in range(0, len(p), TOGETHER)]
    return np.concatenate(parts) if parts else np.zeros((0, SENSORS**2))


def _fastest(p: np.ndarray) -> float:
    """The largest κ (1 + βu) that the source allows, over all plates."""
    return float(np.sqrt(p[:, 0] ** 2 + 2 * TORSION * STRENGTH * p[:, 0] * p[:, 1]).max())


def _plates(p: np.ndarray, time: float, cells: int, steps: int) -> np.ndarray:
    kappa, beta, loss, a, b, s = p.T[:, :, None, None]
    at = np.arange(1, cells) / cells
    x, y = at[None, None, :], at[None, :, None]
    q = STRENGTH * np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * s**2))
    dt = time / steps
    u = np.zeros((len(p), cells + 1, cells + 1))  # with its edges
    inner, flow = u[:, 1:-1, 1:-1], dt * cells**2 * kappa
    for _ in range(steps):
        f = u * (1 + beta / 2 * u)
        change = f[:, 2:, 1:-1] + f[:, :-2, 1:-1]
        change += f[:, 1:-1, 2:]
        change += f[:, 1:-1, :-2]
        change -= 4 * f[:, 1:-1, 1:-1]
        change *= flow
        inner *= 1 - dt * loss
        inner += change
        inner += dt * q
    sensors = np.arange(1, SENSORS + 1) * (cells // 6)
    return u[:, sensors][:, :, sensors].reshape(len(p), -1)


def heated_plate(train: int = 500, valid: int = 100, test: int = 200, seed: int = 0) -> DataSet:
    """Runs of `heated_plates` with uniform random parameters, which are the columns of x.

    x is float32 [N, 6], y float32 [N, 25]; parameters lie between `LOW` and `HIGH`. Row i of a seed
    does not depend on how many there are.

    >>> d = heated_plate(train=2, valid=1, test=1)
    >>> d.train.x.shape, d.train.y.shape
    ((2, 6), (2, 25))
    """
    seed = check_seed("heated_plate", seed)

    def make(first: int, size: int) -> Split:
        u = uniform_rows(seed, SYNTHETIC, first, size, len(NAMES))
        x = (LOW + (HIGH - LOW) * u).astype(np.float32)
        return Split(x, heated_plates(x).astype(np.float32))

    grid = range(1, SENSORS + 1)
    info = Info(
        source="generated",
        feature_names=NAMES,
        target_names=tuple(f"u({j}/6, {i}/6)" for i in grid for j in grid),
        note=f"temperatures after {TIME} s, a grid of {CELLS} x {CELLS} cells, seed {seed}",
        kind="table",
    )
    return DataSet("heated_plate", *_three(make, train, valid, test), info)
