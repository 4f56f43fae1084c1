"""Sentences with a class each, a line a sentence: a reader for each form that sets have.

    __label__good what a day                     fastText
    NUM:date When was it ?                       TREC
    812<tab>9<tab>What a film …                  IMDb: number, rating, text

Each has a `parse_…` that returns all sentences of a text, and a `from_…` that reads and splits
files: those given as ``valid=`` and ``test=`` are these parts.
"""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ...dataset import DataSet
from ...files import DataError
from ...read import read_path
from ..lines import counted, decoded, lines_of, spaced
from ..peek import head_lines
from ..splits import given_files
from .sentences import Texts, counted_texts, cutter, split_texts, texts_of, words_in

MOSTLY = 0.9  # of the first lines, of what a form asks for
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
    parse = partial(parse_fasttext, words=words)
    return _of_lines("from_fasttext", path, parse, encoding, min_count, seed, valid, test)


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
        sentences.append(words_in(cut, rest, where))
        labels.append(marks[0])
        more += len(marks) > 1
    said = [counted_texts(sentences, labels, "a line each, as fastText reads them")]
    if more:
        said.append(f"{more:,} lines have several labels, of which the first is taken")
    return texts_of(name, sentences, labels, said)


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
    parse = partial(parse_trec, labels=labels, lower=lower)
    return _of_lines("from_trec", path, parse, encoding, min_count, seed, valid, test)


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
    said = [counted_texts(questions, names, f"a question a line, {labels} classes")]
    return texts_of(name, questions, names, said)


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
    parse = partial(parse_imdb, words=words)
    return _of_lines("from_imdb", path, parse, encoding, min_count, seed, valid, test)


def parse_imdb(text: str, name: str, words: str = "marks") -> Texts:
    """The reviews of the text of such a file.

    >>> parse_imdb("0\\t9\\tGood.<br />Fun!\\n", "d.tsv").words
    [['good', '.', 'fun', '!']]
    """
    cut, reviews, labels = cutter(words), [], []
    for number, line in enumerate(lines_of(text), 1):
        cells, where = line.split("\t", 2), f"{name}, line {number}"
        if len(cells) != 3:
            there = counted(len(cells), "cell")
            raise DataError(f"{where}: {there}; expected number, rating, text")
        rating = int(cells[1]) if re.fullmatch("[0-9]{1,2}", cells[1]) else 0
        if rating not in NEGATIVE and rating not in POSITIVE:
            raise DataError(
                f"{where}, column 2: a rating is 1 … 4 (negative) or 7 … 10 (positive); got"
                f" {cells[1]!r:.60}"
            )
        reviews.append(words_in(cut, cells[2].replace("<br />", " "), f"{where}, column 3"))
        labels.append("positive" if rating in POSITIVE else "negative")
    said = [counted_texts(reviews, labels, "number, rating, text, as IMDb's are kept")]
    return texts_of(name, reviews, labels, said)


def looks_like_imdb(path: Path) -> bool:
    """Do nearly all first lines hold a number, a rating that is not 5 or 6, and a text?

    Only of a file packed by bzip2, as these are: elsewhere 1 … 4 may be four classes.
    """
    return path.suffix.lower() == ".bz2" and _mostly(_IMDB, path)


def _of_lines(
    function: str, path: str | Path, parse: Callable[[str, str], Texts], encoding: str,
    min_count: int, seed: int, valid: str | Path | None, test: str | Path | None,
) -> DataSet:  # fmt: skip
    """The sentences of files of one form: `parse` takes the text of a file and its name."""

    def read(file: Path) -> Texts:
        return parse(decoded(read_path(file), str(file), encoding), str(file))

    files = given_files(valid=valid, test=test)
    return split_texts(function, Path(path), read, files, min_count, seed)


def _mostly(pattern: re.Pattern, path: Path) -> bool:
    """Do nine of ten first lines fit? What is wrong with the others, the reader says."""
    lines = head_lines(path)
    return bool(lines) and sum(map(bool, map(pattern.match, lines))) >= MOSTLY * len(lines)
