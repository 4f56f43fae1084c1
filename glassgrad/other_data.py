"""Examples of other data in the terms of a data set: its columns, its classes, its words.

What does not fit is one DataError that says what it is, in both.
"""

import numpy as np

from .core.data import DataError, DataSet, Split, kind_of
from .core.data.own.digest import TARGETS
from .core.data.own.kind_of import is_binary
from .core.data.text import UNKNOWN, Vocabulary

SAME = ("sample_rate", "board")  # of info.extra: what all examples must agree in
ROWS = {"table", "binary"}


def fitted(
    name: str, data: DataSet, examples: Split, own: DataSet
) -> tuple[Split, tuple[str, ...]]:
    """The examples of `data`, which is called `name`, as examples of `own`; and what to say.

    Labels are numbered as the classes of `own` are, tokens as its words; a word that it does not
    have is ``<unk>``. Labels that it has no use for are left out. Raises DataError for another kind
    or shape, other columns, a class or a character that `own` does not have.

    >>> from glassgrad.core.data import Info
    >>> own, data = (DataSet("d", Split(np.eye(2), np.array([0, 1])), info=Info(classes=c))
    ...              for c in (("cat", "dog"), ("dog", "cat")))
    >>> fitted("d", data, data.train, own)[0].y.tolist()
    [1, 0]
    """
    kinds = kind_of(data), kind_of(own)
    if kinds[0] != kinds[1] and set(kinds) != ROWS:
        raise DataError(f"{name} is of the kind {kinds[0]!r}, the run was trained on {kinds[1]!r}")
    if not len(examples):
        raise DataError(f"{name} has no examples")
    examples, unused = _by_name(name, examples, data.info.feature_names, own)
    _expect_shape(name, examples.x, own.train.x)
    if kinds[1] == "binary" and not is_binary(examples.x):
        raise DataError(f"{name} has other numbers than 0 and 1; the run was trained on these")
    for key in SAME:
        here, there = (d.info.extra.get(key) for d in (data, own))
        if here != there:
            raise DataError(f"{name}: {key} is {here}; the run was trained on {there}")
    x, said = _words(name, examples.x, data.info.vocabulary, own.info.vocabulary)
    said = (*unused, *said)
    theirs, ours = (d.info.extra.get(TARGETS) for d in (data, own))
    if ours is not None:
        y, more = _words(name, examples.y, theirs, ours)
        return Split(x, y), (*said, *more)
    y = _labels(name, data, examples.y, own)
    unused = examples.y is not None and own.train.y is None
    return Split(x, y), (*said, *["its labels are not used: the run was trained without"] * unused)


def extras(own: DataSet, data: DataSet, examples: Split) -> dict:
    """``info.extra`` of `own`, whose entries for the test part are those of the other examples.

    An entry that has one value for each example of a part, such as where a series is unknown, is
    taken from the part of `data` of that length; where there is none it is left out.
    """
    found = {}
    for key, value in own.info.extra.items():
        if not isinstance(value, dict) or "train" not in value:
            found[key] = value
            continue
        parts = data.info.extra.get(key, {})
        there = [v for v in parts.values() if len(v) == len(examples)]
        if not there and parts and sum(map(len, parts.values())) == len(examples):
            there = [np.concatenate(list(parts.values()))]
        found[key] = {p: v for p, v in value.items() if p != "test"} | dict.fromkeys(
            ["test"] * bool(there), there[-1] if there else None
        )
    return found


def _expect_shape(name: str, x, like) -> None:
    if isinstance(x, list) != isinstance(like, list):
        raise DataError(f"{name} has another form than the data that the run was trained on")
    if isinstance(x, list):
        x, like = x[0], like[0]
    here, there = (tuple(getattr(a, "shape", (0,))[1:]) for a in (x, like))
    if here != there:
        words = [" x ".join(map(str, s)) or "single" for s in (here, there)]
        raise DataError(
            f"{name} has examples of {words[0]} numbers; the run was trained on {words[1]}"
        )


