"""`Recipe`: how a system of the lectures is trained, measured and drawn, and its target number."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from .settings import SettingError, TrainingSettings


@dataclass(frozen=True)
class Target:
    """A published number and what counts as reproducing it.

    The bound is the published number itself, or the far edge of its own published error. Where
    nothing comparable is published it is `own`: set by us, with the reason in the note.
    """

    name: str  # what is measured, and on what data
    data: str
    metric: str  # key of the test metrics
    published: str  # the number as published, in words if necessary
    bound: float  # reached if the metric is at or beyond this
    better: str = "lower"  # "lower" or "higher" is better
    settings: dict = field(default_factory=dict)
    source: str = ""
    note: str = ""
    own: bool = False  # nothing comparable is published: the bound is our own
    protocol: str = ""  # what differs from how the published number was measured
    spread: str = ""  # key of the metric's standard error, if it is an estimate
    seeds: int = 1  # number of trainings, with seeds 0, 1, ...; their mean counts, with its error

    def reached(self, value: float) -> bool:
        """True if the value is at the bound or better; never for NaN."""
        return value <= self.bound if self.better == "lower" else value >= self.bound


def mean_and_error(values: list[float]) -> tuple[float, float | None]:
    """The mean and its standard error, estimated from the values; None for a single one.

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
    settings the class of its settings (settings.py), with defaults for no data set in particular
    prepare  (data, settings) -> data, if the data need a change first (binarisation, scaling)
    figures  (system, data, settings) -> {name: matplotlib Figure}
    files    (system, data, settings) -> {name: bytes}, written next to the figures
    sample   (system, data, n, rng) -> matplotlib Figure, for systems that can generate
    sample_files  (system, data, n, rng) -> {ending: bytes}, such as ".wav": the same samples in
             files of other kinds, which ``glassgrad sample`` writes next to the picture
    check    rng -> (f, float64 arrays): the objective, for gradcheck
    data     the default data set, bundled so that it exists on any machine
    takes    the kinds of data that it can be trained on (core/data/entries.py has them all);
             what takes a table takes binary rows, which are a table of 0 and 1
    needs    data sets that it reads besides, such as the weights of a trained network
    source   the file of one's own that it is defined in, and `code` its content (models/own.py)
    presets  data set name, or a kind -> settings that suit it; those of a kind are for the sets of
             that kind without a preset of their own, such as a person's own file
    """

    name: str
    title: str
    lecture: str
    rows: tuple[int, ...]  # in the table of systems
    build: Callable
    settings: type[TrainingSettings]
    metric: str  # the test metric that sums it up
    better: str = "lower"
    data: str = "digits"
    takes: tuple[str, ...] = ("images",)
    needs: tuple[str, ...] = ()
    presets: dict[str, dict] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    prepare: Callable | None = None
    figures: Callable | None = None
    files: Callable | None = None
    sample: Callable | None = None
    sample_files: Callable | None = None
    check: Callable | None = None
    source: Path | None = None
    code: bytes = field(default=b"", repr=False)

    def of_file(self, path: Path, name: str, code: bytes) -> "Recipe":
        """This recipe as the one that a file with this content defines under that name."""
        return replace(self, name=name, source=path, code=code)

    @property
    def reference(self) -> str:
        """What finds it again: its name, or the file with the name in it.

        >>> from glassgrad import models
        >>> models.recipe("vae").reference
        'vae'
        """
        return self.name if self.source is None else f"{self.source}:{self.name}"

    def resolve(
        self, data: str | None = None, overrides: dict | None = None, kind: str = ""
    ) -> TrainingSettings:
        """All settings: the defaults, then the preset of the data set, then the user's.

        A data set without a preset of its own has that of its `kind`, if there is one.

        Raises SettingError for an unknown name, a value of another type or outside its range, a
        change of a setting that has no effect with the others or on data of this kind, and for
        fewer epochs than the stages of training need.

        >>> from glassgrad import models
        >>> models.recipe("vae").resolve("digits", {"latent": 3}).latent
        3
        """
        preset = self.presets.get(self.data if data is None else data)
        if preset is None:
            preset = self.presets.get(kind, {})
        try:
            found = self.settings(**preset).changed(kind, **(overrides or {}))
            if 0 < found.epochs < found.least_epochs:
                raise SettingError(
                    "with these settings training has stages that take at least"
                    f" {found.least_epochs} epochs; got epochs={found.epochs}"
                )
        except SettingError as error:
            raise SettingError(f"{self.name}: {error}") from None
        return found
