"""Nearest neighbours in a space of features, and how well they agree with the classes."""

import numpy as np

ROWS = 256  # queries at a time: the distances of all would not fit


def unit_length(x: np.ndarray) -> np.ndarray:
    """Rows x [N, D] divided by their length, so that distances are those of angles.

    >>> unit_length(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def nearest(queries: np.ndarray, x: np.ndarray, k: int) -> np.ndarray:
    """The k nearest rows of x [N, D] to each query [M, D], nearest first: int64 [M, k].

    By ‖q - x‖², computed in float64 around the mean of x; ties go to the lower index.

    >>> nearest(np.array([[0.0]]), np.array([[2.0], [-1.0], [1.0]]), 2).tolist()
    [[1, 2]]
    """
    mean = x.mean(axis=0, dtype=np.float64)
    x, queries = x - mean, queries - mean
    lengths, found = (x * x).sum(axis=1), []
    for at in range(0, len(queries), ROWS):
        distance = lengths - 2 * (queries[at : at + ROWS] @ x.T)  # less ‖q‖², the same for all x
        found.append(np.argsort(distance, axis=1, kind="stable")[:, :k])
    return np.concatenate(found)


def precision_at(neighbours: np.ndarray, y: np.ndarray, labels: np.ndarray) -> float:
    """The mean share of neighbours [M, k] whose label, labels [N], is the query's, y [M].

    >>> precision_at(np.array([[0, 1], [2, 1]]), np.array([5, 6]), np.array([5, 5, 6]))
    0.75
    """
    return float((labels[neighbours] == y[:, None]).mean())


def vote(neighbours: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The commonest label among each row of neighbours [M, k]; of several, that of the nearest.

    >>> vote(np.array([[0, 1, 2], [2, 1, 1]]), np.array([5, 6, 5])).tolist()
    [5, 6]
    >>> vote(np.array([[1, 0]]), np.array([5, 6])).tolist()
    [6]
    """
    near = labels[neighbours]
    counts = (near[:, :, None] == near[:, None, :]).sum(axis=2)
    return near[np.arange(len(near)), counts.argmax(axis=1)]
