"""How a table spells its numbers, and what it writes where there is none."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from ...files import DataError

MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})  # in any case
DASHES = frozenset({"-", "."})  # missing too, where all else in the column is numbers
_DASHED = re.compile(r"(?:^|[,;|\t \"])[-.](?:$|[,;|\t \"])", re.MULTILINE)
_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?", re.ASCII)
_OTHER = re.compile(r"[+-]?(?:\d+,\d+|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)? ?%)", re.ASCII)


def missing(cell: str) -> bool:
    """Does a cell stand for no value?

    >>> missing(" NA "), missing("0")
    (True, False)
    """
    return cell.strip().lower() in MISSING


def number(cell: str) -> float | None:
    """A cell as a number; None where it is none.

    >>> number("1e3"), number("1_000"), number("x")
    (1000.0, None, None)
    """
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def is_number(cell: str, comma: bool = False) -> bool:
    """Is it a number? With `comma` also one with a decimal comma.

    >>> is_number("1,5"), is_number("1,5", comma=True)
    (False, True)
    """
    return number(cell) is not None or (comma and bool(_COMMA.fullmatch(cell.strip())))


def is_spelled_otherwise(cell: str) -> bool:
    """Is it a number to a person, though not here?

    >>> [is_spelled_otherwise(c) for c in ("1,200", "-1,3", "10%", "1,234.50", "12", "1,a")]
    [True, True, True, True, False, False]
    """
    return bool(_OTHER.fullmatch(cell.strip()))


def are_numbers(cells: Sequence[str], comma: bool = False) -> bool:
    """Are all cells that are not missing numbers, and some of them are not missing?"""
    present = [c for c in cells if not missing(c)]
    return bool(present) and all(is_number(c, comma) for c in present)


def texts_of(path: Path, gone) -> frozenset[str]:
    """The texts that stand for a missing value: one, several with commas between, or a list.

    >>> sorted(texts_of("d.csv", "-,<LOD")), sorted(texts_of("d.csv", -9))
    (['-', '<LOD'], ['-9'])
    """
    several = gone if isinstance(gone, list | tuple | set | frozenset) else str(gone).split(",")
    if not all(isinstance(text, str | int | float) for text in several):
        raise DataError(f"{path}: missing must be a text or several; got {gone!r:.60}")
    return frozenset(str(text).strip() for text in several)


def with_points(text: str, cells: list[list[str]]) -> tuple[int, ...]:
    """The columns whose numbers have a decimal comma; in `cells` it becomes a point.

    One with points as well keeps them all: which of the two ends the whole part is not known.
    """
    if not re.search(r"\d,\d", text):
        return ()
    found = []
    for i in range(len(cells[0])):
        if not any(_COMMA.fullmatch(row[i].strip()) for row in cells):
            continue
        column = [row[i].strip() for row in cells]
        present = [c for c in column if not missing(c) and c not in DASHES]
        if all(_COMMA.fullmatch(c) or (number(c) is not None and "." not in c) for c in present):
            found.append(i)
            for row in cells:
                row[i] = row[i].replace(",", ".")
    return tuple(found)


def without_marks(text: str, cells: list[list[str]]) -> None:
    """Make cells of a dash or a point alone empty where all others of the column are numbers."""
    if not _DASHED.search(text):
        return
    for i in range(len(cells[0])):
        column = [row[i].strip() for row in cells]
        if not DASHES.isdisjoint(column) and are_numbers([c for c in column if c not in DASHES]):
            for row in cells:
                row[i] = "" if row[i].strip() in DASHES else row[i]


def between_blanks(lines: Collection[str]) -> bool:
    """Do blanks separate as many numbers in each line? The first may hold names, after a #.

    >>> between_blanks([" 1.0  2.0", "3 4"]), between_blanks(["# a b", "3 4"])
    (True, True)
    >>> between_blanks(["to be", "or not"]), between_blanks(["1 2", "3"])
    (False, False)
    """
    first, *rest = [line.removeprefix("#").split() for line in lines] or [[]]
    rows = rest if rest and not are_numbers(first) else [first, *rest]
    return len(first) > 1 and all(len(r) == len(first) and are_numbers(r) for r in rows)


def with_single_blanks(text: str) -> str:
    """Lines of cells with one blank between them, and no # before the first."""
    lines = text.removeprefix("#").split("\n")
    return "\n".join(" ".join(line.split()) for line in lines)
