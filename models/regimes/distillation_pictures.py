"""The pictures of distillation: the errors of the nets, and what they answer."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import System

SHOWN = 8  # samples whose answers are drawn


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """Errors of the nets; for classes their answers for the least certain held-out samples."""
    system.eval()
    held = data.test if data.test is not None and len(data.test) else data.train
    found = {"errors": errors(system, system.evaluate(held))}
    if type(system.task).__name__ == "Classification":
        found["answers"] = answers(system, data, held)
    return found


def named(system: System) -> dict:
    """The nets by what a reader calls them: teacher, student T = 20, never saw 3, plain.

    A single student is the student.
    """
    names, sole = {}, len(system.students) == 1
    for name, one in zip(system.nets(), (None, *system.kinds, None), strict=True):
        if one is None:
            names[name] = name.removeprefix("error_")
        elif one.without >= 0:
            names[name] = f"never saw {one.without}"
        else:
            names[name] = "student" if sole else f"T = {one.temperature:g}"
    return names


def errors(system: System, figures: dict):
    """A bar for each net: the teacher, the students, the plain net of the student's size."""
    bars = {who: figures[name] for name, who in named(system).items()}
    fig = pictures.figure(max(4.2, 1.0 + 0.95 * len(bars)), 2.6)
    ax = fig.subplots()
    colours = [pictures.COLOURS[i % len(pictures.COLOURS)] for i in range(len(bars))]
    ax.bar(list(bars), list(bars.values()), color=colours, width=0.6)
    for i, value in enumerate(bars.values()):
        ax.text(i, value, f"{value:.2f}", ha="center", va="bottom", fontsize=8)
    ax.set(ylabel="error, %", title="held-out samples", ylim=(0, 1.15 * max(*bars.values(), 0.1)))
    return fig


def answers(system: System, data: DataSet, held):
    """softmax of the nets' logits, for the samples where the teacher's has the most entropy."""
    z = {name: net.answers(held.x[:2000]) for name, net in system.nets().items()}
    p = {name: softmax(a) for name, a in z.items()}
    teacher = p["error_teacher"]
    entropy = -(teacher * np.log(np.maximum(teacher, 1e-12))).sum(axis=1)
    chosen = np.argsort(-entropy, kind="stable")[:SHOWN]
    image = held.x.ndim == 4
    fig = pictures.figure(1.15 * len(chosen) + 0.8, 1.05 * (len(p) + image) + 0.25)
    axes = fig.subplots(len(p) + image, len(chosen), squeeze=False)
    names = data.info.classes or tuple(map(str, range(system.task.size)))
    who = named(system)
    for j, n in enumerate(chosen):
        if image:
            axes[0, j].imshow(held.x[n].mean(axis=0), cmap="gray_r")
            axes[0, j].axis("off")
        for i, (ax, name) in enumerate(zip(axes[image:, j], p)):
            colour = pictures.COLOURS[i % len(pictures.COLOURS)]
            ax.bar(range(system.task.size), p[name][n], color=colour)
            ax.set(ylim=(0, 1), xticks=[], yticks=[])
            if j == 0:
                ax.set_ylabel(who[name], fontsize=8)
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
