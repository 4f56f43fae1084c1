"""`fit`: the one training loop, for every system.

It owns what no model should repeat: epochs and batches, learning-rate schedules, clipping,
validation and the choice of the best epoch by it, checkpoints and resumption, and the check that
losses, gradients, weights and validation figures are still numbers. A run that is killed at any
moment and resumed does the same arithmetic as one that was not: the order of the batches
depends on (seed, epoch) alone, and all noise on generator states that the checkpoint holds.
"""

import contextlib
import math
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from ..kernels.annotations import Number
from ..kernels.product import blas_at_one_thread
from .data import DataSet
from .recipe import SettingError
from .run import Run
from .system import System
from .trainer import DivergedError, Trainer

__all__ = ["DivergedError", "Interrupted", "Silent", "Trainer", "fit"]


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop; it did so after a whole step, and saved its checkpoint."""


@runtime_checkable
class Progress(Protocol):
    """What shows a training while it runs."""

    def start(self, name: str, epochs: int, batches: int) -> None: ...
    def step(self, epoch: int, batch: int, figures: dict) -> None: ...
    def epoch(self, row: dict) -> None: ...
    def finish(self) -> None: ...


class Silent:
    """A progress display that shows nothing; others have the same methods."""

    def start(self, name: str, epochs: int, batches: int) -> None: ...
    def step(self, epoch: int, batch: int, figures: dict) -> None: ...
    def epoch(self, row: dict) -> None: ...
    def finish(self) -> None: ...


def fit(
    system: System, data: DataSet, settings: dict, *, run: Run | Callable[[], Run] | None = None,
    resume: bool = False, progress: Progress | None = None, save_every: Number = 30.0,
    stop: Callable = lambda: False,
) -> list[dict]:  # fmt: skip
    """Train a system; returns a dictionary of figures for each epoch: for all that the settings
    name, or for those until the system says that it has `finished`.

    `settings` are those of a Recipe (core/recipe.py). With a `run` a checkpoint is written at
    every epoch and every `save_every` seconds; with `resume` training goes on from it. A function
    that makes the run is called when the settings have proved good, so that bad ones leave no
    folder. `stop` is asked after every step: when it says yes, fit saves and raises Interrupted.
    Raises RunError where another process trains in the run folder, CheckpointError where the
    checkpoint is damaged or was trained with other settings (`epochs` apart), and DivergedError
    when a loss, gradient, weight or validation figure is not finite: the last good checkpoint
    stays.
    """
    progress = progress or Silent()
    trainer = Trainer(system, data, settings)
    trainer.expect_selectable()
    run = run() if callable(run) else run
    if resume and run is None:
        raise SettingError("fit: resume=True goes on from a run; expected run=, got None")
    with run.hold() if run else contextlib.nullcontext():
        if resume:
            trainer.restore(*run.load(resume=True))
        if run:
            run.remove_stale()
        progress.start(type(system).__name__, settings["epochs"], trainer.batches)
        try:
            # the same weights whatever number of threads; DivergedError instead of NumPy's warnings
            with blas_at_one_thread(), np.errstate(all="ignore"):
                while trainer.epoch < settings["epochs"] and not system.finished(trainer):
                    _epoch(trainer, run, progress, save_every, stop)
        finally:
            progress.finish()
        if run and not run.has_checkpoint():  # no epoch at all: an untrained system
            run.save(*trainer.state())
    if trainer.best is not None:
        system.load_state_dict(trainer.best)
    system.eval()
    return trainer.history


def _epoch(trainer: Trainer, run: Run | None, progress, save_every: float, stop) -> None:
    """The rest of the present epoch, its validation and its checkpoint."""
    system, data, settings = trainer.system, trainer.data, trainer.settings
    started = saved = time.monotonic()
    system.train()
    if trainer.optimiser:
        trainer.optimiser.lr = settings["lr"] * trainer.factor(trainer.epoch)
    for batch in system.batches(
        data, settings["batch"], settings["seed"], trainer.epoch, trainer.batch
    ):
        _step(trainer, batch, progress)
        asked = stop()
        if run and (asked or time.monotonic() - saved > save_every):
            trainer.expect_finite_weights()
            run.save(*trainer.state())
            saved = time.monotonic()
        if asked:
            raise Interrupted
    _end_of_epoch(trainer, time.monotonic() - started, progress)
    if run:
        run.save(*trainer.state())
        run.write_metrics(trainer.history)


def _step(trainer: Trainer, batch, progress) -> None:
    found = trainer.system.train_step(trainer.system.on_device(batch), trainer)
    figures = _finite(trainer, found)
    for name, value in figures.items():
        trainer.sums[name] = trainer.sums.get(name, 0.0) + value
    trainer.batch += 1
    progress.step(trainer.epoch, trainer.batch, figures)


def _finite(trainer: Trainer, figures: dict, prefix: str = "") -> dict[str, float]:
    """The figures as plain floats; DivergedError where one is NaN or infinite."""
    figures = {k: float(v) for k, v in figures.items()}
    for name, value in figures.items():
        if not math.isfinite(value):
            raise trainer.diverged(f"{prefix}{name}", value, after=bool(prefix))
    return figures


def _end_of_epoch(trainer: Trainer, seconds: float, progress) -> None:
    system, valid = trainer.system, trainer.data.valid
    trainer.expect_finite_weights()
    system.eval()
    figures = system.evaluate(valid) if valid is not None and len(valid) else {}
    figures = _finite(trainer, figures, "valid_")
    row = {"epoch": trainer.epoch + 1}
    row |= {k: v / max(1, trainer.batch) for k, v in trainer.sums.items()}
    row |= {f"valid_{k}": v for k, v in figures.items()}
    trainer.history.append(row | {"seconds": round(seconds, 3)})
    trainer.keep_if_best(figures)
    trainer.epoch, trainer.batch, trainer.sums = trainer.epoch + 1, 0, {}
    progress.epoch(trainer.history[-1])
