"""Where the data of a training come from: a name of the catalogue, a file or folder, or memory."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from .core import data as datasets
from .core.data import DataError, DataSet, Graph
from .core.data.catalogue import CATALOGUE
from .core.data.entries import OURS, REGISTERED
from .core.data.own.bits import as_bits, as_table
from .core.training.recipe import Recipe
from .core.training.run_folder import RunError
from .core.training.settings import SettingError

FILES = ("valid", "test", "labels")  # options of a reader that may name a file
SHIPPING = (OURS, "shipped", "scikit-learn")  # where the sets are that need no download
WORDS = ("none", "coarse", "fine")  # what `labels` may be otherwise: of graphs, and of TREC


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
    registered  is it a name that a program gave with `register`? It may be another set the next
              time, so that it has a digest

    >>> Source.of("digits").name, Path(Source.of("my.csv").name).is_absolute()
    ('digits', True)
    """

    name: str
    data_dir: str | None = None
    reading: dict = field(default_factory=dict)
    digest: str | None = None
    in_memory: bool = False
    given: DataSet | Graph | None = field(default=None, repr=False)
    registered: bool = False

    @classmethod
    def of(
        cls,
        data: "str | Path | DataSet | Graph | Source",
        data_dir: str | Path | None = None,
        reading: dict | None = None,
    ) -> "Source":
        """The source that a person gives. Paths become absolute: runs are resumed elsewhere.

        A name outside the catalogue is a path where a file or folder of that name is there. Raises
        DataError for what is neither a name, a path, a `DataSet`, a `Graph` nor a source, and for
        options of a reader that config.json cannot hold.

        >>> from glassgrad.core.data import load
        >>> iris = load("iris")
        >>> Source.of(iris).name, len(Source.of(iris).digest)
        ('iris', 64)
        >>> Source.of(iris.train)
        Traceback (most recent call last):
            ...
        glassgrad.core.data.files.DataError: data must be a name, a path, a DataSet or a \
Graph; got Split (glassgrad.data.from_arrays(x, y) makes a data set of arrays)
        """
        if isinstance(data, Source):
            return data
        if isinstance(data, DataSet | Graph):
            return cls(data.name, digest=datasets.digest(data), in_memory=True, given=data)
        if not isinstance(data, str | Path):
            raise DataError(
                "data must be a name, a path, a DataSet or a Graph; got"
                f" {type(data).__name__} (glassgrad.data.from_arrays(x, y) makes a data set of"
                " arrays)"
            )
        data_dir = None if data_dir is None else str(Path(data_dir).absolute())
        reading = {k: _option(f"{data}: {k}", v) for k, v in dict(reading or {}).items()}
        for taken in {"path", "name", "data_dir"} & set(reading):
            raise DataError(f"{data}: there is no option {taken!r} to read it with")
        if isinstance(data, Path) or _is_path(data):
            files = {k: str(Path(v).absolute()) for k, v in reading.items() if _is_file(k, v)}
            return cls(str(Path(data).absolute()), data_dir, reading | files)
        return cls(data, data_dir, reading, registered=_is_registered(data))

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
        if self.registered and self.name not in CATALOGUE:
            raise DataError(
                f"the data {self.name!r:.200} were registered by a program: register them first,"
                " with glassgrad.data.register, and go on from Python, with"
                " training.train(recipe, run=Run.open(folder), resume=True)"
            )
        options = dict(self.reading)
        kind = options.pop("kind", None)
        data = datasets.load(self.name, self.data_dir, **options)
        if kind not in (None, "binary", "table"):
            raise DataError(f"{self.name}: of a name kind may be binary or table; got {kind!r:.60}")
        if kind == "table":
            return as_table(data)
        return data if kind is None else self._bits(data)

    def load(self, recipe: Recipe) -> tuple["Source", DataSet]:
        """The data, as they are, and the source with its digest.

        Raises SettingError for a kind that the recipe does not take, DataError for an unknown
        name or option, for missing and damaged files, and for content that has changed.
        """
        registered = self.registered or _is_registered(self.name)
        fixed = not self.in_memory and not self.is_path and not registered
        if fixed and not self.reading:  # before a large set is read in vain
            _expect_kind(recipe, self.name, lambda: datasets.entry(self.name).kind)
        data = self.read()
        _expect_kind(recipe, self.name, lambda: datasets.kind_of(data))
        if fixed:
            return self, data
        found = datasets.digest(data)
        if self.digest not in (None, found):
            raise DataError(f"{self.name} has changed since the training began")
        return replace(self, digest=found, registered=registered and not self.in_memory), data

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
        if self.registered:
            there |= {"registered": True, "digest": self.digest}
        return there | ({"reading": self.reading} if self.reading else {})

    def _bits(self, data) -> DataSet:
        if not isinstance(data, DataSet):
            raise DataError(f"{self.name}: kind=binary is for tables")
        return as_bits(data)

    def _given(self) -> DataSet | Graph:
        if self.given is None:
            raise DataError(
                f"the data {self.name!r:.200} were in memory: go on from Python, with"
                " training.train(recipe, data, run=Run.open(folder), resume=True) or"
                " training.load(folder, data=data); evaluation.evaluate(folder, other, own=data)"
                " gives the figures on others"
            )
        return self.given


