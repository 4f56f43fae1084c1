"""What a training would take: a few steps of it, measured, and nothing written."""

import statistics
import time
import tracemalloc
from dataclasses import dataclass
from itertools import chain, islice

from .core.data import kind_of
from .core.distributed import alone, current
from .core.training.agreement import shared_out
from .core.training.loop import TrainingState
from .core.training.recipe import Recipe
from .kernels.product import blas_at_one_thread
from .sources import Source
from .training import backend_for, build, prepared

STEPS = 8  # that are timed, after one that compiles kernels and one whose memory is measured


@dataclass(frozen=True)
class Estimate:
    """parameters, steps an epoch, epochs; bytes of the weights with all that the optimiser keeps of
    them, and the most that a step needs in addition; seconds of a step, the median."""

    parameters: int
    steps: int
    epochs: int
    state: int
    step: int
    seconds: float

    @property
    def epoch(self) -> float:
        """Seconds of an epoch, without validation."""
        return self.steps * self.seconds


def estimate(
    recipe: Recipe, source: Source, device: str = "cpu", backend: str | None = None,
    overrides: dict | None = None,
) -> Estimate:  # fmt: skip
    """The estimate for a training with these arguments, which are those of `training.train`.

    Memory is that of arrays on the host, as Python's `tracemalloc` counts it. Where training has
    stages it is the first one that is measured. Raises what `train` raises before the first step.

    >>> from glassgrad import models
    >>> found = estimate(models.recipe("mlp"), Source("iris"), overrides={"hidden": (8,)})
    >>> found.parameters  # (4 + 1) 8 + (8 + 1) 3
    67
    """
    with backend_for(backend, device), blas_at_one_thread():
        source, raw = source.load(recipe)
        settings = recipe.resolve(source.name, shared_out(overrides, current()), kind_of(raw))
        with alone():  # each rank measures by itself, and all shards
            data = prepared(recipe, raw, settings)
            system = build(recipe, data, settings, device)
            training = TrainingState(system, data, settings)
        parameters = system.count()
        system.train()
        batches = chain.from_iterable(
            system.batches(data, settings.batch, settings.seed, epoch, 0) for epoch in range(STEPS)
        )
        times, most = [], 0
        for i, batch in enumerate(islice(batches, STEPS + 2)):
            if i == 1:
                most = _weighed(lambda b=batch: system.train_step(system.on_device(b), training))
                continue
            started = time.perf_counter()
            system.train_step(system.on_device(batch), training)
            times.append(time.perf_counter() - started)
    state = sum(a.nbytes for a in training.state()[0].values())
    steps = training.batches
    median = statistics.median(times[1:] or times)
    return Estimate(parameters, steps, settings.epochs, state, most, median)


def _weighed(step) -> int:
    """The most memory that a call needs in addition to what there is, in bytes."""
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        step()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not tracing:
            tracemalloc.stop()
