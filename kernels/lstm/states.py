"""What travels together through the loops of the CPU versions."""

from typing import NamedTuple

import numpy as np


class States(NamedTuple):
    """All steps of a layer, with the states before the first one."""

    hs: np.ndarray  # [T, N, H]
    cs: np.ndarray  # [T, N, H]
    gates: np.ndarray  # [T, N, 4H] in the order i, f, g, o
    h0: np.ndarray  # [N, H]
    c0: np.ndarray  # [N, H]


class Gradients(NamedTuple):
    """What the way back fills; at its end gh and gc are those of the states before step 0."""

    gxa: np.ndarray  # [T, N, 4H]
    gh: np.ndarray  # [N, H]
    gc: np.ndarray  # [N, H]


def unfilled(xa, h0, c0) -> States:
    """States whose hs, cs and gates are yet to be computed."""
    hs = np.empty((len(xa), *h0.shape), xa.dtype)
    return States(hs, np.empty_like(hs), np.empty_like(xa), h0, c0)
