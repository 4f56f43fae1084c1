"""MMD: the estimate against a double sum, its bias and gradient, and what the test's p means."""

import numpy as np
import pytest
from scipy import stats

import glassgrad as gg
from glassgrad.kernels.errors import ShapeError, ValueRangeError
from glassgrad.models.common import mmd
from tests.tools import assert_close

RNG = np.random.default_rng(0)


def slow(x, y, k):
    """Unbiased MMD² by its definition, pair by pair."""
    n, m = len(x), len(y)
    xx = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j)
    yy = sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j)
    xy = sum(k(a, b) for a in x for b in y)
    return xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m)


KERNELS = {
    "imq": lambda c: lambda a, b: c / (c + ((a - b) ** 2).sum()),
    "rbf": lambda c: lambda a, b: np.exp(-((a - b) ** 2).sum() / c),
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("n, m", [(2, 2), (5, 9), (12, 7)])
def test_the_penalty_is_the_double_sum(kernel, n, m):
    x, y = RNG.standard_normal((n, 3)), RNG.standard_normal((m, 3)) + 0.3
    want = sum(slow(x, y, KERNELS[kernel](c)) for c in (0.5, 4.0))
    got = mmd.penalty(gg.Tensor(x), gg.Tensor(y), kernel, (0.5, 4.0))
    assert got.item() == pytest.approx(want, rel=1e-10, abs=1e-13)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_biased_one_has_all_pairs_and_is_the_distance_of_two_embeddings(kernel):
    x, y = RNG.standard_normal((6, 3)), RNG.standard_normal((9, 3))
    k, want = KERNELS[kernel], 0.0
    for c in (0.5, 4.0):
        mean = [[np.mean([k(c)(a, b) for a in p for b in q]) for q in (x, y)] for p in (x, y)]
        want += mean[0][0] + mean[1][1] - 2 * mean[0][1]
    got = mmd.penalty(gg.Tensor(x), gg.Tensor(y), kernel, (0.5, 4.0), biased=True)
    assert got.item() == pytest.approx(want, rel=1e-10) and want > 0
    same = mmd.penalty(gg.Tensor(x), gg.Tensor(x[::-1].copy()), kernel, (0.5, 4.0), biased=True)
    assert abs(same.item()) < 1e-14


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_penalty_has_its_gradient(kernel):
    x, y = RNG.standard_normal((5, 2)), RNG.standard_normal((4, 2))
    report = gg.gradcheck(lambda a, b: mmd.penalty(a, b, kernel, (1.0, 3.0)), x, y, order=2)
    assert report.error < 1e-6


def test_the_penalty_is_unbiased():
    """Two samples of one distribution: mean 0, values on both sides. The biased one is above 0."""
    z = RNG.standard_normal((400, 2, 8, 2))
    values = [mmd.penalty(gg.Tensor(x), gg.Tensor(y), "imq", (4.0,)).item() for x, y in z]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(400)
    assert min(values) < 0 < max(values)

    # and for N(0, 1) against N(1, 1) the value known in closed form: E of a Gaussian of a normal
    def mean_kernel(shift):  # E exp(-(u)²/c), u ~ N(shift, 2), c = 2
        return np.exp(-(shift**2) / (2 + 4)) * np.sqrt(2 / (2 + 4))

    want = 2 * mean_kernel(0) - 2 * mean_kernel(1)
    z = RNG.standard_normal((600, 2, 20, 1))
    z[:, 1] += 1
    values = [mmd.penalty(gg.Tensor(x), gg.Tensor(y), "rbf", (2.0,)).item() for x, y in z]
    assert abs(np.mean(values) - want) < 4 * np.std(values) / np.sqrt(600)


def test_the_statistics_of_all_shuffles_are_double_sums():
    x, y = RNG.standard_normal((7, 2)), RNG.standard_normal((5, 2))
    z = np.concatenate([x, y])
    squares = [((a - b) ** 2).sum() for i, a in enumerate(z) for b in z[:i]]
    centre, parts = np.eye(12) - 1 / 12, []
    for w in mmd.WIDTHS:
        sigma2 = w**2 * np.median(squares)
        k = np.array([[np.exp(-((a - b) ** 2).sum() / (2 * sigma2)) for b in z] for a in z])
        off = (centre @ k @ centre)[~np.eye(12, dtype=bool)]
        parts.append((k, 1 / np.sqrt((off**2).mean())))
    k = sum(w * k for k, w in parts) / sum(w for _, w in parts)
    matrix = mmd.pooled_kernel(z)
    assert_close(matrix, k * (1 - np.eye(12)), rtol=1e-10)
    orders = [np.arange(12), *(RNG.permutation(12) for _ in range(4))]
    first = np.zeros((12, 5))
    for column, order in enumerate(orders):
        first[order[:7], column] = 1
    want = [slow(o[:7], o[7:], lambda a, b: k[a, b]) for o in orders]
    assert_close(mmd.statistics(matrix, first), np.array(want), rtol=1e-9)
    test = mmd.two_sample_test(x, y, 99)
    assert test.mmd2 == pytest.approx(want[0], rel=1e-9)
    assert test.p == (1 + (test.null >= test.mmd2).sum()) / 100
    assert test.null95 == pytest.approx(np.quantile(test.null, 0.95))


def test_p_is_uniform_where_nothing_differs():
    """Level: 300 tests of two normal samples, of different sizes. Kolmogorov and Smirnov agree."""
    p = [
        mmd.two_sample_test(x[:25], x[25:], 99, gg.Generator(i)).p
        for i, x in enumerate(RNG.standard_normal((300, 60, 2)))
    ]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert 0.01 < np.mean(np.array(p) <= 0.05) < 0.09


@pytest.mark.parametrize(
    "change",
    [lambda z: z + 0.5, lambda z: 1.6 * z, lambda z: np.abs(z), lambda z: z.round()],
    ids=["moved", "wider", "folded", "lattice"],
)
def test_p_is_small_where_something_does(change):
    x, y = RNG.standard_normal((2, 300, 2))
    test = mmd.two_sample_test(x, change(y), 199)
    assert test.p == 1 / 200 and test.mmd2 > test.null95


def test_a_fine_structure_is_seen():
    """A ring of ten clusters against one blurred by a cluster's width: same mean and covariance."""
    k = RNG.integers(10, size=(2, 600)) * 2 * np.pi / 10
    noise = RNG.standard_normal((2, 600, 2))
    x, y = np.stack([np.cos(k), np.sin(k)], axis=-1) + 0.06 * noise
    y += 0.25 * RNG.standard_normal((600, 2))
    assert mmd.two_sample_test(x, y, 199).p < 0.01


def test_many_equal_points_and_wrong_shapes():
    test = mmd.two_sample_test(np.zeros((30, 2)), np.eye(2).repeat(3, axis=0), 99)
    assert np.isfinite(test.null).all() and test.p == 0.01  # the median distance is 0
    same = mmd.two_sample_test(np.ones((5, 2)), np.ones((6, 2)), 19)
    assert same.p == 1 and abs(same.mmd2) < 1e-12
    for x, y in [((1, 2), (5, 2)), ((5, 2), (5, 3)), ((5,), (5,))]:
        with pytest.raises(ShapeError):
            mmd.two_sample_test(np.zeros(x), np.zeros(y))
    z = gg.zeros((3, 2))
    with pytest.raises(ShapeError, match="both samples need two rows"):
        mmd.penalty(z, z[:1], "imq", (1.0,))
    with pytest.raises(ValueRangeError, match="unknown kernel 'imqq'; did you mean 'imq'"):
        mmd.penalty(z, z, "imqq", (1.0,))
    with pytest.raises(ValueRangeError, match="every scale must be positive"):
        mmd.penalty(z, z, "imq", (0.0,))
