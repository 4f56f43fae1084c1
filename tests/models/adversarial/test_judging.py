"""The judges, on samples whose verdict is known."""

import math

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from glassgrad.core.data import load
from glassgrad.models.adversarial import judging

RNG = np.random.default_rng(0)


def test_the_nearest_neighbour_is_that_of_scikit_learn():
    a, b = RNG.standard_normal((40, 3)), RNG.standard_normal((40, 3)) + 0.7
    x, y = np.concatenate([a, b]), np.repeat([0, 1], 40)
    right = 0
    for i in range(80):
        others = np.arange(80) != i
        guess = KNeighborsClassifier(1).fit(x[others], y[others]).predict(x[i : i + 1])
        right += int(guess[0] == y[i])
    assert judging.neighbours(a, b) == right / 80


def test_neighbours_of_equal_and_of_separate_samples():
    a, b = RNG.standard_normal((2, 800, 2))
    assert judging.neighbours(a, b) == pytest.approx(0.5, abs=0.05)
    assert judging.neighbours(a, b + 20) == 1
    assert judging.neighbours(a, np.zeros_like(a)) > 0.95, "a collapsed generator"
    assert judging.neighbours(a, a.copy()) == 0, "copies"


def test_modes_are_counted():
    data = load("ring", train=10, valid=0, test=2000)
    centres, spread = data.info.extra["centres"], data.info.extra["spread"]
    x, y = data.test.x, data.test.y
    found = judging.modes(x, centres, spread)
    assert found.found == 8 and found.quality == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert found.counts.sum() == round(found.quality * 2000)
    assert judging.modes(x[y < 3], centres, spread).found == 3
    few = np.concatenate([x[y < 3], x[y == 5][:5]])  # too few of the fourth
    assert judging.modes(few, centres, spread).found == 3
    assert judging.modes(0 * x, centres, spread).quality == 0


def test_entropy():
    assert judging.entropy(np.full(10, 7)) == pytest.approx(math.log(10))
    assert judging.entropy([0, 4]) == 0


@pytest.fixture(scope="module")
def digits():
    data = load("digits")
    return data, judging.Classifier(data, 10, steps=400)


def test_the_classifier_knows_digits_and_is_unsure_of_noise(digits):
    data, judge = digits
    p = judge.probabilities(data.test.x)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert (p.argmax(axis=1) == data.test.y).mean() > 0.93
    assert judge.entropy(data.test.x) > 2.25
    assert judge.entropy(data.test.x[data.test.y == 4]) < 0.3
    mixed = (data.test.x[:-1] + data.test.x[1:]) / 2
    assert judge.confidence(mixed) < 0.9 * judge.confidence(data.test.x)
