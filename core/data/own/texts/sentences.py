"""Sentences with a class each: what all readers of them share, to the data set that they end in.

Their readers are in sentence_table.py, sentence_lines.py, sentence_folders.py and trec_folder.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...dataset import DataSet, Info, Split
from ...files import DataError
from ...streams import whole_number
from ...text import Vocabulary, tokenise
from ..lines import counted, listed, spaced
from ..splits import OTHER, seeded, untrained

LONG = 4  # words of a text: in a column of texts most cells have as many
CUTTERS: dict[str, Callable[[str], list[str]]] = {"marks": tokenise, "spaces": spaced}
CLASSES = 1000  # the most


@dataclass(frozen=True)
class Texts:
    """What a file of sentences holds: the words of each, its class, and what to say about it."""

    words: list[list[str]]
    labels: list[str] | None
    said: tuple[str, ...]


def sentence_set(
    name: str, parts: Sequence[Split | None], min_count: int, info: Info, said: Sequence[str] = ()
) -> DataSet:
    """Parts of word lists as a data set of numbers, with the vocabulary of the training part.

    The vocabulary begins with ``<pad>`` and ``<unk>``; `said` begins ``info.understood``. The words
    that became ``<unk>`` are kept in ``info.extra["unknown"]``, a list a part, in their order: for
    systems that know words from elsewhere.
    """
    min_count = whole_number(name, "min_count", min_count, 1)
    vocabulary = Vocabulary.build(parts[0].x, min_count=min_count)
    lost = [[w for words in s.x for w in words if w not in vocabulary] if s else [] for s in parts]
    numbered = [
        None if s is None else Split([vocabulary.encode(words) for words in s.x], s.y)
        for s in parts
    ]
    kinds = f"a vocabulary of {len(vocabulary):,} with <pad> and <unk>"
    never = untrained(info.classes, parts)
    heard = (*said, kinds, *never, *filter(None, [info.note])) if said else ()
    extra = info.extra | {"unknown": dict(zip(("train", "valid", "test"), lost))}
    info = replace(info, vocabulary=vocabulary, understood=heard, extra=extra)
    return DataSet(name, *numbered, info)


def split_texts(
    function: str,
    path: Path,
    read: Callable[[Path], Texts],
    files: dict[str, Path],
    min_count: int,
    seed: int,
) -> DataSet:
    """What `read` finds in a file or folder as a data set; `files` are parts of their own.

    What they leave is cut by `seed`: a tenth for validation, a fifth for the test. Raises DataError
    for a class that only another file has.
    """
    texts, others = read(path), {part: read(file) for part, file in files.items()}
    classes = () if texts.labels is None else tuple(sorted(set(texts.labels)))

    def part(found: Texts, name: Path) -> Split:
        y = None if texts.labels is None else numbered_labels(found.labels, classes, str(name))
        return Split(found.words, y)

    given = {p: part(found, files[p]) for p, found in others.items()}
    parts, how = seeded(function, path, "texts", part(texts, path), seed, given)
    more = (f"{p}: {line}" for p, found in others.items() for line in found.said)
    other = others[OTHER].said if OTHER in others else ()
    return sentence_set(
        path.resolve().name, parts, min_count,
        Info(str(path), classes, note=how, kind="sentences", other=other), (*texts.said, *more),
    )  # fmt: skip


def numbered_labels(found: Sequence[str], classes: Sequence[str], name: str) -> np.ndarray:
    """The numbers int64 [N] of class names.

    Raises DataError, about `name`, for more than a thousand classes, and for a name that is none
    of them.
    """
    if len(classes) > CLASSES:
        raise DataError(f"{name}: {len(classes):,} classes; at most {CLASSES} are read")
    place = {c: k for k, c in enumerate(classes)}
    for n, label in enumerate(found, 1):
        if label not in place:
            raise DataError(
                f"{name}: text {n} is of the class {label!r:.60}, which no training text has"
            )
    return np.array([place[label] for label in found], np.int64)


def cutter(words: str) -> Callable[[str], list[str]]:
    """The function that cuts a text into words: "marks" or "spaces".

    >>> cutter("marks")("It's good."), cutter("spaces")("It's good.")
    (["it's", 'good', '.'], ["It's", 'good.'])
    """
    if not isinstance(words, str) or words not in CUTTERS:
        raise DataError(f"words must be {' or '.join(map(repr, CUTTERS))}; got {words!r:.60}")
    return CUTTERS[words]


def words_in(cut: Callable[[str], list[str]], text: str, where: str) -> list[str]:
    """The words that `cut` finds in a text. Raises DataError, with where it is, for none."""
    found = cut(text)
    if not found:
        raise DataError(f"{where}: there are no words")
    return found


def counted_texts(sentences: Sequence, labels: Sequence[str], how: str) -> str:
    """How many texts and classes there are, and how they are kept, in words.

    >>> counted_texts(["a", "b"], ["x", "x"], "a line each")
    '2 texts in 1 class (x): a line each'
    """
    classes = sorted(set(labels))
    kinds = counted(len(classes), "class", "classes")
    return f"{counted(len(sentences), 'text')} in {kinds}{listed(classes)}: {how}"


def texts_of(
    name: str, sentences: list[list[str]], labels: list[str], said: Sequence[str]
) -> Texts:
    """The texts of a file. Raises DataError, about `name`, where there are none."""
    if not sentences:
        raise DataError(f"{name} holds no texts")
    return Texts(sentences, labels, tuple(said))
