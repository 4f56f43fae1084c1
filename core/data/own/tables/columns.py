"""Columns of text as columns of numbers: what each one is, and how it is encoded.

What a column means is learnt from the training file (`learn`) and then holds for every file
(`values`): a value that only the test file has must not make a column that training never sees.
"""

import shlex
from dataclasses import dataclass

import numpy as np

from ...files import DataError
from .csv_rows import Rows, counts
from .spelling import is_spelled_otherwise, missing, number

CATEGORIES = (
    50  # values of a column of text that become columns of 0 and 1; with more it is left out
)
MOSTLY = 0.9  # a column with this share of numbers is one of numbers, and the rest of it is wrong
HALF = 0.5  # with this share it may be one whose other cells stand for a missing number
MARKS = 5  # the most different texts that may do so
GRADES = 10  # more different numbers than these, or fractions, are measured and no grades
INDEX = ("id", "index")  # a first column of this name that counts the rows is no feature


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
    """Is this a column of numbers?

    Raises DataError where nearly all of it is; where at least half of it is and a few texts may
    stand for missing numbers; and for numbers that are not spelled as they are read here.
    """
    cells = cells_of(rows, column)
    present = [(i, c) for i, c in enumerate(cells) if not missing(c)]
    wrong = [i for i, c in present if number(c) is None]
    right = len(present) - len(wrong)
    if not wrong:
        return True
    other = [i for i in wrong if is_spelled_otherwise(cells[i])]
    if other and right + len(other) >= HALF * len(present):
        raise DataError(
            f"{rows.where(other[0], column)}: {cells[other[0]]!r:.60} is no number as it stands;"
            " write numbers with a point, without % and without commas between thousands"
        )
    kinds = sorted({cells[i] for i in wrong})
    known = ",".join(kinds) if not any("," in k for k in kinds) else kinds[0]
    hint = f"; if that stands for no value: `--read {shlex.quote('missing=' + known)}`"
    few = len(kinds) <= MARKS and len(known) <= 60
    if right >= MOSTLY * len(present):
        if wrong == [0] and not rows.header:
            hint = "; if this row is a header: `--read header=yes`"
        elif not few:
            hint = ""
        raise DataError(
            f"{rows.where(wrong[0], column)}: {rows.cells[wrong[0]][column]!r:.60} is no number,"
            f" but nearly all others in this column are{hint}"
        )
    if few and right >= HALF * len(present) and _are_measured([number(c) for _, c in present]):
        raise DataError(
            f"{rows.where(wrong[0], column)}: {right} of {len(present)} cells are numbers, the"
            f" others are {', '.join(map(repr, kinds))}{hint}"
        )
    return False


def mostly_numbers(rows: Rows, column: int) -> bool:
    """Are at least half of the cells that are not missing numbers?"""
    present = [c for c in cells_of(rows, column) if not missing(c)]
    return sum(number(c) is not None for c in present) >= HALF * len(present)


def _are_measured(found: list[float | None]) -> bool:
    """Numbers of a quantity, rather than the few of a scale such as 2, 3, 4 (and "more")."""
    kinds = set(found) - {None}
    return len(kinds) > GRADES or not all(n.is_integer() for n in kinds)


def learn(rows: Rows, place: int) -> Meaning:
    """What a column of the training file means: numbers, or text with its values."""
    name, cells = rows.names[place], cells_of(rows, place)
    gone = sum(map(missing, cells))
    if place == 0 and rows.index:
        return Meaning(place, name, None, (), "names the rows, as the header is empty: left out")
    if is_numeric(rows, place):
        if gone == len(cells):
            return Meaning(place, name, None, (), "empty: left out")
        note = f"numbers, {gone} missing: the mean of the training rows" if gone else "numbers"
        if place in rows.decimal:
            note += ", written with a decimal comma"
        if counts(cells):
            if place == 0 and name.lower() in INDEX:
                return Meaning(place, name, None, (), "counts the rows: left out")
            note += " that only count the rows"
        return Meaning(place, name, None, (name,), note)
    kinds = tuple(sorted({"?" if missing(c) else c for c in cells}))
    part = sum(number(c) is not None for c in kinds)
    some = f", {part} of them numbers" if part else ""
    if len(kinds) > CATEGORIES:
        note = f"text with {len(kinds)} different values{some}: left out"
        return Meaning(place, name, kinds, (), note)
    if len(kinds) > 2 and len(kinds) >= MOSTLY * len(cells):
        note = f"text, {len(kinds)} values in {len(cells)} rows{some}: nearly all differ, left out"
        return Meaning(place, name, kinds, (), note)
    note = f"text, {len(kinds)} values{some}: a column of 0 and 1 for each"
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
