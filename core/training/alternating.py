"""`AlternatingSystem`: several objectives in turn, each for its own part of the network.

A discriminator and the network that it judges have opposite goals, so no single objective serves
both. A minibatch therefore goes through phases. Each phase computes its objective from the weights
that the phases before have just changed, takes the gradient with respect to its own parameters, and
makes one step of its own optimiser (core/optim/several.py). Everything else stays fixed.

A phase may take several steps. It then cuts the minibatch into as many parts and takes a step on
each, as in Goodfellow's algorithm 1: k steps of the discriminator, each on samples of its own. The
minibatches then have to be k times as large, which is up to the system's `batches`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..optim import Alternating
from .by_name import make_optimiser
from .settings import SettingError, TrainingSettings
from .system import Batch, System, cut_along, split_objective


@dataclass(frozen=True)
class Phase:
    """One step for each minibatch, or several.

    name        of its metric and of its part of a checkpoint
    objective   batch -> the scalar to be minimised, alone or with further metrics
    changes     the modules whose parameters it may change
    lr          its learning rate, before the schedule
    options     other arguments of the optimiser, such as ``{"betas": (0.5, 0.999)}``
    steps       how many parts the minibatch is cut into, with a step on each
    after       called after every step, such as the clipping of weights
    """

    name: str
    objective: Callable
    changes: tuple
    lr: float
    options: dict = field(default_factory=dict)
    steps: int = 1
    after: Callable[[], None] | None = None


class AlternatingSystem(System):
    """A system that is trained in phases: a subclass names them in `phases`."""

    whole = ""

    def phases(self, settings: TrainingSettings) -> tuple[Phase, ...]:
        """The phases of one minibatch, in their order."""
        raise NotImplementedError(f"{type(self).__name__} names no phases")

    def active(self, training) -> tuple[Phase, ...]:
        """The phases of the next minibatch: all of them, unless training has stages.

        The answer may depend only on what a checkpoint holds, such as `training.epoch`.
        """
        return self.phases(training.settings)

    def make_optimiser(self, settings: TrainingSettings) -> Alternating:
        """An optimiser for each phase, of the kind that the settings name."""
        kind, decay, found = settings.optimiser, settings.weight_decay, {}
        for phase in self.phases(settings):
            parameters = [p for module in phase.changes for p in module.parameters()]
            found[phase.name] = make_optimiser(kind, parameters, phase.lr, decay, **phase.options)
        return Alternating(settings.lr, found)

    def train_step(self, batch: Batch, training) -> dict[str, float]:
        """The steps of every phase; the metrics are the objectives, under the phases' names.

        The metrics of a phase of several steps are means over them. Stops before a step that would
        not be finite: the earlier ones are then complete, and the weights are finite.
        """
        figures: dict[str, float] = {}
        for phase in self.active(training):
            for part in parts_of(batch, phase.steps):
                for key, value in self._step(phase, part, training).items():
                    figures[key] = figures.get(key, 0.0) + value / phase.steps
        return figures

    def _step(self, phase: Phase, batch: Batch, training) -> dict[str, float]:
        """One step of one phase; its metrics."""
        optimiser = training.optimiser[phase.name]

        def compute(part):
            loss, extra = split_objective(phase.objective(part))
            value = loss.item()
            if not np.isfinite(value):
                raise training.diverged(phase.name, value, loss=loss)
            found = training.shards.grad(loss, optimiser.parameters)
            for p, g in zip(optimiser.parameters, found):
                p.grad = g
            return {phase.name: value, **{k: float(v) for k, v in extra.items()}}, loss

        figures, loss = training.shards.gradients(batch, compute, early=phase.name)
        training.clip(optimiser.parameters, loss)
        optimiser.step()
        if phase.after:
            phase.after()
        return figures


def parts_of(batch: Batch, n: int) -> list[Batch]:
    """A minibatch in n parts of consecutive samples, whose lengths differ by one at most.

    Raises SettingError for fewer samples than parts, and for sequences with a mask.

    >>> [part.x.tolist() for part in parts_of(Batch(np.arange(5)), 2)]
    [[0, 1, 2], [3, 4]]
    """
    if n == 1:
        return [batch]
    size = len(batch)
    if batch.mask is not None or batch.samples is not None:
        raise SettingError("a minibatch of sequences, time first, cannot be cut into parts")
    if size < n:
        raise SettingError(
            f"a minibatch of {size} samples cannot be cut into {n} parts, one for each step:"
            f" set 'steps' to {size} or less"
        )
    return cut_along(batch, n, {"x": 0, "y": 0})
