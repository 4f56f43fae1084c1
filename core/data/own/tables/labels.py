"""Which column of a table is the label, and what kind of label it is."""

import shlex
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from .....kernels.errors import nearest
from ...files import DataError
from .columns import cells_of, is_numeric, numbers
from .csv_rows import Rows
from .spelling import missing, number

NAMES = ("label", "class", "target", "y")  # a column of this name is the label
CLASSES = 20  # the most different whole numbers that are classes; with more they are a quantity


def find(rows: Rows, label: str | int | None, taken: Collection[int | None] = ()) -> int | None:
    """The column of the label: by its name, or its number from 1; None for ``label="none"``.

    Without `label` it is the column named label, class, target or y; otherwise the last or the
    first column, if it is text of two to twenty values, each at least twice; otherwise none.
    Columns that are `taken` otherwise are not looked at.
    """
    if label is None:
        return _guess(rows, [c for c in range(len(rows.names)) if c not in taken])
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
    return next((c for c, rare in _texts(rows, columns) if not rare), None)


def _texts(rows: Rows, columns: list[int]) -> list[tuple[int, list[str]]]:
    """The last and the first column if they may hold classes, and those that occur only once."""
    found = []
    for column in (columns[-1], columns[0]) if len(columns) > 1 else ():
        cells = cells_of(rows, column)
        if (column == 0 and rows.index) or any(map(missing, cells)) or is_numeric(rows, column):
            continue
        kinds, counts = np.unique(cells, return_counts=True)
        if 2 <= len(kinds) <= CLASSES:
            found.append((column, [str(kind) for kind in kinds[counts == 1]]))
    return found


def reason(rows: Rows, place: int | None, taken: Collection[int | None] = ()) -> str:
    """Why `find` took this column without being told, in words; or why it took none."""
    columns = [c for c in range(len(rows.names)) if c not in taken]
    if place is not None:
        why = f"it is named {rows.names[place]}"
        if rows.names[place].lower() not in NAMES:
            why = f"it is the {'last' if place == columns[-1] else 'first'} column, a few texts"
        return f"taken as label because {why}; `--label none` for none"
    for column, rare in _texts(rows, columns):
        if 2 * len(rare) <= len(set(cells_of(rows, column))):  # otherwise: texts that differ
            some = ", ".join(rare[:5]) + (" …" if len(rare) > 5 else "")
            label = shlex.quote(rows.names[column])
            return (
                f"{rows.names[column]} would be one, but some values occur only once ({some}):"
                f" `--label {label}` if it is"
            )
    return ""


@dataclass(frozen=True)
class Label:
    """What the column of the label means, as the training file has it.

    `classes` are in the order of y, none for a quantity; `whole` says that they are numbers.
    """

    place: int
    name: str
    classes: tuple[str, ...]
    whole: bool = False


def learn(rows: Rows, place: int) -> Label:
    """What the label in column `place` of the training file is: classes, or a quantity.

    Text is classes, in alphabetical order; so are whole numbers of at most 20 kinds, of which each
    occurs at least twice. Other numbers are a quantity to be predicted. Raises DataError where one
    is missing.
    """
    cells = _present(rows, place)
    name = rows.names[place]
    if not is_numeric(rows, place):
        return Label(place, name, tuple(sorted(set(cells))))
    kinds, counts = np.unique(numbers(rows, place) + 0.0, return_counts=True)  # -0 is 0
    if (kinds == np.round(kinds)).all() and len(kinds) <= CLASSES and counts.min() >= 2:
        return Label(place, name, tuple(f"{k:.0f}" for k in kinds), whole=True)
    return Label(place, name, ())


def values(rows: Rows, label: Label) -> np.ndarray:
    """The labels of a file: classes int64 [N], or numbers float32 [N, 1].

    Raises DataError where one is missing, and for a class that the training file does not have:
    nothing could learn it.
    """
    cells = _present(rows, label.place)
    if not label.classes:
        return numbers(rows, label.place)[:, None]
    if label.whole:
        cells = [_whole(cell) for cell in cells]
    known = {kind: k for k, kind in enumerate(label.classes)}
    for i, cell in enumerate(cells):
        if cell not in known:
            raise DataError(
                f"{rows.where(i, label.place)}: {cell!r:.60} is no class of the training file,"
                f" which has {', '.join(label.classes[:20])}"
            )
    return np.array([known[c] for c in cells], np.int64)


def there(rows: Rows, place: int | None) -> bool:
    """Do the rows have labels? Not where their column is empty throughout, or not in their file."""
    return place is not None and not all(map(missing, cells_of(rows, place)))


def _whole(cell: str) -> str:
    """A whole number as a class is named: 1.0 and 1e0 are 1."""
    value = number(cell)
    if value is None or not value.is_integer():
        return cell
    return f"{np.float32(value) + 0.0:.0f}" if abs(value) < 1e30 else cell


def _present(rows: Rows, place: int) -> list[str]:
    cells = cells_of(rows, place)
    for i, cell in enumerate(cells):
        if missing(cell):
            raise DataError(f"{rows.where(i, place)}: the label is missing")
    return cells
