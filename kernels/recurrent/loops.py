"""The one sum that the plain loops of version 1 need."""

from ..compiled import njit


@njit
def dot(u, v):
    """Σ_k u_k v_k, k from first to last."""
    total = 0.0
    for k in range(len(u)):
        total += u[k] * v[k]
    return total
