"""Parzen windows against scikit-learn's kernel density, and their limits."""

import numpy as np
import pytest
from sklearn.neighbors import KernelDensity

from glassgrad.kernels.errors import ShapeError, ValueRangeError
from glassgrad.models.common import parzen
from tests.tools import assert_close

RNG = np.random.default_rng(0)
SAMPLES, POINTS = RNG.standard_normal((60, 4)), RNG.standard_normal((25, 4))


@pytest.mark.parametrize("block", [2**22, 7 * 60, 1])
def test_it_is_scikit_learns_density(monkeypatch, block):
    monkeypatch.setattr(parzen, "BLOCK", block)
    sigmas = (0.1, 0.5, 2.0)
    found = parzen.log_likelihoods(SAMPLES, POINTS, sigmas)
    for row, sigma in zip(found, sigmas):
        density = KernelDensity(bandwidth=sigma, rtol=1e-12).fit(SAMPLES)
        assert_close(row, density.score_samples(POINTS), rtol=1e-9)


def test_far_points_do_not_underflow():
    """A thousand spreads away exp(-d²/2σ²) is 0, its logarithm is not."""
    found = parzen.log_likelihoods(np.zeros((3, 784)), np.full((1, 784), 10.0), [0.1])
    want = -784 * (10 / 0.1) ** 2 / 2 - 392 * np.log(2 * np.pi * 0.01)
    assert_close(found, np.array([[want]]), rtol=1e-12)


def test_the_width_is_chosen_on_the_validation_points():
    valid = RNG.standard_normal((40, 4))
    found = parzen.parzen(SAMPLES, valid, POINTS, sigmas=(0.01, 0.6, 5.0))
    rows = {s: KernelDensity(bandwidth=s, rtol=1e-12).fit(SAMPLES) for s in (0.01, 0.6, 5.0)}
    best = max(rows, key=lambda s: rows[s].score(valid))
    scores = rows[best].score_samples(POINTS)
    assert found.sigma == best == 0.6
    assert found.mean == pytest.approx(scores.mean(), rel=1e-9)
    assert found.error == pytest.approx(scores.std(ddof=1) / 5, rel=1e-9)


def test_bad_arguments_are_refused():
    for samples, points in ((SAMPLES[:0], POINTS), (SAMPLES, POINTS[:, :2]), (SAMPLES[0], POINTS)):
        with pytest.raises(ShapeError, match="rows of one length"):
            parzen.log_likelihoods(samples, points, [1.0])
    for sigma in (0.0, -1.0, np.nan):
        with pytest.raises(ValueRangeError, match="above 0"):
            parzen.log_likelihoods(SAMPLES, POINTS, [sigma])
