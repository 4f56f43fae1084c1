"""A claim: on these data, a figure of a recipe's shipped settings is below that of a baseline.

    ratio = figure / baseline <= bound < 1

The settings are those that ship; only the seed is the test's. `ratios` are those of seeds 0, 1 and
2, as measured when the bound was set; a test trains one seed and computes figure and baseline
again. Where a larger figure is better the ratio is baseline over figure, so that every ratio has to
stay below its bound, and no bound reaches 1: at 1 the default is no better than the baseline.

A system that is trained for one claim is kept for the next ones of the same recipe and data.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from glassgrad import models, training
from glassgrad.core.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Done(training.Trained):
    """A training with the shipped settings, and what baselines ask of it."""

    recipe: Recipe = None
    seconds: float = 0.0  # of processor
    __hash__ = object.__hash__  # by identity, so that what is costly can be cached
    __eq__ = object.__eq__

    @property
    def held(self):
        """The split that the test figures are for."""
        return training.held_out(self.data)[1]

    @property
    def rows(self) -> np.ndarray:
        """The rows [N, D] of that split."""
        return flat(self.held.x)

    @property
    def seen(self) -> np.ndarray:
        """The training rows [N, D]."""
        return flat(self.data.train.x)

    def figures_of(self, system) -> dict[str, float]:
        """The test figures of another system on the same data."""
        system.eval()
        return system.evaluate_finished(self.held)

    @property
    def untrained(self):
        """The system that this training began with."""
        return training.build(self.recipe, self.data, self.settings)


def flat(x) -> np.ndarray:
    """Images or rows as rows [N, D]."""
    return np.asarray(x).reshape(len(x), -1)


@dataclass(frozen=True)
class Default:
    """One claim about the shipped settings of a recipe on a data set."""

    recipe: str
    data: str
    metric: str | Callable  # of the test figures, or Done -> float, where less is better
    baseline: Callable  # Done -> float, what the metric is compared with
    ratios: tuple[float, ...]  # metric / baseline with seeds 0, 1, 2
    bound: float  # of that ratio
    seed: int = 0  # of the three, the one that the test trains

    @property
    def better(self) -> str:
        """ "lower" or "higher"."""
        recipe = models.recipe(self.recipe)
        return recipe.better if self.metric == recipe.metric else "lower"

    @property
    def metric_name(self) -> str:
        """The metric in a word."""
        return self.metric if isinstance(self.metric, str) else self.metric.__name__

    def __str__(self):
        return f"{self.recipe}-{self.data}-{self.metric_name}-{self.baseline.__name__}"


def claims(recipe: str, data: str, metric: str | Callable, *against) -> list[Default]:
    """A claim for each (baseline, ratios, bound)."""
    return [Default(recipe, data, metric, *one) for one in against]


@lru_cache(maxsize=3)
def trained(recipe: str, name: str, seed: int) -> Done:
    """The recipe with its shipped settings and that seed."""
    found, started = models.recipe(recipe), time.process_time()
    done = training.train(found, name, overrides={"seed": seed})
    return Done(**vars(done), recipe=found, seconds=time.process_time() - started)


def measured(claim: Default, seed: int) -> tuple[float, float, float]:
    """(ratio, figure, baseline) of a training with that seed."""
    done = trained(claim.recipe, claim.data, seed)
    named = isinstance(claim.metric, str)
    figure = done.test_figures[claim.metric] if named else claim.metric(done)
    baseline = claim.baseline(done)
    return figure / baseline if claim.better == "lower" else baseline / figure, figure, baseline