def source_of(config: dict, run: Path, data_dir: str | Path | None = None) -> Source:
    """The source in config.json of a run; RunError where its part is damaged.

    `data_dir` takes the place of the one there.
    """
    reading, digest = config.get("reading", {}), config.get("digest")
    memory, registered = config.get("in memory", False), config.get("registered", False)
    flags = isinstance(memory, bool) and isinstance(registered, bool)
    if not _plain(reading) or not isinstance(digest, str | None) or not flags:
        raise RunError(f"{run / 'config.json'} is damaged: 'reading' or 'digest' is wrong")
    if data_dir is None:
        data_dir = config["data_dir"]
    data_dir = None if data_dir is None else str(data_dir)
    return Source(
        config["data"], data_dir, _as_read(reading), digest, memory, registered=registered
    )


def _is_path(name: str) -> bool:
    """Is it the path of a file or folder? A name of the catalogue is none: ./digits is a path."""
    return datasets.looks_like_path(name) or (name not in CATALOGUE and _is_there(name))


def _is_there(name: str) -> bool:
    try:
        return bool(name) and Path(name).exists()
    except (OSError, ValueError):  # too long, or a zero byte
        return False


def _is_file(option: str, value) -> bool:
    """Does this option name a file, seen from here? A file of labels may be next to the data."""
    if option not in FILES or not isinstance(value, str):
        return False
    return option != "labels" or (value not in WORDS and _is_there(value))


def _is_registered(name: str) -> bool:
    return name in CATALOGUE and CATALOGUE[name].terms == REGISTERED


def _option(what: str, value):
    """An option as config.json can hold it, lists as tuples. Raises DataError for other things."""
    if isinstance(value, list | tuple):
        return tuple(_option(what, v) for v in value if _single(what, v))
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()  # a number of NumPy's
    if not _is_value(value):
        raise DataError(
            f"{what} must be a text, a finite number, yes, no or a list of these; got"
            f" {' '.join(repr(value).split()):.60}"
        )
    return value


def _single(what: str, value) -> bool:
    if isinstance(value, list | tuple):
        raise DataError(f"{what} must not be a list of lists")
    return True


def _is_value(value) -> bool:
    """Is it one value that JSON brings back as it was?"""
    if isinstance(value, int):  # Python refuses to read very long ones
        return abs(value) < 1 << 63
    return math.isfinite(value) if isinstance(value, float) else isinstance(value, str | None)


def _as_read(reading: dict) -> dict:
    """The options as `Source.of` makes them: JSON has lists only."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in reading.items()}


def _plain(reading) -> bool:
    """Is this a dictionary of values and lists of values, as `as_config` writes it?"""
    return isinstance(reading, dict) and all(
        all(map(_is_value, v)) if isinstance(v, list) else _is_value(v) for v in reading.values()
    )


def _expect_kind(recipe: Recipe, name: str, find: Callable[[], str]) -> None:
    kind = find()
    if kind in recipe.takes or (kind == "binary" and "table" in recipe.takes):
        return
    some = [n for n in dict.fromkeys([recipe.data, *recipe.presets]) if _ships(n)]
    names = f", such as {', '.join(some[:5])}" if some else ""
    more = "; --read kind=binary turns a table into 0 and 1" if _bits_help(recipe, kind) else ""
    more = more if more or _is_taken(kind) else "; no system takes it yet"
    raise SettingError(
        f"{recipe.name}: cannot be trained on {name}, which is of the kind {kind!r}; expected"
        f" {' or '.join(map(repr, recipe.takes))}{names}{more}"
    )


def _ships(name: str) -> bool:
    """Is it the name of a set that is there without a download? A preset may be of a kind."""
    return name in CATALOGUE and datasets.available(name) in SHIPPING


def _is_taken(kind: str) -> bool:
    """Does any system take data of this kind?"""
    from . import models

    takes = (models.recipe(name).takes for name in models.names())
    return any(kind in kinds or (kind == "binary" and "table" in kinds) for kinds in takes)


def _bits_help(recipe: Recipe, kind: str) -> bool:
    return kind == "table" and "binary" in recipe.takes
