"""Maximum mean discrepancy: are two samples from one distribution? (Gretton et al. 2012)

For a kernel k the distance of the two mean embeddings is, for x, x' ~ P and y, y' ~ Q ::

    MMD²(P, Q) = E k(x, x') + E k(y, y') - 2 E k(x, y)            0 exactly if P = Q, where k is
                                                                  characteristic, as those here

    estimate   = Σ_{i≠j} k(x_i, x_j)/n(n-1) + Σ_{i≠j} k(y_i, y_j)/m(m-1) - 2 Σ_ij k(x_i, y_j)/nm

The estimate is unbiased; it can be below 0. The biased one keeps the pairs i = j and divides by n²
and m²: it is the squared distance of the two samples' own embeddings, so never below 0 and 0 only
for equal samples, and has a root. Kernels, of d = ‖x - y‖²:

    imq    C/(C + d)      inverse multiquadratic: heavy tails, so that a code far from the prior
                          still has a gradient (Tolstikhin et al. 2018)
    rbf    exp(-d/C)      Gaussian

`penalty` is the estimate on tensors, with a gradient, for an autoencoder or a generator to minimise
(variational/wae.py, adversarial/gmmn.py).
`two_sample_test` tests whether two samples have the same distribution. Under that hypothesis the
samples can be shuffled without changing their distribution, so shuffled samples give the null
distribution of the statistic. p = (1 + number of the B shuffles that are as large)/(1 + B) is
exact: P(p ≤ α) ≤ α for every α. The test's kernel is a weighted mean of Gaussians exp(-d/2σ²), with
σ from a sixteenth of the median distance of the pooled sample up to the median itself: with only
the median, the usual choice, the test accepts a mixture with blurred clusters. Each Gaussian is
weighted by the inverse of the spread of its own statistic under the null, √mean of (HkH)²_ij,
i ≠ j, H = I - 11ᵀ/N, so that the wide ones do not dominate the narrow ones. All of this depends
only on the pooled sample, so p stays exact.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ... import core as gg
from ...kernels.errors import ShapeError, ValueRangeError, expect, nearest

KERNELS = {
    "imq": lambda d, c: c / (d + c),
    "rbf": lambda d, c: gg.exp(d * (-1 / c)),
}
KernelName = Literal["imq", "rbf"]
WIDTHS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)  # of the test's kernel, in medians


def squared_distances(x, y):
    """‖x_i - y_j‖² of all pairs of rows, as tensors: [N, K], [M, K] -> [N, M].

    >>> squared_distances(gg.tensor([[0.0, 0.0]]), gg.tensor([[3.0, 4.0]])).item()
    25.0
    """
    a, b = (x * x).sum(axis=1), (y * y).sum(axis=1)
    # rounding may leave a little less than 0, which a narrow kernel would make much of
    return gg.relu(a.reshape(-1, 1) + b.reshape(1, -1) - 2 * (x @ y.transpose()))


def penalty(x, y, kernel: KernelName, scales, biased: bool = False):
    """The unbiased estimate of MMD² between rows x [N, K] and y [M, K], as a scalar tensor.

    The kernel is the sum of one for each C in `scales`. With `biased` it is the other estimate.
    Raises ShapeError for fewer than two rows, ValueRangeError for an unknown kernel or a C that is
    not above 0.

    >>> x, y = gg.tensor([[0.0], [1.0]]), gg.tensor([[0.0], [2.0]])
    >>> round(penalty(x, y, "imq", [1.0]).item(), 6)  # 1/2 + 1/5 - ½ (1 + 1/5 + 1/2 + 1/2)
    -0.4
    >>> round(penalty(x, y, "imq", [1.0], biased=True).item(), 6)  # ¾ + ⅗ - ½ (1 + 1/5 + 1/2 + 1/2)
    0.25
    """
    n, m = len(x), len(y)
    expect(
        min(n, m) >= 2, "mmd", "both samples need two rows or more", "≥ 2", min(n, m), ShapeError
    )
    if kernel not in KERNELS:
        hint, known = nearest(kernel, KERNELS), ", ".join(KERNELS)
        raise ValueRangeError(f"mmd: unknown kernel {kernel!r}{hint} (known: {known})")
    k, total = KERNELS[kernel], 0.0
    xx, yy, xy = squared_distances(x, x), squared_distances(y, y), squared_distances(x, y)
    if not biased:
        others = [gg.Tensor(1 - xx.xp.eye(r, dtype=xx.dtype)) for r in (n, m)]  # i ≠ j
    for c in scales:
        expect(c > 0, "mmd", "every scale must be positive", "> 0", c, ValueRangeError)
        if biased:
            within = k(xx, c).mean() + k(yy, c).mean()
        else:
            within = (k(xx, c) * others[0]).sum() / (n * (n - 1))
            within = within + (k(yy, c) * others[1]).sum() / (m * (m - 1))
        total = total + within - 2 * k(xy, c).mean()
    return total


@dataclass(frozen=True)
class TwoSample:
    """The result of a test: the statistic, its null distribution, and the p-value."""

    mmd2: float
    null95: float  # the 95 % quantile of the null distribution
    p: float
    null: np.ndarray = field(repr=False)  # the statistics of shuffled samples

    @property
    def ratio(self) -> float:
        """mmd2 / null95: above 1 in one case of twenty by chance; NaN for too few rows to tell."""
        return self.mmd2 / self.null95 if self.null95 > 0 else math.nan


def two_sample_test(
    x: np.ndarray, y: np.ndarray, permutations: int = 500, rng=None, widths=WIDTHS
) -> TwoSample:
    """Test whether rows x [N, K] and y [M, K] come from one distribution, by MMD² and permutation.

    `rng` is a Generator for the shuffles, by default with seed 0. Raises ShapeError for fewer than
    two rows or different numbers of columns.

    >>> rng = gg.Generator(1)
    >>> x, y = rng.normal((2, 200, 2))
    >>> same, shifted = two_sample_test(x, y), two_sample_test(x, y + 1)
    >>> same.p > 0.05, shifted.p < 0.01, same.ratio < 1 < shifted.ratio
    (True, True, True)
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    n, m = len(x), len(y)
    fits = x.ndim == y.ndim == 2 and x.shape[1] == y.shape[1] and min(n, m) >= 2
    what = "x and y must be two rows or more of as many columns"
    expect(fits, "two_sample_test", what, "[N ≥ 2, K], [M ≥ 2, K]", (x.shape, y.shape), ShapeError)
    k = pooled_kernel(np.concatenate([x, y]), widths)
    first = np.zeros((n + m, permutations + 1), k.dtype)  # column 0: not shuffled
    rng = rng or gg.Generator(0)
    first[:n, 0] = 1
    for column in range(1, permutations + 1):
        first[rng.permutation(n + m)[:n], column] = 1
    statistic = statistics(k, first)
    null = statistic[1:]
    p = (1 + int((null >= statistic[0]).sum())) / (1 + permutations)
    return TwoSample(float(statistic[0]), float(np.quantile(null, 0.95)), p, null)


