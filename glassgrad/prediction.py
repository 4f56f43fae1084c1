"""What a finished run says of single examples, as columns: for ``glassgrad predict``."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .core.data import DataSet, Info, kind_of
from .core.training.settings import SettingError
from .evaluation import examples_of
from .models.probability.classifier import bayes
from .sources import Source
from .training import on_host


@dataclass(frozen=True)
class Predicted:
    """The columns [N] of a prediction by name, of examples of `name`; `said` is about the data."""

    name: str
    columns: dict[str, list]
    said: tuple[str, ...] = ()

    def as_csv(self) -> str:
        """A line of names, then one for each example; numbers so that they can be read back."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*self.columns.values()))
        return text.getvalue()


def predict(
    folder: str | Path, data: "str | Path | DataSet | Source | None" = None,
    data_dir: str | Path | None = None, split: str | None = None, own: DataSet | None = None,
) -> Predicted:  # fmt: skip
    """What a finished run says of examples: the arguments are those of `evaluation.evaluate`.

    Of classes the columns are the likeliest ``class`` and ``p(NAME)`` of each, of quantities their
    names, of autoencoders ``code 1``, ``code 2`` …; where the data have labels, the first column is
    ``true``. Raises what `evaluate` raises, and SettingError for a system that says nothing of
    single examples.

    >>> import tempfile
    >>> from glassgrad import models, training
    >>> with tempfile.TemporaryDirectory() as out:
    ...     done, _ = training.train_and_write(
    ...         models.recipe("mlp"), "iris", overrides={"epochs": 1}, out=out)
    ...     list(predict(done.run.folder).columns)[:3]
    ['true', 'class', 'p(setosa)']
    """
    found = examples_of(folder, data, data_dir, split, own, unlabelled=True)
    system, info = found.trained.system, found.trained.data.info
    with on_host(found.trained):
        try:
            said = system.predictions(found.examples.x)
        except NotImplementedError:
            raise SettingError(f"{found.recipe.name} says nothing of single examples") from None
    columns = _truth(found.examples.y, found.trained.data)
    for name, values in said.items():
        columns |= _columns(name, values, info)
    return Predicted(found.name, columns, found.said)


def _truth(y, data: DataSet) -> dict[str, list]:
    """The labels of the examples as columns; none where there are none."""
    info = data.info
    if y is None or not isinstance(y, np.ndarray):
        return {}
    if y.ndim == 1 and y.dtype.kind in "iu":
        return {"true": [_class(k, info) for k in y]}
    if kind_of(data) == "series":  # values to come, and 1 where they are known
        y = np.where(y[:, :, 1] > 0, y[:, :, 0], np.nan)
    return {f"true {n}": v for n, v in _columns("value", y.reshape(len(y), -1), info).items()}


def _class(k: int, info: Info) -> str:
    return info.classes[k] if k < len(info.classes) else str(k)


def _columns(name: str, values, info: Info) -> dict[str, list]:
    """One of a system's answers as columns."""
    if isinstance(values, list):
        return {name: values}
    if name in ("logits", "scores"):
        found = {"class": [_class(k, info) for k in values.argmax(axis=1)]}
        shown = bayes(values) if name == "logits" else values
        head = "p" if name == "logits" else "score"
        names = [f"{head}({_class(k, info)})" for k in range(values.shape[1])]
        return found | {n: column.tolist() for n, column in zip(names, shown.T)}
    if values.ndim == 1:
        return {name: values.tolist()}
    names = [f"{name} {k + 1}" for k in range(values.shape[1])]
    if name == "value" and len(info.target_names) == values.shape[1]:
        names = list(info.target_names)
    elif values.shape[1] == 1:
        names = [name]
    return {n: column.tolist() for n, column in zip(names, values.T)}
