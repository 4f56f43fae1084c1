"""A finished run on other data: the figures of its recipe, for examples that it has not seen.

The other data must be what the run was trained on: of the same kind and shape, with the same
columns and no class of their own. All that was learnt from the training data stays as it was: the
mean and spread of a column, medians, what a missing number becomes, the values of a column of
text, the words of a vocabulary. Nothing is learnt from the other data.

A run folder keeps no such numbers. It names its data set, whose content its digest (or the
checksums of the catalogue) proves, so that they are found again from the training part. A file is
read as the training file says; the data of the run and the new ones are then prepared together,
with the new examples in the place of the test part.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from .core import data as datasets
from .core.data import DataError, DataSet, Split
from .core.data.own import read_alike, read_whole
from .core.training.recipe import Recipe
from .core.training.settings import SettingError, TrainingSettings
from .other_data import extras, fitted
from .sources import Source
from .training import Trained, build, held_out, load_raw, on_host, prepared

CHOOSING = ("whole", "cross")  # settings that choose what is held out, where true


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation leaves: `examples` of `name` (a split, or the whole) and their figures."""

    recipe: Recipe
    trained: Trained
    name: str
    part: str
    examples: int
    figures: dict[str, float]
    said: tuple[str, ...] = ()


def evaluate(
    folder: str | Path, data: "str | Path | DataSet | Source | None" = None,
    data_dir: str | Path | None = None, split: str | None = None,
    own: DataSet | None = None,
) -> Evaluated:  # fmt: skip
    """The figures of a finished run on other data, or without `data` on its own held-out part.

    data   a file or folder: all its examples; a name of the catalogue or a `DataSet`: its held-out
           part. A `Source` may hold options for the reader, and those of the run hold where a file
           is read as its training file says
    split  train, valid, test or whole instead
    own    the data that the run was trained on, where a program gave them and no file holds them

    Raises what `training.load` raises, DataError for data that do not fit the run, with what does
    not, and SettingError where the system needs labels that they do not have.

    >>> import tempfile
    >>> from glassgrad import models, training
    >>> with tempfile.TemporaryDirectory() as out:
    ...     done, result = training.train_and_write(
    ...         models.recipe("mlp"), "iris", overrides={"epochs": 1}, out=out)
    ...     evaluate(done.run.folder).figures == result["test"]
    True
    """
    found = examples_of(folder, data, data_dir, split, own)
    with on_host(found.trained):
        figures = found.trained.system.evaluate_finished(found.examples)
    figures = {k: float(v) for k, v in figures.items()}
    return Evaluated(
        found.recipe, found.trained, found.name, found.part, len(found.examples), figures,
        found.said,
    )  # fmt: skip


@dataclass(frozen=True)
class Examples:
    """Examples as a run's system takes them: of `name` (a split, or the whole), and what is said
    of how they were read."""

    recipe: Recipe
    trained: Trained
    name: str
    part: str
    examples: Split
    said: tuple[str, ...] = ()


def examples_of(
    folder: str | Path, data: "str | Path | DataSet | Source | None" = None,
    data_dir: str | Path | None = None, split: str | None = None,
    own: DataSet | None = None, unlabelled: bool = False,
) -> Examples:  # fmt: skip
    """A finished run, and other data prepared as its own were. The arguments are `evaluate`'s.

    With `unlabelled` examples without labels will do for any system; they have none then.
    """
    recipe, trained, own = load_raw(folder, data_dir, own)
    if data is None:
        part, examples = _part(trained.data, split)
        return Examples(recipe, trained, trained.data_name, part, examples)
    if not isinstance(own, DataSet):
        raise DataError(f"{recipe.name} was trained on one graph: it has no figures for others")
    source = Source.of(data, data_dir)
    alike = _alike(source, trained.source, split, own)
    found, part, examples = alike or _examples(source, trained.source, split, own)
    lines = found.info.other if alike else found.info.understood if source.is_path else ()
    examples, said = fitted(source.name, found, examples, own)
    own, settings = _parted(own, trained.settings)
    there = replace(own, test=examples, info=replace(own.info, extra=extras(own, found, examples)))
    bare = examples.y is None and own.train.y is not None
    if bare and unlabelled:  # any label will do while the examples are prepared
        y = (
            own.train.y[:1] * len(examples)
            if isinstance(own.train.y, list)
            else (own.train.y[:1].repeat(len(examples), axis=0))
        )
        there = replace(there, test=Split(examples.x, y))
    elif bare:
        there = _without_labels(recipe, there, settings, source.name)
    ready = prepared(recipe, there, settings).test
    if ready is None:
        raise DataError(f"{recipe.name} is trained on all that there is: no other examples fit it")
    if bare:
        ready = Split(ready.x)
    return Examples(recipe, trained, source.name, part, ready, (*lines, *said))


