"""`Recipe`: how a system of the lectures is trained, judged and drawn, and what number to reach."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..kernels.annotations import kind_of
from ..kernels.errors import GlassgradError, nearest, shown


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


def expect_complete(settings: dict, name: str) -> None:
    """Every setting that a training reads is there and of its type; SettingError if not.

    >>> expect_complete({**COMMON, "epochs": "10"}, "som")
    Traceback (most recent call last):
        ...
    glassgrad.core.recipe.SettingError: som: setting 'epochs' must be an int of at most 64 bits; \
got '10'
    """
    missing = [key for key in COMMON if key not in settings]
    if missing:
        raise SettingError(
            f"{name}: settings are missing: {', '.join(missing)}; those of a recipe, or of"
            " core.recipe.COMMON, have them all"
        )
    for key, default in COMMON.items():
        kind = kind_of(type(default))
        try:
            kind.read(settings[key])
        except TypeError:
            got = shown(settings[key])
            raise SettingError(f"{name}: setting {key!r} must be {kind.must}; got {got}") from None
        except (ValueError, OverflowError):
            continue  # a number out of range, see expect_ranges


def expect_ranges(
    settings: dict, name: str, least: dict | None = None, positive: tuple = (), ranges: tuple = (),
    below: dict | None = None,
) -> None:  # fmt: skip
    """All numbers are finite and in their ranges; SettingError if not.

    least     key -> smallest value allowed, with those of LEAST; of a tuple, for each entry
    positive  keys of numbers that must be above 0
    ranges    keys of pairs (first, last) with 1 <= first <= last
    below     key -> what its value must stay below

    >>> expect_ranges({"sigma": 0.0}, "som", positive=("sigma",))
    Traceback (most recent call last):
        ...
    glassgrad.core.recipe.SettingError: som: setting 'sigma' must be above 0; got 0.0
    """
    least = {**LEAST, **(least or {})}
    for key, value in settings.items():
        must = None
        values = value if isinstance(value, tuple) else (value,)
        if any(isinstance(v, float) and not math.isfinite(v) for v in values):
            must = "finite"
        elif any(isinstance(v, int) and abs(v) >= 2**64 for v in values):
            must = "a number of 64 bits"
        elif key in least and any(v < least[key] for v in values):
            must = f"at least {least[key]}"
        elif key in positive and any(v <= 0 for v in values):
            must = "above 0"
        elif key in (below or {}) and any(v >= below[key] for v in values):
            must = f"below {below[key]}"
        elif key in ranges and not (len(values) == 2 and 1 <= values[0] <= values[1]):
            must = "a pair [first, last] with 1 <= first <= last"
        if must:
            got = list(value) if isinstance(value, tuple) else value
            raise SettingError(f"{name}: setting {key!r} must be {must}; got {got!s:.80}")


def expect_choice(name: str, settings: dict, key: str, known) -> None:
    """The setting is one of the names known; SettingError with the nearest one if not.

    >>> expect_choice("net", {"f": "mxa"}, "f", ("max", "mean"))
    Traceback (most recent call last):
        ...
    glassgrad.core.recipe.SettingError: net: f must be one of max, mean; got 'mxa'; did you ...
    """
    if settings[key] not in known:
        got, hint = settings[key], nearest(settings[key], known)
        raise SettingError(f"{name}: {key} must be one of {', '.join(known)}; got {got!r}{hint}")


def expect_choices(name: str, settings: dict, choices: dict) -> None:
    """Each setting among `choices`, key -> known names, is one of them; SettingError if not."""
    for key, known in choices.items():
        expect_choice(name, settings, key, known)


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
    spread: str = ""  # key of the figure's standard error, where it is an estimate
    seeds: int = 1  # so many trainings, seeds 0, 1, ..: their mean counts, its error is the spread

    def reached(self, value: float) -> bool:
        """Is the value at the bound or better? NaN never is."""
        return value <= self.bound if self.better == "lower" else value >= self.bound


def mean_and_error(values: list[float]) -> tuple[float, float | None]:
    """The mean, and its standard error as the values tell it: None of a single one.

    >>> mean_and_error([1.0, 3.0]), mean_and_error([2.0])
    ((2.0, 1.0), (2.0, None))
    """
    n, mean = len(values), sum(values) / len(values)
    if n == 1:
        return mean, None
    return mean, (sum((v - mean) ** 2 for v in values) / (n - 1) / n) ** 0.5


@dataclass(frozen=True)
class Recipe:
    """One system, ready for ``glassgrad train NAME``.

    build    (data, settings, rng) -> System
    prepare  (data, settings) -> data, where the data need a change first (binarisation, scaling)
    figures  (system, data, settings) -> {name: matplotlib Figure}
    sample   (system, data, n, rng) -> matplotlib Figure, for systems that can generate
    least, positive, ranges, below   what the settings may be: see `expect_ranges`
    ignored  settings -> {key: "without X", ...} for those that the others leave without effect;
             to change one of them is an error
    least_epochs  settings -> minimum epochs for every stage of training to run
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
    least: dict[str, float] = field(default_factory=dict)
    positive: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    below: dict[str, float] = field(default_factory=dict)
    ignored: Callable | None = None
    least_epochs: Callable | None = None
    check: Callable | None = None  # rng -> (f, float64 arrays): the objective, for gradcheck

    def resolve(self, data: str | None = None, overrides: dict | None = None) -> dict[str, Any]:
        """All settings: the common ones, the recipe's, the preset of the data set, the user's.

        Raises SettingError for an unknown key, a value of another type or outside its range, and
        for a change of a setting that the others leave without effect.
        """
        name = self.data if data is None else data
        plain = {**COMMON, **self.settings, **self.presets.get(name, {})}
        known = dict(plain)
        for key, value in (overrides or {}).items():
            if key not in known:
                hint, names = nearest(key, known), ", ".join(sorted(known))
                raise SettingError(
                    f"{self.name}: unknown setting {key!r:.80}{hint} (known: {names})"
                )
            known[key] = _converted(self.name, key, value, known[key])
        expect_ranges(known, self.name, self.least, self.positive, self.ranges, self.below)
        stages = self.least_epochs(known) if self.least_epochs else 0
        if 0 < known["epochs"] < stages:
            raise SettingError(
                f"{self.name}: with these settings training has stages that take at least {stages}"
                f" epochs; got epochs={known['epochs']}"
            )
        for key, why in (self.ignored(known) if self.ignored else {}).items():
            if known[key] != plain[key]:
                raise SettingError(
                    f"{self.name}: setting {key!r} has no effect {why}; got {known[key]!r}"
                )
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
        one = like[0] if like else 0  # of a tuple that is empty by default: widths of layers
        if all(type(v) is type(one) for v in like):
            return tuple(_converted(recipe, key, v, one) for v in value)
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
