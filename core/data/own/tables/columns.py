"""Columns of text as columns of numbers: what each one is, and how it is encoded.

What a column means is learnt from the training file (`learn`) and then holds for every file
(`values`): a value that only the test file has must not make a column that training never sees.
"""

from dataclasses import dataclass

import numpy as np

from ...files import DataError
from .csv_rows import Rows, missing, number

CATEGORIES = (
    50  # values of a column of text that become columns of 0 and 1; with more it is left out
)
MOSTLY = 0.9  # a column with this share of numbers is one of numbers, and the rest of it is wrong


@dataclass(frozen=True)
class Column:
    """One column of the file. `values` [N, K] has NaN for a missing number; K = 0: left out."""

    name: str
    values: np.ndarray
    names: tuple[str, ...]  # of the K columns it becomes
    meaning: str  # what it was taken for


@dataclass(frozen=True)
class Meaning:
    """What one column of the training file means.

    `kinds` are the values of a column of text, None for one of numbers; `names` those of the
    columns of x that it becomes: none where it is left out.
    """

    place: int  # in the file, from 0
    name: str
    kinds: tuple[str, ...] | None
    names: tuple[str, ...]
    meaning: str  # what it was taken for


def cells_of(rows: Rows, column: int) -> list[str]:
    """The cells of one column, without spaces around them."""
    return [row[column].strip() for row in rows.cells]


def is_numeric(rows: Rows, column: int) -> bool:
    """Is this a column of numbers? Raises DataError where nearly all of it is."""
    present = [(i, c) for i, c in enumerate(cells_of(rows, column)) if not missing(c)]
    wrong = [i for i, c in present if number(c) is None]
    if wrong and len(present) - len(wrong) >= MOSTLY * len(present):
        cell = rows.cells[wrong[0]][column]
        hint = "; is this row a header?" if wrong == [0] and not rows.header else ""
        raise DataError(
            f"{rows.where(wrong[0], column)}: {cell!r:.60} is no number, but nearly all others"
            f" in this column are{hint}"
        )
    return not wrong


def learn(rows: Rows, place: int) -> Meaning:
    """What a column of the training file means: numbers, or text with its values."""
    name, cells = rows.names[place], cells_of(rows, place)
    gone = sum(map(missing, cells))
    if is_numeric(rows, place):
        if gone == len(cells):
            return Meaning(place, name, None, (), "empty: left out")
        note = f"numbers, {gone} missing: the mean of the training rows" if gone else "numbers"
        return Meaning(place, name, None, (name,), note)
    kinds = tuple(sorted({"?" if missing(c) else c for c in cells}))
    if len(kinds) > CATEGORIES:
        note = f"text with {len(kinds)} different values: left out"
        return Meaning(place, name, kinds, (), note)
    note = f"text, {len(kinds)} values: a column of 0 and 1 for each"
    if gone:
        note += f" ({gone} missing are the value '?')"
    return Meaning(place, name, kinds, tuple(f"{name}={kind}" for kind in kinds), note)


def values(rows: Rows, column: Meaning) -> np.ndarray:
    """The column of a file, float32 [N, K]: numbers with NaN for a missing one, or 0 and 1.

    A text that the training file does not have is 0 in all K columns.
    """
    cells = cells_of(rows, column.place)
    if not column.names:
        return np.empty((len(cells), 0), np.float32)
    if column.kinds is None:
        return numbers(rows, column.place, gaps=True)[:, None]
    place = {kind: k for k, kind in enumerate(column.kinds)}
    found = np.zeros((len(cells), len(place)), np.float32)
    for i, cell in enumerate(cells):
        k = place.get("?" if missing(cell) else cell)
        if k is not None:
            found[i, k] = 1
    return found


def encode(rows: Rows, place: int) -> Column:
    """Numbers as they are; text as one column of 0 and 1 for each value that it takes."""
    column = learn(rows, place)
    return Column(column.name, values(rows, column), column.names, column.meaning)


def unknown(rows: Rows, column: Meaning) -> list[str]:
    """The values of a column of text in another file that the training file does not have."""
    if column.kinds is None or not column.names:
        return []
    there = {"?" if missing(c) else c for c in cells_of(rows, column.place)}
    return sorted(there - set(column.kinds))


def numbers(rows: Rows, column: int, gaps: bool = False) -> np.ndarray:
    """A column of numbers as float32 [N], with `gaps` NaN for a missing one.

    Raises DataError for a cell that is none, one that is infinite, or is so in float32.
    """
    cells = cells_of(rows, column)
    read = []
    for i, cell in enumerate(cells):
        value = np.nan if gaps and missing(cell) else number(cell)
        if value is None:
            raise DataError(f"{rows.where(i, column)}: {cell!r:.60} is no number")
        read.append(value)
    with np.errstate(over="ignore"):
        found = np.array(read, np.float32)
    for i in np.flatnonzero(np.isinf(found))[:1]:
        raise DataError(f"{rows.where(i, column)}: {rows.cells[i][column]!r:.60} is not finite")
    return found
