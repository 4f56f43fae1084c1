"""gensim: word vectors in Cython, one thread or several that race."""

import time

import numpy as np

from ..job import Contender
from . import not_installed

_threads = 1


def why_not(device: str) -> str:
    """It works on the CPU alone."""
    return "gensim has no GPU version" if device == "cuda" else not_installed("gensim")


def set_threads(number: int) -> None:
    """Of its workers, where they race; one more hands out the sentences."""
    global _threads
    _threads = number


def version(device: str) -> str:
    """Of the package."""
    from importlib import metadata

    return metadata.version("gensim")


def _epoch(pieces, size: int, window: int, negatives: int, rate: float, racing: bool) -> Contender:
    from gensim.models import Word2Vec

    sentences = [[str(w) for w in piece.tolist()] for piece in pieces]
    model = Word2Vec(
        vector_size=size, window=window, negative=negatives, alpha=rate, min_alpha=rate, sg=1,
        sample=0, shrink_windows=False, min_count=1, seed=1, workers=_threads if racing else 1,
    )  # fmt: skip
    model.build_vocab(sentences)

    def train():
        model.train(sentences, total_examples=len(sentences), epochs=1)

    return Contender(train, other=True)  # its own vectors, which go on from call to call


def trained(data, s, threads: int) -> tuple[np.ndarray, float]:
    """(vectors [V,D], seconds) of a whole training by the settings of word2vec-library.

    In the order of the vocabulary of `data`, with 0 for a word that it has not met.
    """
    from gensim.models import Word2Vec

    words = data.info.vocabulary.words
    pieces = [[words[i] for i in piece] for piece in data.train.x]
    model = Word2Vec(
        vector_size=s.size, window=s.window, negative=s.negatives, alpha=s.lr, min_alpha=1e-4,
        sample=s.sample, min_count=1, sg=1, seed=s.seed, workers=threads,
    )  # fmt: skip
    model.build_vocab(pieces)
    start = time.perf_counter()
    model.train(pieces, total_examples=len(pieces), epochs=s.epochs)
    seconds = time.perf_counter() - start
    found = np.zeros((len(words), s.size), np.float32)
    for i, word in enumerate(words):
        if word in model.wv:
            found[i] = model.wv[word]
    return found, seconds


BUILDERS = {"skip_gram.epoch": _epoch}
JOBS = frozenset(BUILDERS)


def contender(name: str, *given) -> Contender | None:
    """An epoch of word vectors."""
    return BUILDERS[name](*given) if name in BUILDERS else None
