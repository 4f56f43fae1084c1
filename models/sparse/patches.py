"""Preparing patches of photographs: centring, equal contrast, whitening.

    x - mean of x                  the brightness of a patch says nothing about its shape
    x / √(‖x‖²/n + c²)             `contrast` = c: makes strong and weak edges equal
    x (C + ε m I)^-½               `whiten` = ε: C = xᵀx/N of the training set, m its mean variance

Tables have other columns than pixels: they are standardised column by column (common/rows.py)
first, and ``presets["table"]`` leaves the steps above out, which are for rows of one scale.

Most of the variance of photographs is in slow changes of brightness, and methods that minimise
squares fit these first. The last two lines are a simple form of the filter that Olshausen & Field
1996 applied to their whole photographs, and of what the retina does.
"""

import numpy as np

from ...core.data import DataSet, Split
from ...core.training.settings import TrainingSettings, setting
from ..common.rows import prepare as standardised


class PatchSettings(TrainingSettings):
    """Settings: how the patches are prepared, and how many of them are used."""

    centre: bool = setting(True, help="subtract its mean from each patch")
    contrast: float = setting(
        0.0, least=0, help="contrast c below which a patch stays weak, 0 for no change"
    )
    whiten: float = setting(
        0.0, least=0, help="floor ε of whitening, in mean variances, 0 for none"
    )
    samples: int = setting(0, least=0, help="patches of the training set, 0 for all")


def like_contrast(x, c: float):
    """x / √(‖x‖²/n + c²) of each row [N, n]: rows far below c stay weak.

    >>> like_contrast(np.array([[3.0, 3.0], [0.0, 0.0]]), 4.0).tolist()
    [[0.6, 0.6], [0.0, 0.0]]
    """
    return x / np.sqrt((x * x).mean(axis=1, keepdims=True) + c * c)


def whitening(x: np.ndarray, floor: float) -> np.ndarray:
    """The symmetric matrix (C + floor·m I)^-½ of rows x [N, n], C = xᵀx/N, m = tr C / n.

    x times it has the same variance in all directions, except in those far below the floor, which
    hold only noise. It is symmetric, so that what was at a pixel stays near it.

    >>> whitening(np.array([[2.0, 0.0], [0.0, 1.0]]), 0.0).round(3).tolist()
    [[0.707, 0.0], [0.0, 1.414]]
    """
    c = x.T.astype("float64") @ x / len(x)
    strength, v = np.linalg.eigh(c)
    return v / np.sqrt(strength.clip(0) + max(floor * strength.mean(), 1e-12)) @ v.T


def unit_spread(parts: dict) -> dict:
    """All parts in units of the training set's standard deviation."""
    spread = float(parts["train"].std()) or 1.0
    return {name: x / spread for name, x in parts.items()}


def prepare(data: DataSet, s: PatchSettings) -> DataSet:
    """Grey images, minus their own mean if `centre`, in units of the training set's spread.

    Tables are standardised column by column first.

    If not 0, `contrast` and `whiten` are applied with the statistics of the training set.
    """
    data = standardised(data, s)
    splits, parts = dict(data.splits()), {}
    for name, split in splits.items():
        x = split.x.mean(axis=1, keepdims=True) if split.x.ndim == 4 else split.x
        if s.centre:
            x = x - x.mean(axis=tuple(range(1, x.ndim)), keepdims=True)
        parts[name] = x.reshape(len(x), -1)
    shape, parts = x.shape[1:], unit_spread(parts)
    # each step is followed by the same units, so that λ means the same with and without it
    if s.contrast:
        parts = unit_spread({k: like_contrast(x, s.contrast) for k, x in parts.items()})
    if s.whiten:
        m = whitening(parts["train"], s.whiten)
        parts = unit_spread({name: x @ m for name, x in parts.items()})
    parts = {
        name: Split(x.astype(np.float32).reshape(-1, *shape), splits[name].y)
        for name, x in parts.items()
    }
    if s.samples:
        parts["train"] = parts["train"][: s.samples]
    return DataSet(data.name, **parts, info=data.info)


def lively(x: np.ndarray, n: int) -> np.ndarray:
    """n rows of [N, D] with a larger norm than most: a flat patch shows nothing.

    >>> lively(np.array([[0.0], [3.0], [0.0], [0.0], [1.0], [0.0]]), 2).tolist()
    [[3.0], [1.0]]
    """
    longest = np.argsort(-np.linalg.norm(x, axis=1), kind="stable")
    return x[np.sort(longest[: max(n, len(x) // 3)])[:n]]
