"""A table of one's own: a CSV or TSV file, or one for each split, as a data set."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...dataset import DataSet, Info, Split
from ...files import DataError
from ..bits import above_median, check_bits
from ..kind_of import is_binary
from ..lines import counted
from ..splits import OTHER, SPLITS, given_files, instead, seeded, untrained
from . import labels
from .columns import Meaning, cells_of, learn, unknown, values
from .csv_rows import SEPARATORS, Rows, read_rows
from .other_rows import notes, same_columns


def from_csv(
    path: str | Path, label: str | int | None = None, header: bool | None = None, seed: int = 0,
    valid: str | Path | None = None, test: str | Path | None = None, bits: str | None = None,
    missing: str | Collection[str] = (),
) -> DataSet:  # fmt: skip
    """The table in a .csv or .tsv file (or .gz of one): x float32 [N, D], y the label.

    path    the file, in UTF-8; cells are separated by commas, tabs, semicolons or bars, numbers
            alone also by blanks. A decimal comma is read unless commas separate the cells
    label   the name of a column, or its number from 1, or "none"; by default a column named label,
            class, target or y, or a last or first column of few different texts
    header  whether the first row holds names; by default it is looked at
    seed    of the split: a tenth of the rows for validation, a fifth for the test. A column named
            "split" that holds only train, valid and test says it instead
    valid, test  files with the same columns, which are these splits
    bits    "median": a column of numbers becomes 1 above its median in the training rows and 0
            elsewhere, so that x is binary
    missing  texts that stand for a missing cell, too; one, several with commas between, or a list

    Text becomes a column of 0 and 1 for each value that it takes; it is left out if it takes more
    than 50, or if nearly all rows differ in it. So is a first column without a name in the header,
    or named id or index that counts the rows. A missing cell (empty, ?, NA, NaN, null; - and .
    among numbers) is the mean of the training rows in a column of numbers, and a value of its own
    in one of text. Columns, values and classes are those of `path`: a value
    that only another file has is 0 in all columns, a class that only another file has is refused.
    What was understood is in ``info.understood``, a line a column. Raises DataError, with line and
    column, for what cannot be read.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.csv")
    ...     with open(path, "w") as file:
    ...         _ = file.write("size,colour,class\\n" + "1,red,a\\n2,blue,b\\n" * 5)
    ...     data = from_csv(path)
    >>> data.train.x.shape, data.info.classes, data.info.feature_names
    ((7, 3), ('a', 'b'), ('size', 'colour=blue', 'colour=red'))
    """
    files = given_files(valid=valid, test=test)
    check_bits(bits)
    rows = read_rows(path, header, gone=missing)
    split = None if files.keys() & set(SPLITS) else split_column(rows)
    place = labels.find(rows, label, (split,))
    others = {}
    for part, file in files.items():
        free = (split, place) if part == OTHER else (split,)  # new examples may have no label
        others[part] = same_columns(rows, read_rows(file, rows.header, gone=missing), free)
    why = labels.reason(rows, place, (split,)) if label is None else ""
    return table_set("from_csv", rows, others, (place, split), seed, bits, why=why)


def table_set(
    function: str, rows: Rows, others: dict[str, Rows], known: tuple[int | None, int | None],
    seed: int, bits: str | None = None, tenths: int = 1, meant: dict[int, str] | None = None,
    why: str = "",
) -> DataSet:  # fmt: skip
    """The rows of a training file, and those of other parts, as a data set.

    `known` are the columns of the label and of the split; `tenths` of the rows are for validation.
    `meant` says what columns of numbers are, where it is more than that; `why` the label is one.
    """
    place, split = known
    columns = [learn(rows, c) for c in range(len(rows.names)) if c not in known]
    columns = [replace(c, meaning=(meant or {}).get(c.place, c.meaning)) for c in columns]
    names = tuple(n for c in columns for n in c.names)
    if not names:
        why_not = "".join(f"; {c.name:.40}: {c.meaning}" for c in columns[:2])
        raise DataError(f"{rows.path}: no column is left to learn from{why_not}")
    target = None if place is None else labels.learn(rows, place)
    whole = _encoded(rows, columns, target)
    given = {}
    for part, more in others.items():
        bare = part == OTHER and not labels.there(more, place)
        given[part] = _encoded(more, columns, None if bare else target)
    parts, how = (
        seeded(function, rows.path, "rows", whole, seed, given, tenths)
        if split is None
        else by_column(rows, whole, cells_of(rows, split))
    )
    parts = [_filled(part, parts[0].x) for part in instead(parts, given)]
    seen = dict(zip(names, parts[0].x.any(axis=0)))
    meanings = [f"{c.name}: {c.meaning}{_never(c, seen)}{_only(c, others)}" for c in columns]
    if bits:
        numeric = [c.kinds is None for c in columns for _ in c.names]
        parts, words = above_median(parts, np.flatnonzero(numeric))
        cut = {names[i]: f"; {done}" for i, done in words.items()}
        meanings = [m + cut.get(c.name, "") for m, c in zip(meanings, columns)]
    label = "; ".join(
        (_label(target), *[why] * bool(why), *untrained(target.classes if target else (), parts))
    )
    binary = all(is_binary(part.x) for part in parts if len(part))
    info = Info(
        source=str(rows.path),
        classes=target.classes if target else (),
        feature_names=names,
        target_names=(target.name,) if target and not target.classes else (),
        note=how,
        kind="binary" if binary else "table",
        understood=(_first(rows, others, len(names)), *meanings, label, how),
        other=notes(others.get(OTHER), columns),
    )
    return DataSet(rows.path.name, *parts, info)


def _encoded(rows: Rows, columns: list[Meaning], target: labels.Label | None) -> Split:
    x = np.concatenate([values(rows, c) for c in columns], 1)
    return Split(x, None if target is None else labels.values(rows, target))


def split_column(rows: Rows) -> int | None:
    """The column named "split" that holds only train, valid and test; None where there is none."""
    for c, name in enumerate(rows.names):
        if name.lower() == "split" and set(cells_of(rows, c)) <= set(SPLITS):
            return c
    return None


def by_column(rows: Rows, whole: Split, cells: list[str]) -> tuple[list[Split], str]:
    """(parts, how): the examples in the parts that `cells`, those of the split's column, name."""
    parts = [whole[[i for i, cell in enumerate(cells) if cell == name]] for name in SPLITS]
    if not len(parts[0]):
        raise DataError(f"{rows.path}: the column 'split' names no row 'train'")
    return parts, "split " + "/".join(str(len(p)) for p in parts) + " as the file says"


