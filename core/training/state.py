"""`TrainingState`: the state of a training, and what a checkpoint holds of it.

A checkpoint is fully validated before anything of it is set: one that does not fit leaves the
system, the optimiser and the generators as they were.
"""

import json
import math
import sys
from dataclasses import dataclass, field

import numpy as np

from ..arrays import xp_of
from ..data import DataSet
from ..distributed import current
from ..nn.states import StateError, arrays_of, as_state
from ..optim import clip_grad_norm, finite_gradients
from . import divergence
from .by_name import make_schedule
from .checkpoint import CheckpointError
from .divergence import DivergedError
from .settings import SettingError, TrainingSettings
from .shards import Shards
from .system import System


@dataclass
class TrainingState:
    """The state of a training: what a checkpoint must hold in addition to the system itself.

    Raises SettingError or ValueRangeError for settings that cannot be trained with.
    """

    system: System
    data: DataSet
    settings: TrainingSettings
    optimiser: object | None = None
    epoch: int = 0
    batch: int = 0
    sums: dict = field(default_factory=dict)  # of the metrics of this epoch
    history: list = field(default_factory=list)
    best: dict | None = None  # weights of the best epoch by validation
    best_value: float | None = None  # its metric, negated if higher is better

    def __post_init__(self):
        s = self.settings
        self.optimiser = self.system.make_optimiser(s)
        self.factor = make_schedule(s.schedule, s.epochs)
        self.batches = self.system.batches_per_epoch(self.data, s.batch)
        self.shards = Shards(self.system, s, current())

    @property
    def done(self) -> float:
        """The fraction of the training that is done, 0 to 1."""
        whole = max(1, self.settings.epochs * self.batches)
        return min(1.0, (self.epoch * self.batches + self.batch) / whole)

    # ------------------------------------------------------------ divergence

    def diverged(
        self, what: str, value, after: bool = False, loss=None, gradient: bool = False
    ) -> DivergedError:
        """The error that says what became NaN or infinite, and in (or after) which batch.

        With the `loss`, whose graph still exists, it names the call, its layer and what may help.
        `gradient`: True for a gradient, where clipping comes too late.
        """
        where, batch = ("after", self.batch) if after else ("at", self.batch + 1)
        text = f"training diverged: {what} is {value} {where} epoch {self.epoch + 1}, batch {batch}"
        found, helps = ("", "") if loss is None else self._diagnosis(loss)
        if not helps:
            rate = "a smaller lr" if gradient else "a smaller lr or clip"
            helps = f"try {rate}, or GLASSGRAD_DEBUG=3 to find the first call that makes a NaN"
        return DivergedError(f"{text}{found}; {helps}")

    def _diagnosis(self, loss) -> tuple[str, str]:
        """(what the graph of a loss tells about a number that is not finite, what may help).

        Errors here are caught (repeating the calls takes memory): the user must learn that training
        has diverged.
        """
        text = ""
        try:
            value = loss.item()
            forward = not math.isfinite(value)
            text = "" if forward else f", though the loss, {value:.6g}, is finite"
            names = {id(p): name for name, p in self.system.named_parameters()}
            culprit = (divergence.in_forward if forward else divergence.in_backward)(loss, names)
            if culprit is None:
                return text, ""
            begun = bool(self.epoch or self.batch)
            return f"{text}: {culprit}", divergence.advice(culprit, forward, begun)
        except Exception as error:
            name = type(error).__name__
            return f"{text} (the search for the call that did it ended in {name})", ""

    def clip(self, parameters: list | None = None, loss=None) -> None:
        """Clip the gradient's norm if the settings say so; DivergedError if it is not finite.

        The norm is that of all parameters together, or of the given ones, those of one phase. With
        their `loss`, the error can say where the gradients stopped being finite.
        """
        system, most = self.system, self.settings.clip
        if parameters is None:
            parameters = self.optimiser.parameters if self.optimiser else system.parameters()
        if most:
            norm = clip_grad_norm(parameters, most)
            if not math.isfinite(norm):
                raise self.diverged("the norm of the gradient", norm, loss=loss, gradient=True)
        elif not finite_gradients(parameters):
            given = {id(p) for p in parameters}
            name = next(
                n
                for n, p in system.named_parameters()
                if id(p) in given and not finite_gradients([p])
            )
            raise self.diverged(f"the gradient of {name}", "not finite", loss=loss, gradient=True)

    def expect_finite_weights(self) -> None:
        """Raise DivergedError if a parameter has a NaN or an infinite element."""
        for name, p in self.system.named_parameters():
            if not bool(xp_of(p.data).isfinite(p.data).all()):
                raise self.diverged(name, "not finite", after=True)

    # ------------------------------------------------------------- selection

    def selected(self, figures: dict) -> float | None:
        """The metric that selects the best epoch, to be minimised; None if none is selected."""
        select = self.settings.select
        if not select:
            return None
        name = select.lstrip("+")
        if name not in figures:
            known = ", ".join(figures) or "none: there is no validation split"
            raise SettingError(
                f"fit: select={name!r} is not among the validation figures ({known})"
            )
        return -figures[name] if select.startswith("+") else figures[name]

    def keep_if_best(self, figures: dict) -> None:
        """Copy the weights if the validation metrics are the best so far."""
        value = self.selected(figures)
        if value is None:
            return
        if self.best_value is None or math.isnan(self.best_value) or value < self.best_value:
            self.best_value, self.best = value, self.system.state_dict()

    def expect_selectable(self) -> None:
        """Check that `select` is a validation metric, on one minibatch; draws no random numbers."""
        if not self.settings.select:
            return
        states = [(g, g.state) for _, g in self.system.named_generators()]
        valid, figures = self.data.valid, {}
        try:
            if valid is not None and len(valid):
                self.system.eval()
                figures = self.system.evaluate(valid[: self.settings.batch])
        finally:
            self.system.train()
            for generator, state in states:
                generator.state = state
        self.selected(figures)

    # ----------------------------------------------------------- checkpoints

    def state(self) -> tuple[dict, dict]:
        """(arrays, plain values) for `restore`."""
        arrays = {f"model/{k}": v for k, v in self.system.state_dict().items()}
        progress = {
            "epoch": self.epoch,
            "batch": self.batch,
            "sums": self.sums,
            "history": self.history,
            "best_value": self.best_value,
            "settings": _plain(self.settings),
            "generators": {n: list(g.state) for n, g in self.system.named_generators()},
        }
        if self.optimiser:  # split into arrays and plain values
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
        """Restore a checkpoint; CheckpointError, and nothing is set, if it does not fit.

        It must have been trained with the same settings, except for the number of epochs.
        """
        try:
            arrays = arrays_of("the checkpoint", as_state("the checkpoint", arrays))
        except StateError as error:
            raise CheckpointError(str(error)) from None

        def part(prefix):
            return {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}

        problem = self._problem(progress, part("best/")) or self._not_finite(part)
        if problem:
            raise CheckpointError(f"the checkpoint does not fit this system: {problem}")
        if changed := self._changed(progress.get("settings", {})):
            raise CheckpointError(f"the checkpoint was trained with other settings: {changed}")
        # the optimiser may refuse after the system has loaded: then the system goes back
        before = self.system.state_dict()
        try:
            self.system.load_state_dict(part("model/"))
            if self.optimiser:
                self.optimiser.load_state_dict({**progress["optimiser"], **part("optimiser/")})
        except StateError as error:
            self.system.load_state_dict(before)
            raise CheckpointError(f"the checkpoint does not fit this system: {error}") from None
        for name, generator in self.system.named_generators():
            generator.state = progress["generators"][name]
        self.epoch, self.batch = progress["epoch"], progress["batch"]
        self.sums, self.history = progress["sums"], progress["history"]
        self.best, self.best_value = part("best/") or None, progress["best_value"]

    def _problem(self, progress, best: dict) -> str | None:
        """What is wrong with the plain values of a checkpoint, or with its best weights."""
        if not isinstance(progress, dict):
            return "its progress is not a dictionary"
        states = progress.get("generators")
        best_value = progress.get("best_value", ...)
        looks = {
            "epoch": _is_count(progress.get("epoch")),
            "batch": _is_count(progress.get("batch"), self.batches),
            "sums": _are_figures(progress.get("sums")),
            "history": _is_history(progress.get("history"), progress.get("epoch")),
            "best_value": best_value is None or is_finite_number(best_value),
            "generators": isinstance(states, dict)
            and all(_is_generator(states.get(n)) for n, _ in self.system.named_generators()),
            "settings": isinstance(progress.get("settings", {}), dict),  # older ones have none
            "optimiser": not self.optimiser or _is_optimiser(progress.get("optimiser")),
        }
        for key, good in looks.items():
            if not good:
                return f"{key!r} of its progress is missing or wrong"
        if best:
            want = {n: (a.shape, a.dtype) for n, a in self.system.state_dict().items()}
            if {n: (a.shape, a.dtype) for n, a in best.items()} != want:
                return "the best weights differ in names, shapes or dtypes"
        return None

    def _changed(self, settings: dict) -> str:
        """The settings that differ from those of a checkpoint; `epochs` may differ.

        One that the checkpoint does not contain is new in this version.
        """
        now = _plain(self.settings)
        return ", ".join(
            f"{k}={v} (now {now.get(k, 'none')})"
            for k, v in settings.items()
            if k != "epochs" and v != now.get(k, ...)
        )

    def _not_finite(self, part) -> str | None:
        """A parameter that is not finite, which no saved training has; buffers and slots may be."""
        for prefix in ("model/", "best/"):
            arrays = part(prefix)
            for name, _ in self.system.named_parameters():
                known = name in arrays and arrays[name].dtype.kind == "f"
                if known and not np.isfinite(arrays[name]).all():
                    return f"{prefix}{name} is not finite"
        return None


