"""A table of the UCI repository: a .data file, which is a CSV file without a header."""

import csv
from pathlib import Path

import numpy as np

from ..batches import three_way
from ..dataset import DataSet, Info, Split
from ..files import DataError
from ..read import decode, read_path
from ..streams import check_seed
from . import labels
from .columns import Column, cells_of, encode
from .csv_rows import SEPARATORS, Rows, missing, number, read_rows
from .splits import LEAST

VOTES = {"y": 1.0, "n": -1.0, "?": 0.0}
ENCODINGS = ("sign", "onehot")
FEW = 20  # the most different values of a column that may be the label
SAMPLE = 100  # lines that are looked at for a separator


def from_uci(
    path: str | Path, label: str | int | None = None, encoding: str = "sign", seed: int = 0
) -> DataSet:
    """The table in a .data file (or .gz of one): x float32 [N, D], y the label.

    path      the file, in UTF-8, without a header; cells between commas, tabs, semicolons, bars or
              blanks
    label     the number of a column from 1, or "none". By default the last or the first column:
              the one that holds classes, texts or whole numbers of at most 20 kinds that each come
              twice or more; of two, texts before numbers, then fewer kinds, then the last
    encoding  of a column that holds only y, n and ?: "sign" for 1, -1 and 0, as ? may mean neither
              yea nor nay; "onehot" for a column of 0 and 1 for each
    seed      of the split: a fifth of the rows for validation, a fifth for the test

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
    path = Path(path)
    seed = check_seed("from_uci", seed)
    if encoding not in ENCODINGS:
        raise DataError(f"{path}: encoding must be one of {ENCODINGS}; got {encoding!r:.60}")
    rows = _rows(path)
    target = _guess(rows) if label is None else labels.find(rows, label)
    columns = [
        _votes(rows, c) if encoding == "sign" and _is_votes(rows, c) else encode(rows, c)
        for c in range(len(rows.names))
        if c != target
    ]
    x = np.concatenate(
        [np.empty((len(rows.cells), 0), np.float32), *(c.values for c in columns)], 1
    )
    if not x.shape[1]:
        raise DataError(f"{path}: no column is left to learn from")
    y, classes = (None, ()) if target is None else labels.encode(rows, target)
    if len(x) < LEAST:
        raise DataError(f"{path}: {len(x)} rows are too few to split; at least {LEAST} are needed")
    fifth = len(x) // 5
    parts = three_way(x, y, fifth, fifth, seed)
    parts = [_filled(part, parts[0].x) for part in parts]
    how = f"random split {len(x) - 2 * fifth}/{fifth}/{fifth}, seed {seed}"
    binary = all(np.isin(part.x, (0, 1)).all() for part in parts)
    said = f"label {rows.names[target]}: " if target is not None else "no label"
    if target is not None:
        said += f"{len(classes)} classes ({', '.join(classes)})" if classes else "a number"
    first = (
        f"{len(x)} rows and {len(rows.names)} columns, separated by"
        f" {SEPARATORS.get(rows.separator, 'blanks')}, no header: {x.shape[1]} numbers a row"
    )
    info = Info(
        source=str(path),
        classes=classes,
        feature_names=tuple(n for c in columns for n in c.names),
        target_names=() if target is None or classes else (rows.names[target],),
        note=how,
        kind="binary" if binary else "table",
        understood=(first, *(f"{c.name}: {c.meaning}" for c in columns), said, how),
    )
    return DataSet(path.name, *parts, info)


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
                    f"{path}, line {lines[-1]}: {len(row)} cells; line {lines[0]} has"
                    f" {len(cells[0])} (separated by blanks)"
                )
    except csv.Error as error:
        line = numbered[max(0, reader.line_num - 1)][0]
        raise DataError(f"{path}, line {line}: {error}") from None
    names = tuple(f"column {i + 1}" for i in range(len(cells[0])))
    return Rows(path, cells, lines, names, False, " ")


def _between_blanks(head: list[str]) -> bool:
    """Are cells between blanks? Tabs count as such where blanks cut all rows into as many more."""
    if any(s in line for s in SEPARATORS if s != "\t" for line in head):
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


def _votes(rows: Rows, column: int) -> Column:
    name = rows.names[column]
    values = np.array([VOTES[c] for c in cells_of(rows, column)], np.float32)
    return Column(name, values[:, None], (name,), "votes: y is 1, n is -1, ? is 0")


def _filled(part: Split, train: np.ndarray) -> Split:
    """Missing numbers replaced by the mean of the training rows that have one."""
    there = ~np.isnan(train)
    mean = np.where(there, train, 0).sum(axis=0, dtype=np.float64) / np.maximum(there.sum(0), 1)
    return Split(np.where(np.isnan(part.x), mean.astype(part.x.dtype), part.x), part.y)
