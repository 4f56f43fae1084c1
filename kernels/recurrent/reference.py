"""NumPy formulas that both families need."""

import numpy as np


def sigmoid(a):
    """1 / (1 + e^-a), written with e^-|a| so that nothing overflows on either side."""
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, np.ones_like(e), e) / (1 + e)


def c_order(*arrays):
    """The results in C order, whatever the order of the arguments was."""
    return tuple(np.ascontiguousarray(a) for a in arrays)
