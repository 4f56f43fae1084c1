"""Pictures of the Wasserstein distance: that primal and dual agree, and what the critic looks like.

primal_dual   the critic's value over the exact W1, ten pairs of samples on the line, both ways to
              bound the slope; the penalty should lie near the diagonal, clipping on another line
critic        the values of f: over the plane of two columns as contours, over one as a curve
weights       histogram of the critic's weights, which clipping drives to the ends of the cube
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.system import Batch
from . import game_pictures
from .distances import w1_line
from .dual import dual, proportion, shifted
from .game import Game

DISTANCES = np.linspace(0.5, 5, 10)
sample = game_pictures.sample


def primal_dual(steps: int = 150, n: int = 64):
    """The critic's value over W1 of ten pairs of samples, with either constraint."""
    pairs = list(shifted(DISTANCES, n))
    w1 = [w1_line(x[:, 0], y[:, 0]) for x, y in pairs]
    fig = pictures.figure(5.0, 4.2)
    ax = fig.subplots()
    for constraint, colour in (("one-sided", pictures.COLOURS[0]), ("clipping", pictures.ACCENT)):
        values = [dual(x, y, constraint, steps, hidden=(32, 32)).value for x, y in pairs]
        k, r2 = proportion(w1, values)
        label = f"{constraint}: {k:.2f}·W1, R² = {r2:.3f}"
        ax.plot(w1, values, "o", color=colour, label=label)
        ax.plot([0, max(w1)], [0, k * max(w1)], color=colour, lw=0.8)
    ax.plot([0, max(w1)], [0, max(w1)], ":", color=pictures.INK, lw=1, label="equal")
    ax.set(xlabel="primal: W1 of sorted samples", ylabel="dual: E f(x) - E f(y)")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    return fig


def critic_values(system: Game, data: DataSet):
    """f over the plane of two columns, or over the line; None for other data."""
    x = data.train.x[:500].reshape(min(500, len(data.train)), -1)
    if x.shape[1] > 2:
        return None
    low, high = x.min(axis=0), x.max(axis=0)
    low, high = low - 0.2 * (high - low), high + 0.2 * (high - low)
    axes = [np.linspace(a, b, 81) for a, b in zip(low, high)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, len(axes)).astype(np.float32)
    with gg.no_grad():
        f = system.judge(gg.Tensor(system.on_device(Batch(grid)).x)).numpy()[:, 0]
    fig, made = pictures.figure(5.4, 4.6), system.drawn(500)
    ax = fig.subplots()
    if len(axes) == 1:
        ax.plot(grid[:, 0], f, color=pictures.INK)
        ax.set(xlabel="x", ylabel="f(x)")
    else:
        shown = ax.contourf(*axes, f.reshape(81, 81), levels=20, cmap="viridis")
        fig.colorbar(shown, ax=ax, label="f(x)")
        ax.plot(*x.T, ".", ms=2, color="white")
        ax.plot(*made.T, ".", ms=2, color=pictures.ACCENT)
        ax.set(aspect="equal")
    ax.set_title(
        "the critic: real white, made red" if len(axes) == 2 else "the critic", fontsize=10
    )
    return fig


def weights(system: Game):
    """Histogram of all weights and biases of the critic."""
    w = np.concatenate([p.numpy().ravel() for p in system.discriminator.parameters()])
    fig = pictures.figure(5.0, 3.0)
    ax = fig.subplots()
    ax.hist(w, 61, color=pictures.INK, alpha=0.7)
    top = np.abs(w).max()
    ends = (np.abs(w) > 0.98 * top).mean()
    ax.set(xlabel="weight", yticks=[])
    ax.set_title(f"weights of the critic: {100 * ends:.0f} % within 2 % of ±{top:.3g}", fontsize=10)
    ax.spines[["top", "right", "left"]].set_visible(False)
    return fig


def figures(system: Game, data: DataSet, s) -> dict:
    """The figures of this page."""
    found = game_pictures.of_samples(system, data, s.seed)
    found |= {"primal_dual": primal_dual(), "weights": weights(system)}
    plane = critic_values(system, data)
    return found if plane is None else found | {"critic": plane}
