"""The objective as a function of the parameters: what most recipes give to gradcheck."""

from collections.abc import Callable

import numpy as np

from ...core.training.system import Batch, System


def by_parameters(system: System, batch: Batch) -> tuple[Callable, list[np.ndarray]]:
    """(f, the values of the parameters), where f(*parameters) is the objective on the batch.

    Before every call the system's generators go back to where they are now, so that noise and
    dropout are the same each time. Of an objective with figures f returns the objective alone.
    """
    states = [g.state for _, g in system.named_generators()]

    def f(*parameters):
        for (_, generator), state in zip(system.named_generators(), states):
            generator.state = state
        found = system.with_parameters(parameters).objective(batch)
        return found[0] if isinstance(found, tuple) else found

    return f, [p.numpy().copy() for p in system.parameters()]
