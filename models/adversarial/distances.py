"""The Wasserstein-1 distance of two samples, exactly: the primal form (D1 300-314).

W1(p, p') is the least mean distance over which mass has to be moved to turn p into p', the infimum
over all couplings Π of p and p' ::

    W1(p, p') = inf_Π E_{(x, y) ~ Π} ‖x - y‖

The lecture's formula lacks the E. For two samples a coupling is a table π_ij ≥ 0 whose rows sum to
1/N and whose columns sum to 1/M: a linear program. On the line the optimum is known: both samples
sorted, so that W1 is the area between the two distribution functions. In more dimensions and for
equal sizes it is an assignment (Birkhoff), which is solved in O(N³).

`sliced_w1` is a mean over fixed directions of the distance on the line. It is cheap in any number
of dimensions, and every system of this family reports it.
"""

import numpy as np

from ...kernels.errors import ShapeError, expect

MOST = 2000  # samples of an assignment


def w1_line(x: np.ndarray, y: np.ndarray) -> float:
    """W1 of samples x [N] and y [M] on the line: ∫ |F(t) - G(t)| dt, exactly.

    >>> w1_line(np.array([0.0, 1.0]), np.array([3.0, 2.0])), w1_line([0, 0, 0], [0, 1])
    (2.0, 0.5)
    """
    x, y = (np.sort(np.asarray(a, np.float64)) for a in (x, y))
    some = x.ndim == y.ndim == 1 and len(x) > 0 and len(y) > 0
    expect(some, "w1_line", "both samples must be [N], N ≥ 1", "[N]", (x.shape, y.shape))
    if len(x) == len(y):
        return float(np.abs(x - y).mean())
    points = np.sort(np.concatenate([x, y]))
    f = np.searchsorted(x, points[:-1], side="right") / len(x)
    g = np.searchsorted(y, points[:-1], side="right") / len(y)
    return float((np.abs(f - g) * np.diff(points)).sum())


def w1_transport(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """(W1, partner) of samples x [N, D] and y [N, D]: x[i] moves to y[partner[i]].

    Raises ShapeError for different shapes, no samples, and more than 2000, which take too long.

    >>> w1_transport(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 1.0], [0.0, 1.0]]))
    (1.0, array([1, 0]))
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    x, y = (np.asarray(a, np.float64) for a in (x, y))
    fits = x.ndim == 2 and x.shape == y.shape and 1 <= len(x) <= MOST
    must = f"both samples must be [N, D], N from 1 to {MOST}"
    expect(fits, "w1_transport", must, "[N, D]", (x.shape, y.shape), ShapeError)
    cost = cdist(x, y)
    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].mean()), columns


def sliced_w1(x: np.ndarray, y: np.ndarray, directions: int = 128) -> float:
    """The mean W1 on the line over random unit directions, always the same: [N, D], [M, D].

    >>> x = np.random.default_rng(1).standard_normal((500, 2))
    >>> round(sliced_w1(x, x + [3.0, 0.0]), 1)  # a shift by s: s · E|cos φ| = 2s/π
    1.9
    """
    x, y = (np.asarray(a, np.float64).reshape(len(a), -1) for a in (x, y))
    u = np.random.default_rng(0).standard_normal((x.shape[1], directions))
    u /= np.linalg.norm(u, axis=0)
    return float(np.mean([w1_line(a, b) for a, b in zip((x @ u).T, (y @ u).T)]))
