"""Probabilistic regression: closed forms, SciPy, coverage of all points held out once."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Split, load, order
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.probability import regression

RECIPE = models.recipe("regression")


def system_of(x, y, **changes):
    s = regression.Settings(**{"hidden": (), **changes})
    return regression.ProbabilisticRegression(
        x.shape[1], y, ("a", "b"), s, gg.Generator(0), "float64"
    )


def test_the_objective_is_scipys_density_in_the_units_of_the_targets():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 3)), 50 + 20 * rng.normal(size=(30, 2))
    system = system_of(x, y, hidden=(4,))
    for p in system.parameters():
        p.data = rng.normal(size=p.shape)
    mean, spread = system.predicted(x)
    expected = -norm.logpdf(y, mean, spread).sum(axis=1).mean()
    assert system.objective(Batch(x, y)).item() == pytest.approx(expected, rel=1e-10)
    found = system.evaluate(Split(x, y))
    assert found["nll"] == pytest.approx(expected, rel=1e-10)
    low, high = norm.interval(0.9, mean, spread)
    assert found["coverage"] == ((y >= low) & (y <= high)).mean()
    assert found["width"] == pytest.approx((high - low).mean())


def test_a_constant_spread_has_its_minimum_at_least_squares():
    """Linear, one σ: the gradient vanishes at the closed form, and not next to it."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 3))
    y = x @ [[1.0], [-2.0], [0.5]] + 3 + rng.normal(size=(40, 1))
    system = system_of(x, y, spread="constant")
    u = (y - system.centre.numpy()) / system.unit.numpy()
    design = np.column_stack([x, np.ones(40)])
    w, *_ = np.linalg.lstsq(design, u, rcond=None)
    sigma = np.sqrt(((u - design @ w) ** 2).mean())
    system.mean.weight.data, system.mean.bias.data = w[:3].T.copy(), w[3].copy()
    bound = regression.BOUND
    system.spread.bias.data = np.array([bound * np.arctanh(np.log(sigma) / bound)])
    gradients = gg.grad(system.objective(Batch(x, y)), system.parameters(), unused="zero")
    assert max(abs(g.numpy()).max() for g in gradients) < 1e-12
    system.spread.bias.data = system.spread.bias.data + 0.1
    gradients = gg.grad(system.objective(Batch(x, y)), system.parameters(), unused="zero")
    assert max(abs(g.numpy()).max() for g in gradients) > 0.05


def test_the_spread_is_bounded_however_extreme_the_weights():
    x, y = np.ones((2, 1)), np.array([[1.0], [1.0]])
    system = system_of(x, y)
    for raw in (-1e6, 1e6):
        system.spread.bias.data = np.array([raw])
        assert np.isfinite(system.objective(Batch(x, y)).item())


def test_labels_that_are_no_quantities_are_refused():
    for y in (np.zeros(9, np.int64), None):
        with pytest.raises(SettingError, match="no quantities to predict: name a column"):
            regression.prepare(DataSet("d", Split(np.zeros((9, 2)), y)), regression.Settings())


def held_out_once(folds: int = 5, **overrides) -> dict[str, float]:
    """Test figures over all patients, each in the test split of one fold; the mean over points."""
    raw = load("diabetes")
    whole, fold = raw.whole(), np.empty(442, int)
    fold[order(442, 0)] = np.arange(442) % folds
    total: dict[str, float] = {}
    for k in range(folds):
        test, valid = fold == k, fold == (k + 1) % folds
        parts = {"train": ~test & ~valid, "valid": valid, "test": test}
        data = replace(raw, **{n: whole[np.flatnonzero(p)] for n, p in parts.items()})
        settings = RECIPE.resolve("diabetes", overrides).as_dict()
        found = training.train(RECIPE, data, overrides=settings).test_figures
        for name, value in found.items():
            total[name] = total.get(name, 0.0) + value * test.sum() / 442
    return total


@pytest.mark.slow
def test_bands_of_90_per_cent_cover_87_to_93_and_the_learned_spread_is_likelier():
    """The page's number: its standard error is √(0.9·0.1/442) = 1.4 %, the bound two of them."""
    learned = held_out_once()
    assert 0.87 <= learned["coverage"] <= 0.93
    constant = held_out_once(spread="constant")
    assert 0.87 <= constant["coverage"] <= 0.93
    assert learned["nll"] < constant["nll"] - 0.005  # models can be compared


def test_several_targets_have_a_mean_and_a_spread_each():
    """Three of them, in linnerud."""
    done = training.train(RECIPE, "linnerud", overrides={"epochs": 3})
    assert done.system.predicted(done.data.test.x)[0].shape == (3, 3)
    assert set(RECIPE.figures(done.system, done.data, done.settings)) == {
        "bands", "errors", "coverage",
    }  # fmt: skip
