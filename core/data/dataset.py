"""What a loader returns: splits of examples, and what is known about them.

    x    images      float32 [N, C, H, W] in [0, 1], 0 = background
         tables      float32 [N, D]
         tokens      int64 [T]                     one long text
         sequences   a list of arrays [T_n, ...]   of different lengths, or of graphs
    y    labels      int64 [N];  targets float32 [N, ...];  a list of arrays;  None without labels

A split of one long text has T examples. NaN and Inf are refused when the data set is
created: in training they would show up late and far from their cause.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .files import DataError
from .in_words import labels, shape
from .mapped import Mapped, moments


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Examples `x` and, if there are labels, as many `y`. Each is an array or a list.

    Raises DataError if the lengths differ.

    >>> s = Split(np.arange(6).reshape(3, 2), np.array([0, 1, 0]))
    >>> len(s), s[1:].y, s[[2, 0]].x.tolist()
    (3, array([1, 0]), [[4, 5], [0, 1]])
    """

    x: np.ndarray | list | Mapped
    y: np.ndarray | list | None = None

    def __post_init__(self):
        for name in ("x", "y"):
            a = getattr(self, name)
            if isinstance(a, tuple):
                object.__setattr__(self, name, list(a))
            elif isinstance(a, np.ndarray | Mapped) and a.ndim == 0:
                raise DataError(f"Split: {name} needs at least one axis; got a single number")
            elif not isinstance(a, np.ndarray | list | Mapped) and not (name == "y" and a is None):
                raise DataError(f"Split: {name} must be an array or a list; got {type(a).__name__}")
        if self.y is not None and len(self.x) != len(self.y):
            raise DataError(
                f"Split: x and y must have the same length; got {len(self.x)} and {len(self.y)}"
            )

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"Split({len(self):,} examples, x {shape(self.x)}, labels {labels(self)})"

    def __getitem__(self, index: slice | Sequence[int] | np.ndarray) -> "Split":
        """The examples of a slice (views), or of a sequence of indices or booleans (copies)."""
        if not isinstance(index, slice):
            index = np.asarray(index)
            if index.ndim != 1 or (index.size and index.dtype.kind not in "iub"):
                raise DataError("Split: the index must be a slice or a sequence of integers")
            index = np.flatnonzero(index) if index.dtype.kind == "b" else index.astype(np.int64)
        return Split(_take(self.x, index), None if self.y is None else _take(self.y, index))


def _take(a, index):
    if not isinstance(a, list) or isinstance(index, slice):
        return a[index]
    return [a[i] for i in index]


def join(splits: Sequence[Split]) -> Split:
    """The examples of all splits, one after the other."""
    if not splits:
        raise DataError("join: at least one split is needed")

    def glue(parts):
        if any(p is None for p in parts):
            return None
        if not any(isinstance(p, list) for p in parts):
            return np.concatenate(parts)
        return [item for p in parts for item in p]

    return Split(glue([s.x for s in splits]), glue([s.y for s in splits]))


