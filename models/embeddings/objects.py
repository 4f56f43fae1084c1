"""Pairs of objects for StarSpace: what is on either side, as bags of features.

    rows of the table of features                    kind of data
    0 ... V-1           words of the left-hand side   all
    V ... V+B-1         n-grams of these, hashed      all, with ngrams above 1
    V+B ...             words of the other language   pairs
                        classes                       sentences
                        none: the words themselves    text

One row more, the last, is that of no feature. Right-hand objects have numbers; those of the
same features, which are bags, are one.
"""

from dataclasses import dataclass

import numpy as np

from ...core.data import Corpus, DataError, DataSet, Info, Split
from ...core.data.own.kind_of import kind_of
from ..common.labels import classes_of
from . import documents


@dataclass(frozen=True, eq=False)
class Objects:
    """The right-hand sides of pairs, and how they are drawn and asked for."""

    kind: str  # pairs, sentences or text
    rows: int  # of the table, without the last one
    names: tuple[str, ...]  # of the rows that have one: words and classes
    named: np.ndarray  # their numbers, int64
    right: list[np.ndarray]  # the features of each object b
    group: np.ndarray  # int64: objects of one group are not compared; the line in a text
    drawn: np.ndarray  # numbers of the objects b of training pairs, as often as they occur

    def padded_right(self) -> np.ndarray:
        """The features of all objects b, int64 [R,T]."""
        return documents.padded(self.right, self.rows)

    def partners(self, y: np.ndarray, rng) -> np.ndarray:
        """The numbers of objects b for pairs y: y itself, or in a text other pieces of its line."""
        if self.kind != "text":
            return y
        order = np.argsort(self.group, kind="stable")
        first = np.searchsorted(self.group[order], self.group[y])
        n = np.searchsorted(self.group[order], self.group[y], "right") - first
        own = np.empty(len(order), np.int64)
        own[order] = np.arange(len(order))
        step = (rng.uniform(len(y), dtype="float64") * (n - 1)).astype(np.int64)
        return order[first + (own[y] - first + 1 + step) % n]

    def others(self, k: int, rng) -> np.ndarray:
        """Numbers of objects b to compare with: all classes, or k of the training pairs."""
        if self.kind == "sentences":
            return np.arange(len(self.right))
        return self.drawn[(rng.uniform(k, dtype="float64") * len(self.drawn)).astype(np.int64)]

    def questions(self, split: Split) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """(objects a, which of `among` is the right one [N], the numbers `among`) of a split.

        In a text the last piece of each line is asked for by the others.
        """
        if self.kind == "sentences":
            return split.x, split.y, np.arange(len(self.right))
        if self.kind == "pairs":
            among, wanted = np.unique(split.y, return_inverse=True)
            return split.x, wanted, among
        lines, line = np.unique(self.group[split.y], return_inverse=True)
        last = np.empty(len(lines), np.int64)
        last[line] = np.arange(len(line))  # of several the last one stays
        asks = np.flatnonzero(last[line] != np.arange(len(line)))
        return [split.x[i] for i in asks], line[asks], split.y[last]


def as_objects(data: Corpus | DataSet, s) -> DataSet:
    """Pairs (x: features of a, y: the number of b), with ``info.extra["objects"]``.

    Raises DataError where there is nothing to be learnt from, SettingError for sentences without
    classes.
    """
    kind = "text" if isinstance(data, Corpus) else kind_of(data)
    left = documents.as_documents(data, s.min_count, s.words)
    vocabulary, parts = left.info.vocabulary, dict(left.splits())
    v, buckets = len(vocabulary), s.buckets if s.ngrams > 1 else 0
    x = {name: [_with_ngrams(d, v, s) for d in split.x] for name, split in parts.items()}
    first, more = v + buckets, []  # the first row of the other side, and the names of its rows
    if kind == "pairs":
        right, y, more = _translations(data, s, first)
        group = np.arange(len(right))
    elif kind == "sentences":
        n = classes_of("starspace", data)
        right, group = [np.array([first + c]) for c in range(n)], np.arange(n)
        y = {name: split.y for name, split in parts.items()}
        classes = data.info.classes or range(n)
        more = [f"__label__{'_'.join(str(c).split())}" for c in classes]
    else:
        x, y, right, group = _pieces(parts, left.info.extra["lines"], x)
    names = (*vocabulary.words, *more)
    named = np.append(np.arange(v), first + np.arange(len(more)))
    objects = Objects(kind, first + len(more), names, named, right, group, y["train"])
    splits = [Split(x[n], y[n]) if len(x.get(n, ())) else None for n in ("train", "valid", "test")]
    if splits[0] is None or len(np.unique(group[y["train"]])) < 2:
        raise DataError(f"{data.name}: StarSpace needs two objects that do not go together")
    info = Info(
        data.info.source, data.info.classes, vocabulary=vocabulary, note=left.info.note,
        kind=kind, extra={"objects": objects},
    )  # fmt: skip
    return DataSet(data.name, *splits, info)


def _with_ngrams(d: np.ndarray, v: int, s) -> np.ndarray:
    """The words of a text and the rows of its n-grams."""
    more = (documents.ngrams(d[None], n, v, s.buckets)[0] for n in range(2, s.ngrams + 1))
    return np.concatenate([d, *(m[m != v] - 1 for m in more)])


def _translations(data: DataSet, s, first: int):
    """(objects b, {split: their numbers}, their words) of pairs; rows from `first` on."""
    target = data.info.extra["target_vocabulary"]
    sides = [None if p is None else Split(p.y) for p in (data.train, data.valid, data.test)]
    info = Info(data.info.source, vocabulary=target, kind="sentences")
    found = documents.as_documents(DataSet(data.name, *sides, info), s.min_count, s.words)
    number: dict[bytes, int] = {}
    right, y = [], {}

    def key(d: np.ndarray) -> bytes:  # of a bag: the order of the words does not count
        return np.sort(d).tobytes()

    for name, split in found.splits():
        for d in split.x:
            if key(d) not in number:
                number[key(d)] = len(right)
                right.append(first + d)
        y[name] = np.array([number[key(d)] for d in split.x], np.int64)
    return right, y, list(found.info.vocabulary.words)


def _pieces(parts: dict[str, Split], lines: dict[str, np.ndarray], x: dict):
    """(x, y, objects b, their lines) of the pieces of a text, of lines that have two or more."""
    right, group, y, kept = [], [], {}, {}
    for name, split in parts.items():
        line = lines[name]
        many = np.flatnonzero(np.bincount(line)[line] > 1)
        y[name] = len(right) + np.arange(len(many))
        kept[name] = [x[name][i] for i in many]
        right += [split.x[i] for i in many]
        group.append(line[many])
    return kept, y, right, np.concatenate([documents.NONE, *group])
