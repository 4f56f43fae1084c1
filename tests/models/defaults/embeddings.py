"""What vectors of words, texts and pairs claim: less loss or fewer errors than knowing nothing."""

import numpy as np

from glassgrad.models.embeddings.logistic import classified
from glassgrad.models.embeddings.node_judging import groups_of

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


def tossed_coin(done) -> float:
    """Per cent of pairs that are put in the wrong order by chance."""
    return 50.0


def misjoined(done) -> float:
    """Per cent of pairs, one an edge and one none, that the cosine puts in the wrong order."""
    return 100 * (1 - done.test_figures["edges"])


def missed_classes(done) -> float:
    """Per cent of the other half of the nodes whose class is wrong."""
    return 100 * (1 - done.test_figures["micro_f1"])


def commonest_group(done) -> float:
    """Per cent of the nodes that are not in the largest class."""
    return 100 * float(1 - groups_of(done.system.graph).mean(axis=0).max())


def degrees(done) -> float:
    """Per cent wrong of logistic regression on how many nodes have 1, 2, 3 … edges."""
    graphs = done.data.info.extra["graphs"]

    def counted(part):
        found = [np.bincount(np.minimum(g.degree(), 9), minlength=10) for g in graphs[part]]
        return np.array(found, float)

    y, other = done.data.train.y, done.held.y
    return 100 * float((classified(counted("train"), y, counted("test")) != other).mean())


def not_nearest(done) -> float:
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
    *claims("fasttext", "enwiki_piece", "rho", (chance, (0.405, 0.541, 0.486), 0.65)),
    *claims(
        "fasttext-classifier",
        "enwiki_subjects",
        wrong,
        (majority_class, (0.279, 0.285, 0.280), 0.33),
    ),
    *claims("node2vec", "karate", missed_classes, (commonest_group, (0.106, 0.071, 0.082), 0.2)),
    *claims("node2vec", "lesmis", misjoined, (tossed_coin, (0.165, 0.157, 0.126), 0.25)),
    *claims(
        "graph2vec",
        "rings_and_trees",
        wrong,
        (majority_class, (0.113, 0.062, 0.134), 0.2),
        (degrees, (0.121, 0.066, 0.143), 0.2),
    ),
    *claims(
        "paragraph2vec",
        "enwiki_subjects",
        wrong,
        (majority_class, (0.325, 0.298, 0.311), 0.36),
    ),
    *claims(
        "paragraph2vec-memory",
        "enwiki_subjects",
        "loss",
        (vectors_of_zeros, (0.517, 0.516, 0.517), 0.55),
    ),
    *claims("sent2vec", "enwiki_subjects", wrong, (majority_class, (0.301, 0.298, 0.293), 0.34)),
    *claims(
        "starspace",
        "eng_fra_piece",
        not_nearest,
        (words_that_both_have, (0.228, 0.255, 0.259), 0.3),
    ),
)
