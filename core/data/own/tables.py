"""A table of one's own: a CSV or TSV file as a data set."""

from pathlib import Path

import numpy as np

from ..dataset import DataSet, Info, Split
from ..files import DataError
from . import labels
from .columns import cells_of, encode
from .csv_rows import SEPARATORS, Rows, read_rows
from .splits import SPLITS, seeded


def from_csv(
    path, label: str | int | None = None, header: bool | None = None, seed: int = 0
) -> DataSet:
    """The table in a .csv or .tsv file (or .gz of one): x float32 [N, D], y the label.

    path    the file, in UTF-8; cells are separated by commas, tabs, semicolons or bars
    label   the name of a column, or its number from 1, or "none"; by default a column named label,
            class, target or y, or a last or first column of few different texts
    header  whether the first row holds names; by default it is looked at
    seed    of the split: a tenth of the rows for validation, a fifth for the test. A column named
            "split" that holds only train, valid and test says it instead

    Text becomes a column of 0 and 1 for each value that it takes, unless it takes more than 50. A
    missing cell (empty, ?, NA, NaN, null) is the mean of the training rows in a column of numbers,
    and a value of its own in one of text. What was understood is in ``info.understood``, a line a
    column. Raises DataError, with line and column, for what cannot be read.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.csv")
    ...     with open(path, "w") as file:
    ...         _ = file.write("size,colour,class\\n" + "1,red,a\\n2,blue,b\\n" * 5)
    ...     data = from_csv(path)
    >>> data.train.x.shape, data.info.classes, data.info.feature_names
    ((7, 3), ('a', 'b'), ('size', 'colour=blue', 'colour=red'))
    """
    rows = read_rows(path, header)
    split = split_column(rows)
    target = labels.find(rows, label, split)
    columns = [encode(rows, c) for c in range(len(rows.names)) if c not in (target, split)]
    x = np.concatenate(
        [np.empty((len(rows.cells), 0), np.float32), *(c.values for c in columns)], 1
    )
    if not x.shape[1]:
        raise DataError(f"{rows.path}: no column is left to learn from")
    y, classes = (None, ()) if target is None else labels.encode(rows, target)
    whole = Split(x, y)
    parts, how = (
        seeded("from_csv", rows.path, "rows", whole, seed)
        if split is None
        else as_told(rows, whole, cells_of(rows, split))
    )
    parts = [_filled(part, parts[0].x) for part in parts]
    binary = all(np.isin(part.x, (0, 1)).all() for part in parts if len(part))
    info = Info(
        source=str(rows.path),
        classes=classes,
        feature_names=tuple(n for c in columns for n in c.names),
        target_names=() if target is None or classes else (rows.names[target],),
        note=how,
        kind="binary" if binary else "table",
        understood=_in_words(rows, columns, target, classes, x.shape[1], how),
    )
    return DataSet(Path(path).name, *parts, info)


def split_column(rows: Rows) -> int | None:
    """The column named "split" that holds only train, valid and test; None where there is none."""
    for c, name in enumerate(rows.names):
        if name.lower() == "split" and set(cells_of(rows, c)) <= set(SPLITS):
            return c
    return None


def as_told(rows: Rows, whole: Split, told: list[str]) -> tuple[list[Split], str]:
    """(parts, how): the examples as `told`, the cells of the split's column, says."""
    parts = [whole[[i for i, t in enumerate(told) if t == name]] for name in SPLITS]
    if not len(parts[0]):
        raise DataError(f"{rows.path}: the column 'split' names no row 'train'")
    return parts, "split " + "/".join(str(len(p)) for p in parts) + " as the file says"


def _filled(part: Split, train: np.ndarray) -> Split:
    """Missing numbers replaced by the mean of the training rows that have one."""
    there = ~np.isnan(train)
    mean = np.where(there, train, 0).sum(axis=0, dtype=np.float64) / np.maximum(there.sum(0), 1)
    return Split(np.where(np.isnan(part.x), mean.astype(part.x.dtype), part.x), part.y)


def _in_words(rows: Rows, columns, target, classes, width: int, how: str) -> tuple[str, ...]:
    head = "a header" if rows.header else "no header"
    first = (
        f"{len(rows.cells)} rows and {len(rows.names)} columns, separated by"
        f" {SEPARATORS[rows.separator]}, {head}: {width} numbers a row"
    )
    if target is None:
        label = "no label"
    elif classes:
        label = f"label {rows.names[target]}: {len(classes)} classes ({', '.join(classes)})"
    else:
        label = f"label {rows.names[target]}: a number to be predicted"
    return (first, *(f"{c.name}: {c.meaning}" for c in columns), label, how)
