"""Pictures of the net on the line: every part of the game.

densities   p(x), the histogram of G(z), and D between them, which is ½ where the two are equal
transport   G over its noise, next to the rising map that would be exact: the k-th smallest z to
            the k-th smallest x
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from .game_pictures import clean
from .jang_histogram import EDGES, RANGE


def over_density(system, made: np.ndarray, label: str, width: float, height: float):
    """(figure, axes) with the density p(x) over a histogram of made numbers [n]."""
    fig = pictures.figure(width, height)
    ax, x = fig.subplots(), np.linspace(-RANGE, RANGE, 401, dtype=np.float32)
    share = 1 / (len(made) * (EDGES[1] - EDGES[0]))  # of all numbers, in the picture or beyond it
    weights = np.full(len(made), share)
    ax.hist(made, EDGES, weights=weights, color=pictures.ACCENT, alpha=0.5, label=label)
    ax.plot(x, system.density(x), color=pictures.INK, label="p(x)")
    ax.set(xlabel="x")
    return fig, ax


def densities(system, data: DataSet):
    """The density, the histogram of made numbers, and D between them."""
    fig, ax = over_density(system, system.drawn(), "G(z)", 6.0, 3.8)
    x = np.linspace(-RANGE, RANGE, 401, dtype=np.float32)
    ax.plot(x, system.boundary(x), ls="--", color=pictures.COLOURS[0], label="D(x)")
    ax.axhline(0.5, ls=":", lw=1, color=pictures.INK)
    ax.set(ylim=(0, 1), title="densities, and what D says")
    return clean(fig, ax)


def transport(system, data: DataSet):
    """G over its noise, and the exact map: the k-th smallest z to the k-th smallest x."""
    n = min(2000, len(data.train))
    z = system.noise(n, system.draws.child("transport"))
    with gg.no_grad():
        made = system.generate(z).numpy()[:, 0]
    z = z.numpy()[:, 0]
    order = np.argsort(z)
    fig = pictures.figure(4.8, 3.8)
    ax = fig.subplots()
    exact = np.sort(data.train.x[:n, 0])
    ax.plot(z[order], exact, color=pictures.INK, lw=1, label="rising map onto the data")
    ax.plot(z[order], made[order], color=pictures.ACCENT, label="G(z)")
    ax.set(xlabel="z", ylabel="x", title="the generator")
    return clean(fig, ax)


def figures(system, data: DataSet, s) -> dict:
    """The figures of this page."""
    return {"densities": densities(system, data), "transport": transport(system, data)}


def sample(system, data: DataSet, n: int, rng):
    """A histogram of n numbers made from noise."""
    with gg.no_grad():
        made = system.generate(system.noise(n, rng)).numpy()[:, 0]
    fig, ax = over_density(system, made, f"{n} numbers", 5.0, 3.2)
    ax.set(title="made from noise")
    return clean(fig, ax)