def _by_name(name: str, examples: Split, here, own: DataSet) -> tuple[Split, tuple[str, ...]]:
    """The examples with the columns of `own` in its order, where both have names; what to say."""
    there = own.info.feature_names
    if not here or not there or here == there or getattr(examples.x, "ndim", 0) != 2:
        return examples, ()
    if lost := [column for column in there if column not in here]:
        some = ", ".join(f"{c!r:.60}" for c in lost[:5]) + (" …" if len(lost) > 5 else "")
        raise DataError(f"{name} has no column {some}, which the run was trained on")
    x = examples.x[:][:, [here.index(column) for column in there]]
    more = [f"{column!r:.60}" for column in here if column not in there]
    some = ", ".join(more[:5]) + (" …" if len(more) > 5 else "")
    unused = (f"not used, as the run has no such column: {some}",) if more else ()
    return Split(x, examples.y), unused


def _expect_names(name: str, what: str, here, there) -> None:
    """Columns of the same names in the same order, where both have names."""
    if not here or not there:
        return
    for i, (a, b) in enumerate(zip(here, there), 1):
        if a != b:
            raise DataError(f"{name}: {what} {i} is {a!r:.60}; the run was trained on {b!r:.60}")


def _words(name: str, x, theirs: Vocabulary | None, ours: Vocabulary | None):
    """(tokens, what to say): numbers of the words of `theirs` as numbers of those of `ours`."""
    if ours is None or theirs is None or theirs.words == ours.words:
        return x, ()
    unknown = ours.index.get(UNKNOWN, -1)
    number = np.array([ours.index.get(w, unknown) for w in theirs.words], np.int64)
    tokens = np.concatenate(x) if isinstance(x, list) else x
    counts = np.bincount(tokens, minlength=len(number))
    new = [w for w, n, k in zip(theirs.words, number, counts) if k and n == unknown != -1]
    none = [w for w, n, k in zip(theirs.words, number, counts) if k and n < 0]
    if none:
        some = ", ".join(map(repr, none[:5])) + (" …" if len(none) > 5 else "")
        raise DataError(f"{name} has {some}, which the text of the run does not have")
    share = counts[number == unknown].sum() / max(1, len(tokens))
    said = (f"{len(new):,} of its words are not known, {100 * share:.2g} % of all",) if new else ()
    return [number[a] for a in x] if isinstance(x, list) else number[x], said


def _labels(name: str, data: DataSet, y, own: DataSet):
    """The labels as those of `own` are."""
    like = own.train.y
    if y is None or like is None:
        return None
    if isinstance(y, list) != isinstance(like, list):
        each = ["each step" if isinstance(a, list) else "each example" for a in (y, like)]
        raise DataError(f"{name} has a label for {each[0]}; the run was trained with {each[1]}")
    items, first = (
        (y if isinstance(y, list) else [y]),
        (like[0] if isinstance(like, list) else like),
    )
    classes = first.dtype.kind == "i"
    if (items[0].dtype.kind == "i") != classes or items[0].shape[1:] != first.shape[1:]:
        words = [
            "classes" if a.dtype.kind == "i" else f"{a.shape[-1]} numbers"
            for a in (items[0], first)
        ]
        raise DataError(f"{name} has {words[0]} as labels; the run was trained on {words[1]}")
    if not classes:
        _expect_names(name, "label", data.info.target_names, own.info.target_names)
        return y
    theirs, ours = data.info.classes, own.info.classes
    if theirs == ours:
        return y
    place = {c: k for k, c in enumerate(ours)}
    for k in np.unique(np.concatenate(items)):
        kind = theirs[k] if k < len(theirs) else str(k)
        if kind not in place:
            some = ", ".join(ours[:10]) + (" …" if len(ours) > 10 else "")
            raise DataError(
                f"{name} has the class {kind!r:.60}; the run was trained on {some or 'numbers'}"
            )
    number = np.array([place.get(c, -1) for c in theirs], np.int64)
    return [number[a] for a in y] if isinstance(y, list) else number[y]
