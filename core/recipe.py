"""`Recipe`: how a system of the lectures is trained, judged and drawn, and what number to reach."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..kernels.errors import GlassgradError, nearest


class SettingError(GlassgradError, ValueError):
    """An unknown setting, or a value that does not fit it."""


COMMON = {
    "epochs": 10,  # passes over the training set
    "batch": 100,  # samples in a minibatch
    "lr": 1e-3,  # learning rate
    "optimiser": "adam",  # a name of core/optim
    "schedule": "constant",  # a name of core/optim/schedules
    "clip": 0.0,  # largest norm of the gradient, 0 for none
    "weight_decay": 0.0,
    "seed": 0,  # of the weights, the order of the batches and all noise
    "select": "",  # keep the epoch with the lowest (or, with "+" before, highest) valid figure
}


LEAST = {"epochs": 0, "batch": 1, "lr": 0, "clip": 0, "weight_decay": 0, "seed": 0}


def expect_ranges(settings: dict, name: str) -> None:
    """All numbers are finite, and the common ones not below their least; SettingError if not."""
    for key, value in settings.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise SettingError(f"{name}: setting {key!r} must be finite; got {value}")
        if key in LEAST and value < LEAST[key]:
            raise SettingError(
                f"{name}: setting {key!r} must be at least {LEAST[key]}; got {value}"
            )


@dataclass(frozen=True)
class Target:
    """A published number and what counts as reproducing it."""

    name: str  # what is measured, on what
    data: str
    metric: str  # key of the test figures
    published: str  # the number as published, in words if need be
    bound: float  # reached when the figure is at or beyond this
    better: str = "lower"  # "lower" or "higher" figures are better
    settings: dict = field(default_factory=dict)
    source: str = ""
    note: str = ""

    def reached(self, value: float) -> bool:
        """Is the value at the bound or better? NaN never is."""
        return value <= self.bound if self.better == "lower" else value >= self.bound


@dataclass(frozen=True)
class Recipe:
    """One system, ready for ``glassgrad train NAME``.

    build    (data, settings, rng) -> System
    prepare  (data, settings) -> data, where the data need a change first (binarisation, scaling)
    figures  (system, data, settings) -> {name: matplotlib Figure}
    sample   (system, data, n, rng) -> matplotlib Figure, for systems that can generate
    data     the default data set, embedded so that it is there on any machine
    presets  data set name -> settings that suit it
    """

    name: str
    title: str
    lecture: str
    rows: tuple[int, ...]  # of the table of systems
    build: Callable
    settings: dict[str, Any]
    metric: str  # the test figure that sums it up
    better: str = "lower"
    data: str = "digits"
    presets: dict[str, dict] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    prepare: Callable | None = None
    figures: Callable | None = None
    sample: Callable | None = None
    check: Callable | None = None  # rng -> (f, float64 arrays): the objective, for gradcheck

    def resolve(self, data: str | None = None, overrides: dict | None = None) -> dict[str, Any]:
        """All settings: the common ones, the recipe's, the preset of the data set, the user's."""
        name = data or self.data
        known = {**COMMON, **self.settings, **self.presets.get(name, {})}
        for key, value in (overrides or {}).items():
            if key not in known:
                hint, names = nearest(key, known), ", ".join(sorted(known))
                raise SettingError(f"{self.name}: unknown setting {key!r}{hint} (known: {names})")
            known[key] = _converted(self.name, key, value, known[key])
        expect_ranges(known, self.name)
        return known


def _converted(recipe: str, key: str, value, like):
    """The value in the type of the default; text from the command line is parsed."""
    wrong = SettingError(f"{recipe}: setting {key!r} must be like {like!r}; got {value!r:.80}")
    if isinstance(value, str) and not isinstance(like, str):
        try:
            value = json.loads(value.lower() if value in ("True", "False") else value)
        except (ValueError, RecursionError):
            raise wrong from None
    if isinstance(like, tuple) and isinstance(value, (list, tuple)):
        if like and all(type(v) is type(like[0]) for v in like):
            return tuple(_converted(recipe, key, v, like[0]) for v in value)
        return tuple(value)
    if isinstance(like, bool) != isinstance(value, bool):
        raise wrong
    if isinstance(like, float) and isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            raise wrong from None
    if not isinstance(value, type(like)):
        raise wrong
    return value
