"""A linear probe: how well a linear function of frozen vectors finds the classes."""

import numpy as np

PENALTIES = 10.0 ** np.arange(-3, 4)  # shares of the mean squared singular value


def by_ridge(x: np.ndarray, y: np.ndarray, xv: np.ndarray, yv: np.ndarray) -> tuple:
    """(mean, deviation, weights [D, K], bias [K]) of ridge regression on the classes' ±1.

        W = (XᵀX + λ I)⁻¹ Xᵀ T,    X standardised [N, D], T [N, K] centred

    λ is the penalty of `PENALTIES` with the most right answers for the validation vectors xv
    [M, D]; of several the largest.
    """
    mean, deviation = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    deviation[deviation < 1e-8] = 1.0
    x, xv = ((a - mean) / deviation for a in (x, xv))
    t = 2.0 * np.eye(int(y.max()) + 1)[y] - 1
    bias = t.mean(axis=0)
    values, vectors = np.linalg.eigh(x.T @ x)
    rotated = vectors.T @ (x.T @ (t - bias))
    best, found = -1.0, None
    for share in PENALTIES[::-1]:
        w = vectors @ (rotated / (values + share * values.mean())[:, None])
        right = accuracy((0.0, 1.0, w, bias), xv, yv)
        if right > best:
            best, found = right, (mean, deviation, w, bias)
    return found


def accuracy(weights: tuple, x: np.ndarray, y: np.ndarray) -> float:
    """The share of the vectors x [N, D] whose largest answer is that of their class y [N].

    >>> weights = 0.0, 1.0, np.array([[1.0, -1.0]]), np.array([0.0, 0.0])
    >>> accuracy(weights, np.array([[2.0], [-1.0], [3.0]]), np.array([0, 1, 1])) == 2 / 3
    True
    """
    mean, deviation, w, bias = weights
    return float((((x - mean) / deviation @ w + bias).argmax(axis=1) == y).mean())
