"""Where the data of a training come from: a name of the catalogue, a file or folder, or memory."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from .core import data as datasets
from .core.data import DataError, DataSet
from .core.data.own.bits import as_bits
from .core.training.recipe import Recipe
from .core.training.run_folder import RunError
from .core.training.settings import SettingError

FILES = ("valid", "test")  # options of a reader that name a file


@dataclass(frozen=True)
class Source:
    """A data set as a person names it, and all that it takes to read it again.

    name      of the catalogue or registered; or the absolute path of a file or folder; or what a
              data set in memory calls itself
    data_dir  looked in first for a set of the catalogue
    reading   options for the reader of a file or folder, such as ``{"label": "species"}``, or for
              the loader of a name, such as ``{"labels": "fine"}``
    digest    of what may change: the content as `core.data.digest` gives it, once it is known
    in_memory is it made by a program, so that nothing can read it again?
    given     what is in memory; None where only a run folder says that it was

    >>> Source.of("digits").name, Path(Source.of("my.csv").name).is_absolute()
    ('digits', True)
    """

    name: str
    data_dir: str | None = None
    reading: dict = field(default_factory=dict)
    digest: str | None = None
    in_memory: bool = False
    given: DataSet | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        data: "str | Path | DataSet | Source",
        data_dir: str | Path | None = None,
        reading: dict | None = None,
    ) -> "Source":
        """The source that a person gives. Paths become absolute: runs are resumed elsewhere.

        Raises DataError for what is neither a name, a path, a `DataSet` nor a source.

        >>> from glassgrad.core.data import load
        >>> iris = load("iris")
        >>> Source.of(iris).name, len(Source.of(iris).digest)
        ('iris', 64)
        >>> Source.of(iris.train)
        Traceback (most recent call last):
            ...
        glassgrad.core.data.files.DataError: data must be a name, a path or a DataSet; got Split \
