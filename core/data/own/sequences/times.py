"""Columns of a table that say when: dates and times, or year, month and day in a column each."""

import re
from dataclasses import dataclass

import numpy as np

from ...files import DataError
from ..tables.columns import cells_of
from ..tables.csv_rows import Rows
from ..tables.spelling import missing, number

NAMES = frozenset(
    {"time", "date", "datetime", "timestamp", "year", "month", "week", "day", "hour", "t", "step"}
)  # a first column of increasing numbers with this name says when
YEARS = range(1000, 3000)
_ISO = re.compile(
    r"(\d{4})[-/](\d\d)(?:[-/](\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)Z?)?)?", re.ASCII
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
UNITS = ((86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


@dataclass(frozen=True)
class Times:
    """When each row is: `values` [T] are datetime64[s], or numbers; `columns` are what says it."""

    columns: tuple[int, ...]
    values: np.ndarray

    def __str__(self) -> str:
        first, last = (str(v).removesuffix("T00:00:00") for v in self.values[[0, -1]])
        return f"{first} … {last}, {step(self.values)}"


def moment(cell: str) -> np.datetime64 | None:
    """A date or time as datetime64[s]: year first, then month, and day and time if there are any.

    >>> moment("1949-02"), moment("19580329"), moment("2020-02-30")
    (np.datetime64('1949-02-01T00:00:00'), np.datetime64('1958-03-29T00:00:00'), None)
    """
    cell = cell.strip()
    if len(cell) > 40:
        return None
    found = _ISO.fullmatch(cell) or _COMPACT.fullmatch(cell)
    if found is None:
        return None
    year, month, day, *clock = found.groups()
    text = f"{year}-{month}-{day or '01'}" + (f"T{clock[0]}" if clock and clock[0] else "")
    try:
        return np.datetime64(text, "s") if int(year) in YEARS else None
    except ValueError:  # there is no 30 February
        return None


def find(rows: Rows) -> Times | None:
    """What the first columns say, where these are clearly dates: one column, or year and month.

    A column of decimal years (1749.042) that follows year and month says the same again. None where
    there are no dates; the order is not looked at.
    """
    cells = cells_of(rows, 0)
    values = [moment(c) for c in cells]
    if all(v is not None for v in values):
        return Times((0,), np.array(values))
    parts = []
    for column, (low, high) in enumerate(((YEARS[0], YEARS[-1]), (1, 12), (1, 31))):
        if column >= len(rows.names) or not (found := _whole(rows, column, low, high)):
            break
        parts.append([f"{n:04d}" if column == 0 else f"{n:02d}" for n in found])
    if len(parts) < 2:
        return None
    values = [moment("-".join(row)) for row in zip(*parts)]
    if any(v is None for v in values):  # a third column of small numbers that are no days
        parts = parts[:2]
        values = [moment("-".join(row)) for row in zip(*parts)]
    columns = list(range(len(parts)))
    if len(columns) < len(rows.names) and _is_decimal_year(rows, len(columns), parts[0]):
        columns.append(len(columns))
    return Times(tuple(columns), np.array(values))


def of_column(rows: Rows, column: int) -> Times:
    """What one column says: dates, or numbers. Raises DataError, with the line, for other cells."""
    cells = cells_of(rows, column)
    moments = [moment(c) for c in cells]
    if all(m is not None for m in moments):
        return Times((column,), np.array(moments))
    numbers = [None if missing(c) else number(c) for c in cells]
    few = sum(m is None for m in moments) < len(cells) / 2
    wrong = next((i for i, v in enumerate(moments if few else numbers) if v is None), None)
    if wrong is None and not np.isfinite(numbers).all():
        wrong = int(np.flatnonzero(~np.isfinite(numbers))[0])
    if wrong is not None:
        raise DataError(
            f"{rows.where(wrong, column)}: {rows.cells[wrong][column]!r:.60} is no time: expected"
            " a date such as 2020-01-31 or 2020-01-31 12:30, or a number"
        )
    return Times((column,), np.array(numbers, np.float64))


def is_index(rows: Rows) -> bool:
    """Is the first column one of increasing numbers, without a name or with that of a time?"""
    if not (rows.index or rows.names[0].lower() in NAMES) or len(rows.names) < 2:
        return False
    numbers = [number(c) for c in cells_of(rows, 0)]
    return None not in numbers and bool((np.diff(np.array(numbers, np.float64)) > 0).all())


def check_order(rows: Rows, times: Times) -> None:
    """Raises DataError, with the line, for a row that is not later than the one before."""
    late = times.values[1:] > times.values[:-1]
    for i in np.flatnonzero(~late)[:1] + 1:
        column = times.columns[0]
        cell = " ".join(rows.cells[i][c].strip() for c in times.columns)
        raise DataError(
            f"{rows.where(i, column)}: {cell!r:.60} is not later than the row before; a series"
            " is in the order of time"
        )


def step(values: np.ndarray) -> str:
    """The distance from row to row, in words.

    >>> step(np.array(["2020-01-01", "2020-02-01", "2020-03-01"], "datetime64[s]"))
    'a row every month'
    >>> step(np.array([0.0, 1.0, 3.0]))
    'steps of 1 to 2: not regular'
    """
    if len(values) < 2:
        return "one row"
    if values.dtype.kind == "M":
        months = values.astype("datetime64[M]")
        if (months.astype(values.dtype) == values).all():
            apart = np.unique(np.diff(months.astype(np.int64)))
            if len(apart) == 1 and apart[0] in (1, 12):
                return f"a row every {'month' if apart[0] == 1 else 'year'}"
        seconds = np.diff(values.astype("datetime64[s]").astype(np.int64))
        size, unit = next((n, u) for n, u in UNITS if not (seconds % n).any())
        apart, unit = seconds / size, f" {unit}"
    else:
        apart, unit = np.diff(values), ""
    low, high = apart.min(), apart.max()
    if np.isclose(low, high, rtol=1e-6):
        return f"a row every {unit[1:-1] if unit and low == 1 else f'{low:g}{unit}'}"
    return f"steps of {low:g} to {high:g}{unit}: not regular"


def _whole(rows: Rows, column: int, low: int, high: int) -> list[int] | None:
    cells = cells_of(rows, column)
    if not all(c.isascii() and c.isdigit() and len(c) <= 4 for c in cells):
        return None
    found = [int(c) for c in cells]
    return found if low <= min(found) and max(found) <= high else None


def _is_decimal_year(rows: Rows, column: int, years: list[str]) -> bool:
    found = [number(c) for c in cells_of(rows, column)]
    return all(v is not None and 0 < v - int(y) < 1 for v, y in zip(found, years))