def _plain(settings: TrainingSettings) -> dict:
    """Settings as JSON returns them."""
    return json.loads(json.dumps(settings.as_dict()))


def is_finite_number(value) -> bool:
    """True for a finite number that a float can hold."""
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def _is_count(value, most: int = 2**63 - 1) -> bool:
    return type(value) is int and 0 <= value <= most


def _are_figures(value) -> bool:
    return isinstance(value, dict) and all(
        isinstance(k, str) and is_finite_number(v) for k, v in value.items()
    )


def _is_optimiser(value) -> bool:
    """True for valid rates, and valid counts of steps for parameters that were stepped."""
    return _are_figures(value) and all(
        _is_count(v) and v > 0 for k, v in value.items() if k.endswith(".step")
    )


def _is_history(value, epochs) -> bool:
    """True for one row of metrics per epoch, each with its number and its seconds."""
    if not (isinstance(value, list) and len(value) == epochs and all(map(_are_figures, value))):
        return False
    rows = enumerate(value, start=1)
    return all(row.get("epoch") == n and row.get("seconds", -1) >= 0 for n, row in rows)


def _is_generator(state) -> bool:
    """True for a seed and an offset."""
    most = 2**64 - 1
    return isinstance(state, list) and len(state) == 2 and all(_is_count(v, most) for v in state)
