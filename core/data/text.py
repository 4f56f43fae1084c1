"""Words to numbers: the vocabulary, a tokeniser for raw text, and a text larger than memory."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from .dataset import Info
from .files import DataError
from .read import decode, read_path, stream_lines

PAD, UNKNOWN, END = "<pad>", "<unk>", "<eos>"


@dataclass(frozen=True)
class Vocabulary:
    """The words by number; `<unk>`, if it is among them, represents every other word.

    >>> v = Vocabulary(("<unk>", "a", "b"))
    >>> v.encode(["b", "a", "z"]), v.decode([1, 0])
    (array([2, 1, 0]), ['a', '<unk>'])
    """

    words: tuple[str, ...]
    index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "words", tuple(self.words))
        object.__setattr__(self, "index", {w: i for i, w in enumerate(self.words)})
        if len(self.index) != len(self.words):
            twice = next(w for w, c in Counter(self.words).items() if c > 1)
            raise DataError(f"Vocabulary: the word {twice!r} occurs twice")

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.index

    def encode(self, words: Iterable[str] | str) -> np.ndarray:
        """The numbers of `words` (of the characters of a string), int64.

        Raises DataError for an unknown word if there is no `<unk>`.
        """
        unknown = self.index.get(UNKNOWN, -1)
        numbers = np.array([self.index.get(w, unknown) for w in words], np.int64)
        if (numbers < 0).any():
            raise DataError("Vocabulary: a word is not known and there is no <unk> for it")
        return numbers

    def decode(self, numbers: Iterable[int]) -> list[str]:
        """The words of `numbers`. Raises DataError for a number outside the vocabulary."""
        numbers = [int(i) for i in numbers]
        for i in numbers:
            if not 0 <= i < len(self.words):
                raise DataError(f"Vocabulary: no word has number {i}; there are {len(self)}")
        return [self.words[i] for i in numbers]

    @classmethod
    def build(
        cls,
        sentences: Iterable[Iterable[str]],
        first: Sequence[str] = (PAD, UNKNOWN),
        min_count: int = 1,
        counts: dict[str, int] | None = None,
    ) -> "Vocabulary":
        """The words of `sentences` that occur at least `min_count` times, most frequent first.

        Words with equal counts are in alphabetical order, so the numbers depend only on the counts.
        The words `first` precede all others. `counts`, if given, receives the counts.

        >>> Vocabulary.build([["b", "a"], ["b", "c"]]).words
        ('<pad>', '<unk>', 'b', 'a', 'c')
        """
        tally: Counter = Counter()
        for sentence in sentences:
            tally.update(sentence)
        kept = [w for w, c in tally.items() if c >= min_count and w not in first]
        kept.sort(key=lambda w: (-tally[w], w))
        if counts is not None:
            counts.update({w: tally[w] for w in kept})
        return cls((*first, *kept))


_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?|[^\w\s]")
_ENTITY = re.compile(r"&?#(\d{2,4});")


def tokenise(text: str) -> list[str]:
    """Raw text as lower-case words, numbers and single marks.

    Character references that lost their ``&`` (as in the news set) are repaired; a backslash, which
    marks a line break there, becomes a space.

    >>> tokenise("A #36;10 million prize\\\\it isn't 1,000.")
    ['a', '$', '10', 'million', 'prize', 'it', "isn't", '1,000', '.']
    """
    text = _ENTITY.sub(lambda m: chr(int(m[1])), text.replace("\\", " "))
    return _TOKEN.findall(text.lower())


@dataclass(frozen=True, eq=False)
class Corpus:
    """A gzipped text of one article a line, read from disk each time and never held in memory."""

    name: str
    path: Path
    titles_path: Path | None = None
    info: Info = field(default_factory=Info)

    def lines(self, limit: int | None = None) -> Iterator[str]:
        """The articles, at most `limit` of them."""
        return islice(stream_lines(self.path), limit)

    def pieces(self, words: int = 1000, limit: int | None = None) -> Iterator[list[str]]:
        """The articles as lists of at most `words` words; `limit` counts articles."""
        if words < 1:
            raise DataError(f"{self.name}: a piece needs at least one word; got {words}")
        for line in self.lines(limit):
            tokens = line.split()
            for at in range(0, len(tokens), words):
                yield tokens[at : at + words]

    def titles(self, limit: int | None = None) -> list[tuple[int, str]]:
        """The page number and title of each article, in the order of the lines."""
        if self.titles_path is None:
            raise DataError(f"{self.name} has no titles")
        found = []
        text = decode(read_path(self.titles_path), os.fspath(self.titles_path))
        for number, line in enumerate(text.rstrip("\n").split("\n"), 1):
            page, tab, title = line.partition("\t")
            if not tab or not (page.isascii() and page.isdigit() and len(page) < 19):
                raise DataError(f"{self.titles_path}, line {number}: expected page, tab, title")
            found.append((int(page), title))
        return found[:limit]

    def vocabulary(
        self, min_count: int = 5, limit: int | None = None, counts: dict[str, int] | None = None
    ) -> Vocabulary:
        """The words that occur at least `min_count` times, most frequent first; no `<unk>`."""
        sentences = (line.split() for line in self.lines(limit))
        return Vocabulary.build(sentences, first=(), min_count=min_count, counts=counts)


@dataclass(frozen=True, eq=False)
class WordEval:
    """Benchmarks for word vectors.

    `analogies`: for each section, lists of (a, b, c, d): a is to b as c is to d.
    `similarity`: (word, word, mean human score from 0 to 10).
    """

    name: str
    analogies: dict[str, list[tuple[str, str, str, str]]]
    similarity: list[tuple[str, str, float]]
    info: Info = field(default_factory=Info)
