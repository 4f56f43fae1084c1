"""The pictures of nets side by side: accuracy over steps, and where the inputs of a unit lie."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings


def figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """The curves of all nets, and the percentiles of a typical unit of each."""
    curves = system.curves()
    if not len(curves.steps):
        return {}
    return {
        "accuracy": accuracy(system.names, curves),
        "inputs": inputs(system.names, curves),
    }


def accuracy(names: list[str], curves):
    """A over steps, a line for each net."""
    fig = pictures.figure(6.4, 3.8)
    ax = fig.subplots()
    for name, colour, a in zip(names, pictures.CLASS_COLOURS, curves.accuracies):
        ax.plot(curves.steps, a, color=colour, lw=1.5, label=name.replace("_", " "))
    ax.set(xlabel="step", ylabel="share of held-out rows that are right", ylim=(0, 1.02))
    fig.legend(frameon=False, fontsize=8, loc="outside right upper")
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.2)
    return fig


def drift(u: np.ndarray) -> np.ndarray:
    """How far the inputs of units move: [M] from percentiles [P, 3, M].

    The deviation over time of the median, over the mean distance of the outer percentiles.

    >>> drift(np.array([[[-1.0], [0.0], [1.0]], [[3.0], [4.0], [5.0]]])).tolist()
    [1.0]
    """
    spread = (u[:, 2] - u[:, 0]).mean(axis=0, dtype=np.float64)
    return u[:, 1].std(axis=0, dtype=np.float64) / np.maximum(spread, 1e-12)


def typical(u: np.ndarray) -> int:
    """The unit whose inputs move as much as those of the median unit, from [P, 3, M].

    >>> typical(np.stack([-np.ones((2, 3)), np.array([[0, 1, 5], [0, 2, 9]]), np.ones((2, 3))], 1))
    1
    """
    found = drift(u)
    return int(np.argsort(found, kind="stable")[len(found) // 2])


def inputs(names: list[str], curves):
    """Percentiles of what goes into the last σ of a typical unit of each net, over steps."""
    across = min(len(names), 4)
    down = -(-len(names) // across)
    fig = pictures.figure(0.6 + 2.8 * across, 0.5 + 2.5 * down)
    axes = fig.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    for ax, name, colour, u in zip(axes, names, pictures.CLASS_COLOURS, curves.inputs):
        low, middle, high = u[:, :, typical(u)].T
        ax.fill_between(curves.steps, low, high, color=colour, alpha=0.25, lw=0)
        ax.plot(curves.steps, middle, color=colour, lw=1.2)
        ax.set_title(name.replace("_", " "), fontsize=9)
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.2)
    for ax in axes[len(names) - across : len(names)]:  # those with nothing below them
        ax.set_xlabel("step")
        ax.tick_params(labelbottom=True)
    fig.supylabel("input of the last activation", fontsize=9)
    fig.suptitle("a typical unit of the last hidden layer: 15th, 50th, 85th percentile", size=9)
    return fig
