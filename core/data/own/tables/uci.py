"""A table of the UCI repository: a .data file, which is a CSV file without a header."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...dataset import DataSet
from ...files import DataError
from ...read import decode, read_path
from ..bits import check_bits
from ..lines import counted
from ..splits import given_files
from . import labels
from .columns import cells_of
from .csv_rows import MARKS, Rows, read_rows
from .csv_table import table_set
from .other_rows import same_columns
from .spelling import missing, number

VOTES = {"y": "1", "n": "-1", "?": "0"}
ENCODINGS = ("sign", "onehot")
FEW = 20  # the most different values of a column that may be the label
SAMPLE = 100  # lines that are looked at for a separator


def from_uci(
    path: str | Path, label: str | int | None = None, encoding: str = "sign", seed: int = 0,
    valid: str | Path | None = None, test: str | Path | None = None, bits: str | None = None,
) -> DataSet:  # fmt: skip
    """The table in a .data file (or .gz of one): x float32 [N, D], y the label.

    path      the file, in UTF-8, without a header; cells between commas, tabs, semicolons, bars or
              blanks
    label     the number of a column from 1, or "none". By default the last or the first column:
              the one that holds classes, texts or whole numbers of at most 20 kinds that each come
              twice or more; of two, texts before numbers, then fewer kinds, then the last
    encoding  of a column that holds only y, n and ?: "sign" for 1, -1 and 0, as ? may mean neither
              yea nor nay; "onehot" for a column of 0 and 1 for each
    seed      of the split: a fifth of the rows for validation, a fifth for the test
    valid, test  files with the same columns, which are these splits
    bits      "median": a column of numbers becomes 1 above its median in the training rows

    Other columns are as in `from_csv`. A .names file is not needed. Raises DataError, with line
    and column, for what cannot be read.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.data")
    ...     with open(path, "w") as file:
    ...         _ = file.write("tory,y,3\\nwhig,n,4\\nwhig,?,5\\ntory,n,6\\n" * 3)
    ...     data = from_uci(path)
    >>> data.info.classes, sorted(set(data.whole().x[:, 0].tolist())), len(data.train)
    (('tory', 'whig'), [-1.0, 0.0, 1.0], 8)
    """
    path, files = Path(path), given_files(valid=valid, test=test)
    check_bits(bits)
    if encoding not in ENCODINGS:
        raise DataError(f"{path}: encoding must be one of {ENCODINGS}; got {encoding!r:.60}")
    rows = _rows(path)
    others = {part: same_columns(rows, _rows(file)) for part, file in files.items()}
    target = _guess(rows) if label is None else labels.find(rows, label)
    voted = [c for c in range(len(rows.names)) if c != target and _is_votes(rows, c)]
    voted = voted if encoding == "sign" else []
    rows, others = _counted(rows, voted), {p: _counted(r, voted) for p, r in others.items()}
    meant = dict.fromkeys(voted, "votes: y is 1, n is -1, ? is 0")
    return table_set("from_uci", rows, others, (target, None), seed, bits, 2, meant)


def _rows(path: Path) -> Rows:
    text = decode(read_path(path), str(path), "utf-8-sig")
    head = [line for line in text.split("\n", SAMPLE)[:SAMPLE] if line.strip()]
    if not head or "\0" in text or not _between_blanks(head):
        return read_rows(path, header=False)
    cells, lines = [], []
    numbered = [(i, " ".join(n.split("\t")).strip()) for i, n in enumerate(text.split("\n"), 1)]
    numbered = [(i, line) for i, line in numbered if line]
    reader = csv.reader(
        (line for _, line in numbered), delimiter=" ", skipinitialspace=True, strict=True
    )
    try:
        for row in reader:
            cells.append(row)
            lines.append(numbered[reader.line_num - 1][0])
            if len(row) != len(cells[0]):
                raise DataError(
                    f"{path}, line {lines[-1]}: {counted(len(row), 'cell')}; line {lines[0]} has"
                    f" {len(cells[0])} (separated by blanks)"
                )
    except csv.Error as error:
        line = numbered[max(0, reader.line_num - 1)][0]
        raise DataError(f"{path}, line {line}: {error}") from None
    names = tuple(f"column {i + 1}" for i in range(len(cells[0])))
    return Rows(path, cells, lines, names, False, " ")


def _between_blanks(head: list[str]) -> bool:
    """Are cells between blanks? Tabs count as such where blanks cut all rows into as many more."""
    if any(s in line for s in MARKS if s != "\t" for line in head):
        return False
    if not any("\t" in line for line in head):
        return True
    blanks, tabs = ({len(line.split(s)) for line in head} for s in (None, "\t"))
    return len(blanks) == 1 and max(blanks) > max(tabs)


def _guess(rows: Rows) -> int | None:
    """The last or the first column, whichever looks like classes; None if neither does."""
    last = len(rows.names) - 1
    found = []
    for column in (last, 0) if last else ():
        cells = cells_of(rows, column)
        kinds, counts = np.unique(cells, return_counts=True)
        if any(map(missing, kinds)) or not 2 <= len(kinds) <= FEW or counts.min() < 2:
            continue
        numbers = [number(k) for k in kinds]
        text = any(n is None for n in numbers)
        if text or all(n == round(n) for n in numbers if np.isfinite(n)):
            found.append((not text, len(kinds), -column, column))
    return min(found)[-1] if found else None


def _is_votes(rows: Rows, column: int) -> bool:
    kinds = set(cells_of(rows, column))
    return {"y", "n"} <= kinds <= VOTES.keys()


def _counted(rows: Rows, columns: list[int]) -> Rows:
    """The same rows with numbers for votes. Raises DataError for what is no vote."""
    cells = [list(row) for row in rows.cells]
    for i, row in enumerate(cells):
        for c in columns:
            vote = row[c].strip()
            if vote not in VOTES:
                raise DataError(f"{rows.where(i, c)}: {vote!r:.60} is none of y, n and ?")
            row[c] = VOTES[vote]
    return replace(rows, cells=cells)
