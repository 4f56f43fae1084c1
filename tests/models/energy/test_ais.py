"""Partition functions: enumeration against brute force, AIS against enumeration."""

import itertools

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.kernels.errors import ShapeError, ValueRangeError
from glassgrad.models.energy import ais
from glassgrad.models.energy.units import entropy, log_bernoulli, log_odds, logistic, softplus


def random_model(n, m, scale=1.0, seed=0, dtype="float64"):
    rng = np.random.default_rng(seed)
    sizes = ((n, m), n, m)
    return tuple((scale * rng.standard_normal(k)).astype(dtype) for k in sizes)


def brute(w, b, a):
    """ln Σ_v Σ_h exp(vᵀWh + bᵀv + aᵀh), state by state."""
    total = 0.0
    for v in itertools.product((0, 1), repeat=len(b)):
        for h in itertools.product((0, 1), repeat=len(a)):
            v_, h_ = np.array(v), np.array(h)
            total += np.exp(v_ @ w @ h_ + b @ v_ + a @ h_)
    return np.log(total)


@pytest.mark.parametrize(("n", "m"), [(5, 3), (3, 5), (1, 1), (4, 0)])
def test_enumeration_is_the_sum_over_all_states(n, m):
    w, b, a = random_model(n, m)
    assert ais.exact(w, b, a) == pytest.approx(brute(w, b, a), rel=1e-12)


def test_enumeration_in_parts_and_large_groups():
    """Above 10 units the states are built of two parts; above 1000 the product is cut."""
    w, b, a = random_model(2500, 12, 0.1)
    h = ais.states(12)
    x = h @ w.T + b
    terms = h @ a + np.logaddexp(0, x).sum(axis=1)
    want = terms.max() + np.log(np.exp(terms - terms.max()).sum())
    assert ais.exact(w, b, a) == pytest.approx(want, rel=1e-12)
    assert ais.exact(30 * w, b, a) > 0  # no overflow


def test_too_many_units_and_wrong_sizes():
    with pytest.raises(ValueRangeError, match="too many units to enumerate; expected ≤ 25, got 26"):
        ais.exact(*random_model(27, 26))
    w, b, a = random_model(3, 2)
    with pytest.raises(ShapeError, match="w must be"):
        ais.log_partition(w.T, b, a, gg.Generator(0))
    with pytest.raises(ValueRangeError, match="temperatures must be positive"):
        ais.log_partition(w, b, a, gg.Generator(0), temperatures=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ais_agrees_with_enumeration_within_its_spread(dtype):
    w, b, a = random_model(30, 12, 0.5, dtype=dtype)
    found = ais.log_partition(w, b, a, gg.Generator(1), base=b, temperatures=300)
    assert 0 < found.spread < 0.2
    assert abs(found.log_z - ais.exact(w, b, a)) < 4 * found.spread
    assert found.log_weights.shape == (100,)


def test_weights_are_unbiased():
    """The mean of w estimates Z/Z_0 itself, even with so few temperatures that ln w is far off."""
    w, b, a = random_model(6, 4, 1.0, seed=2)
    found = ais.log_partition(w, b, a, gg.Generator(3), chains=20_000, temperatures=3)
    assert found.log_weights.std() > 0.5
    assert abs(np.exp(found.log_z - ais.exact(w, b, a)) - 1) < 4 * found.spread < 0.2


def test_the_spread_is_that_of_repeated_estimates():
    w, b, a = random_model(8, 6, 1.0, seed=4)
    runs = [
        ais.log_partition(w, b, a, gg.Generator(k), chains=50, temperatures=20) for k in range(60)
    ]
    said, seen = np.mean([r.spread for r in runs]), np.std([r.log_z for r in runs])
    assert 0.6 < seen / said < 1.6


def test_helpers_against_their_formulas():
    x = np.linspace(-30, 30, 61)
    p = 1 / (1 + np.exp(-x))
    assert np.allclose(logistic(x), p, atol=1e-15)
    assert np.allclose(softplus(x, logistic(x)), np.logaddexp(0, x), rtol=1e-9, atol=1e-12)
    single = x.astype(np.float32)
    assert np.allclose(softplus(single, logistic(single)), np.logaddexp(0, x), atol=1e-6)
    q = np.array([[0.2, 0.9]])
    want = -(q * np.log(q) + (1 - q) * np.log(1 - q)).sum()
    assert entropy(q)[0] == pytest.approx(want, rel=1e-12)
    y = (x > 0).astype(float)
    want = np.log(np.where(y == 1, p, 1 - p)).sum()
    assert log_bernoulli(y[None], x[None])[0] == pytest.approx(want, rel=1e-9)
    assert logistic(log_odds(np.array([0.25]), 10**9))[0] == pytest.approx(0.25, rel=1e-6)
