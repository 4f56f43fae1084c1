"""Pieces of long texts that ship with the package: sets of their own, for any machine."""

from dataclasses import replace

from .canon import FILES
from .dataset import DataSet, Info
from .download import find
from .own.texts.text_file import from_text
from .text import Corpus


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
