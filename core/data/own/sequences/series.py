"""Series of one's own: one or several quantities over time, cut in the order of time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...dataset import DataSet, Info, Split
from ...files import DataError
from ..lines import counted
from ..peek import head_text
from ..splits import LEAST, OTHER, SPLITS, given_files, in_words
from ..tables import labels, spelling
from ..tables.columns import MOSTLY, cells_of, is_numeric, mostly_numbers
from ..tables.csv_rows import SEPARATORS, Rows, read_rows, rows_of
from ..tables.spelling import number
from . import times

LABELS = frozenset({*labels.NAMES, "split"})  # a table with such a column is one of examples


@dataclass(frozen=True)
class Series:
    """What a file holds: `values` float32 [T, D] with NaN where nothing is known, and when."""

    values: np.ndarray
    names: tuple[str, ...]
    times: np.ndarray | None
    said: tuple[str, ...]


def from_series(
    path: str | Path,
    columns: str | int | Sequence[str | int] | None = None,
    time: str | int | None = None,
    header: bool | None = None,
    encoding: str = "utf-8",
    unknown: float | str | None = None,
    missing: str | Collection[str] = (),
    valid: str | Path | None = None,
    test: str | Path | None = None,
) -> DataSet:
    """A table of quantities over time: x float32 [T, D], cut in order into 70 / 10 / 20 %.

    path     a .csv or .tsv file (or .gz, .bz2 of one), a row a moment, the earliest first
    columns  of the quantities, by name or number from 1; by default all columns of numbers
    time     the column that says when, by name or number, or "none"; by default dates in the first
             column, or year, month (and day, and the decimal year) in the first columns
    header   whether the first row holds names; by default it is looked at
    unknown  a number that stands for an unknown value, such as -1
    missing  texts that do so, as in `from_csv`
    valid, test  files with the same columns, which are these parts; what is missing is cut from the
             end of `path`

    Unknown values (empty cells, ?, NA and `unknown`) are interpolated between the known ones next
    to them in the same part, so that no part sees values of another; at the ends of a part the
    nearest one is repeated. ``info.extra["missing"][part]`` is True where a value was unknown: a
    forecast is not to be judged there. ``info.extra["times"][part]`` says when each row is.

    Raises DataError, with line and column, for what is no number, for rows that are not in the
    order of time, and where a part has no known value of a column.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.csv")
    ...     with open(path, "w") as file:
    ...         _ = file.write("".join(f"2020-01-{i:02d},{i if i != 3 else ''}\\n"
    ...                                for i in range(1, 21)))
    ...     data = from_series(path)
    >>> data.train.x[:4, 0].tolist(), data.info.extra["missing"]["train"].sum(), len(data.test)
    ([1.0, 2.0, 3.0, 4.0], np.int64(1), 4)
    """
    files = given_files(valid=valid, test=test)
    found = parse_series(path, columns, time, header, encoding, unknown, missing)
    given = {}
    for part, file in files.items():
        given[part] = _in_order(
            parse_series(file, columns, time, header, encoding, unknown, missing),
            found.names,
            file,
            path,
        )
    n = len(found.values)
    if n < LEAST and len(files.keys() & set(SPLITS)) < 2:
        raise DataError(f"{path}: {n} rows are too few to split; at least {LEAST} are needed")
    v, t = 0 if "valid" in files else n // 10, 0 if "test" in files else n // 5
    return cut_series(Path(path).name, found, v, t, str(path), given=given)


def _in_order(found: Series, names: tuple[str, ...], file: Path, path: str | Path) -> Series:
    """The quantities of another file in the order of `names`; others are not used."""
    if lost := [name for name in names if name not in found.names]:
        raise DataError(
            f"{file}: its columns {', '.join(found.names):.80} are not those of {path}:"
            f" {', '.join(lost):.80} {'is' if len(lost) == 1 else 'are'} missing"
        )
    at = [found.names.index(name) for name in names]
    return replace(found, values=found.values[:, at], names=names)


def looks_like_series(path: Path) -> bool:
    """Are the first columns clearly dates that increase, with numbers next to them and no label?

    Of one column of dates a tenth may be none, or be out of order: the reader says which.
    """
    try:
        rows = rows_of(path, head_text(path), whole=False)
        if len(rows.cells) < LEAST or {*map(str.lower, rows.names)} & LABELS:
            return False
        when, taken = times.find(rows), (0,)
        if when is not None and len(when.columns) > 1:
            times.check_order(rows, when)
            taken = when.columns
        elif not _mostly_dates_in_order(rows):
            return False
        return any(mostly_numbers(rows, c) for c in range(len(rows.names)) if c not in taken)
    except DataError:
        return False


def parse_series(
    path: str | Path,
    columns: str | int | Sequence[str | int] | None = None,
    time: str | int | None = None,
    header: bool | None = None,
    encoding: str = "utf-8",
    unknown: float | str | None = None,
    missing: str | Collection[str] = (),
) -> Series:
    """The whole series of a file; the options are those of `from_series`."""
    gone = number(str(unknown)) if isinstance(unknown, int | float | str) else None
    if unknown is not None and gone is None:  # a command line gives "-9.99" as text
        raise DataError(f"{path}: unknown must be a number; got {unknown!r:.60}")
    rows = read_rows(path, header, encoding, gone=missing)
    when = _times(rows, time)
    if when is not None:
        times.check_order(rows, when)
    chosen, left = _columns(rows, columns, () if when is None else when.columns)
    values = np.stack([_values(rows, c, gone) for c in chosen], axis=1)
    holes = np.isnan(values).sum(axis=0)
    said = [
        f"{counted(len(rows.cells), 'row')}, separated by {SEPARATORS[rows.separator]}",
        "no column says when: the rows follow each other in equal steps"
        if when is None
        else f"time: {' and '.join(rows.names[c] for c in when.columns)}: {when}",
    ]
    for k, c in enumerate(chosen):
        filled = f", {holes[k]} unknown: interpolated, see extra['missing']" if holes[k] else ""
        said.append(f"{rows.names[c]}: a quantity{filled}")
    if left:
        said.append(f"left out, as no numbers: {', '.join(left[:12])}")
    names = tuple(rows.names[c] for c in chosen)
    return Series(values, names, None if when is None else when.values, tuple(said))


def cut_series(
    name: str,
    series: Series,
    valid: int,
    test: int,
    source: str,
    note: str = "",
    given: dict[str, Series] | None = None,
) -> DataSet:
    """The series as a data set: the last `test` rows, the `valid` ones before them, the others.

    Parts that are `given` are series of their own.
    Raises DataError where nothing is left for training, and where a part has no known value of a
    column.
    """
    n = len(series.values)
    if n - valid - test < 1:
        raise DataError(f"{name}: {valid} + {test} rows leave none of {n} for training")
    bounds = (0, n - valid - test, n - test, n)
    pieces = {
        part: Series(series.values[a:b], series.names, _some(series.times, a, b), ())
        for part, a, b in zip(SPLITS, bounds[:-1], bounds[1:])
    } | (given or {})  # fmt: skip
    other = pieces.pop(OTHER, pieces["test"])
    how = f"in order of time: {'/'.join(str(len(x.values)) for x in pieces.values())}"
    if given and given.keys() & set(SPLITS):
        how = in_words([Split(x.values) for x in pieces.values()], given, "in order of time")
    pieces["test"] = other
    parts = {
        p: Split(_filled(x.values, name, p, x.names)) for p, x in pieces.items() if len(x.values)
    }
    extra = {"missing": {p: np.isnan(pieces[p].values) for p in parts}}
    if all(pieces[p].times is not None for p in parts):
        extra["times"] = {p: pieces[p].times for p in parts}
    info = Info(
        source, feature_names=series.names, note="; ".join(filter(None, [how, note])),
        extra=extra, kind="series", understood=(*series.said, how),
    )  # fmt: skip
    return DataSet(name, *map(parts.get, SPLITS), info)


def _some(times, a: int, b: int):
    return None if times is None else times[a:b]


def _times(rows: Rows, time) -> times.Times | None:
    if time == "none":
        return None
    if time is not None:
        return times.of_column(rows, labels.find(rows, time))
    found = times.find(rows)
    if found is None and len(rows.names) > 1 and _mostly_dates(rows):
        return times.of_column(rows, 0)  # which raises, with the line of the cell that is none
    return times.of_column(rows, 0) if found is None and times.is_index(rows) else found


def _mostly_dates_in_order(rows: Rows) -> bool:
    moments = [times.moment(c) for c in cells_of(rows, 0)]
    known = np.array([m for m in moments if m is not None], "datetime64[s]")
    later = int((known[1:] > known[:-1]).sum()) + 1
    return min(len(known), later) >= MOSTLY * len(moments)


def _mostly_dates(rows: Rows) -> bool:
    cells = cells_of(rows, 0)
    return 2 * sum(times.moment(c) is not None for c in cells) > len(cells)


def _columns(rows: Rows, columns, taken: tuple[int, ...]) -> tuple[list[int], list[str]]:
    """The columns of quantities, and the names of those that are left out."""
    if columns is None:
        others = [c for c in range(len(rows.names)) if c not in taken]
        numeric = [c for c in others if is_numeric(rows, c) and _known(rows, c)]
        if not numeric:
            raise DataError(f"{rows.path}: no column holds numbers that change with time")
        return numeric, [rows.names[c] for c in others if c not in numeric]
    if isinstance(columns, str) and columns not in rows.names:
        columns = columns.split(",")
    found = [
        labels.find(rows, c) for c in (columns if isinstance(columns, list | tuple) else [columns])
    ]
    if not found or None in found or len(set(found)) < len(found):
        raise DataError(f"{rows.path}: columns must name different columns; got {columns!r:.60}")
    for c in found:
        if c in taken:
            raise DataError(f"{rows.path}: the column {rows.names[c]!r:.80} says when, not what")
    return found, []


def _known(rows: Rows, column: int) -> bool:
    return not all(map(spelling.missing, cells_of(rows, column)))


def _values(rows: Rows, column: int, unknown: float | None) -> np.ndarray:
    cells = cells_of(rows, column)
    found = [np.nan if spelling.missing(c) else number(c) for c in cells]
    if None in found:
        i = found.index(None)
        raise DataError(f"{rows.where(i, column)}: {rows.cells[i][column]!r:.60} is no number")
    with np.errstate(over="ignore"):
        values = np.array([np.nan if v == unknown else v for v in found], np.float32)
    for i in np.flatnonzero(np.isinf(values))[:1]:
        raise DataError(f"{rows.where(i, column)}: {rows.cells[i][column]!r:.60} is not finite")
    return values


def _filled(part: np.ndarray, name: str, which: str, names: Sequence[str]) -> np.ndarray:
    """Unknown values interpolated between the rows that have one."""
    part, rows = part.copy(), np.arange(len(part))
    for k, column in enumerate(part.T):
        known = ~np.isnan(column)
        if not known.any():
            raise DataError(f"{name}: {which} has no known value of {names[k]}")
        part[:, k] = np.interp(rows, rows[known], column[known])
    return part
