"""Columns of text as columns of numbers: what each one is, and how it is encoded."""

from dataclasses import dataclass

import numpy as np

from ..files import DataError
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


def cells_of(rows: Rows, column: int) -> list[str]:
    """The cells of one column, without spaces around them."""
    return [row[column].strip() for row in rows.cells]


def is_numeric(rows: Rows, column: int) -> bool:
    """Is this a column of numbers? Raises DataError where nearly all of it is."""
    present = [(i, c) for i, c in enumerate(cells_of(rows, column)) if not missing(c)]
    wrong = [i for i, c in present if number(c) is None]
    if wrong and len(present) - len(wrong) >= MOSTLY * len(present):
        cell = rows.cells[wrong[0]][column]
        raise DataError(
            f"{rows.where(wrong[0], column)}: {cell!r:.60} is no number, but nearly all others"
            " in this column are"
        )
    return not wrong


def encode(rows: Rows, column: int) -> Column:
    """Numbers as they are; text as one column of 0 and 1 for each value that it takes."""
    name, cells = rows.names[column], cells_of(rows, column)
    gone = sum(map(missing, cells))
    if is_numeric(rows, column):
        values = finite(rows, column, [np.nan if missing(c) else number(c) for c in cells])
        if gone == len(cells):
            return Column(name, np.empty((len(cells), 0), np.float32), (), "empty: left out")
        note = f"numbers, {gone} missing: the mean of the training rows" if gone else "numbers"
        return Column(name, values[:, None], (name,), note)
    cells = ["?" if missing(c) else c for c in cells]
    kinds = sorted(set(cells))
    if len(kinds) > CATEGORIES:
        note = f"text with {len(kinds)} different values: left out"
        return Column(name, np.empty((len(cells), 0), np.float32), (), note)
    place = {kind: k for k, kind in enumerate(kinds)}
    values = np.eye(len(kinds), dtype=np.float32)[[place[c] for c in cells]]
    note = f"text, {len(kinds)} values: a column of 0 and 1 for each"
    if gone:
        note += f" ({gone} missing are the value '?')"
    return Column(name, values, tuple(f"{name}={kind}" for kind in kinds), note)


def finite(rows: Rows, column: int, values: list[float]) -> np.ndarray:
    """Numbers as float32. Raises DataError for one that is infinite, or is so in float32."""
    with np.errstate(over="ignore"):
        numbers = np.array(values, np.float32)
    for i in np.flatnonzero(np.isinf(numbers))[:1]:
        raise DataError(f"{rows.where(i, column)}: {rows.cells[i][column]!r:.60} is not finite")
    return numbers