(glassgrad.data.from_arrays(x, y) makes a data set of arrays)
        """
        if isinstance(data, Source):
            return data
        if isinstance(data, DataSet):
            return cls(data.name, digest=datasets.digest(data), in_memory=True, given=data)
        if not isinstance(data, str | Path):
            raise DataError(
                "data must be a name, a path or a DataSet; got"
                f" {type(data).__name__} (glassgrad.data.from_arrays(x, y) makes a data set of"
                " arrays)"
            )
        data_dir = None if data_dir is None else str(Path(data_dir).absolute())
        reading = dict(reading or {})
        for taken in {"path", "name", "data_dir"} & set(reading):
            raise DataError(f"{data}: there is no option {taken!r} to read it with")
        if isinstance(data, Path) or datasets.looks_like_path(data):
            files = {k: str(Path(v).absolute()) for k, v in reading.items()
                     if k in FILES and isinstance(v, str | Path)}  # fmt: skip
            return cls(str(Path(data).absolute()), data_dir, reading | files)
        return cls(data, data_dir, reading)

    @property
    def is_path(self) -> bool:
        """Is it a file or folder, not a name of the catalogue?"""
        return not self.in_memory and datasets.looks_like_path(self.name)

    def read(self):
        """The data as they are, for no recipe in particular."""
        if self.in_memory:
            return self._given()
        if self.is_path:
            return datasets.read(self.name, **self.reading)
        options = dict(self.reading)
        kind = options.pop("kind", None)
        data = datasets.load(self.name, self.data_dir, **options)
        if kind not in (None, "binary"):
            raise DataError(f"{self.name}: of a name kind may be binary; got {kind!r:.60}")
        return data if kind is None else self._bits(data)

    def load(self, recipe: Recipe) -> tuple["Source", DataSet]:
        """The data, as they are, and the source with its digest.

        Raises SettingError for a kind that the recipe does not take, DataError for an unknown
        name or option, for missing and damaged files, and for content that has changed.
        """
        fixed = not self.in_memory and not self.is_path
        if fixed and not self.reading:  # before a large set is read in vain
            _expect_kind(recipe, self.name, lambda: datasets.entry(self.name).kind)
        data = self.read()
        _expect_kind(recipe, self.name, lambda: datasets.kind_of(data))
        if fixed:
            return self, data
        found = datasets.digest(data)
        if self.digest not in (None, found):
            raise DataError(f"{self.name} has changed since the training began")
        return replace(self, digest=found), data

    def expect_same(self, other: "Source", run: Path) -> None:
        """Raises RunError unless `other`, which a run records, can be gone on with from these data.

        A file may be given as the data set that it was read as: what counts is the digest.
        """
        if self.digest and other.digest:
            if self.digest != other.digest:
                raise RunError(
                    f"{run} was trained on other data: {self.name!r:.200} has another digest than"
                    f" {other.name!r:.200} had"
                )
        elif (self.name, _as_read(self.reading), self.in_memory) != (
            other.name, _as_read(other.reading), other.in_memory
        ):  # fmt: skip
            known = " in memory" if other.in_memory else ""
            raise RunError(f"{run} was trained on {other.name!r:.200}{known}, not on these data")

    def as_config(self) -> dict:
        """Its part of config.json."""
        there = {"data": self.name, "data_dir": self.data_dir}
        if self.in_memory:
            return there | {"in memory": True, "digest": self.digest}
        if self.is_path:
            return there | {"reading": self.reading, "digest": self.digest}
        return there | ({"reading": self.reading} if self.reading else {})

    def _bits(self, data) -> DataSet:
        if not isinstance(data, DataSet):
            raise DataError(f"{self.name}: kind=binary is for tables")
        return as_bits(data)

    def _given(self) -> DataSet:
        if self.given is None:
            raise DataError(
                f"the data {self.name!r:.200} were in memory: go on from Python, with"
                " training.train(recipe, data, run=Run.open(folder), resume=True) or"
                " training.load(folder, data=data)"
            )
        return self.given


def source_of(config: dict, run: Path, data_dir: str | Path | None = None) -> Source:
    """The source in config.json of a run; RunError where its part is damaged.

    `data_dir` takes the place of the one there.
    """
    reading, digest = config.get("reading", {}), config.get("digest")
    memory = config.get("in memory", False)
    if not _plain(reading) or not isinstance(digest, str | None) or not isinstance(memory, bool):
        raise RunError(f"{run / 'config.json'} is damaged: 'reading' or 'digest' is wrong")
    if data_dir is None:
        data_dir = config["data_dir"]
    data_dir = None if data_dir is None else str(data_dir)
    return Source(config["data"], data_dir, _as_read(reading), digest, memory)


def _as_read(reading: dict) -> dict:
    """The options as the command line makes them: JSON has lists only."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in reading.items()}


def _plain(reading) -> bool:
    """Is this a dictionary of texts, numbers and lists of numbers, as `as_config` writes it?"""
    if not isinstance(reading, dict):
        return False
    lists = [v for v in reading.values() if isinstance(v, list)]
    others = [v for v in reading.values() if not isinstance(v, list)]
    return all(isinstance(v, str | int) for v in others) and all(
        isinstance(n, int) for v in lists for n in v
    )


def _expect_kind(recipe: Recipe, name: str, find: Callable[[], str]) -> None:
    kind = find()
    if kind in recipe.takes or (kind == "binary" and "table" in recipe.takes):
        return
    fitting = [n for wanted in recipe.takes for n in datasets.names(wanted)]
    some = [n for n in dict.fromkeys([recipe.data, *recipe.presets, *fitting]) if n in fitting]
    bits = "; --read kind=binary turns a table into 0 and 1" if _bits_help(recipe, kind) else ""
    raise SettingError(
        f"{recipe.name}: cannot be trained on {name}, which is of the kind {kind!r}; expected"
        f" {' or '.join(map(repr, recipe.takes))}, such as {', '.join(some[:5])}{bits}"
    )


def _bits_help(recipe: Recipe, kind: str) -> bool:
    return kind == "table" and "binary" in recipe.takes
