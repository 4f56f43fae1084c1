"""A CSV or TSV file as rows of text: how it is separated, and whether its first row is a header."""

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ...files import DataError
from ...read import read_path
from ...room import expect_room, unpacked_size
from ..lines import counted, decoded
from ..peek import head
from . import spelling
from .spelling import missing

MARKS = (",", "\t", ";", "|")
SEPARATORS = dict(zip((*MARKS, " "), ("commas", "tabs", "semicolons", "bars", "blanks")))
SAMPLE = 100  # rows that the separator is judged by
LONGEST = 16 << 20  # characters of a cell
COLUMNS = 100_000  # of a table, at most
ROW, CELL, CHARACTER = 153, 70, 4  # bytes of memory for each of them, while a table is read


@dataclass(frozen=True)
class Rows:
    """The cells of a file, `lines[i]` the line where row i ends, and the names of its columns.

    `index` says that the first column has no name in the header: it numbers or names the rows.
    Columns of `decimal` had a comma where the cells here have a point.
    """

    path: Path
    cells: list[list[str]]
    lines: list[int]
    names: tuple[str, ...]
    header: bool
    separator: str
    index: bool = False
    decimal: tuple[int, ...] = ()

    def where(self, row: int, column: int) -> str:
        """A cell in words, for a message."""
        return f"{self.path}, line {self.lines[row]}, column {column + 1} ({self.names[column]})"


def read_rows(
    path: str | Path, header: bool | None = None, encoding: str = "utf-8", quotes: bool = True,
    gone: str | Collection[str] = (),
) -> Rows:  # fmt: skip
    """The rows of a .csv or .tsv file, packed (.gz, .bz2) or not.

    Without `header` the first row is one where none of its cells is a number, and none of them
    occurs again in its column; one may be empty where the file shows otherwise that there is a
    header. Without `quotes` a quotation mark is a character like others. Cells of `gone`, a text
    or several, are empty in what is returned; so are - and . in a column of numbers. Numbers with
    a decimal comma have a point, unless commas separate the cells. Blanks separate numbers alone.
    Raises DataError, with the line, for a row of another length than the first, an open quotation
    mark, other bytes than those of `encoding`, two columns of one name, and a file without rows.
    """
    path, gone = Path(path), spelling.texts_of(path, gone)
    _expect_room(path)
    return rows_of(path, decoded(read_path(path), str(path), encoding), header, quotes, gone=gone)


def rows_of(
    path: Path, text: str, header: bool | None = None, quotes: bool = True, whole: bool = True,
    gone: Collection[str] = (),
) -> Rows:  # fmt: skip
    """The rows of the text of a file, as `read_rows`; only the name of `path` is looked at.

    A text that is not the `whole` one may end inside a row, which is left out if it is short.
    """
    separator = _separator(path, text)
    if separator == " ":
        text = spelling.with_single_blanks(text)
    cells, lines = _split(path, text, separator, quotes, whole)
    if header is None:
        header = _has_header(cells, comma=separator != ",")
    first = [c.strip() for c in cells[0]] if header else [""] * len(cells[0])
    names = tuple(name or f"column {i + 1}" for i, name in enumerate(first))
    if header:
        where = f"{path}, line {lines[0]}"
        cells, lines = cells[1:], lines[1:]
        place = {name: i for i, name in reversed(list(enumerate(names)))}
        for i, name in enumerate(names):
            if place[name] < i:
                hint = ", or give `--read header=no` if this row holds no names"
                hint *= any(map(spelling.is_number, names))
                raise DataError(
                    f"{where}: columns {place[name] + 1} and {i + 1} are both named {name!r:.80};"
                    f" rename one{hint}"
                )
    if not cells:
        raise DataError(f"{path} has no rows" + (" under its header" if header else ""))
    if gone:
        cells = [["" if c.strip() in gone else c for c in row] for row in cells]
    decimal = spelling.with_points(text, cells) if separator != "," else ()
    spelling.without_marks(text, cells)
    return Rows(path, cells, lines, names, header, separator, header and not first[0], decimal)


