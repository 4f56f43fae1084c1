"""Logistic regression on finished vectors: what a linear model can tell of their classes.

For each class k of K by itself, one against the rest, with y = ± 1

    ½ ‖w_k‖² + C Σ_n ln(1 + exp(-y_nk (<w_k, x_n> + b_k)))  →  min

which has one minimum; L-BFGS finds it (SciPy). Nothing is drawn. As in scikit-learn's, the biases b
are free and C = 1 unless another one is asked for.
"""

import numpy as np

from ...core.data import folds

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # C to choose from
INNER = 5  # folds to choose it by


def one_vs_rest(
    x: np.ndarray, y: np.ndarray, strength: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """(w [D, K], b [K]) for vectors x [N, D] and y [N, K], not 0 where n is of class k.

    `strength` is C.

    >>> w, b = one_vs_rest(np.array([[-1.0], [1.0], [2.0]]), np.array([[0], [1], [1]]))
    >>> (np.array([[-1.0], [1.0]]) @ w + b > 0).ravel().tolist()
    [False, True]
    """
    from scipy.optimize import minimize

    x, y = np.asarray(x, np.float64), np.asarray(y) != 0
    d, k = x.shape[1], y.shape[1]

    def value(flat):
        w, b = flat[: d * k].reshape(d, k), flat[d * k :]
        f = x @ w + b
        loss = np.logaddexp(0, f).sum() - f[y].sum()
        error = 0.5 * (1 + np.tanh(0.5 * f)) - y  # σ(f) - y
        gw = w + strength * (x.T @ error)
        value = 0.5 * (w * w).sum() + strength * loss
        return value, np.concatenate([gw.ravel(), strength * error.sum(axis=0)])

    found = minimize(
        value, np.zeros(d * k + k), jac=True, method="L-BFGS-B",
        options={"maxiter": 2000, "maxfun": 4000, "gtol": 1e-4, "ftol": 1e-10},
    )  # fmt: skip
    return found.x[: d * k].reshape(d, k), found.x[d * k :]


def classified(
    x: np.ndarray, y: np.ndarray, other: np.ndarray, strength: float = 1.0
) -> np.ndarray:
    """The classes of vectors `other` [M, D], learnt from x [N, D] with classes y [N]: int64 [M].

    >>> classified(np.array([[-1.0], [1.0]]), np.array([3, 5]), np.array([[0.2], [-9.0]])).tolist()
    [5, 3]
    """
    kinds = np.unique(y)
    w, b = one_vs_rest(x, y[:, None] == kinds, strength)
    return kinds[(np.asarray(other, np.float64) @ w + b).argmax(axis=1)]


def best_strength(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """(C, its share of right classes) that is best on five folds of x [N, D], y [N]; ties: small.

    >>> x = np.concatenate([np.full((5, 1), -1.0), np.full((5, 1), 1.0)])
    >>> best_strength(x, (x[:, 0] > 0).astype(int))
    (0.01, 1.0)
    """
    of = folds(y, min(INNER, len(y)), seed=1)
    right = []
    for strength in STRENGTHS:
        guess = np.empty_like(y)
        for k in range(of.max() + 1):
            guess[of == k] = classified(x[of != k], y[of != k], x[of == k], strength)
        right.append(float((guess == y).mean()))
    return STRENGTHS[int(np.argmax(right))], max(right)
