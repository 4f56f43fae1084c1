"""Weight gradients: sums over all steps, as one product of tall matrices.

    gw[m, j] += Σ_k a[k, m] b[k, j]         k over the T·N rows of all steps

T small products would read and write gw T times. Here each thread owns rows of gw and packs what it
needs of both factors, 256 terms at a time, so that the tiles read them from the cache.
"""

import numpy as np
from numba import get_num_threads

from ..compiled import njit
from ..threads import PRODUCTS, in_parts, parts_for
from .arrays import flat
from .panels import COLUMNS, pack_columns
from .products import product, product_at
from .tile import VECTOR, Packed, Rows, fetch

BLOCK = 256  # terms for which rows of both factors are packed at a time
TALL = 8  # rows of the result in one tile, packed side by side: as many as the tallest tile has
TILES = 8  # tiles packed at a time
AHEAD = 16  # a row of `a` is asked for this many rows before it is needed


@njit
def _pack_rows(a, k0, terms, group, wide, packed):
    """Columns group..group+wide of rows k0..k0+terms of a, into tiles of TALL side by side.

    A row of `a` is read once, in whole cache lines. Meanwhile later rows are asked for, because the
    processor's own prefetching stops at the end of a row.
    """
    from_a, lanes, side = a.reshape(-1), VECTOR // a.itemsize, len(packed) // TILES
    for k in range(terms):
        ahead = (k0 + k + AHEAD) * a.shape[1] + group
        for i in range(0, wide, lanes):
            fetch(from_a, ahead + i)
        source = a[k0 + k, group : group + wide]
        at = k * TALL
        for m in range(0, wide - TALL + 1, TALL):
            for i in range(TALL):
                packed[at + i] = source[m + i]
            at += side
        for i in range(wide % TALL):
            packed[at + i] = source[wide // TALL * TALL + i]


@njit(nogil=True)
def _outer(multiply, a, a_from, b, c, parts, part):
    """The rows of c of one part."""
    blocks = -(-c.shape[0] // TALL)
    first, last = part * blocks // parts * TALL, (part + 1) * blocks // parts * TALL
    last = min(last, c.shape[0])
    terms, width = b.shape
    lanes = VECTOR // b.itemsize
    panels = -(-width // (COLUMNS * lanes))
    side = BLOCK * TALL + lanes  # not a power of two: the tiles do not meet in the cache
    packed_a = np.empty(TILES * side, a.dtype)
    packed_b = np.empty(BLOCK * -(-width // lanes) * lanes, a.dtype)
    flat_c = c.reshape(-1)
    for k0 in range(0, terms, BLOCK):
        some = min(BLOCK, terms - k0)
        pack_columns(b, k0, some, 0, panels, packed_b)
        weights = Packed(packed_b, some, width, 0)
        for group in range(first, last, TILES * TALL):
            wide = min(TILES * TALL, last - group)
            _pack_rows(a, k0, some, a_from + group, wide, packed_a)
            for m in range(0, wide, TALL):
                factor = Rows(packed_a, m // TALL * side, 1, TALL)
                sums = Rows(flat_c, (group + m) * width, width, 1)
                product(multiply, factor, min(TALL, wide - m), weights, sums, sums)


def add_outer(a, a_from, b, c):
    """c [M, J] += Σ_k a[k, a_from + m] b[k, j]; terms in order of k."""
    parts = min(get_num_threads(), parts_for(len(a) * c.size, part=PRODUCTS))
    in_parts(_outer, parts, product_at(c.dtype), a, a_from, b, c, parts)


def add_over_steps(ga, a_from, states, first, gw):
    """gw += Σ_t ga_tᵀ state_{t-1} with state_{-1} = `first`; ga from its column a_from on."""
    add_outer(ga[0], a_from, first, gw)
    add_outer(flat(ga[1:]), a_from, flat(states[:-1]), gw)
