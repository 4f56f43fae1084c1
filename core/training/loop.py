"""`fit`: the one training loop, for every network and system.

It holds what no model should repeat: epochs and batches, learning-rate schedules, clipping,
validation and the selection of the best epoch, checkpoints and resuming, and the check that losses,
gradients, weights and validation metrics are finite. A run that is killed at any moment and resumed
does the same arithmetic as one that was not: the order of the batches depends only on (seed,
epoch), and all noise on generator states that the checkpoint holds.
"""

import contextlib
import math
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from ...kernels.annotations import Number
from ...kernels.product import blas_at_one_thread
from ..distributed import alone, current
from ..nn import Module
from .agreement import expect_equal_ranks, expect_same_start, shared_out
from .predictor import as_data, as_system, settings_of
from .run_folder import Run
from .settings import SettingError, TrainingSettings
from .state import DivergedError, TrainingState

__all__ = ["DivergedError", "Interrupted", "Silent", "TrainingState", "fit"]


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop; it stopped after a complete step and saved its checkpoint."""

    on_every_rank = True


@runtime_checkable
class Progress(Protocol):
    """A display of a training while it runs."""

    def start(self, name: str, epochs: int, batches: int) -> None:
        """The system, and how many epochs of how many batches will follow."""

    def step(self, epoch: int, batch: int, figures: dict) -> None:
        """One batch is done; `figures` are its losses and other metrics."""

    def epoch(self, row: dict) -> None:
        """One epoch is done; `row` is its row of metrics.csv."""

    def finish(self) -> None:
        """Training is over, by itself or by an error."""


class Silent:
    """A progress display that shows nothing; others have the same methods."""

    def start(self, name: str, epochs: int, batches: int) -> None:
        """Shows nothing."""

    def step(self, epoch: int, batch: int, figures: dict) -> None:
        """Shows nothing."""

    def epoch(self, row: dict) -> None:
        """Shows nothing."""

    def finish(self) -> None:
        """Shows nothing."""


def fit(
    net: Module,
    data,
    settings: TrainingSettings | None = None,
    *,
    loss: Callable | None = None,
    run: Run | Callable[[], Run] | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    save_every: Number = 30.0,
    stop: Callable = lambda: False,
    **changes,
) -> list[dict]:
    """Train a network or a system; returns one dictionary of metrics per epoch.

    Metrics of training are means over the epoch's minibatches, each by the weights before its step;
    those of validation, ``valid_…``, are of the whole part, by the weights after the epoch.

    net      a `System`, or any module: net(x) is then compared with y by the `loss`, a function
             (net(x), y) -> scalar. By default it is the cross-entropy of classes, the squared error
             of quantities, or that of x itself without y (predictor.py)
    data     a `DataSet`, a name (``"digits"``), a path, or arrays (x, y) to train on
    settings of any system (settings.py); by default those that the system was built with, or
             those of every training. `changes` are some of them by name: ``epochs=5, lr=1e-2``
    run      checkpoints are written there at every epoch and every `save_every` seconds; with
             `resume` training continues from the last one. It may be a function that makes the
             run: it is called after the settings are validated, and invalid ones leave no folder
    stop     is called after every step; if it returns True, fit saves and raises Interrupted

    Inside `gg.distributed.ranks()` the ranks share out the shards of each minibatch; `shards` is
    then their number, if it is 1. Rank 0 alone uses run and progress; the history is everyone's.

    Training runs every epoch, or stops when the system says that it has `finished`. Afterwards the
    net is in evaluation mode, with the weights of the best epoch if `select` names a figure.

    Raises SettingError and DataError for what cannot be trained with or on, RunError if another
    process trains in the run folder, CheckpointError if the checkpoint is damaged or was trained
    with other settings (apart from `epochs`), and DivergedError if a loss, gradient, weight or
    validation metric is not finite: the last good checkpoint stays.

    >>> import glassgrad as gg
    >>> rng = gg.Generator(0)
    >>> net = gg.nn.Sequential(gg.nn.Flatten(), gg.nn.Linear(64, 10, rng=rng))
    >>> history = gg.fit(net, "digits", epochs=3, lr=1e-2)
    >>> len(history), history[-1]["valid_accuracy"] > 0.8
    (3, True)
    """
    world = current()
    system, data = as_system(net, loss), as_data(data)
    settings = settings_of(net, settings, {})
    settings = settings.changed(**shared_out(changes, world, settings.shards))
    progress = progress if progress is not None and world.is_first else Silent()
    training = TrainingState(system, data, settings)
    with alone():
        training.expect_selectable()
    if resume and run is None and world.is_first:
        raise SettingError("fit: resume=True continues a run; expected run=, got None")
    if not world.is_first:
        run = None  # one rank writes, and reads for all
    run = run() if callable(run) else run
    # only steps are shared out: what else a rank computes, it computes by itself
    with alone(), run.hold() if run else contextlib.nullcontext():
        if resume:
            training.restore(*world.share(*run.load(resume=True) if run else (None, None)))
        expect_same_start(training)
        if run:
            run.remove_stale()
        progress.start(type(net).__name__, settings.epochs, training.batches)
        try:
            # the same weights for any number of threads; DivergedError instead of NumPy's warnings
            with blas_at_one_thread(), np.errstate(all="ignore"):
                while training.epoch < settings.epochs and not system.finished(training):
                    _epoch(training, run, progress, save_every, stop)
        finally:
            progress.finish()
        if run and not run.has_checkpoint():  # no epoch at all: an untrained system
            run.save(*training.state())
    if training.best is not None:
        system.load_state_dict(training.best)
    system.eval()
    return training.history


def _epoch(training: TrainingState, run: Run | None, progress, save_every: float, stop) -> None:
    """The rest of the current epoch, its validation and its checkpoint."""
    system, data, settings = training.system, training.data, training.settings
    started = saved = time.monotonic()
    system.train()
    if training.optimiser:
        training.optimiser.lr = settings.lr * training.factor(training.epoch)
    for batch in system.batches(
        data, settings.batch, settings.seed, training.epoch, training.batch
    ):
        _step(training, batch, progress)
        asked = training.shards.agreed(stop())
        if run and (asked or time.monotonic() - saved > save_every):
            training.expect_finite_weights()  # never replace a good checkpoint by a diverged one
            run.save(*training.state())
            saved = time.monotonic()
        if asked:
            raise Interrupted
    _end_of_epoch(training, time.monotonic() - started, progress)
    if run:
        run.save(*training.state())
        run.write_metrics(training.history)


def _step(training: TrainingState, batch, progress) -> None:
    found = training.system.train_step(training.system.on_device(batch), training)
    figures = _finite(training, found)
    for name, value in figures.items():
        training.sums[name] = training.sums.get(name, 0.0) + value
    training.batch += 1
    progress.step(training.epoch, training.batch, figures)


def _finite(training: TrainingState, figures: dict, prefix: str = "") -> dict[str, float]:
    """The metrics as plain floats; DivergedError if one is NaN or infinite."""
    figures = {k: float(v) for k, v in figures.items()}
    for name, value in figures.items():
        if not math.isfinite(value):
            raise training.diverged(f"{prefix}{name}", value, after=bool(prefix))
    return figures


def _end_of_epoch(training: TrainingState, seconds: float, progress) -> None:
    system, valid = training.system, training.data.valid
    training.expect_finite_weights()
    system.eval()
    figures = system.evaluate(valid) if valid is not None and len(valid) else {}
    figures = _finite(training, figures, "valid_")
    row = {"epoch": training.epoch + 1}
    row |= {k: v / max(1, training.batch) for k, v in training.sums.items()}
    row |= {f"valid_{k}": v for k, v in figures.items()}
    seconds = expect_equal_ranks(training, row["epoch"], seconds)
    training.history.append(row | {"seconds": round(seconds, 3)})
    training.keep_if_best(figures)
    training.epoch, training.batch, training.sums = training.epoch + 1, 0, {}
    progress.epoch(training.history[-1])
