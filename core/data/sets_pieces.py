"""Pieces of long texts that ship with the package: sets of their own, for any machine."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .batches import order
from .canon import FILES
from .dataset import DataSet, Info, Split
from .download import find
from .own.texts.sentences import sentence_set
from .own.texts.text_file import from_text
from .streams import whole_number
from .text import Corpus

SUBJECTS = ("Economy", "Geography")
HELD_OUT = (7, 14)  # of the 68 places: for validation, for the test


def shakespeare_piece(data_dir=None) -> DataSet:
    """The first plays of `tinyshakespeare` by characters, cut in order into 90 / 5 / 5 %.

    Of Coriolanus and Richard III, up to the last speech that ends within 300,000 characters. The
    vocabulary is in the order of the character codes.

    >>> d = shakespeare_piece()
    >>> len(d.whole()), len(d.info.vocabulary), "".join(d.info.vocabulary.decode(d.train.x[:14]))
    (299868, 62, 'First Citizen:')
    """
    path = find(FILES["shakespeare_piece/shakespeare_piece.txt"], data_dir)
    found = from_text(path)
    return replace(
        found, name="shakespeare_piece", info=replace(found.info, source=str(path.parent))
    )


def enwiki_piece(data_dir=None) -> Corpus:
    """114 whole articles of `enwiki_a`: those named "Geography of …" and "Economy of …".

    260,145 words of 14,182 kinds, 4,156 of them at least five times. Countries occur in two roles,
    so that word vectors find which of them are alike, and document vectors the two kinds of
    articles. Lines are streamed, not held in memory.

    >>> corpus = enwiki_piece()
    >>> corpus.titles(2), len(next(corpus.lines()).split())
    ([(706, 'Economy of Angola'), (1081, 'Economy of Azerbaijan')], 2979)
    """
    path = find(FILES["enwiki_piece/enwiki_piece.txt.gz"], data_dir)
    titles = find(FILES["enwiki_piece/enwiki_piece_titles.tsv.gz"], data_dir)
    note = "whole articles on the geography and the economy of countries"
    return Corpus("enwiki_piece", path, titles, Info(str(path.parent), note=note))


def enwiki_subjects(data_dir=None, words: int = 20, min_count: int = 1) -> DataSet:
    """Pieces of `words` words of `enwiki_piece`, on the economy (0) or geography (1) of a place.

    A last piece of an article that has fewer than half of the words is left out. The 68 places,
    sorted, are put in order(68, seed=0): the last 14 are the test split, the seven before them are
    for validation. Both articles on a place are in one split, so that its name says nothing.

    >>> d = enwiki_subjects()
    >>> [len(split) for _, split in d.splits()], d.info.vocabulary.decode(d.test.x[0][:3])
    ([8060, 1407, 3542], ['geography', 'of', 'africa'])
    """
    words = whole_number("enwiki_subjects", "words", words, 1)
    min_count = whole_number("enwiki_subjects", "min_count", min_count, 1)
    corpus = enwiki_piece(data_dir)
    parts: list[tuple[list, list]] = [([], []), ([], []), ([], [])]
    for tokens, subject, part in articles_by_split(corpus):
        x, y = parts[part]
        for at in range(0, len(tokens) - (words - 1) // 2, words):
            x.append(tokens[at : at + words])
            y.append(SUBJECTS.index(subject))
    info = Info(
        corpus.info.source, SUBJECTS,
        note="pieces of {} words; split by place: {} validation, {} test".format(words, *HELD_OUT),
    )  # fmt: skip
    splits = [Split(x, np.array(y, np.int64)) for x, y in parts]
    return sentence_set("enwiki_subjects", splits, min_count, info)


def articles_by_split(corpus: Corpus) -> Iterator[tuple[list[str], str, int]]:
    """(words, subject, number of its split) of each article; those on one place share a split."""
    subjects, places = zip(*(title.split(" of ", 1) for _, title in corpus.titles()))
    kinds = sorted(set(places))
    p, (valid, test) = order(len(kinds), seed=0), HELD_OUT
    rank = {kinds[i]: place for place, i in enumerate(p)}
    first = len(kinds) - test
    for line, subject, place in zip(corpus.lines(), subjects, places):
        r = rank[place]
        yield line.split(), subject, (r >= first - valid) + (r >= first)