def _expect_room(path: Path) -> None:
    """Raise DataError where the rows would not fit into memory, judged by the first of them."""
    if not path.is_file():
        return
    size, first = unpacked_size(path), head(path)[0]
    if not first:  # damaged: `read_path` says so
        return
    lines = max(1, first.count(b"\n"))
    cells = max(first.count(s.encode()) for s in MARKS) / lines + 1
    rows = size / max(1, len(first)) * lines
    need = rows * (ROW + CELL * cells) + CHARACTER * size
    expect_room(path, need, f"a table of about {rows:,.0f} rows, {cells:.0f} cells each,")


def _split(
    path: Path, text: str, separator: str, quotes: bool, whole: bool
) -> tuple[list[list[str]], list[int]]:
    cells, lines = [], []
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    # not splitlines: it also breaks at U+0085 and U+2028, which occur inside cells
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=separator, strict=whole, quoting=quoting)
    before = csv.field_size_limit(LONGEST)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):  # an empty line is none
                cells.append(row)
                lines.append(reader.line_num)
                if len(row) > COLUMNS:
                    raise DataError(
                        f"{path}, line {reader.line_num}: {len(row):,} cells; at most {COLUMNS:,}"
                        f" are read (separated by {SEPARATORS[separator]})"
                    )
                if len(row) != len(cells[0]):
                    if not whole and stream.tell() == len(text):
                        return cells[:-1], lines[:-1]
                    raise DataError(
                        f"{path}, line {reader.line_num}: {counted(len(row), 'cell')}; line"
                        f" {lines[0]} has"
                        f" {len(cells[0])} (separated by {SEPARATORS[separator]})"
                    )
    except csv.Error as error:
        raise DataError(_in_words(path, error, reader.line_num, lines)) from None
    finally:
        csv.field_size_limit(before)
    if not cells:
        raise DataError(f"{path} has no rows")
    return cells, lines


def _in_words(path: Path, error: csv.Error, line: int, lines: list[int]) -> str:
    """What the module csv says, as a person would."""
    if "unexpected end of data" in str(error):
        begin = lines[-1] + 1 if lines else 1
        return f"{path}, line {begin}: a quotation mark is open in this row to the end of the file"
    if "field larger" in str(error):
        return f"{path}, line {line}: a cell of more than {LONGEST:,} characters"
    return f"{path}, line {line}: {error}"


def _separator(path: Path, text: str) -> str:
    """The separator that cuts the first rows into equally many cells, the most if several do."""
    if ".tsv" in map(str.lower, path.suffixes):
        return "\t"
    head = [line for line in islice(io.StringIO(text), SAMPLE) if line.strip()]

    def cells(separator: str) -> int:
        """Cells of each row; 1 where they differ or nothing is cut."""
        try:
            counts = {len(row) for row in csv.reader(head, delimiter=separator)}
        except csv.Error:
            return 1
        return counts.pop() if len(counts) == 1 else 1

    best = max(MARKS, key=cells)
    if cells(best) > 1:
        return best
    if spelling.between_blanks(head):
        return " "
    return max(MARKS, key=lambda s: sum(s in line for line in head))  # rows differ: say which


def _has_header(cells: list[list[str]], comma: bool) -> bool:
    """Does the first row hold names? With `comma`, a number may have one for its point."""
    first, rest = [c.strip() for c in cells[0]], cells[1:]
    named = [i for i, c in enumerate(first) if c]
    if not rest or not named:
        return False
    if any(missing(first[i]) or spelling.is_number(first[i], comma) for i in named):
        return False
    if any(row[i].strip() == first[i] for row in rest for i in named):
        return False
    if len(named) == len(first):
        return True
    # an empty cell is no name, but it may be a missing one of data: something must show a header
    columns = [[row[i].strip() for row in rest] for i in range(len(first))]
    return (
        any(spelling.are_numbers(columns[i], comma) for i in named)
        or (not first[0] and counts(columns[0]))
        or not any(any(columns[i]) for i in range(len(first)) if i not in named)
    )


def counts(cells: list[str]) -> bool:
    """Do the cells of a column only count the rows, from 0 or 1?

    >>> counts(["1", "2", "3"]), counts(["0", "1"]), counts(["2", "3"])
    (True, True, False)
    """
    return any(
        len(cells) > 1 and all(c == str(i) for i, c in enumerate(cells, start)) for start in (0, 1)
    )
