"""A CSV or TSV file as rows of text: how it is separated, and whether its first row is a header."""

import csv
import io
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ...files import DataError
from ...read import read_path
from ...room import expect_room, unpacked_size
from ..lines import counted, decoded
from ..peek import head

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})  # in any case
SAMPLE = 100  # rows that the separator is judged by
LONGEST = 16 << 20  # characters of a cell
COLUMNS = 100_000  # of a table, at most
ROW, CELL, CHARACTER = 153, 70, 4  # bytes of memory for each of them, while a table is read


@dataclass(frozen=True)
class Rows:
    """The cells of a file, `lines[i]` the line where row i ends, and the names of its columns."""

    path: Path
    cells: list[list[str]]
    lines: list[int]
    names: tuple[str, ...]
    header: bool
    separator: str

    def where(self, row: int, column: int) -> str:
        """A cell in words, for a message."""
        return f"{self.path}, line {self.lines[row]}, column {column + 1} ({self.names[column]})"


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


def read_rows(
    path: str | Path, header: bool | None = None, encoding: str = "utf-8", quotes: bool = True
) -> Rows:
    """The rows of a .csv or .tsv file, packed (.gz, .bz2) or not.

    Without `header` the first row is one where none of its cells is a number or missing, they
    differ from each other, and none of them comes again in its column. Without `quotes` a
    quotation mark is a character like others. Raises DataError, with the line, for a row of
    another length than the first, an open quotation mark, other bytes than those of `encoding`,
    and a file without rows.
    """
    path = Path(path)
    _expect_room(path)
    return rows_of(path, decoded(read_path(path), str(path), encoding), header, quotes)


def rows_of(
    path: Path, text: str, header: bool | None = None, quotes: bool = True, whole: bool = True
) -> Rows:
    """The rows of the text of a file, as `read_rows`; only the name of `path` is looked at.

    A text that is not the `whole` one may end inside a row, which is left out if it is short.
    """
    separator = _separator(path, text)
    cells, lines = _split(path, text, separator, quotes, whole)
    if header is None:
        header = _has_header(cells)
    names = tuple(c.strip() for c in cells[0]) if header else ()
    if header:
        cells, lines = cells[1:], lines[1:]
        first = {name: i for i, name in reversed(list(enumerate(names)))}
        twice = next((n for i, n in enumerate(names) if first[n] < i), None)
        if twice is not None:
            raise DataError(f"{path}: two columns are named {twice!r:.80}")
    if not cells:
        raise DataError(f"{path} has no rows" + (" under its header" if header else ""))
    if not header:
        names = tuple(f"column {i + 1}" for i in range(len(cells[0])))
    return Rows(path, cells, lines, names, header, separator)


def _expect_room(path: Path) -> None:
    """Raise DataError where the rows would not fit into memory, judged by the first of them."""
    if not path.is_file():
        return
    size, first = unpacked_size(path), head(path)[0]
    if not first:  # damaged: `read_path` says so
        return
    lines = max(1, first.count(b"\n"))
    cells = max(first.count(s.encode()) for s in SEPARATORS) / lines + 1
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

    best = max(SEPARATORS, key=cells)
    if cells(best) > 1:
        return best
    return max(SEPARATORS, key=lambda s: sum(s in line for line in head))  # rows differ: say which


def _has_header(cells: list[list[str]]) -> bool:
    first, rest = cells[0], cells[1:]
    if not rest or len({c.strip() for c in first}) < len(first):
        return False
    if any(missing(c) or number(c) is not None for c in first):
        return False
    return not any(row[i] == cell for row in rest for i, cell in enumerate(first))
