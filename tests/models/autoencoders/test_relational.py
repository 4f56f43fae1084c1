"""The relational autoencoder: the sum over pairs by loops, and relations that come back better."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import training
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.autoencoders import relational

RECIPE = relational.RELATIONAL
X = np.random.default_rng(0).random((7, 6))


def small(**changes):
    s = relational.Settings(**{"code": 3, "s0": 1.2, **changes})
    return relational.build(DataSet("small", Split(X)), s, gg.Generator(1), dtype="float64")


@pytest.mark.parametrize("kind", ["shifted", "threshold"])
def test_the_objective_is_the_equation(kind):
    m = small(relation=kind, weight=0.6)
    y = m.reconstruct(X)

    def sigma(s):
        if kind == "threshold":
            return s if s >= 1.2 else 0.0
        return max(s - 1.2, 0.0)

    pairs = [(i, j) for i in range(7) for j in range(i + 1, 7)]
    terms = [(sigma(y[i] @ y[j]) - sigma(X[i] @ X[j])) ** 2 for i, j in pairs]
    want = ((y - X) ** 2).sum(axis=1).mean() + 0.6 * np.mean(terms)
    assert 0 < sum(X[i] @ X[j] < 1.2 for i, j in pairs) < len(pairs)  # s0 lies inside
    assert m.objective(Batch(X))[0].item() == pytest.approx(want, rel=1e-12)


def test_the_minibatch_estimates_the_mean_over_all_pairs():
    y, x = (np.random.default_rng(i).random((6, 4)) for i in (1, 2))

    def loss(rows):
        return relational.relation_loss(gg.Tensor(y[rows]), gg.Tensor(x[rows]), 1.0).item()

    pairs = [[i, j] for i in range(6) for j in range(i + 1, 6)]
    assert np.mean([loss(p) for p in pairs]) == pytest.approx(loss(list(range(6))), rel=1e-12)
    assert loss([3]) == 0.0


def test_the_objective_passes_the_gradient_check():
    for changes in ({}, {"tied": True}, {"relation": "threshold"}):
        f, arrays = RECIPE.check(np.random.default_rng(0), **changes)
        assert gg.gradcheck(f, *arrays, order=2, directions=6).error < 1e-6


def test_relations_come_back_better_than_without_the_term():
    short = {"epochs": 15, "lr": 2e-2}
    done = training.train(RECIPE, overrides=short)
    plain = training.train(RECIPE, overrides={**short, "weight": 0.0}).test_figures
    assert done.test_figures["relation_error"] < 0.9 * plain["relation_error"]
    assert done.test_figures["squared_error"] < 1.25 * plain["squared_error"]
    figures = RECIPE.figures(done.system, done.data, done.settings)
    assert set(figures) == {
        "activations",
        "codes",
        "reconstructions",
        "filters",
        "relations",
        "beside",
    }


def test_unknown_relations_are_refused():
    with pytest.raises(SettingError, match="'relation' must be 'shifted' or 'threshold'"):
        small(relation="hard")
