"""The lines of a text as words: what word vectors and topic models both begin with."""

from collections.abc import Iterator

import numpy as np

from ...core.data import Corpus, DataError, DataSet, tokenise
from ...core.data.text import END, PAD, UNKNOWN

MARKS = {PAD, UNKNOWN, END, "<bos>"}  # tokens that are no words


def lines_of(data: Corpus | DataSet) -> Iterator[list[str]]:
    """The lines of a text as lists of words, without marks such as ``<eos>``.

    A text by characters is put together and cut into words again. DataError without a vocabulary.

    >>> from glassgrad.core.data import load
    >>> next(lines_of(load("enwiki_piece")))[:3]
    ['economy', 'of', 'angola']
    """
    if isinstance(data, Corpus):
        yield from (line.split() for line in data.lines())
        return
    vocabulary, whole = data.info.vocabulary, data.whole().x
    if vocabulary is None:
        raise DataError(f"{data.name}: words need a text with a vocabulary")
    words = np.array(vocabulary.words, object)
    if isinstance(whole, np.ndarray) and max(map(len, vocabulary.words)) == 1:
        for line in "".join(words[whole]).split("\n"):
            yield [w for w in tokenise(line) if w[0].isalnum()]
        return
    for tokens in whole if isinstance(whole, list) else [whole]:
        line: list[str] = []
        for word in words[np.asarray(tokens, np.int64)]:
            if word == END:
                yield line
                line = []
            elif word not in MARKS:
                line.append(word)
        yield line
