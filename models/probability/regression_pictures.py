"""Pictures of probabilistic regression: bands, standardised errors, coverage."""

from statistics import NormalDist

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ..common.names import short


def figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """Bands over the predicted mean, standardised errors, coverage: of the held-out split."""
    split = next(k for k in (data.test, data.valid, data.train) if k is not None and len(k))
    y = np.asarray(split.y).reshape(len(split), -1)
    mean, spread = system.predicted(split.x)
    return {
        "bands": bands(y, mean, spread, s.band, system.names),
        "errors": errors((y - mean) / spread),
        "coverage": coverage((y - mean) / spread, s.band),
    }


def bands(y, mean, spread, band: float, names):
    """Points and bands in the order of the predicted mean, a panel for each of three targets."""
    half = NormalDist().inv_cdf(0.5 + 0.5 * band)
    count = min(3, y.shape[1])
    fig = pictures.figure(0.6 + 5.0 * count, 3.8)
    axes = fig.subplots(1, count, squeeze=False)[0]
    for ax, name, t, m, sd in zip(axes, names, y.T, mean.T, spread.T):
        order = np.argsort(m, kind="stable")
        t, m, sd = t[order], m[order], sd[order]
        inside = np.abs(t - m) <= half * sd
        at = np.arange(len(t))
        ax.fill_between(at, m - half * sd, m + half * sd, color="#d7e3ea", lw=0)
        ax.plot(at, m, color=pictures.COLOURS[0], lw=1.2)
        ax.plot(at[inside], t[inside], ".", ms=4, color=pictures.INK)
        ax.plot(at[~inside], t[~inside], ".", ms=6, color=pictures.ACCENT)
        ax.set(xlabel="held-out points, in the order of the mean", xticks=[])
        title = f"{short(name)}: {100 * inside.mean():.1f} % in bands of {100 * band:g} %"
        ax.set_title(title, fontsize=9)
        ax.spines[["top", "right"]].set_visible(False)
    return fig


def errors(u: np.ndarray):
    """A histogram of (x - μ)/σ next to the density of N(0, 1)."""
    fig = pictures.figure(4.6, 3.2)
    ax = fig.subplots()
    grid = np.linspace(-4, 4, 161)
    ax.hist(np.clip(u.ravel(), -4, 4), np.linspace(-4, 4, 25), density=True, color="#d7e3ea")
    ax.plot(grid, np.exp(-0.5 * grid**2) / np.sqrt(2 * np.pi), color=pictures.ACCENT)
    ax.set(xlabel="(x - μ)/σ of held-out points, and N(0, 1)", yticks=[])
    ax.set_title(f"mean {u.mean():.2f}, deviation {u.std():.2f}", fontsize=9)
    ax.spines[["top", "right", "left"]].set_visible(False)
    return fig


def coverage(u: np.ndarray, band: float):
    """The share of held-out points inside bands of every nominal share."""
    fig = pictures.figure(4.2, 4.0)
    ax = fig.subplots()
    nominal = np.linspace(0.05, 0.95, 19)
    half = np.array([NormalDist().inv_cdf(0.5 + 0.5 * p) for p in nominal])
    found = (np.abs(u.reshape(-1, 1)) <= half).mean(axis=0)
    two_errors = 2 * np.sqrt(nominal * (1 - nominal) / u.size)
    ax.fill_between(nominal, nominal - two_errors, nominal + two_errors, color="#eef2f5", lw=0)
    ax.plot([0, 1], [0, 1], color=pictures.ACCENT, lw=1)
    ax.plot(nominal, found, "o-", ms=3, lw=1, color=pictures.INK)
    ax.axvline(band, color="#c9d1d8", lw=0.8)
    ax.set(xlabel="nominal share of the band", ylabel="share of points inside", aspect="equal",
           xlim=(0, 1), ylim=(0, 1))  # fmt: skip
    ax.set_title(f"grey: two standard errors of {u.size} points", fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    return fig
