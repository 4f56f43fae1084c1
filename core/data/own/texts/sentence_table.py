"""A table with a column of texts, and one of their class."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ...dataset import DataSet, Info, Split
from ...files import DataError
from ..lines import counted, listed
from ..peek import head_text
from ..splits import SPLITS, given_files, instead, seeded
from ..tables import labels
from ..tables.columns import cells_of
from ..tables.csv_rows import Rows, read_rows, rows_of
from ..tables.csv_table import by_column, split_column
from ..tables.other_rows import same_columns
from ..tables.spelling import missing, number
from .sentences import CLASSES, cutter, sentence_set

LONG = 4  # words of a text: in a column of texts most cells have as many


def from_sentences(
    path: str | Path,
    text: str | int | Sequence[str | int] | None = None,
    label: str | int | None = None,
    header: bool | None = None,
    encoding: str = "utf-8",
    words: str = "marks",
    quotes: bool = True,
    min_count: int = 1,
    seed: int = 0,
    valid: str | Path | None = None,
    test: str | Path | None = None,
) -> DataSet:
    """A table with a column of text: x its words, a list of int64 [T_n]; y the class.

    path       a .csv or .tsv file (or .gz, .bz2 of one)
    text       the column of the text, by its name or its number from 1; several are joined by a
               space. By default all columns in which most cells have at least four words
    label      that of the class, or "none"; by default one named label, class, target or y, or
               the only other column of few values
    header     whether the first row holds names; by default it is looked at
    words      "marks": lower-case words, numbers and marks, as `tokenise` cuts them; "spaces": what
               stands between spaces, as it is
    quotes     whether quotation marks enclose cells; without, they are characters like others
    min_count  words that come less often in the training part are ``<unk>``
    seed       of the split: a tenth of the rows for validation, a fifth for the test. A column
               named "split" that holds only train, valid and test says it instead
    valid, test  files with the same columns, which are these parts

    The vocabulary is that of the training part, the classes are those of `path`. Raises DataError,
    with line and column, for what cannot be read, for a text without words, for a missing label,
    and for a class that only another file has.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.csv")
    ...     with open(path, "w") as file:
    ...         _ = file.write("said,by\\n")
    ...         _ = file.write("".join(f"what a day {i},{'ab'[i % 2]}\\n" for i in range(10)))
    ...     data = from_sentences(path)
    >>> data.info.vocabulary.decode(data.train.x[0]), data.info.classes
    (['what', 'a', 'day', '3'], ('a', 'b'))
    """
    cut, files = cutter(words), given_files(valid=valid, test=test)
    rows = _rows(path, header, encoding, quotes)
    split = None if files.keys() & set(SPLITS) else split_column(rows)
    chosen = _text_columns(rows, text) if text is not None else long_columns(rows, split)
    if not chosen:
        raise DataError(f"{rows.path}: no column holds texts of several words; name it by text=")
    target = _label(rows, label, chosen, split)
    if target in chosen:
        raise DataError(
            f"{rows.path}: the column {rows.names[target]!r:.80} is both the text and the label"
        )
    found = _cut(rows, chosen, cut)
    meaning = None if target is None else labels.learn(rows, target)
    classes = meaning.classes if meaning else ()
    if len(classes) > CLASSES:
        raise DataError(
            f"{rows.path}: the label {rows.names[target]} takes {len(classes):,} values; at most"
            f" {CLASSES} are classes"
        )
    given, free = {}, [c for c in range(len(rows.names)) if c not in (*chosen, target)]
    for part, file in files.items():
        other = same_columns(rows, _rows(file, rows.header, encoding, quotes), free)
        given[part] = Split(_cut(other, chosen, cut), _values(other, meaning))
    whole = Split(found, _values(rows, meaning))
    parts, how = (
        seeded("from_sentences", rows.path, "texts", whole, seed, given)
        if split is None
        else by_column(rows, whole, cells_of(rows, split))
    )
    parts, names = instead(parts, given), " and ".join(rows.names[c] for c in chosen)
    others = [n for c, n in enumerate(rows.names) if c not in (*chosen, target, split)]
    the = f"the column{'s' * (len(chosen) > 1)} " if rows.header else ""
    said = [
        f"{counted(len(found), 'text')} of {the}{names}" + (", joined" if len(chosen) > 1 else ""),
        *([f"left out: {', '.join(others[:12])}"] if others else []),
    ]
    if target is None:
        said.append("no label")
    else:
        kind = (
            f"{counted(len(classes), 'class', 'classes')}{listed(classes)}"
            if classes
            else "a number to be predicted"
        )
        said.append(f"label {rows.names[target]}: {kind}")
    info = Info(
        source=str(rows.path), classes=classes, note=how, kind="sentences",
        target_names=() if target is None or classes else (rows.names[target],),
    )  # fmt: skip
    return sentence_set(Path(path).name, parts, min_count, info, said)


def looks_like_sentences(path: Path) -> bool:
    """Is there a column of texts of several words, and one of few values that is their label?

    With more than one other column of numbers it is a table: these would be left out.
    """
    try:
        rows = rows_of(path, head_text(path), whole=False)
    except DataError:
        return False
    split = split_column(rows)
    texts = long_columns(rows, split)
    target = _label(rows, None, texts, split) if texts else None
    if target is None or not _has_few(cells_of(rows, target)):
        return False
    others = [c for c in range(len(rows.names)) if c not in (*texts, target, split)]
    return sum(all(map(_is_number, cells_of(rows, c))) for c in others) <= 1


def long_columns(rows: Rows, split: int | None = None) -> list[int]:
    """The columns of texts: most cells have at least four words, and most differ."""
    found = []
    for column in range(len(rows.names)):
        cells = cells_of(rows, column)
        long = sum(len(cell.split(None, LONG)) >= LONG for cell in cells)
        if column != split and 2 * long > len(cells) and 2 * len(set(cells)) > len(cells):
            found.append(column)
    return found


def _rows(path, header, encoding, quotes) -> Rows:
    try:
        return read_rows(path, header, encoding, quotes)
    except DataError as error:
        if quotes and "expected after '\"'" in str(error):
            hint = "; with quotes=no a quotation mark is a character like others"
            raise DataError(f"{error}{hint}") from None
        raise


def _cut(rows: Rows, chosen: list[int], cut: Callable[[str], list[str]]) -> list[list[str]]:
    """The words of each row, of which there must be some."""
    found = []
    for i, row in enumerate(rows.cells):
        found.append(cut(" ".join(row[c] for c in chosen)))
        if not found[-1]:
            raise DataError(f"{rows.where(i, chosen[0])}: there are no words")
    return found


def _values(rows: Rows, meaning: labels.Label | None) -> np.ndarray | None:
    """The labels of a file, as the training file has said what they mean."""
    return None if meaning is None else labels.values(rows, meaning)


def _text_columns(rows: Rows, text) -> list[int]:
    if isinstance(text, str) and text not in rows.names:
        text = text.split(",")
    chosen = text if isinstance(text, list | tuple) else [text]
    found = [labels.find(rows, column) for column in chosen]
    if not found or None in found:
        raise DataError(f"{rows.path}: text must name a column; got {text!r:.60}")
    return found


def _label(rows: Rows, label, texts: list[int], split: int | None) -> int | None:
    if label is not None:
        return labels.find(rows, label)
    others = [c for c in range(len(rows.names)) if c not in (*texts, split)]
    named = [c for c in others if rows.names[c].lower() in labels.NAMES]
    if named:
        return named[0]
    few = [c for c in others if _has_few(cells_of(rows, c))]
    return few[0] if len(few) == 1 else None


def _has_few(cells: list[str]) -> bool:
    """Two to twenty values, half as many as cells at most; no measurements.

    One of them may come once: in the beginning of a file, by which it is recognised, many do.
    """
    kinds = set(cells)
    if any(map(missing, cells)) or not 2 <= len(kinds) <= labels.CLASSES:
        return False
    fractions = any((v := number(c)) is not None and v != round(v) for c in kinds)
    return 2 * len(kinds) <= len(cells) and not fractions


def _is_number(cell: str) -> bool:
    return missing(cell) or number(cell) is not None
