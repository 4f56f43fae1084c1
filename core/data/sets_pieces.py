"""Pieces of long texts that ship with the package: sets of their own, for any machine."""

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

SUBJECTS = ("Geography of ", "Economy of ")  # how the titles begin, by class


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


def country_articles(data_dir=None, words: int = 15, min_count: int = 2) -> DataSet:
    """Pieces of the articles of `enwiki_piece`, each `words` words: geography (0) or economy (1)?

    What is left at the end of an article is dropped. Whole articles are in one split: of the 114,
    in the order of order(114, seed=0), the first 80 are for training, then 11 for validation and 23
    for the test. Words that occur fewer than `min_count` times in the training split are ``<unk>``.

    >>> d = country_articles()
    >>> " ".join(d.info.vocabulary.decode(d.train.x[0][:6])), d.info.classes[d.train.y[0]]
    ('geography of the british virgin islands', 'geography')
    """
    words = whole_number("country_articles", "words", words, 1)
    corpus = enwiki_piece(data_dir)
    articles = [line.split() for line in corpus.lines()]
    kind = [next(k for k, s in enumerate(SUBJECTS) if t.startswith(s)) for _, t in corpus.titles()]
    parts = []
    for chosen in np.split(order(len(articles), 0), (80, 91)):
        x, y = [], []
        for i in chosen.tolist():
            whole = len(articles[i]) // words * words
            found = [articles[i][at : at + words] for at in range(0, whole, words)]
            x += found
            y += [kind[i]] * len(found)
        parts.append(Split(x, np.array(y, np.int64)))
    info = Info(
        corpus.info.source,
        tuple(s.split()[0].lower() for s in SUBJECTS),
        note="whole articles are in one split; classes by the titles",
    )
    return sentence_set("country_articles", parts, min_count, info)
