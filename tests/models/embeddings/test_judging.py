"""Similarity as by SciPy, analogies as by a loop, what has no vector, planted answers."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from glassgrad.core.data import Vocabulary, load
from glassgrad.core.data.text import WordEval
from glassgrad.models.embeddings import judging

WORDS = ("Athens", "greece", "oslo", "norway", "man", "woman", "king", "queen", "athens")
PAIRS = [("athens", "oslo", 9.0), ("man", "WOMAN", 8.0), ("king", "norway", 1.0), ("man", "x", 5.0),
         ("queen", "greece", 2.0), ("king", "queen", 8.0)]  # fmt: skip


def vectors(seed=0, n=9, d=5):
    return np.random.default_rng(seed).standard_normal((n, d))


def test_similarity_is_spearmans_of_the_cosines():
    x, vocabulary = vectors(), Vocabulary(WORDS)
    rho, pairs = judging.similarity(x, judging.numbers(vocabulary), PAIRS)
    at = {w.lower(): i for i, w in reversed(list(enumerate(WORDS)))}
    known = [(at[a.lower()], at[b.lower()], s) for a, b, s in PAIRS if b != "x"]
    cosine = [x[a] @ x[b] / np.linalg.norm(x[a]) / np.linalg.norm(x[b]) for a, b, _ in known]
    assert pairs == 5 and rho == pytest.approx(spearmanr(cosine, [s for *_, s in known]).statistic)


@pytest.mark.parametrize("given", [([], []), ([1.0, 1.0], [1.0, 2.0]), ([3.0], [1.0])])
def test_no_spread_is_no_correlation(given):
    assert judging.spearman(*map(np.array, given)) == 0.0


def test_similarity_without_a_known_pair():
    assert judging.similarity(vectors(), {"king": 6}, PAIRS) == (0.0, 0)


def test_analogies_are_those_of_a_loop():
    x = vectors(1, 40, 4)
    asked = np.random.default_rng(2).integers(0, 30, (600, 4))
    unit = x.astype("float32") / np.linalg.norm(x, axis=1, keepdims=True)
    want = []
    for a, b, c, _ in asked:
        scores = unit[:30] @ (unit[b] - unit[a] + unit[c])
        scores[[a, b, c]] = -np.inf
        want.append(scores.argmax())
    got = judging.answers(x, asked, most=30)
    assert (got == want).mean() > 0.998  # a tie but for rounding, at most


def test_planted_vectors_are_judged_right():
    """A capital is its country and one direction more; the scores are the cosines."""
    x = vectors(3, 9, 30)
    x[[0, 2]] = x[[1, 3]] + (along := 0.4 * vectors(4, 1, 30)[0])
    x[[5, 7]] = x[[4, 6]] + 0.1 * along
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    pairs = [(WORDS[a], WORDS[b], float(unit[a] @ unit[b])) for a, b in ((1, 2), (4, 5), (6, 3))]
    sections = {
        "capital": [("Athens", "Greece", "Oslo", "Norway"), ("Oslo", "Norway", "Athens", "Greece")],
        "none": [("Rome", "Italy", "Oslo", "Norway")],
    }
    found = judging.judge(x, Vocabulary(WORDS), WordEval("planted", sections, pairs))
    assert found.rho == pytest.approx(1) and found.pairs == 3
    assert found.sections == {"capital": (2, 2), "none": (0, 0)} and found.right == 100
    wrong = judging.judge(x[::-1], Vocabulary(WORDS), WordEval("planted", sections, pairs))
    assert wrong.right < 100 and wrong.asked == 2


def test_the_sets_that_ship():
    sets = load("word_eval")
    words = {w.lower() for rows in sets.analogies.values() for row in rows for w in row}
    vocabulary = Vocabulary(tuple(sorted(words)))
    found = judging.judge(vectors(5, len(words), 8), vocabulary, sets)
    assert found.asked == 19_544 and found.right < 2 and abs(found.rho) < 0.35


def test_neighbours_are_nearest_first_without_the_word_itself():
    x = np.array([[1.0, 0], [1, 1], [-1, 0], [5, 1]])
    assert judging.neighbours(x, 0, 3).tolist() == [3, 1, 2]
