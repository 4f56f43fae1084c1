"""Many sequences in one table: a column says which of them a row is of.

run,time,force,angle,class
a,0.0,1.5,30,ok           the sequence a has two rows
a,0.1,1.7,31,ok
b,0.0,0.2,12,broken       the next one begins

>>> import tempfile, os
>>> with tempfile.TemporaryDirectory() as folder:
...     path = os.path.join(folder, "d.csv")
...     with open(path, "w") as file:
...         _ = file.write("run,v,class\\n" + "".join(
...             f"{n},{t},{'ab'[n % 2]}\\n" for n in range(10) for t in range(2 + n)))
...     data = from_sequence_table(path, sequence="run")
>>> data.train.x[0].shape, len(data.train), data.info.classes
((5, 1), 7, ('a', 'b'))
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...dataset import DataSet, Info, Split
from ...files import DataError
from ..lines import counted
from ..splits import SPLITS, given_files, instead, seeded, untrained
from ..tables import labels, spelling
from ..tables.columns import MOSTLY, Meaning, cells_of, learn, values
from ..tables.csv_rows import SEPARATORS, Rows, read_rows
from ..tables.csv_table import split_column
from ..tables.other_rows import same_columns
from . import times

NAME = "sequence"  # a column of this name is the one, where none is named


@dataclass(frozen=True)
class Meant:
    """What the columns of the training file are. `label` is per step where `steps`."""

    sequence: int
    time: int | None
    columns: list[Meaning]
    label: labels.Label | None
    steps: bool


def from_sequence_table(
    path: str | Path,
    sequence: str | int | None = None,
    label: str | int | None = None,
    time: str | int | None = None,
    columns: str | int | Sequence[str | int] | None = None,
    header: bool | None = None,
    encoding: str = "utf-8",
    seed: int = 0,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    missing: str | Collection[str] = (),
) -> DataSet:
    """A table with many sequences: x a list of float32 [T_n, D], y their labels.

    path      a .csv or .tsv file (or .gz, .bz2 of one), a row a step
    sequence  the column that says which sequence a row is of, by name or number from 1; by default
              the one named "sequence". Rows of a sequence are in their order in the file; those of
              other sequences may come between them
    label     the column of the label, or "none"; by default as `from_csv` finds it. The same in all
              rows of a sequence: a label for each sequence. Otherwise: a label for each step
    time      the column that says when, or "none"; by default a column with a name such as time,
              date or step. Within a sequence it must increase; it is no part of x
    columns   of x; by default all others. Text becomes 0 and 1 for each value, as in `from_csv`
    header, encoding  of the file; whether its first row holds names is looked at
    seed      of the split: a tenth of the sequences for validation, a fifth for the test. A column
              "split" that holds only train, valid and test says it instead
    valid, test  files with the same columns, which are these parts
    missing   texts that stand for a missing number, too, as in `from_csv`

    A missing number is interpolated between the known ones of its sequence; at the ends the nearest
    one is repeated. Raises DataError, with line and column, for what cannot be read, for a time
    that does not increase, for a label that changes within a few sequences only, and where a
    sequence has no known value of a column.
    """
    files = given_files(valid=valid, test=test)
    rows = read_rows(path, header, encoding, gone=missing)
    others = {part: same_columns(rows, read_rows(f, rows.header, encoding, gone=missing))
              for part, f in files.items()}  # fmt: skip
    split = None if others.keys() & set(SPLITS) else split_column(rows)
    meant, said = _meaning(rows, sequence, label, time, columns, split)
    whole, of, mixed = _read(rows, meant)
    given = {part: _read(more, meant)[0] for part, more in others.items()}
    parts, how = (
        seeded("from_sequence_table", rows.path, "sequences", whole, seed, given)
        if split is None
        else _by_column(rows, whole, of, split)
    )
    parts, lengths = instead(parts, given), list(map(len, whole.x))
    names = tuple(n for c in meant.columns for n in c.names)
    classes = meant.label.classes if meant.label else ()
    first = (
        f"{counted(len(rows.cells), 'row')}, separated by {SEPARATORS[rows.separator]}, of"
        f" {counted(len(lengths), 'sequence')} by {rows.names[meant.sequence]}, of"
        f" {min(lengths):,} … {max(lengths):,} steps: {counted(len(names), 'number')} a step"
    )
    info = Info(
        str(rows.path), classes, names, note=how, kind="sequences",
        target_names=(meant.label.name,) if meant.label and not classes else (),
        understood=(
            first, *["rows of different sequences are mixed"] * mixed, *said,
            *untrained(classes, parts), how,
        ),
    )  # fmt: skip
    return DataSet(rows.path.name, *parts, info)


def _meaning(rows: Rows, sequence, label, time, columns, split) -> tuple[Meant, list[str]]:
    """What the columns are, and what to say about those that are no sequence."""
    lower = [name.lower() for name in rows.names]
    if sequence is None and NAME not in lower:
        raise DataError(
            f"{rows.path}: which column says what sequence a row is of? give sequence=COLUMN;"
            f" there are {', '.join(rows.names[:20])}{' …' if len(rows.names) > 20 else ''}"
        )
    where = lower.index(NAME) if sequence is None else labels.find(rows, sequence)
    if where is None:
        raise DataError(f"{rows.path}: sequence must name a column; got {sequence!r:.60}")
    target = labels.find(rows, label, (where, split))
    when = _time(rows, time, (where, split, target))
    taken = [c for c in (where, split, target, when) if c is not None]
    if len(set(taken)) < len(taken):
        twice = next(c for c in taken if taken.count(c) > 1)
        raise DataError(f"{rows.path}: the column {rows.names[twice]!r:.80} has two meanings")
    kept = _columns(rows, columns, taken)
    meanings = [learn(rows, c) for c in kept]
    if not any(c.names for c in meanings):
        raise DataError(f"{rows.path}: no column is left to learn from")
    said = [] if when is None else [f"time: {rows.names[when]}"]
    said += [f"{c.name}: {_meaning_of(rows, c)}" for c in meanings]
    left = [n for c, n in enumerate(rows.names) if c not in (*kept, *taken)]
    said += [f"left out: {', '.join(left[:12])}"] * bool(left)
    if target is None:
        return Meant(where, when, meanings, None, False), [*said, "no label"]
    groups, _ = _groups(rows, where)
    steps = _is_of_steps(rows, target, groups)
    learnt = labels.learn(rows if steps else _firsts(rows, groups), target)
    kind = (
        f"{counted(len(learnt.classes), 'class', 'classes')} ({', '.join(learnt.classes)})"
        if learnt.classes
        else "a number to be predicted"
    )
    said.append(f"label {learnt.name} for each {'step' if steps else 'sequence'}: {kind}")
    return Meant(where, when, meanings, learnt, steps), said


def _meaning_of(rows: Rows, column: Meaning) -> str:
    gone = sum(map(spelling.missing, cells_of(rows, column.place)))
    numbers = column.kinds is None and column.names
    return f"numbers, {gone} missing: interpolated" if gone and numbers else column.meaning


def _time(rows: Rows, time, taken) -> int | None:
    """The column that says when: the one that is named, or the first with the name of a time."""
    if time is not None:
        return labels.find(rows, time)
    found = [c for c, n in enumerate(rows.names) if n.lower() in times.NAMES and c not in taken]
    return found[0] if found else None


def _columns(rows: Rows, columns, taken: list[int]) -> list[int]:
    if columns is None:
        return [c for c in range(int(rows.index), len(rows.names)) if c not in taken]
    if isinstance(columns, str) and columns not in rows.names:
        columns = columns.split(",")
    named = columns if isinstance(columns, list | tuple) else [columns]
    found = [labels.find(rows, c) for c in named]
    if not found or None in found or len(set(found)) < len(found):
        raise DataError(f"{rows.path}: columns must name different columns; got {columns!r:.60}")
    for c in set(found) & set(taken):
        raise DataError(f"{rows.path}: the column {rows.names[c]!r:.80} is no part of x")
    return found


def _groups(rows: Rows, column: int) -> tuple[list[list[int]], bool]:
    """The rows of each sequence, in the order of their first ones; and whether they are mixed.

    Raises DataError, with the line, where a row does not say what sequence it is of.
    """
    groups: dict[str, list[int]] = {}
    for i, cell in enumerate(cells_of(rows, column)):
        if spelling.missing(cell):
            raise DataError(f"{rows.where(i, column)}: the sequence is missing")
        groups.setdefault(cell, []).append(i)
    found = list(groups.values())
    return found, any(g[-1] - g[0] >= len(g) for g in found)


def _firsts(rows: Rows, groups: list[list[int]]) -> Rows:
    """The first row of each sequence."""
    first = [g[0] for g in groups]
    cells, lines = ([a[i] for i in first] for a in (rows.cells, rows.lines))
    return replace(rows, cells=cells, lines=lines)


def _is_of_steps(rows: Rows, column: int, groups: list[list[int]]) -> bool:
    """Does the label belong to each step? It does where it changes within many sequences.

    Raises DataError, with the line, where it changes within a tenth of them or fewer: of these
    sequences the label is not known.
    """
    changed, long = _changes(rows, column, groups), sum(len(g) > 1 for g in groups)
    if long - len(changed) >= MOSTLY * long:
        _expect_same(rows, column, groups, "; in nearly all others it stays the same")
    return bool(changed)


def _changes(rows: Rows, column: int, groups: list[list[int]]) -> list[int]:
    """Where a cell is another than in the first row of its sequence: once for each."""
    cells = cells_of(rows, column)
    found = [next((i for i in g if cells[i] != cells[g[0]]), None) for g in groups]
    return [i for i in found if i is not None]


def _expect_same(rows: Rows, column: int, groups: list[list[int]], more: str = "") -> None:
    """Raises DataError, with the line, for a cell that changes within a sequence."""
    for i in _changes(rows, column, groups)[:1]:
        raise DataError(
            f"{rows.where(i, column)}: {rows.cells[i][column].strip()!r:.60} is another than in the"
            f" rows of this sequence before{more}"
        )


def _read(rows: Rows, meant: Meant) -> tuple[Split, list[list[int]], bool]:
    """The sequences of a file with their labels, the rows of each, and whether rows are mixed."""
    groups, mixed = _groups(rows, meant.sequence)
    if meant.time is not None:
        _check_times(rows, meant.time, groups)
    table = np.concatenate([values(rows, c) for c in meant.columns], axis=1)
    x = [_filled(rows, table[g], meant, g) for g in groups]
    if meant.label is None:
        return Split(x), groups, mixed
    if not meant.steps:
        _expect_same(rows, meant.label.place, groups)
        return Split(x, labels.values(_firsts(rows, groups), meant.label)), groups, mixed
    y = labels.values(rows, meant.label)
    return Split(x, [y[g] for g in groups]), groups, mixed


def _check_times(rows: Rows, column: int, groups: list[list[int]]) -> None:
    """Raises DataError, with the line, for what is no time, and for one that does not increase."""
    when = times.of_column(rows, column)
    for g in groups:
        own = replace(rows, cells=[rows.cells[i] for i in g], lines=[rows.lines[i] for i in g])
        times.check_order(own, replace(when, values=when.values[g]))


def _filled(rows: Rows, x: np.ndarray, meant: Meant, group: list[int]) -> np.ndarray:
    """Missing numbers interpolated between those of the sequence that are known."""
    if not np.isnan(x).any():
        return x
    places = [c.place for c in meant.columns for _ in c.names]
    steps = np.arange(len(x))
    for k, column in enumerate(x.T):
        known = ~np.isnan(column)
        if not known.any():
            raise DataError(
                f"{rows.where(group[0], places[k])}: the sequence that begins here has no known"
                " value of this column"
            )
        x[:, k] = np.interp(steps, steps[known], column[known])
    return x


def _by_column(rows: Rows, whole: Split, groups, split: int) -> tuple[list[Split], str]:
    """The parts that the column of the split names, for whole sequences."""
    _expect_same(rows, split, groups)
    cells = cells_of(rows, split)
    of = [cells[g[0]] for g in groups]
    parts = [whole[[n for n, part in enumerate(of) if part == name]] for name in SPLITS]
    if not len(parts[0]):
        raise DataError(f"{rows.path}: the column 'split' names no sequence 'train'")
    return parts, "split " + "/".join(str(len(p)) for p in parts) + " as the file says"
