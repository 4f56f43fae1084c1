"""Sequences of one's own in an .npz file: end to end in one array, or an array each."""

import re
from pathlib import Path

import numpy as np

from ...dataset import DataSet, Info, Split
from ...files import DataError
from ...read import load_npz
from ..array_labels import CLASSES, numbered
from ..arrays import same_type
from ..lines import counted
from ..peek import names_in_npz
from ..splits import LEAST, given_files, seeded, untrained

_NUMBERED = re.compile(r"[A-Za-z]\w*?_?(\d{1,9})", re.ASCII)


def from_sequences_npz(
    path: str | Path,
    seed: int = 0,
    valid: str | Path | None = None,
    test: str | Path | None = None,
) -> DataSet:
    """Sequences in an .npz file: x a list of float32 [T_n, D], y the labels.

    Either all lie end to end in one array (x, data or sequences) of shape [ΣT_n] or [ΣT_n, D] with
    their `lengths` [N], or they are padded in it, [N, T] or [N, T, D], or each has an array of its
    own, x_0, x_1 and so on. y may have a label for each sequence [N] (whole numbers and texts are
    classes), or a target for each step [ΣT_n, …]. A tenth of the sequences is for validation, a
    fifth for the test, by `seed`; files given as `valid` and `test` are these parts. Raises
    DataError for lengths that do not fit, for other types, and where neither form is there.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.npz")
    ...     np.savez(path, x=np.arange(30.0), lengths=[3] * 10, y=np.arange(10) % 2)
    ...     data = from_sequences_npz(path)
    >>> data.train.x[0].shape, len(data.train), data.info.classes
    ((3, 1), 7, ('0', '1'))
    """
    path, files = Path(path), given_files(valid=valid, test=test)
    whole, classes, said = _whole(path, load_npz(path))
    names = () if classes == tuple(map(str, range(len(classes)))) else classes
    given = {}
    for part, file in files.items():
        given[part], others, words = _whole(file, load_npz(file), whole.y, names)
        if words[1].partition(":")[0] != said[1].partition(":")[0] or len(others) > len(classes):
            raise DataError(f"{file}: {words[1]}; {path} has {said[1]}")
        if given[part].x[0].shape[1] != whole.x[0].shape[1]:
            raise DataError(
                f"{file}: {given[part].x[0].shape[1]} numbers a step; {path} has"
                f" {whole.x[0].shape[1]}"
            )
    parts, how = seeded("from_sequences_npz", path, "sequences", whole, seed, given)
    said = (*said, *untrained(classes, parts), how)
    info = Info(str(path), classes, note=how, kind="sequences", understood=said)
    return DataSet(path.name, *parts, info)


def looks_like_sequences(path: Path) -> bool:
    """Is there an array of lengths, or are there ten arrays or more with numbers in their names?

    Of ``arr_0`` and ``arr_1``, as NumPy names what has no name, nobody knows what they are.
    """
    names = names_in_npz(path)
    end_to_end = "lengths" in names and not {"x", "data", "sequences"}.isdisjoint(names)
    return end_to_end or len(_numbered(names)) >= LEAST


def _whole(
    path: Path, arrays: dict, like: np.ndarray | list | None = None, names: tuple[str, ...] = ()
) -> tuple[Split, tuple[str, ...], tuple[str, ...]]:
    """All sequences with their labels, the classes, and what to say.

    `like` are the labels of the training file, which say whether these are classes; `names` are the
    classes that texts as its labels are.
    """
    labels = next((arrays[n] for n in ("y", "labels", "targets") if n in arrays), None)
    if labels is not None and labels.dtype.kind == "U":
        labels, names = numbered(path, labels, names)
    if "lengths" in arrays:
        name = next((n for n in ("x", "data", "sequences") if n in arrays), None)
        if name is None:
            raise DataError(
                f"{path}: there are lengths, but no array x, data or sequences; there are"
                f" {', '.join(arrays)}"
            )
        flat, labels, form = _end_to_end(name, arrays[name], arrays["lengths"], labels)
        flat = _rows(path, name, flat)
        ends = _ends(path, arrays["lengths"], name, len(flat))
        x = np.split(flat, ends[:-1])
    else:
        keys = _numbered(list(arrays))
        x = [_rows(path, name, arrays[name]) for name in keys]
        ends, form = np.cumsum([len(a) for a in x]), "an array each"
        if not x:
            raise DataError(
                f"{path}: expected x and lengths, or x_0, x_1 …; there are {', '.join(arrays)}"
            )
        for name, a in zip(keys, x):
            if not len(a) or a.shape[1:] != x[0].shape[1:]:
                raise DataError(
                    f"{path}: {name} has the shape {arrays[name].shape}, {keys[0]}"
                    f" {arrays[keys[0]].shape}"
                )
    y, classes, said = _labels(path, labels, ends, like, names)
    steps = f"{min(map(len, x)):,} … {max(map(len, x)):,} steps"
    each = counted(x[0].shape[1], "number")
    said_first = f"{counted(len(x), 'sequence')} of {steps}, {form}: {each} a step"
    return Split(x, y), classes, (said_first, said)


