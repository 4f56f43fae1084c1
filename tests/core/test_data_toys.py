"""Toy distributions against their closed forms, by tests of whole samples."""

import numpy as np
import pytest
from scipy import stats

from glassgrad.core.data import DataError, load, toys


def test_normal():
    d = load("normal")
    assert [len(s) for _, s in d.splits()] == [20_000, 2000, 10_000]
    assert d.train.x.shape == (20_000, 1) and d.train.x.dtype == np.float32
    x = np.concatenate([s.x[:, 0] for _, s in d.splits()])
    assert stats.kstest(x, stats.norm(-1, 1).cdf).pvalue > 0.01
    other = toys.normal(mean=3, std=0.5, train=5000).train.x[:, 0]
    assert stats.kstest(other, stats.norm(3, 0.5).cdf).pvalue > 0.01
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.02


def test_ring():
    d = load("ring")
    centres, spread = d.info.extra["centres"], d.info.extra["spread"]
    np.testing.assert_allclose(np.hypot(*centres.T), 2)
    x, y = d.train.x, d.train.y
    assert stats.chisquare(np.bincount(y, minlength=8)).pvalue > 0.01
    off = (x - centres[y]) / spread
    for column in off.T:
        assert stats.kstest(column, "norm").pvalue > 0.01
    assert abs(np.corrcoef(off.T)[0, 1]) < 0.04
    assert d.info.classes == tuple("01234567") and d.info.kind == "table"


def test_moons():
    d = toys.moons(noise=0, train=3000)
    x, y = d.train.x.astype(float), d.train.y
    upper, lower = x[y == 0], x[y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1, rtol=1e-5)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1, rtol=1e-5)
    assert upper[:, 1].min() >= 0 and lower[:, 1].max() <= 0.5 + 1e-6
    angles = np.arctan2(upper[:, 1], upper[:, 0])
    assert stats.kstest(angles, stats.uniform(0, np.pi).cdf).pvalue > 0.01
    noisy = toys.moons(noise=0.2, train=3000).train.x
    assert stats.kstest((noisy - x).ravel() / 0.2, "norm").pvalue > 0.01


@pytest.mark.parametrize("make", [toys.normal, toys.ring, toys.moons])
def test_an_example_depends_on_the_seed_and_its_number_alone(make):
    whole = make(train=30, valid=0, test=0).train
    parts = make(train=10, valid=20, test=0)
    assert np.array_equal(whole.x[:10], parts.train.x) and np.array_equal(
        whole.x[10:], parts.valid.x
    )
    assert not np.array_equal(whole.x, make(train=30, valid=0, test=0, seed=1).train.x)


@pytest.mark.parametrize(
    "make, options, text",
    [
        (toys.normal, {"std": 0}, "std must be a number above 0"),
        (toys.normal, {"mean": np.nan}, "mean must be a finite number"),
        (toys.normal, {"mean": "a"}, "mean must be a finite number"),
        (toys.ring, {"modes": 0}, "modes must be from 1"),
        (toys.ring, {"spread": np.inf}, "spread must be a number above 0"),
        (toys.ring, {"radius": "far"}, "radius must be a number above 0"),
        (toys.moons, {"noise": -1}, "noise must be a number at least 0"),
        (toys.moons, {"train": -1}, "the size of a split must be from 0"),
        (toys.moons, {"seed": -1}, "seed must be from 0"),
    ],
)
def test_bad_options_are_refused(make, options, text):
    with pytest.raises(DataError, match=text):
        make(**options)