def _parted(own: DataSet, settings: TrainingSettings) -> tuple[DataSet, TrainingSettings]:
    """The data and settings of a run, so that preparing them leaves the test part as it is given.

    A map is trained on all of its data (`whole`): what it has learnt from them, such as the mean of
    a column, is then learnt from all of them once more, and not from other examples.
    """
    if getattr(settings, "whole", False):
        own = replace(own, train=own.whole(), valid=None, test=None)
    chosen = {name: False for name in CHOOSING if getattr(settings, name, False)}
    return own, replace(settings, **chosen)


def _part(data: DataSet, split: str | None) -> tuple[str, Split]:
    """(name, examples): the held-out part of data, or the one that is asked for."""
    if split is None:
        return held_out(data)
    if split == "whole":
        return split, data.whole()
    parts = dict(data.splits())
    if split not in parts:
        raise DataError(f"{data.name} has no part {split!r:.60}; it has {', '.join(parts)}, whole")
    return split, parts[split]


def _alike(
    source: Source, own: Source, split: str | None, data: DataSet
) -> tuple[DataSet, str, Split] | None:
    """As `_examples`, of a file that is read as the training file of the run says; or None.

    Raises DataError for options that would read the training file otherwise than the run did.
    """
    if not (source.is_path and own.is_path):
        return None
    found = read_alike(own.name, source.name, **own.reading | source.reading)
    if found is None:
        return None
    if split not in (None, "whole"):
        raise DataError(f"{source.name} is read as one part, not as {split!r:.60}")
    one, other = (datasets.digest(DataSet("", d.train, d.valid)) for d in (found, data))
    if one != other:
        options = ", ".join(source.reading) or "none"
        raise DataError(f"{source.name}: its options ({options}) are not those of the run")
    return found, "whole", found.test


def _examples(
    source: Source, own: Source, split: str | None, like: DataSet
) -> tuple[DataSet, str, Split]:
    """The other data, and of them (name, examples) of the part that is evaluated.

    Pictures in a folder become as large, and as grey, as those of the run, `like`.
    """
    if source.is_path and split in (None, "whole"):
        held = own.reading if own.is_path else {}
        if like.info.image_shape:
            channels, *size = like.info.image_shape
            held = held | {"size": tuple(size), "channels": channels}
        data = read_whole(source.name, held, **source.reading)
        return data, "whole", data.train
    data = source.read()
    if not isinstance(data, DataSet):
        raise DataError(f"{source.name} holds no examples to evaluate a run on")
    return data, *_part(data, split)


def _without_labels(
    recipe: Recipe, data: DataSet, settings: TrainingSettings, name: str
) -> DataSet:
    """The data without labels in any part. SettingError where the system cannot do without."""
    bare = replace(data, **{part: Split(split.x) for part, split in data.splits()})
    try:
        build(recipe, prepared(recipe, bare, settings), settings)
    except SettingError:
        raise SettingError(f"{name} has no labels, which {recipe.name} is judged by") from None
    return bare
