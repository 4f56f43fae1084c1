"""What word vectors claim: a loss below that of knowing nothing, likeness that is no chance."""

import numpy as np

from .claims import claims


def chance(done) -> float:
    """Twice the spread of a correlation of ranks between things that are independent."""
    return 2 / np.sqrt(done.test_figures["pairs"] - 1)


def vectors_of_zeros(done) -> float:
    """The loss of a pair with its negatives where every product is 0."""
    return (1 + done.settings.negatives) * np.log(2)


def words_all_alike(done) -> float:
    """The loss of a pair where every word is as likely as any other."""
    return np.log(len(done.system.vocabulary))


CLAIMS = (
    *claims("word2vec", "enwiki_piece", "loss", (words_all_alike, (0.769, 0.766, 0.765), 0.84)),
    *claims(
        "word2vec-negative", "enwiki_piece", "loss", (vectors_of_zeros, (0.509, 0.509, 0.509), 0.55)
    ),
    *claims("word2vec-library", "enwiki_piece", "rho", (chance, (0.641, 0.583, 0.607), 0.7)),
)
