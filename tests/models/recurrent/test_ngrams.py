"""N-grams: probabilities by explicit loops, that they sum to 1, and the published 141.2."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from glassgrad.core.data import available, load
from glassgrad.models.recurrent.ngrams import discounts, kneser_ney
from tests.tools import assert_close

rng = np.random.default_rng(0)
WORDS = 5
TRAIN = rng.choice(WORDS, 400, p=[0.4, 0.3, 0.15, 0.1, 0.05])
TRAIN[50:90] = TRAIN[200:240]  # something that comes twice


def by_loops(train, history, word, order):
    """p(word | history) from dictionaries, by the equations of the page."""
    grams = {n: Counter(zip(*(train[k:].tolist() for k in range(n)))) for n in range(1, order + 1)}
    p = 1.0 / WORDS
    for n in range(1, order + 1):
        if n < order:  # how many different words stand before
            before = defaultdict(set)
            for gram in grams[n + 1]:
                before[gram[1:]].add(gram[0])
            a = {g: len(v) for g, v in before.items()}
        else:
            a = grams[n]
        taken = discounts(np.array(list(a.values())))
        h = tuple(history[len(history) - (n - 1) :])
        after = {g[-1]: c for g, c in a.items() if g[:-1] == h}
        total = sum(after.values())
        if total:
            free = sum(taken[min(c, 3)] for c in after.values()) / total
            c = after.get(word, 0)
            p = (c - taken[min(c, 3)]) / total + free * p
    return p


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_are_those_of_the_equations(order):
    held = rng.integers(0, WORDS, 30)
    found = kneser_ney(TRAIN, held, WORDS, order)
    want = [
        -np.log(by_loops(TRAIN, held[max(0, t - order + 1) : t].tolist(), held[t], order))
        for t in range(order - 1, 30)
    ]
    assert_close(found[max(0, order - 2) :], np.array(want)[order == 1 :], rtol=1e-10)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_probabilities_of_all_next_words_sum_to_1(order):
    for history in ([0, 1], [4, 4], [3, 2]):
        held = [np.array([*history, w]) for w in range(WORDS)]
        p = [np.exp(-kneser_ney(TRAIN, h, WORDS, order)[-1]) for h in held]
        assert sum(p) == pytest.approx(1.0, abs=1e-12) and min(p) > 0


def test_longer_histories_help_where_the_text_has_them():
    text = np.tile(np.array([0, 1, 0, 2]), 100)
    bits = [kneser_ney(text[:300], text[300:], 3, n)[4:].mean() / np.log(2) for n in (1, 2, 3)]
    assert bits[0] == pytest.approx(1.5, abs=0.05)  # of 1/2, 1/4, 1/4
    assert bits[1] == pytest.approx(0.5, abs=0.05)  # 1 or 2 after every second word
    assert bits[2] < 0.05


@pytest.mark.data
def test_five_words_on_penn_treebank_have_the_published_perplexity():
    """141.2 of KN5 (Mikolov et al. 2011, table 1); ours differs in the first words alone."""
    if not available("ptb"):
        pytest.skip("ptb is not here")
    data = load("ptb")
    nats = kneser_ney(data.train.x, data.test.x, len(data.info.vocabulary), 5)
    assert np.exp(nats.mean()) == pytest.approx(141.2, abs=0.3)
