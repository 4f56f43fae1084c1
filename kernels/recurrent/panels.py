"""Weights packed once for all steps, in the order in which `tile` reads them.

Panel after panel, in each panel the terms k one after the other, in each term V vectors of L lanes:

    gated     w [G·H, K]: a panel holds L units, the vectors are their G gates, so that all gates of
              a unit come out of one tile:  panel[p, k, g, lane] = w[g·H + p·L + lane, k]
    columns   w [K, J] as it is: a panel holds up to three vectors of neighbouring columns

Numbers past the last unit or column are zeros, computed with and never written.
"""

import numpy as np

from ..compiled import njit
from ..threads import in_parts, parts_for
from .tile import VECTOR, Packed

COLUMNS = 3  # vectors in a panel of columns


@njit(nogil=True)
def _gated(w, width, packed, parts, part):
    """The panels of one part, w [G·width, K] into packed [panels, K, G, L]."""
    panels, terms, gates, lanes = packed.shape
    first, last = part * panels // parts, (part + 1) * panels // parts
    for p in range(first, last):
        some = min(lanes, width - p * lanes)
        for k in range(terms):
            for g in range(gates):
                row = g * width + p * lanes
                for i in range(some):
                    packed[p, k, g, i] = w[row + i, k]
                for i in range(some, lanes):
                    packed[p, k, g, i] = 0


@njit
def pack_columns(w, k0, terms, first, last, packed):
    """Panels first..last of rows k0..k0+terms of w [K, J] into packed, flat."""
    lanes, columns = VECTOR // w.itemsize, w.shape[1]
    for p in range(first, last):
        j = p * COLUMNS * lanes
        # the last panel may have fewer vectors, and its last vector fewer columns
        wide = min(COLUMNS * lanes, -(-(columns - j) // lanes) * lanes)
        some = min(wide, columns - j)
        at = j * terms
        for k in range(terms):
            target, source = packed[at : at + wide], w[k0 + k, j : j + some]
            for i in range(some):
                target[i] = source[i]
            for i in range(some, wide):
                target[i] = 0
            at += wide


@njit(nogil=True)
def _columns(w, packed, parts, part):
    """The panels of one part, all rows of w [K, J]."""
    wide = COLUMNS * (VECTOR // w.itemsize)
    panels = -(-w.shape[1] // wide)
    first, last = part * panels // parts, (part + 1) * panels // parts
    pack_columns(w, 0, w.shape[0], first, last, packed)


def gated(w, gates) -> Packed:
    """w [gates·H, K] packed for h Wᵀ."""
    width, lanes = len(w) // gates, VECTOR // w.itemsize
    packed = np.empty((-(-width // lanes), w.shape[1], gates, lanes), w.dtype)
    parts = parts_for(packed.size)
    in_parts(_gated, parts, w, width, packed, parts)
    return Packed(packed.reshape(-1), w.shape[1], width, gates)


def columns(w) -> Packed:
    """w [K, J] packed for δa W."""
    lanes = VECTOR // w.itemsize
    packed = np.empty(len(w) * -(-w.shape[1] // lanes) * lanes, w.dtype)
    parts = parts_for(packed.size)
    in_parts(_columns, parts, w, packed, parts)
    return Packed(packed, *w.shape, 0)


def nothing(dtype) -> Packed:
    """No weights, in the type of some: `terms` is 0."""
    return Packed(np.empty(0, dtype), 0, 0, 0)
