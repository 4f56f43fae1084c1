"""What vectors of words, texts and pairs claim: less loss or fewer errors than knowing nothing."""

import numpy as np

from .baselines import majority_class, wrong
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


def missed(done) -> float:
    """Per cent of pairs whose own object is not the nearest one."""
    return 100 * (1 - done.test_figures["hit1"])


def words_that_both_have(done) -> float:
    """The same, where sentences are compared by the share of words that are written alike."""
    objects, names = done.system.objects, dict(
        zip(done.system.objects.named.tolist(), done.system.objects.names)
    )  # fmt: skip
    asked, wanted, among = objects.questions(done.held)
    bags = [{names[f] for f in objects.right[j].tolist()} for j in among]
    wrong = 0
    for a, own in zip(asked, wanted):
        words = {names[f] for f in a.tolist()}
        scores = np.array([len(words & b) / max(1, len(words | b)) for b in bags])
        wrong += (scores >= scores[own]).sum() > 1
    return 100 * wrong / len(asked)


CLAIMS = (
    *claims("word2vec", "enwiki_piece", "loss", (words_all_alike, (0.769, 0.766, 0.765), 0.84)),
    *claims(
        "word2vec-negative", "enwiki_piece", "loss", (vectors_of_zeros, (0.509, 0.509, 0.509), 0.55)
    ),
    *claims("word2vec-library", "enwiki_piece", "rho", (chance, (0.641, 0.583, 0.607), 0.7)),
    *claims("paragraph2vec", "enwiki_subjects", wrong, (majority_class, (), 0.9)),
    *claims(
        "paragraph2vec-memory",
        "enwiki_subjects",
        "loss",
        (vectors_of_zeros, (), 0.9),
    ),
    *claims("sent2vec", "enwiki_subjects", wrong, (majority_class, (), 0.9)),
    *claims(
        "starspace", "eng_fra_piece", missed, (words_that_both_have, (0.228, 0.255, 0.259), 0.3)
    ),
)
