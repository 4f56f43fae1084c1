"""Wasserstein-1: sorted samples against the linear program, and the dual against both."""

import numpy as np
import pytest

from glassgrad.kernels.errors import ShapeError, ValueRangeError
from glassgrad.models.adversarial import distances, wgan_pictures
from glassgrad.models.adversarial.dual import dual, proportion, shifted

RNG = np.random.default_rng(0)


def linear_program(x, y):
    """The primal by SciPy: π ≥ 0, rows sum to 1/N, columns to 1/M."""
    from scipy.optimize import linprog

    n, m = len(x), len(y)
    cost = np.linalg.norm(x[:, None] - y[None], axis=2)
    sums = np.concatenate([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    right = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
    return linprog(cost.ravel(), A_eq=sums, b_eq=right).fun


@pytest.mark.parametrize("n, m", [(7, 7), (5, 8), (1, 3)])
def test_on_the_line_it_is_the_linear_program(n, m):
    x, y = RNG.standard_normal(n), RNG.standard_normal(m) + 1
    want = linear_program(x[:, None], y[:, None])
    assert distances.w1_line(x, y) == pytest.approx(want, rel=1e-9)
    assert distances.w1_line(y, x) == pytest.approx(want, rel=1e-9)


def test_in_the_plane_it_is_the_linear_program():
    x, y = RNG.standard_normal((9, 2)), RNG.standard_normal((9, 2)) + np.array([2, 0])
    found, partner = distances.w1_transport(x, y)
    assert found == pytest.approx(linear_program(x, y), rel=1e-9)
    assert sorted(partner) == list(range(9))
    assert np.linalg.norm(x - y[partner], axis=1).mean() == pytest.approx(found, rel=1e-12)
    # in two columns of which one is constant it is that of the line
    flat = [np.stack([a[:, 0], np.zeros(9)], axis=1) for a in (x, y)]
    on_the_line = distances.w1_line(x[:, 0], y[:, 0])
    assert distances.w1_transport(*flat)[0] == pytest.approx(on_the_line, rel=1e-9)


def test_sliced_of_one_column_is_the_distance_and_it_is_a_metric():
    x, y, z = (RNG.standard_normal((30, 1)) + k for k in (0, 1, 3))
    assert distances.sliced_w1(x, y) == pytest.approx(distances.w1_line(x[:, 0], y[:, 0]), rel=1e-9)
    assert distances.sliced_w1(x, x) == 0
    far = distances.sliced_w1(x, y) + distances.sliced_w1(y, z)
    assert distances.sliced_w1(x, z) <= far + 1e-12


def test_bad_samples_are_refused():
    for bad in (np.zeros(0), np.zeros((2, 2))):
        with pytest.raises(ShapeError, match="w1_line"):
            distances.w1_line(bad, np.zeros(3))
    for x, y in ((np.zeros((2, 1)), np.zeros((3, 1))), (np.zeros((2001, 1)),) * 2):
        with pytest.raises(ShapeError, match="N from 1 to 2000"):
            distances.w1_transport(x, y)
    with pytest.raises(ValueRangeError, match="constraint must be one of"):
        dual(np.zeros((2, 1)), np.zeros((2, 1)), "clip")


def test_proportion_sees_what_is_not_proportional():
    w1 = np.arange(1, 11)
    assert proportion(w1, 0.3 * w1) == (pytest.approx(0.3), pytest.approx(1.0))
    assert proportion(w1, w1**3)[1] < 0.9 and proportion(w1, np.tile([1.0, 2.0], 5))[1] < 0


def test_the_two_sided_penalty_may_hold_the_wrong_slope():
    """The page of dual.py: -W1 instead of W1 for a critic that starts with the wrong sign."""
    x = np.linspace(-1, 1, 32)[:, None]
    few = {"steps": 100, "hidden": (16, 16)}
    one_sided = dual(x + 2, x, **few).value
    penalty = [dual(a, b, "penalty", **few).value for a, b in ((x + 2, x), (x, x + 2))]
    assert one_sided == pytest.approx(2, rel=0.1)
    assert sorted(penalty) == [pytest.approx(-2, rel=0.1), pytest.approx(2, rel=0.1)]


def pairs():
    """Samples whose W1 is known: shifts, another width, a plane, another shape in the plane."""
    a = RNG.standard_normal((100, 1))
    yield "shift", a + 1.5, a
    yield "width", 3 * a, a
    b = RNG.standard_normal((100, 2))
    yield "plane", b + np.array([1.2, -0.9]), b
    angle = 2 * np.pi * np.arange(100) / 100
    yield "ring", 3 * np.stack([np.cos(angle), np.sin(angle)], axis=1), 0.5 * b


@pytest.mark.slow
def test_with_the_penalty_the_critic_reaches_the_distance():
    for name, x, y in pairs():
        w1 = distances.w1_line(x[:, 0], y[:, 0]) if x.shape[1] == 1 else None
        w1 = distances.w1_transport(x, y)[0] if w1 is None else w1
        found = dual(x, y, steps=300).value
        assert found == pytest.approx(w1, rel=0.1), name


@pytest.mark.slow
def test_with_clipping_the_critic_reaches_a_multiple_of_the_distance():
    """Ten distances from ½ to 5: value = K·W1; K grows with the cube."""
    samples = list(shifted(wgan_pictures.DISTANCES, 64))
    w1 = [distances.w1_line(x[:, 0], y[:, 0]) for x, y in samples]
    slopes = []
    for side in (0.2, 0.4):
        values = [
            dual(x, y, "clipping", steps=150, hidden=(16, 16), side=side).value for x, y in samples
        ]
        k, r2 = proportion(w1, values)
        print(f"side {side}: K = {k:.4f}, R² = {r2:.4f}")
        assert r2 >= 0.98
        slopes.append(k)
    assert slopes[1] > 4 * slopes[0], "three layers of weights: (ε/2)³, 8 times at the end"