@dataclass(frozen=True, eq=False)
class Info:
    """What is known about a data set apart from its numbers."""

    source: str = ""  # the folder that was read, "scikit-learn", "generated"
    classes: tuple[str, ...] = ()  # names, in the order of the labels
    feature_names: tuple[str, ...] = ()  # names of the columns of x
    target_names: tuple[str, ...] = ()  # names of the columns of y, in regression
    image_shape: tuple[int, int, int] | None = None  # C, H, W
    vocabulary: Any = None  # text.Vocabulary of the tokens
    note: str = ""  # how the split was made, and any warning
    extra: dict[str, Any] = field(default_factory=dict)  # what is specific to this set
    kind: str = ""  # images, table, binary, text …: one of the catalogue's KINDS
    understood: tuple[str, ...] = ()  # what a reader took a user's file for, a line each
    other: tuple[str, ...] = ()  # what is to be known of a file read in the place of the test part


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """A name, up to three splits and `Info`. Raises DataError if a value is NaN or infinite.

    >>> train = Split(np.zeros((3, 2)), np.array([0, 1, 1]))
    >>> DataSet("d", train, info=Info(classes=("cat", "dog")))
    DataSet 'd'
      train: 3 examples, x float64 [3, 2], labels cat 1, dog 2
    """

    name: str
    train: Split
    valid: Split | None = None
    test: Split | None = None
    info: Info = field(default_factory=Info)

    def __post_init__(self):
        for split_name, split in self.splits():
            for part in ("x", "y"):
                _refuse_nonfinite(self, split_name, part, getattr(split, part))

    def __repr__(self) -> str:
        """The name, and a line for each split."""
        lines = [
            f"  {name}: {len(split):,} examples, x {shape(split.x)}, labels"
            f" {labels(split, self.info.classes)}"
            for name, split in self.splits()
        ]
        return "\n".join((f"DataSet {self.name!r}", *lines))

    def splits(self) -> Iterator[tuple[str, Split]]:
        """The splits that exist, with their names: train, valid, test."""
        for name in ("train", "valid", "test"):
            if getattr(self, name) is not None:
                yield name, getattr(self, name)

    def whole(self) -> Split:
        """All examples in one split: for maps, drawings and cross-validation."""
        return join([split for _, split in self.splits()])

    def standardised(self) -> "DataSet":
        """Columns of x scaled to mean 0, variance 1 on the training split; constant ones become 0.

        x <- (x - mean) / std, with the statistics of the training split for all three.
        """
        x = self.train.x
        if isinstance(x, list) or x.dtype.kind != "f":
            raise DataError(f"{self.name}: standardised() needs one array of floats as x")
        if len(self.train) == 0:
            raise DataError(f"{self.name}: standardised() needs a training split that is not empty")
        if isinstance(self.train.x, Mapped):
            mean, std = moments(self.train.x)
        else:
            mean = self.train.x.mean(axis=0, dtype=np.float64)
            std = self.train.x.std(axis=0, dtype=np.float64)
        std[std == 0] = 1.0

        def scaled(x):
            if isinstance(x, Mapped):
                return x.standardised(mean, std)
            return ((x - mean) / std).astype(x.dtype)

        changed = {name: Split(scaled(split.x), split.y) for name, split in self.splits()}
        return replace(self, **changed)


def _refuse_nonfinite(data: DataSet, split: str, part: str, a) -> None:
    items = enumerate(a) if isinstance(a, list) else [(None, a)]
    for number, item in items:
        stored = item.raw if isinstance(item, Mapped) else item
        if not isinstance(stored, np.ndarray) or stored.dtype.kind != "f":
            continue
        found = _first_nonfinite(item)
        if found is None:
            continue
        (row, *rest), count, value = found
        where = f"row {row}" if number is None else f"sequence {number}, step {row}"
        if rest:
            where += f", column {rest[0] if len(rest) == 1 else tuple(rest)}"
        names = data.info.feature_names if part == "x" else data.info.target_names
        if len(rest) == 1 and rest[0] < len(names):
            where += f" ({names[rest[0]]})"
        raise DataError(
            f"{data.name}: {split}.{part} has {value} at {where}"
            f" ({count} such values of {item.size})"
        )


def _first_nonfinite(a: np.ndarray) -> tuple[tuple[int, ...], int, Any] | None:
    """Where the first NaN or infinity is, how many there are, and which; None if there is none."""
    where, count, value, start = None, 0, None, 0
    for block in a.blocks() if isinstance(a, Mapped) else [a]:
        finite = np.isfinite(block)
        if not finite.all():
            count += int((~finite).sum())
            if where is None:
                row, *rest = (int(i) for i in np.argwhere(~finite)[0])
                where, value = (start + row, *rest), block[(row, *rest)]
        start += len(block)
    return None if where is None else (where, count, value)
