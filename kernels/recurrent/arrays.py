"""The arguments of the CPU versions, as compiled code wants them."""

import numpy as np


def plain(*arrays):
    """Contiguous, aligned, writeable arrays: one type each, so each function is compiled once."""
    return [None if a is None else np.require(a, requirements="CAW") for a in arrays]


def flat(a):
    """[T, N, …] as [T·N, …]: all steps as one tall matrix."""
    return a.reshape(a.shape[0] * a.shape[1], a.shape[2])
