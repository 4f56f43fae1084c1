"""Principal components, the reference for every autoencoder with as many codes."""

import numpy as np


def principal(x: np.ndarray, k: int, centred: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(U [D, k], μ [D]): PCA's directions for x [N, D], largest first, in float64; μ = 0 uncentred.

    Computed as eigenvectors of FᵀF, the right singular vectors of F, so that N may be large.

    >>> u, _ = principal(np.array([[3.0, 0.0], [0.0, 1.0], [-3.0, 0.0]]), 1)
    >>> np.abs(u.T)
    array([[1., 0.]])
    """
    x = np.asarray(x, np.float64)
    mean = x.mean(axis=0) if centred else np.zeros(x.shape[1])
    x = x - mean
    return np.ascontiguousarray(np.linalg.eigh(x.T @ x)[1][:, ::-1][:, :k]), mean


def largest_sine(b: np.ndarray, u: np.ndarray) -> float:
    """sin of the largest angle between the spans of b [D, k] and of orthonormal u [D, k].

    The norm of what is left of an orthonormal basis of one after subtracting its projection on the
    other: accurate for small angles, where the cosine is 1 (Björck & Golub 1973).
    """
    q, _ = np.linalg.qr(np.asarray(b, np.float64))
    return float(np.linalg.norm(q - u @ (u.T @ q), 2))
