"""The pictures of distillation: the errors of the nets, and what they answer."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import System

SHOWN = 8  # samples whose answers are drawn


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """Errors of the three nets; for classes the answers for the least certain held-out samples."""
    system.eval()
    held = data.test if data.test is not None and len(data.test) else data.train
    found = {"errors": errors(system.evaluate(held))}
    if type(system.task).__name__ == "Classification":
        found["answers"] = answers(system, data, held)
    return found


def errors(figures: dict):
    """A bar each for the teacher, the distilled student and the plain net of the student's size."""
    bars = {
        "teacher": figures["error_teacher"],
        "student": figures["error"],
        "plain": figures["error_plain"],
    }
    fig = pictures.figure(4.2, 2.6)
    ax = fig.subplots()
    ax.bar(list(bars), list(bars.values()), color=pictures.COLOURS[:3], width=0.6)
    for i, value in enumerate(bars.values()):
        ax.text(i, value, f"{value:.2f}", ha="center", va="bottom", fontsize=8)
    ax.set(ylabel="error, %", title="held-out samples", ylim=(0, 1.15 * max(*bars.values(), 0.1)))
    return fig


def answers(system: System, data: DataSet, held):
    """softmax of the teacher's and the nets' logits, where the teacher has the most entropy."""
    z = {
        who: getattr(system, who).answers(held.x[:2000]) for who in ("teacher", "student", "plain")
    }
    p = {who: softmax(a) for who, a in z.items()}
    entropy = -(p["teacher"] * np.log(np.maximum(p["teacher"], 1e-12))).sum(axis=1)
    chosen = np.argsort(-entropy, kind="stable")[:SHOWN]
    image = held.x.ndim == 4
    fig = pictures.figure(1.15 * len(chosen) + 0.8, 4.4 if image else 3.4)
    axes = fig.subplots(3 + image, len(chosen), squeeze=False)
    names = data.info.classes or tuple(map(str, range(system.task.size)))
    for j, n in enumerate(chosen):
        if image:
            axes[0, j].imshow(held.x[n].mean(axis=0), cmap="gray_r")
            axes[0, j].axis("off")
        for ax, who, colour in zip(axes[image:, j], p, pictures.COLOURS):
            ax.bar(range(system.task.size), p[who][n], color=colour)
            ax.set(ylim=(0, 1), xticks=[], yticks=[])
            if j == 0:
                ax.set_ylabel(who, fontsize=8)
        name = str(names[held.y[n]])[:12].replace("$", "")
        axes[0, j].set_title(name, fontsize=8)
    return fig


def softmax(z: np.ndarray) -> np.ndarray:
    """exp z / Σ exp z over the last axis.

    >>> softmax(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
