"""Where the data of a training come from: a name of the catalogue, or a file or folder."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from .core import data as datasets
from .core.data import DataError, DataSet
from .core.training.recipe import Recipe
from .core.training.run_folder import RunError
from .core.training.settings import SettingError


@dataclass(frozen=True)
class Source:
    """A data set as a person names it, and all that it takes to read it again.

    name      of the catalogue or registered; or the absolute path of a file or folder
    data_dir  looked in first for a set of the catalogue
    reading   options for the reader of a file or folder, such as ``{"label": "species"}``
    digest    of a file or folder: its content as `core.data.digest` gives it, once it is known

    >>> Source.of("digits").name, Path(Source.of("my.csv").name).is_absolute()
    ('digits', True)
    """

    name: str
    data_dir: str | None = None
    reading: dict = field(default_factory=dict)
    digest: str | None = None

    @classmethod
    def of(
        cls, name: str | Path, data_dir: str | Path | None = None, reading: dict | None = None
    ) -> "Source":
        """The source that a command line names. Paths become absolute: runs are resumed elsewhere.

        Raises SettingError for reading options next to a name of the catalogue.
        """
        data_dir = None if data_dir is None else str(Path(data_dir).absolute())
        path = isinstance(name, Path) or datasets.looks_like_path(name)
        if path:
            return cls(str(Path(name).absolute()), data_dir, dict(reading or {}))
        if reading:
            raise SettingError(
                f"{', '.join(reading)}: for files and folders only; {name} is of the catalogue"
            )
        return cls(name, data_dir)

    @property
    def is_path(self) -> bool:
        """Is it a file or folder, not a name of the catalogue?"""
        return datasets.looks_like_path(self.name)

    def read(self):
        """The data as they are, for no recipe in particular."""
        if self.is_path:
            return datasets.read(self.name, **self.reading)
        return datasets.load(self.name, self.data_dir)

    def load(self, recipe: Recipe) -> tuple["Source", DataSet]:
        """The data, as they are, and the source with its digest.

        Raises SettingError for a kind that the recipe does not take, DataError for an unknown
        name, for missing and damaged files, and for a file or folder whose content has changed.
        """
        if not self.is_path:  # before a large set is read in vain
            _expect_kind(recipe, self.name, datasets.entry(self.name).kind)
            return self, self.read()
        data = self.read()
        _expect_kind(recipe, self.name, data.info.kind)
        found = datasets.digest(data)
        if self.digest not in (None, found):
            raise DataError(f"{self.name} has changed since the training began")
        return replace(self, digest=found), data

    def as_config(self) -> dict:
        """Its part of config.json."""
        there = {"data": self.name, "data_dir": self.data_dir}
        return there | ({"reading": self.reading, "digest": self.digest} if self.is_path else {})


def source_of(config: dict, run: Path, data_dir: str | Path | None = None) -> Source:
    """The source in config.json of a run; RunError where its part is damaged.

    `data_dir` takes the place of the one there.
    """
    reading, digest = config.get("reading", {}), config.get("digest")
    if not _plain(reading) or not isinstance(digest, str | None):
        raise RunError(f"{run / 'config.json'} is damaged: 'reading' or 'digest' is wrong")
    if data_dir is None:
        data_dir = config["data_dir"]
    return Source(config["data"], None if data_dir is None else str(data_dir), reading, digest)


def _plain(reading) -> bool:
    """Is this a dictionary of texts, numbers and lists of numbers, as `as_config` writes it?"""
    if not isinstance(reading, dict):
        return False
    lists = [v for v in reading.values() if isinstance(v, list)]
    others = [v for v in reading.values() if not isinstance(v, list)]
    return all(isinstance(v, str | int) for v in others) and all(
        isinstance(n, int) for v in lists for n in v
    )


def _expect_kind(recipe: Recipe, name: str, kind: str) -> None:
    if kind in recipe.takes or (kind == "binary" and "table" in recipe.takes):
        return
    fitting = [n for wanted in recipe.takes for n in datasets.names(wanted)]
    bits = "binary" in recipe.takes and kind == "table"
    how = "; a column of text, or of 0 and 1 alone, gives bits, one of other numbers does not"
    some = [n for n in dict.fromkeys([recipe.data, *recipe.presets, *fitting]) if n in fitting]
    raise SettingError(
        f"{recipe.name}: cannot be trained on {name}, which is of the kind {kind!r}; expected"
        f" {' or '.join(map(repr, recipe.takes))}, such as {', '.join(some[:5])}{how * bits}"
    )
