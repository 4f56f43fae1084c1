"""What travels together through the loops of the CPU versions."""

from typing import NamedTuple

import numpy as np


class States(NamedTuple):
    """All steps of a layer, with the state before the first one."""

    hs: np.ndarray  # [T, N, H]
    gates: np.ndarray  # [T, N, 3H] in the order r, z, n
    h0: np.ndarray  # [N, H]


def unfilled(xa, h0) -> States:
    """States whose hs and gates are yet to be computed."""
    return States(np.empty((len(xa), *h0.shape), xa.dtype), np.empty_like(xa), h0)


def row_of(bh, wh):
    """The bias as a matrix of one row; zeros where there is none."""
    return (np.zeros(len(wh), wh.dtype) if bh is None else bh)[None]
