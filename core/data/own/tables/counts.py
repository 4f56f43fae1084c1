"""Counts of words in .npz files: two sparse matrices, for training and the test, as `20news`.

    train_data, train_indices, train_indptr   the counts [N, D] as CSR; the same for test_
    shape                                     [D], or [N, D]
    train_labels, test_labels                 whole numbers [N]; label_names may be missing
    vocabulary.txt                            next to the file, a word a line; may be missing

The rows are returned dense, as float32, which every system takes: 18,846 posts of 2000 words are
151 MB, where CSR in the same types would be 11 MB. `words` takes fewer columns: 500 are 38 MB.
"""

import os
from pathlib import Path

import numpy as np

from ...batches import order
from ...dataset import DataSet, Info, Split
from ...files import DataError
from ...read import decode, load_npz, read_path
from ...room import expect_room
from ...streams import check_seed, whole_number
from ..lines import counted
from ..npz_keys import csr, integers, texts
from ..splits import untrained

KEYS = ("train_data", "train_indices", "train_indptr", "test_data", "test_indices", "test_indptr")
VOCABULARY = "vocabulary.txt"
BYTES = 2 << 30  # of all rows as float32, at most
MOST_COLUMNS = 10_000_000
CLASSES = 1000


def from_counts(
    path: str | Path,
    words: int | None = None,
    clip: int | None = None,
    valid: int | None = None,
    seed: int = 0,
) -> DataSet:
    """Rows of counts in an .npz file as x float32 [N, D], y the class.

    words  only the first so many columns, which are the commonest words
    clip   larger counts become this one
    valid  rows for validation, drawn from the training ones by `seed`; by default a tenth

    Raises DataError, with the row, for pointers, columns and classes out of range, for counts that
    are negative or no whole numbers, and where the rows would take more than 2 GiB.
    """
    path = Path(path)
    seed = check_seed("from_counts", seed)
    z = load_npz(path)
    for key in (*KEYS, "shape"):
        if key not in z:
            raise DataError(f"{path}: no array {key!r}; there are {sorted(z)}")
    shape = integers(path, "shape", np.atleast_1d(z["shape"]), (None,), 1, MOST_COLUMNS + 1)
    if len(shape) not in (1, 2):
        raise DataError(f"{path}: shape must be [D] or [N, D]; got {shape.tolist()}")
    columns = int(shape[-1])
    kept = columns if words is None else whole_number(str(path), "words", words, 1, columns)
    top = None if clip is None else whole_number(str(path), "clip", clip, 1)
    rows = {part: max(0, z[f"{part}_indptr"].size - 1) for part in ("train", "test")}
    size = 4 * kept * sum(rows.values())
    if size > BYTES:
        raise DataError(
            f"{path}: {sum(rows.values()):,} rows of {kept:,} counts take {size / 2**30:.1f} GiB,"
            f" at most {BYTES >> 30} are read; give words=N"
        )
    expect_room(path, 2 * size, f"{sum(rows.values()):,} rows of {kept:,} counts")
    splits, empty = {}, []
    for part, n in rows.items():
        if not n:
            raise DataError(f"{path}: there are no rows in {part}_indptr")
        x = _dense(path, part, z, n, columns, kept, top)
        key = f"{part}_labels"
        y = integers(path, key, z[key], (n,), 0, CLASSES) if key in z else None
        splits[part] = Split(x, y)
        empty.append(f"{int((x.sum(axis=1) == 0).sum())} in {part}")
    if len({split.y is None for split in splits.values()}) > 1:
        raise DataError(f"{path}: one of train_labels and test_labels is missing")
    train, test = splits["train"], splits["test"]
    classes = _classes(path, z, train.y, test.y)
    n = len(train)
    valid = n // 10 if valid is None else whole_number(str(path), "valid", valid, 0, n - 1)
    drawn = order(n, seed)
    held = train[np.sort(drawn[:valid])] if valid else None
    train = train[np.sort(drawn[valid:])] if valid else train
    how = f"split as the file says: train {n}, test {len(test)}"
    how += f"; {valid} of train for validation, seed {seed}" if valid else ""
    what = f"rows of {counted(kept, 'count')}" + (
        f", the first of {columns:,}" if kept < columns else ""
    )
    understood = (
        what + (f", clipped at {top}" if top else ""),
        f"empty rows: {', '.join(empty)}",
        "; ".join((_label(classes), *untrained(classes, (train, held, test)))),
        how,
    )
    info = Info(
        str(path),
        classes,
        _words(path, columns)[:kept],
        note=how,
        kind="counts",
        understood=understood,
    )
    return DataSet(path.name, train, held, test, info)


def _dense(path: Path, part: str, z: dict, n: int, columns: int, kept: int, top) -> np.ndarray:
    data, indices, indptr = (z[f"{part}_{k}"] for k in ("data", "indices", "indptr"))
    csr(path, f"{part}_", data, indices, indptr, n, columns)
    row = np.repeat(np.arange(n), np.diff(indptr.astype(np.int64)))
    wrong = data < 0 if data.dtype.kind != "f" else (data < 0) | (data != np.floor(data))
    for i in np.flatnonzero(wrong)[:1]:
        raise DataError(
            f"{path}, {part}_data, row {row[i]}, column {indices[i]}: {data[i]} is no count"
        )
    place = row * columns + indices
    for i in np.flatnonzero(np.diff(np.sort(place)) == 0)[:1]:
        twice = np.sort(place)[i]
        raise DataError(
            f"{path}, {part}_indices, row {twice // columns}: the column {twice % columns} is there"
            " twice"
        )
    x = np.zeros((n, kept), np.float32)
    inside = indices < kept
    x[row[inside], indices[inside]] = data[inside]
    return x if top is None else np.minimum(x, np.float32(top), out=x)


def _classes(path: Path, z: dict, *labels) -> tuple[str, ...]:
    if labels[0] is None:
        return ()
    most = max(int(y.max()) for y in labels) + 1
    if "label_names" not in z:
        return tuple(map(str, range(most)))
    names = texts(path, "label_names", z["label_names"])
    if len(names) < most:
        raise DataError(f"{path}: {len(names)} label_names for labels up to {most - 1}")
    return names


def _label(classes: tuple[str, ...]) -> str:
    some = ", ".join(classes[:5]) + (" …" if len(classes) > 5 else "")
    return f"label: {counted(len(classes), 'class', 'classes')} ({some})" if classes else "no label"


def _words(path: Path, columns: int) -> tuple[str, ...]:
    """The words of the vocabulary next to the file, or numbers where there is none."""
    file = path.parent / VOCABULARY
    if not os.path.exists(file):
        return tuple(f"word {k}" for k in range(columns))
    lines = decode(read_path(file), str(file)).replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) != columns:
        raise DataError(f"{file}: {len(lines):,} words for {columns:,} columns")
    return tuple(lines)
