"""`fit`: the one training loop, for every system.

It owns what no model should repeat: epochs and batches, learning-rate schedules, clipping,
validation and the choice of the best epoch by it, checkpoints and resumption, and the check that
the loss is still a number. A run that is killed at any moment and resumed goes through the same
arithmetic as one that was not: the order of the batches depends on (seed, epoch) alone, and all
noise on generator states that the checkpoint holds.
"""

import time
from dataclasses import dataclass, field

import numpy as np

from ..kernels.errors import GlassgradError
from .choices import make_optimiser, make_schedule
from .data import DataSet
from .optim import clip_grad_norm
from .run import Run
from .state import CheckpointError
from .system import System


class DivergedError(GlassgradError, ArithmeticError):
    """The loss became NaN or infinite."""


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop; it did so after a whole step, and saved its checkpoint."""


class Silent:
    """A progress display that shows nothing; others have the same methods."""

    def start(self, name: str, epochs: int, batches: int) -> None: ...
    def step(self, epoch: int, batch: int, figures: dict) -> None: ...
    def epoch(self, row: dict) -> None: ...
    def finish(self) -> None: ...


@dataclass
class Trainer:
    """The state of a training: what a checkpoint must hold beside the system itself."""

    system: System
    data: DataSet
    settings: dict
    optimiser: object | None = None
    epoch: int = 0
    batch: int = 0
    sums: dict = field(default_factory=dict)  # of the figures of this epoch
    history: list = field(default_factory=list)
    best: dict | None = None  # weights of the best epoch by validation
    best_value: float | None = None

    def __post_init__(self):
        parameters = self.system.parameters()
        if parameters:
            s = self.settings
            self.optimiser = make_optimiser(s["optimiser"], parameters, s["lr"], s["weight_decay"])
        self.factor = make_schedule(self.settings["schedule"], self.settings["epochs"])
        self.batches = self.system.batches_per_epoch(self.data, self.settings["batch"])

    @property
    def done(self) -> float:
        """The part of the training that is over, 0 to 1."""
        whole = max(1, self.settings["epochs"] * self.batches)
        return min(1.0, (self.epoch * self.batches + self.batch) / whole)

    def clip(self) -> None:
        """Clip the gradient's norm if the settings ask for it."""
        if self.settings["clip"]:
            clip_grad_norm(self.system.parameters(), self.settings["clip"])

    # ----------------------------------------------------------- checkpoints

    def state(self) -> tuple[dict, dict]:
        """(arrays, plain values) that `restore` goes on from."""
        arrays = {f"model/{k}": v for k, v in self.system.state_dict().items()}
        progress = {
            "epoch": self.epoch, "batch": self.batch, "sums": self.sums, "history": self.history,
            "best_value": self.best_value,
            "generators": {n: list(g.state) for n, g in self.system.named_generators()},
        }  # fmt: skip
        if self.optimiser:
            numbers = {}
            for k, v in self.optimiser.state_dict().items():
                if isinstance(v, np.ndarray):
                    arrays[f"optimiser/{k}"] = v
                else:
                    numbers[k] = v
            progress["optimiser"] = numbers
        arrays |= {f"best/{k}": v for k, v in (self.best or {}).items()}
        return arrays, progress

    def restore(self, arrays: dict, progress: dict) -> None:
        """Go back to the state of a checkpoint."""

        def part(prefix):
            return {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}

        try:
            self.system.load_state_dict(part("model/"))
            if self.optimiser:
                self.optimiser.load_state_dict({**progress["optimiser"], **part("optimiser/")})
            for name, generator in self.system.named_generators():
                generator.state = progress["generators"][name]
            self.epoch, self.batch = progress["epoch"], progress["batch"]
            self.sums, self.history = progress["sums"], progress["history"]
            self.best, self.best_value = part("best/") or None, progress["best_value"]
        except KeyError as error:
            raise CheckpointError(f"the checkpoint does not fit this system: no {error}") from None


def fit(
    system: System, data: DataSet, settings: dict, *, run: Run | None = None,
    resume: bool = False, progress=None, save_every: float = 30.0, stop=lambda: False,
) -> list[dict]:  # fmt: skip
    """Train a system; returns one dictionary of figures for each epoch.

    `settings` are those of a Recipe (core/recipe.py). With a `run` a checkpoint is written at
    every epoch and every `save_every` seconds; with `resume` training goes on from it. `stop` is
    asked after every step: when it says yes, fit saves and raises Interrupted. Raises DivergedError
    when the loss is not finite: the last checkpoint stays.
    """
    progress = progress or Silent()
    trainer = Trainer(system, data, settings)
    if resume:
        trainer.restore(*run.load())
    progress.start(type(system).__name__, settings["epochs"], trainer.batches)
    try:
        while trainer.epoch < settings["epochs"]:
            _epoch(trainer, run, progress, save_every, stop)
    finally:
        progress.finish()
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
            run.save(*trainer.state())
            saved = time.monotonic()
        if asked:
            raise Interrupted
    _end_of_epoch(trainer, time.monotonic() - started, progress)
    if run:
        run.save(*trainer.state())
        run.write_metrics(trainer.history)


def _step(trainer: Trainer, batch, progress) -> None:
    figures = trainer.system.train_step(trainer.system.on_device(batch), trainer)
    for name, value in figures.items():
        if not np.isfinite(value):
            raise DivergedError(
                f"training diverged: {name} is {value} at epoch {trainer.epoch + 1}, batch"
                f" {trainer.batch + 1}; try a smaller lr or clip, or GLASSGRAD_DEBUG=3 to find"
                " the first call that makes a NaN"
            )
        trainer.sums[name] = trainer.sums.get(name, 0.0) + value
    trainer.batch += 1
    progress.step(trainer.epoch, trainer.batch, figures)


def _end_of_epoch(trainer: Trainer, seconds: float, progress) -> None:
    system, settings = trainer.system, trainer.settings
    row = {"epoch": trainer.epoch + 1}
    row |= {k: v / max(1, trainer.batch) for k, v in trainer.sums.items()}
    system.eval()
    if trainer.data.valid is not None and len(trainer.data.valid):
        row |= {f"valid_{k}": v for k, v in system.evaluate(trainer.data.valid).items()}
    row["seconds"] = round(seconds, 3)
    trainer.history.append(row)
    if settings["select"]:
        name = settings["select"].lstrip("+")
        sign = -1 if settings["select"].startswith("+") else 1
        if f"valid_{name}" not in row:
            raise GlassgradError(f"fit: select={name!r} is not among the validation figures")
        value = sign * row[f"valid_{name}"]
        if trainer.best_value is None or value < trainer.best_value:
            trainer.best_value = value
            trainer.best = {k: v.copy() for k, v in system.state_dict().items()}
    trainer.epoch, trainer.batch, trainer.sums = trainer.epoch + 1, 0, {}
    progress.epoch(row)
