"""The pictures of multi-task learning: joint over separate, and errors by |T| and ℓ_t."""

from dataclasses import replace

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, Split
from ...core.training.loop import fit
from ...core.training.settings import TrainingSettings
from ...core.training.system import System

TASKS, ROWS = (0.25, 0.5, 1.0), (0.5, 0.75, 1.0)  # shares along the axes of the sweep


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """Errors of the tasks; with `sweep` > 0 also the errors by number of tasks and of rows."""
    system.eval()
    held = data.test if data.test is not None and len(data.test) else data.train
    found = {"tasks": tasks(system.errors(held))}
    if s.sweep and system.tasks > 1:
        found["sweep"] = by_tasks_and_rows(sweep(system, data, held, s))
    return found


def tasks(errors: np.ndarray):
    """A dot for each task: below the line the joint nets are better."""
    fig = pictures.figure(3.8, 3.6)
    ax = fig.subplots()
    most = float(np.nanmax(errors)) * 1.05 or 1.0
    ax.plot([0, most], [0, most], color="0.6", lw=0.8)
    ax.plot(errors[1], errors[0], "o", ms=4, color=pictures.COLOURS[0])
    ax.set(xlabel="separate nets, error in %", ylabel="joint nets, error in %")
    ax.set_title("held-out rows, a dot for each task", fontsize=9)
    return fig


def part(data: DataSet, tasks: int, rows: int) -> DataSet:
    """The first `rows` training rows of each of the first `tasks` tasks.

    >>> y = np.ones((4, 2, 3), np.float32)
    >>> part(DataSet("d", Split(np.zeros((4, 1)), y)), 2, 3).train.y.shape
    (3, 2, 2)
    """
    y = data.train.y[:, :, :tasks]
    belongs = y[:, 1] > 0
    chosen = (belongs & (np.cumsum(belongs, axis=0) <= rows)).any(axis=1)
    return replace(data, train=Split(data.train.x[chosen], y[chosen]), valid=None, test=None)


def sweep(system: System, data: DataSet, held: Split, s: TrainingSettings) -> dict:
    """(number of tasks, rows of each) -> error of the joint nets on the held-out rows.

    The error is that of the first quarter of the tasks, which all nets have in common. All are
    trained for as many steps as `sweep` epochs of the whole training split have.
    """
    whole, most = system.tasks, int(data.train.y[:, 1].sum(axis=0).max())
    steps = s.sweep * -(-len(data.train) // s.batch)
    found, few = {}, max(1, round(TASKS[0] * whole))
    for count in sorted({max(1, round(share * whole)) for share in TASKS}):
        for rows in sorted({max(1, round(share * most)) for share in ROWS}):
            small = part(data, count, rows)
            epochs = -(-steps // -(-len(small.train) // s.batch))
            own = replace(s, epochs=epochs, select="")
            rng = gg.Generator(s.seed).child("sweep", count, rows)
            nets = type(system)(small.train.x.shape[1], count, system.quantities, own, rng)
            fit(nets, small, own)
            errors = nets.errors(Split(held.x, held.y[:, :, :count]))[0, :few]
            found[count, rows] = float(np.nanmean(errors))
    return found


def by_tasks_and_rows(found: dict):
    """A line for each number of rows: the error over the number of tasks."""
    fig = pictures.figure(4.6, 3.4)
    ax = fig.subplots()
    for rows, colour in zip(sorted({r for _, r in found}), pictures.COLOURS):
        line = sorted((count, error) for (count, r), error in found.items() if r == rows)
        ax.plot(*zip(*line), "o-", ms=4, color=colour, label=f"ℓ = {rows} rows a task")
    ax.set(xlabel="number of tasks |T|", ylabel="error of the joint nets, %")
    ax.set_xticks(sorted({count for count, _ in found}))
    ax.set_title("the same few tasks, learnt with others", fontsize=9)
    ax.legend(frameon=False, fontsize=8)
    return fig
