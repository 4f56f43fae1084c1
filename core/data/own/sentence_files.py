"""Sentences with a class each, in the forms that published sets have: a reader for each form.

    __label__good what a day                     fastText, a line a sentence
    NUM:date When was it ?                       TREC, a line a question
    812<tab>9<tab>What a film …                  IMDb: number, rating, text
    films/pos/1.txt, films/neg/2.txt             a folder of texts, a sub-folder a class
    reviews.pos, reviews.neg                     a folder with a file a class

Each line form has a `parse_…` that returns all sentences of a text, and a `from_…` that reads and
splits files: those given as ``valid=`` and ``test=`` are these parts.
"""

import re
from pathlib import Path

from ...regular import read_regular
from ..dataset import DataSet, Info, Split
from ..files import DataError
from ..read import read_path
from . import folders
from .lines import counted, decoded, lines_of, spaced
from .peek import head_lines
from .sentences import Texts, cutter, listed, numbered_labels, sentence_set, split_texts
from .splits import SPLITS, given_files

TXT = frozenset({".txt"})
MOSTLY = 0.9  # of the first lines, of what a form asks for
UNLABELLED = "unsup"  # the folder of reviews without a class in IMDb's archive
BYTES = 1 << 30  # of all texts of a folder
NEGATIVE, POSITIVE = range(1, 5), range(7, 11)  # ratings
_IMDB = re.compile(r"[0-9]{1,9}\t(?:[1-4]|[7-9]|10)\t.")
_TREC = re.compile(r"[A-Z]{2,9}:[a-z]\w* +\S")
_LABELS = re.compile(r"\s*(?:__label__\S*(?:\s+|$))*")
_FASTTEXT = re.compile(r"__label__\S+\s+\S")


def from_fasttext(
    path: str | Path,
    encoding: str = "utf-8",
    words: str = "spaces",
    min_count: int = 1,
    seed: int = 0,
    valid: str | Path | None = None,
    test: str | Path | None = None,
) -> DataSet:
    """A file in fastText's form: ``__label__CLASS words …`` a line; options as `from_sentences`.

    A second label of a line is left out, which is said. Raises DataError, with the line, for one
    without a label or without words.
    """

    def read(file: Path) -> Texts:
        return parse_fasttext(decoded(read_path(file), str(file), encoding), str(file), words)

    files = given_files(valid=valid, test=test)
    return split_texts("from_fasttext", Path(path), read, files, min_count, seed)


def parse_fasttext(text: str, name: str, words: str = "spaces") -> Texts:
    """The sentences of the text of a fastText file.

    >>> parse_fasttext("__label__a it works\\n__label__b no\\n", "d.txt").labels
    ['a', 'b']
    """
    cut, sentences, labels, more = cutter(words), [], [], 0
    for number, line in enumerate(lines_of(text), 1):
        if not line.strip():
            continue
        head = _LABELS.match(line)
        marks = [mark.removeprefix("__label__") for mark in head[0].split()]
        rest = line[head.end() :]
        where = f"{name}, line {number}"
        if not marks or not all(marks):
            raise DataError(f"{where}: expected __label__CLASS and words; got {line[:40]!r}")
        sentences.append(_words(cut, rest, where))
        labels.append(marks[0])
        more += len(marks) > 1
    said = [_count(sentences, labels, "a line each, as fastText reads them")]
    if more:
        said.append(f"{more:,} lines have several labels, of which the first is taken")
    return _texts(name, sentences, labels, said)


def looks_like_fasttext(path: Path) -> bool:
    """Do nearly all first lines begin with ``__label__``?"""
    return _mostly(_FASTTEXT, path)


def from_trec(
    path: str | Path,
    labels: str = "coarse",
    lower: bool = True,
    encoding: str = "latin-1",
    min_count: int = 1,
    seed: int = 0,
    valid: str | Path | None = None,
    test: str | Path | None = None,
) -> DataSet:
    """Questions in TREC's form, ``CLASS:fine words …`` a line, with coarse or fine classes.

    Raises DataError, with the line, for one without both. Other options as `from_sentences`.
    """

    def read(file: Path) -> Texts:
        text = decoded(read_path(file), str(file), encoding)
        return parse_trec(text, str(file), labels, lower)

    files = given_files(valid=valid, test=test)
    return split_texts("from_trec", Path(path), read, files, min_count, seed)