def _end_to_end(name: str, x: np.ndarray, lengths: np.ndarray, labels: np.ndarray | None):
    """(x, labels, words): what is padded, x [N, T, D] or [N, T], cut by its `lengths` [N].

    Other arrays stay as they are; so do labels but those of each step, [N, T] or [N, T, K].
    """
    whole = lengths.ndim == 1 and lengths.dtype.kind in "iu" and len(lengths) > 0
    if not whole or x.ndim < 2 or len(x) != len(lengths) or 0 in x.shape:
        return x, labels, f"end to end in {name}"
    end_to_end = x.ndim == 2 and lengths.sum() == len(x)
    if end_to_end or lengths.min() < 1 or lengths.max() > x.shape[1]:
        return x, labels, f"end to end in {name}"
    there = np.arange(x.shape[1]) < lengths[:, None]
    if labels is not None and labels.ndim > 1 and labels.shape[:2] == there.shape:
        labels = labels[there]
    return x[there], labels, f"padded in {name} to {x.shape[1]:,}, cut by lengths"


def _rows(path: Path, name: str, a: np.ndarray) -> np.ndarray:
    if a.dtype.kind not in "biuf" or a.ndim not in (1, 2) or 0 in a.shape[1:]:
        raise DataError(
            f"{path}: {name} must be numbers [T] or [T, D]; got {a.dtype} of shape {a.shape}"
        )
    with np.errstate(over="ignore"):  # what is infinite in float32 is refused by the data set
        return (a[:, None] if a.ndim == 1 else a).astype(np.float32)


def _ends(path: Path, lengths: np.ndarray, name: str, total: int) -> np.ndarray:
    if lengths.dtype.kind not in "iu" or lengths.ndim != 1 or not len(lengths):
        raise DataError(
            f"{path}: lengths must be whole numbers [N]; got {lengths.dtype} of shape"
            f" {lengths.shape}"
        )
    if (lengths < 1).any() or (lengths > total).any():
        n = int(np.flatnonzero((lengths < 1) | (lengths > total))[0])
        raise DataError(f"{path}: the length of sequence {n} is {lengths[n]}, of {total} steps")
    ends = np.cumsum(lengths.astype(np.int64))
    if ends[-1] != total:
        raise DataError(f"{path}: the lengths add up to {ends[-1]:,}; {name} has {total:,} steps")
    return ends


def _labels(path: Path, y: np.ndarray | None, ends: np.ndarray, like=None, names=()):
    """(y, classes, words): int64 [N], float32 [N, K], or a list of arrays for every step."""
    if y is None:
        return None, (), "no label"
    if y.dtype.kind not in "iuf" or y.ndim not in (1, 2) or len(y) not in (len(ends), ends[-1]):
        raise DataError(
            f"{path}: labels must be numbers for {len(ends)} sequences or {ends[-1]} steps; got"
            f" {y.dtype} of shape {y.shape}"
        )
    if like is not None:
        y = same_type(path, y, like[0] if isinstance(like, list) else like)
    classes: tuple[str, ...] = ()
    if y.dtype.kind in "iu" and y.ndim == 1:
        low, high = int(y.min()), int(y.max())
        if low < 0 or high >= CLASSES:
            raise DataError(
                f"{path}: whole numbers as labels must be 0 … {CLASSES - 1}; got {low} … {high}"
            )
        y, classes = y.astype(np.int64), names or tuple(map(str, range(high + 1)))
        what = counted(len(classes), "class", "classes")
    else:
        y = y.astype(np.float32).reshape(len(y), -1)
        what = f"{counted(y.shape[1], 'number')} to be predicted"
    if len(y) == len(ends):
        return y, classes, f"a label for each sequence: {what}"
    return np.split(y, ends[:-1]), classes, f"a label for each step: {what}"


def _numbered(names: list[str]) -> list[str]:
    """The names x_0, x_1 … by number, where all but labels are such; none otherwise."""
    found = {n: _NUMBERED.fullmatch(n) for n in names if n not in ("y", "labels", "targets")}
    if not found or not all(found.values()):
        return []
    numbers = {n: int(m[1]) for n, m in found.items()}
    if len(set(numbers.values())) < len(numbers):
        return []
    return sorted(numbers, key=numbers.__getitem__)