def pooled_kernel(z: np.ndarray, widths=WIDTHS) -> np.ndarray:
    """The test's kernel matrix of pooled rows [N, K] -> [N, N], with a diagonal of zeros.

    >>> k = pooled_kernel(np.array([[0.0], [1.0], [2.0]]), (1.0,))
    >>> k.round(4).tolist()  # e^-½ and e^-2: the median distance is 1
    [[0.0, 0.6065, 0.1353], [0.6065, 0.0, 0.6065], [0.1353, 0.6065, 0.0]]
    """
    z = z - z.mean(axis=0)
    a = (z * z).sum(axis=1)
    d = np.maximum(a[:, None] + a - 2 * (z @ z.T), 0)
    pairs = d[np.triu_indices(len(d), 1)]
    median = float(np.median(pairs))
    unit = median if median > 0 else max(float(pairs.mean()), 1e-300)  # most points coincide
    total, weights = np.zeros_like(d), 0.0
    for w in widths:
        k = np.exp(d * (-0.5 / (w * w * unit)))
        spread = _spread(k)
        if spread > 0:  # a kernel that is equal for all pairs has no information
            total += k / spread
            weights += 1 / spread
    total /= weights or 1.0
    np.fill_diagonal(total, 0)
    return total


def _spread(k: np.ndarray) -> float:
    """√ of the mean square of the doubly centred kernel matrix, off its diagonal."""
    rows, n = k.mean(axis=0), len(k)
    c = k - rows
    c -= (rows - rows.mean())[:, None]
    square = np.einsum("ij,ij", c, c) - np.square(np.diagonal(c)).sum()
    tiny = 1e-12 * n * n  # rounding error
    return float(np.sqrt(square / (n * (n - 1)))) if square > tiny else 0.0


def statistics(k: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Unbiased MMD² for many splits of a pooled sample in two.

    k [N, N] is a kernel matrix with a diagonal of zeros, first [N, B] is 1 where a row is in the
    first sample. With s a column of it: sᵀks is the first sample's sum, sᵀk1 - sᵀks that between
    the two, and the rest of 1ᵀk1 the second's: one matrix product serves all columns.
    """
    n = int(first[:, 0].sum())
    m = len(k) - n
    rows = k.sum(axis=1)
    xx = np.einsum("ib,ib->b", first, k @ first)
    xy = rows @ first - xx
    yy = rows.sum() - xx - 2 * xy
    return xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m)
