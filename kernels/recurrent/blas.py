"""What version 2 leaves to a library: its products, into buffers made once (`..product`)."""

import numpy as np

from ..product import product
from .arrays import flat


def turned(w):
    """Wᵀ in rows of its own: BLAS then runs faster, and all steps share the copy."""
    return np.ascontiguousarray(w.T)


def over_steps(ga, states, first):
    """Σ_t ga_tᵀ state_{t-1}, with state_{-1} = `first`: one product, and one for the first step."""
    if len(ga) == 0:
        return np.zeros((ga.shape[2], first.shape[1]), ga.dtype)
    return product(flat(ga[1:]).T, flat(states[:-1])) + product(ga[0].T, first)