def parse_trec(text: str, name: str, labels: str = "coarse", lower: bool = True) -> Texts:
    """The questions of the text of a TREC file.

    >>> parse_trec("NUM:date When ?\\n", "TREC.train", labels="fine").labels
    ['NUM:date']
    """
    if labels not in ("coarse", "fine"):
        raise DataError(f"{name}: labels must be 'coarse' or 'fine'; got {labels!r:.60}")
    questions, names = [], []
    for number, line in enumerate(lines_of(text), 1):
        label, *words = spaced(line) or [""]
        coarse, colon, _ = label.partition(":")
        if not colon or not words:
            raise DataError(f"{name}, line {number}: expected CLASS:class and a question")
        names.append(coarse if labels == "coarse" else label)
        questions.append([w.lower() for w in words] if lower else words)
    said = [_count(questions, names, f"a question a line, {labels} classes")]
    return _texts(name, questions, names, said)


def looks_like_trec(path: Path) -> bool:
    """Do nearly all first lines begin with ``CLASS:fine``?"""
    return _mostly(_TREC, path)


def from_imdb(
    path: str | Path,
    encoding: str = "utf-8",
    words: str = "marks",
    min_count: int = 1,
    seed: int = 0,
    valid: str | Path | None = None,
    test: str | Path | None = None,
) -> DataSet:
    """Reviews, a line each: number, rating, text, separated by tabs; the text may hold tabs.

    Ratings 1 … 4 are negative (0), 7 … 10 positive (1). ``<br />`` is a space. Raises DataError,
    with line and column, for other ratings and for a text without words.
    """

    def read(file: Path) -> Texts:
        return parse_imdb(decoded(read_path(file), str(file), encoding), str(file), words)

    files = given_files(valid=valid, test=test)
    return split_texts("from_imdb", Path(path), read, files, min_count, seed)


def parse_imdb(text: str, name: str, words: str = "marks") -> Texts:
    """The reviews of the text of such a file.

    >>> parse_imdb("0\\t9\\tGood.<br />Fun!\\n", "d.tsv").words
    [['good', '.', 'fun', '!']]
    """
    cut, reviews, labels = cutter(words), [], []
    for number, line in enumerate(lines_of(text), 1):
        cells, where = line.split("\t", 2), f"{name}, line {number}"
        if len(cells) != 3:
            raise DataError(f"{where}: {len(cells)} cells; expected number, rating, text")
        rating = int(cells[1]) if re.fullmatch("[0-9]{1,2}", cells[1]) else 0
        if rating not in NEGATIVE and rating not in POSITIVE:
            raise DataError(
                f"{where}, column 2: a rating is 1 … 4 (negative) or 7 … 10 (positive); got"
                f" {cells[1]!r:.60}"
            )
        reviews.append(_words(cut, cells[2].replace("<br />", " "), f"{where}, column 3"))
        labels.append("positive" if rating in POSITIVE else "negative")
    said = [_count(reviews, labels, "number, rating, text, as IMDb's are kept")]
    return _texts(name, reviews, labels, said)


def looks_like_imdb(path: Path) -> bool:
    """Do nearly all first lines hold a number, a rating that is not 5 or 6, and a text?

    Only of a file packed by bzip2, as these are: elsewhere 1 … 4 may be four classes.
    """
    return path.suffix.lower() == ".bz2" and _mostly(_IMDB, path)


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
            read.append(_words(cut, text, str(file)))
        parts[part] = (read, [name for _, name in files])
    labels = [name for _, names in parts.values() for name in names]
    said = [_count(labels, labels, "a file each")]
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
    said = (_count(sentences, labels, "a file a class, a sentence a line"),)
    texts = Texts(sentences, labels, said)
    return split_texts("from_class_files", root, lambda _: texts, {}, min_count, seed)


def parse_lines(text: str, name: str, cut=spaced) -> list[list[str]]:
    """The words of every line. Raises DataError for an empty one.

    >>> parse_lines("a film .\\ngood\\n", "d.neg")
    [['a', 'film', '.'], ['good']]
    """
    return [_words(cut, line, f"{name}, line {n}") for n, line in enumerate(lines_of(text), 1)]


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


def _mostly(pattern: re.Pattern, path: Path) -> bool:
    """Do nine of ten first lines fit? What is wrong with the others, the reader says."""
    lines = head_lines(path)
    return bool(lines) and sum(map(bool, map(pattern.match, lines))) >= MOSTLY * len(lines)


def _words(cut, text: str, where: str) -> list[str]:
    found = cut(text)
    if not found:
        raise DataError(f"{where}: there are no words")
    return found


def _count(sentences, labels, how: str) -> str:
    classes = sorted(set(labels))
    kinds = counted(len(classes), "class", "classes")
    return f"{counted(len(sentences), 'text')} in {kinds}{listed(classes)}: {how}"


def _texts(name: str, sentences, labels, said) -> Texts:
    if not sentences:
        raise DataError(f"{name} holds no texts")
    return Texts(sentences, labels, tuple(said))
