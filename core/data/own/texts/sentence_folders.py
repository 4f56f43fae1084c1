"""Sentences with a class each in a folder, which says the class.

films/pos/1.txt, films/neg/2.txt             a text a file, a sub-folder a class
reviews.pos, reviews.neg                     a sentence a line, a file a class
"""

from pathlib import Path

from ....regular import read_regular
from ...dataset import DataSet, Info, Split
from ...files import DataError
from ...read import read_path
from .. import folders
from ..lines import decoded, lines_of, spaced
from ..splits import SPLITS
from .sentences import (
    Texts,
    counted_texts,
    cutter,
    numbered_labels,
    sentence_set,
    split_texts,
    words_in,
)

TXT = frozenset({".txt"})
UNLABELLED = "unsup"  # the folder of reviews without a class in IMDb's archive
BYTES = 1 << 30  # of all texts of a folder


def from_text_folder(
    path: str | Path,
    encoding: str = "utf-8",
    words: str = "marks",
    min_count: int = 1,
    seed: int = 0,
) -> DataSet:
    """Texts in sub-folders, one a class: ``path/CLASS/1.txt``; or ``path/train/CLASS/1.txt`` …

    With folders train, test (and valid) these are the split; what is in ``unsup`` has no class and
    is left out. Raises DataError, with the file, for one that cannot be read or has no words.
    Other options as `from_sentences`.
    """
    root = Path(path)
    cut = cutter(words)
    found, other = folders.find(root, TXT)
    left = sum(name == UNLABELLED for files in found.values() for _, name in files)
    found = {p: [f for f in files if f[1] != UNLABELLED] for p, files in found.items()}
    if not any(name for files in found.values() for _, name in files):
        raise DataError(f"{root} holds no texts (.txt) in sub-folders, one a class")
    folders.check_train(root, found)
    budget, parts = BYTES, {}
    for part, files in found.items():
        read = []
        for file, _ in files:
            raw = read_regular(file, budget, DataError)
            budget -= len(raw)
            text = decoded(raw, str(file), encoding).replace("<br />", " ")
            read.append(words_in(cut, text, str(file)))
        parts[part] = (read, [name for _, name in files])
    labels = [name for _, names in parts.values() for name in names]
    said = [counted_texts(labels, labels, "a file each")]
    said += [f"{left:,} in the folder {UNLABELLED} have no class: left out"] * (left > 0)
    said += other
    if "" in parts:
        texts = Texts(*parts[""], tuple(said))
        return split_texts("from_text_folder", root, lambda _: texts, {}, min_count, seed)
    classes = tuple(sorted(set(labels)))
    splits = {p: Split(t, numbered_labels(n, classes, str(root))) for p, (t, n) in parts.items()}
    how = "split as the folders say: " + ", ".join(f"{p} {len(s)}" for p, s in splits.items())
    info = Info(str(root), classes, note=how, kind="sentences")
    return sentence_set(root.resolve().name, [splits.get(p) for p in SPLITS], min_count, info, said)


def looks_like_text_folder(path: Path) -> bool:
    """Are most files in the sub-folders texts?"""
    return folders.mostly(path, TXT, deep=True)


def from_class_files(
    path: str | Path,
    encoding: str = "latin-1",
    words: str = "spaces",
    min_count: int = 1,
    seed: int = 0,
) -> DataSet:
    """A folder with a file ``*.neg`` and a file ``*.pos``, a sentence a line; as `from_sentences`.

    Raises DataError, with file and line, for an empty line, and where there are several of a kind.
    """
    root, sentences, labels = Path(path), [], []
    cut = cutter(words)
    for ending, name in (("neg", "negative"), ("pos", "positive")):
        files = class_files(root, ending)
        if len(files) != 1:
            raise DataError(f"{root}: expected one file *.{ending}; there are {len(files)}")
        text = decoded(read_path(files[0]), str(files[0]), encoding)
        found = parse_lines(text, str(files[0]), cut)
        sentences += found
        labels += [name] * len(found)
    said = (counted_texts(sentences, labels, "a file a class, a sentence a line"),)
    texts = Texts(sentences, labels, said)
    return split_texts("from_class_files", root, lambda _: texts, {}, min_count, seed)


def parse_lines(text: str, name: str, cut=spaced) -> list[list[str]]:
    """The words of every line. Raises DataError for an empty one.

    >>> parse_lines("a film .\\ngood\\n", "d.neg")
    [['a', 'film', '.'], ['good']]
    """
    return [words_in(cut, line, f"{name}, line {n}") for n, line in enumerate(lines_of(text), 1)]


def class_files(root: Path, ending: str) -> list[Path]:
    """The files ``*.neg`` or ``*.pos`` of a folder."""
    try:
        return sorted(p for p in root.iterdir() if p.suffix.lower() == f".{ending}")
    except OSError as error:
        raise DataError(f"{root} cannot be read: {error.strerror or error}") from None


def looks_like_class_files(path: Path) -> bool:
    """Are there a ``*.neg`` and a ``*.pos``?"""
    try:
        return all(class_files(path, ending) for ending in ("neg", "pos"))
    except DataError:
        return False
