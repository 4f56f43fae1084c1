"""`AlternatingSystem`: several objectives in turn, each for its own part of the network.

A discriminator and the network that it judges have opposite goals, so no single objective serves
both. A minibatch therefore goes through phases. Each phase computes its objective from the weights
that the phases before have just changed, takes the gradient with respect to its own parameters, and
makes one step of its own optimiser (core/optim/several.py). Everything else stays fixed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..optim import Alternating
from ..tape import grad
from .by_name import make_optimiser
from .settings import TrainingSettings
from .system import Batch, System, split_objective


@dataclass(frozen=True)
class Phase:
    """One step for each minibatch.

    name        of its metric and of its part of a checkpoint
    objective   batch -> the scalar to be minimised, alone or with further metrics
    changes     the modules whose parameters it may change
    lr          its learning rate, before the schedule
    options     other arguments of the optimiser, such as ``{"betas": (0.5, 0.999)}``
    """

    name: str
    objective: Callable
    changes: tuple
    lr: float
    options: dict = field(default_factory=dict)


class AlternatingSystem(System):
    """A system that is trained in phases: a subclass names them in `phases`."""

    def phases(self, settings: TrainingSettings) -> tuple[Phase, ...]:
        """The phases of one minibatch, in their order."""
        raise NotImplementedError(f"{type(self).__name__} names no phases")

    def make_optimiser(self, settings: TrainingSettings) -> Alternating:
        """An optimiser for each phase, of the kind that the settings name."""
        kind, decay, found = settings.optimiser, settings.weight_decay, {}
        for phase in self.phases(settings):
            parameters = [p for module in phase.changes for p in module.parameters()]
            found[phase.name] = make_optimiser(kind, parameters, phase.lr, decay, **phase.options)
        return Alternating(settings.lr, found)

    def train_step(self, batch: Batch, training) -> dict[str, float]:
        """One step of every phase; the metrics are the objectives, under the phases' names.

        Stops before a step that would not be finite: the earlier phases are then complete, and
        the weights are finite.
        """
        figures = {}
        for phase in self.phases(training.settings):
            loss, extra = split_objective(phase.objective(batch))
            figures[phase.name] = loss.item()
            figures |= {k: float(v) for k, v in extra.items()}
            if not np.isfinite(figures[phase.name]):
                raise training.diverged(phase.name, figures[phase.name], loss=loss)
            optimiser = training.optimiser[phase.name]
            for p, g in zip(optimiser.parameters, grad(loss, optimiser.parameters)):
                p.grad = g
            training.clip(optimiser.parameters, loss)
            optimiser.step()
        return figures
