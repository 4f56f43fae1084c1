"""The pictures of a surrogate: predicted over simulated outcomes, and plates next to each other."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import System
from ..perceptrons.tasks import Regression, columns

PLATES, POINTS = 4, 5000  # the most that are drawn


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """Predictions for held-out parameters; plates, where the data are the simulator's own."""
    system.eval()
    held = data.test if data.test is not None and len(data.test) else data.train
    if not isinstance(system.task, Regression):
        found = system.evaluate(held)
        fig = pictures.figure(3.0, 2.4)
        ax = fig.subplots()
        ax.bar(["right", "wrong"], [100 - found["error"], found["error"]], color=pictures.COLOURS)
        ax.set(ylabel="held-out rows, %")
        return {"predicted": fig}
    y, answers = columns(held.y), system.answers(held.x)
    found = {"predicted": predicted(y, answers)}
    if system.scale is not None:
        found["plates"] = plates(y, answers)
    return found


def predicted(y: np.ndarray, answers: np.ndarray):
    """All outcomes in units of their deviation; right ones are on the line."""
    mean, deviation = y.mean(axis=0), np.maximum(y.std(axis=0), 1e-12)
    a, b = (((v - mean) / deviation).ravel()[:POINTS] for v in (y, answers))
    fig = pictures.figure(3.8, 3.6)
    ax = fig.subplots()
    ends = [float(a.min()), float(a.max())]
    ax.plot(ends, ends, color="0.6", lw=0.8)
    ax.plot(a, b, ".", ms=2, color=pictures.COLOURS[0], alpha=0.4)
    ax.set(xlabel="simulated", ylabel="predicted", title="held-out parameters, standardised")
    return fig


def plates(y: np.ndarray, answers: np.ndarray):
    """Temperatures of the sensors: simulated, predicted, and their difference on a finer scale."""
    side, few = round(y.shape[1] ** 0.5), min(PLATES, len(y))
    fig = pictures.figure(1.6 * few + 1.6, 4.6)
    axes = fig.subplots(3, few, squeeze=False)
    most, off = float(y[:few].max()), float(np.abs(answers - y)[:few].max()) or 1.0
    for n in range(few):
        for row, values, scale in (
            (0, y[n], {"vmin": 0, "vmax": most, "cmap": "inferno"}),
            (1, answers[n], {"vmin": 0, "vmax": most, "cmap": "inferno"}),
            (2, answers[n] - y[n], {"vmin": -off, "vmax": off, "cmap": "RdBu_r"}),
        ):
            ax = axes[row, n]
            image = ax.imshow(values.reshape(side, side), origin="lower", **scale)
            ax.set(xticks=[], yticks=[])
            if n == few - 1:
                fig.colorbar(image, ax=axes[row].tolist(), shrink=0.8)
    for ax, name in zip(axes[:, 0], ("simulated", "predicted", "difference")):
        ax.set_ylabel(name, fontsize=8)
    return fig
