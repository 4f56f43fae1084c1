"""Who wrote this? Pieces of the two texts that ship with the package, by their common words."""

import re
from collections import Counter

import numpy as np

from .canon import FILES
from .dataset import DataSet, Info, Split
from .own.texts.sentences import sentence_set
from .read import decode, read_bytes
from .sets_pieces import articles_by_split, enwiki_piece
from .streams import whole_number
from .text import UNKNOWN

AUTHORS = ("encyclopedia", "Shakespeare")
CUTS = (70, 80)  # per cent of the plays: where validation begins, and the test
HEADING = re.compile(r"(^|\n\n).*:(?=\n)")  # the name of a speaker, on a line of its own
GAP = re.compile("[^a-z]+")
FIGURES = frozenset(
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
)


def enwiki_or_shakespeare(data_dir=None, words: int = 20, shared: int = 10) -> DataSet:
    """Pieces of `words` words of `enwiki_piece` (0) and `shakespeare_piece` (1), as many of each.

    Subjects would tell them apart: a word that occurs fewer than `shared` times in the training
    pieces of either author is ``<unk>``. That leaves 97 words which both use, such as "the" and
    "than", and turns of phrase; shared=0 leaves all words. Mosteller and Wallace told authors by
    such words in 1964. So would typography: both texts are lower-case words of the letters a to z,
    as text8 has them, without its figures ("one five two") and without letters that an apostrophe
    cut off ("call d"), the plays without the names of the speakers.

    Of the plays, cut in order, 70 % are for training and the last 20 % for the test. The articles
    on a place are in one split, as in `enwiki_subjects`; of their pieces as many are taken, evenly
    spaced.

    >>> d = enwiki_or_shakespeare()
    >>> [len(split) for _, split in d.splits()], len(d.info.vocabulary)
    ([3586, 512, 1026], 99)
    >>> " ".join(d.info.vocabulary.decode(d.test.x[-3][6:16]))
    'that in the <unk> of this most <unk> <unk> <unk>'
    """
    words = whole_number("enwiki_or_shakespeare", "words", words, 1)
    shared = whole_number("enwiki_or_shakespeare", "shared", shared, 0)
    corpus, articles = enwiki_piece(data_dir), ([], [], [])
    for tokens, _, part in articles_by_split(corpus):
        articles[part].extend(_pieces(_plain(tokens), words))
    plays = _pieces(_plain(_spoken(data_dir)), words)
    cuts = [0, *(len(plays) * cut // 100 for cut in CUTS), len(plays)]
    parts = []
    for pieces, start, stop in zip(articles, cuts, cuts[1:]):
        n = min(len(pieces), stop - start)
        spaced = [pieces[i * len(pieces) // n] for i in range(n)]
        parts.append((spaced, plays[start : start + n]))
    if shared:
        counts = [Counter(w for piece in side for w in piece) for side in parts[0]]
        kept = {w for w in counts[0] if min(c[w] for c in counts) >= shared}
        parts = [[_masked(side, kept) for side in part] for part in parts]
    note = f"pieces of {words} words, split by place and by position in the plays"
    if shared:
        note += f"; words that either author has fewer than {shared} times are {UNKNOWN}"
    info = Info(corpus.info.source, AUTHORS, note=note)
    splits = [Split(a + b, np.repeat([0, 1], len(a))) for a, b in parts]
    return sentence_set("enwiki_or_shakespeare", splits, 1, info)


def _plain(tokens: list[str]) -> list[str]:
    """The words without figures and without letters cut off at an apostrophe."""
    return [w for w in tokens if w not in FIGURES and (len(w) > 1 or w in "aio")]


def _pieces(tokens: list[str], words: int) -> list[list[str]]:
    """Whole pieces of so many words; what is left at the end is left out."""
    return [tokens[at : at + words] for at in range(0, len(tokens) - words + 1, words)]


def _spoken(data_dir) -> list[str]:
    """The words of the plays."""
    path = "shakespeare_piece/shakespeare_piece.txt"
    text = decode(read_bytes(FILES[path], data_dir), path, "ascii")
    return GAP.sub(" ", HEADING.sub(" ", text).lower()).split()


def _masked(pieces: list[list[str]], kept: set[str]) -> list[list[str]]:
    return [[w if w in kept else UNKNOWN for w in piece] for piece in pieces]
