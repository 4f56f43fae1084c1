"""Which column of a table is the label, and what kind of label it is."""

import numpy as np

from ....kernels.errors import nearest
from ..files import DataError
from .columns import cells_of, finite, is_numeric
from .csv_rows import Rows, missing, number

NAMES = ("label", "class", "target", "y")  # a column of this name is the label
CLASSES = 20  # the most different whole numbers that are classes; with more they are a quantity


def find(rows: Rows, label: str | int | None, split: int | None = None) -> int | None:
    """The column of the label: by its name, or its number from 1; None for ``label="none"``.

    Without `label` it is the column named label, class, target or y; otherwise the last or the
    first column, if it is text with at most 20 values that each come twice or more; otherwise none.
    The column of the `split` is not looked at.
    """
    if label is None:
        return _guess(rows, [c for c in range(len(rows.names)) if c != split])
    if label == "none":
        return None
    if isinstance(label, str) and label in rows.names:
        return rows.names.index(label)
    text = str(label)
    if text.isdecimal() and 1 <= int(text) <= len(rows.names):
        return int(text) - 1
    known = f"there are {', '.join(rows.names[:20])}{' …' if len(rows.names) > 20 else ''}"
    raise DataError(
        f"{rows.path} has no column {label!r:.80}{nearest(text, rows.names) or '; ' + known}"
    )


def _guess(rows: Rows, columns: list[int]) -> int | None:
    lower = [rows.names[c].lower() for c in columns]
    for name in NAMES:
        if name in lower:
            return columns[lower.index(name)]
    for column in (columns[-1], columns[0]) if len(columns) > 1 else ():
        cells = cells_of(rows, column)
        if any(map(missing, cells)) or is_numeric(rows, column):
            continue
        counts = np.unique(cells, return_counts=True)[1]
        if 2 <= len(counts) <= CLASSES and counts.min() >= 2:
            return column
    return None


def encode(rows: Rows, column: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """(y, classes): int64 [N] with the names of the classes, or float32 [N, 1] and none.

    Text is classes, in alphabetical order; so are whole numbers of at most 20 kinds, of which each
    comes twice or more. Other numbers are a quantity to be predicted.
    """
    cells = cells_of(rows, column)
    for i, cell in enumerate(cells):
        if missing(cell):
            raise DataError(f"{rows.where(i, column)}: the label is missing")
    if not is_numeric(rows, column):
        kinds = sorted(set(cells))
        place = {kind: k for k, kind in enumerate(kinds)}
        return np.array([place[c] for c in cells], np.int64), tuple(kinds)
    values = finite(rows, column, [number(c) for c in cells])
    kinds, y, counts = np.unique(values, return_inverse=True, return_counts=True)
    if (kinds == np.round(kinds)).all() and len(kinds) <= CLASSES and counts.min() >= 2:
        return y.astype(np.int64), tuple(f"{k:.0f}" for k in kinds)
    return values[:, None], ()