def _filled(part: Split, train: np.ndarray) -> Split:
    """Missing numbers replaced by the mean of the training rows that have one."""
    there = ~np.isnan(train)
    mean = np.where(there, train, 0).sum(axis=0, dtype=np.float64) / np.maximum(there.sum(0), 1)
    return Split(np.where(np.isnan(part.x), mean.astype(part.x.dtype), part.x), part.y)


def _never(column: Meaning, seen: dict[str, bool]) -> str:
    """The values of a text column that no training row has, in words."""
    kinds = zip(column.names, column.kinds or ())
    new = [repr(kind)[:40] for name, kind in kinds if not seen[name]]
    if not new:
        return ""
    return f"; no training row has {', '.join(new[:5])}{' …' if len(new) > 5 else ''}"


def _only(column: Meaning, others: dict[str, Rows]) -> str:
    """What a text column of another file holds that the training file does not, in words."""
    words = ""
    for part, rows in others.items():
        new = unknown(rows, column)
        if new:
            some = ", ".join(repr(v)[:40] for v in new[:5]) + (" …" if len(new) > 5 else "")
            words += f"; only {part} has {some}: 0 in all these columns"
    return words


def _first(rows: Rows, others: dict[str, Rows], width: int) -> str:
    head = "a header" if rows.header else "no header"
    more = "".join(f", {len(r.cells)} in {r.path.name}" for r in others.values())
    return (
        f"{counted(len(rows.cells), 'row')}{more} and {counted(len(rows.names), 'column')},"
        f" separated by {SEPARATORS[rows.separator]}, {head}:"
        f" {counted(width, 'number')} a row"
    )


def _label(target: labels.Label | None) -> str:
    if target is None:
        return "no label"
    if target.classes:
        names = counted(len(target.classes), "class", "classes")
        return f"label {target.name}: {names} ({', '.join(target.classes)})"
    return f"label {target.name}: a number to be predicted"
