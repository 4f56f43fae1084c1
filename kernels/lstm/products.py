"""Packed weights, products of a thread's own rows with them, and sums over all steps.

Panels. Packed weights lie in the order in which `tile` reads them: panel after panel, in each the
terms k one after the other, in each term V vectors of L lanes.

    gated     w [G·H, K]: a panel holds L units, the vectors are their G gates, so that all gates of
              a unit come out of one tile:  panel[p, k, g, lane] = w[g·H + p·L + lane, k]
    columns   w [K, J] as it stands: a panel holds up to three vectors of neighbouring columns

Numbers past the last unit or column are zeros, computed with and never written.
"""

import functools

import numpy as np
from numba import from_dtype, get_num_threads, types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from ..compiled import njit
from ..threads import PRODUCTS, in_parts, parts_for
from .tile import TALLEST, VECTOR, fetch, tile

COLUMNS = 3  # vectors in a panel of columns
BLOCK = 256  # terms of a long sum for which rows of both factors are packed at a time
TALL = 8  # rows of the left factor packed side by side, as many as the tallest tile has
TILES = 8  # and so many tiles at a time
AHEAD = 16  # rows by which memory is asked for before it is needed


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
def _pack_columns(w, k0, terms, first, last, packed):
    """Panels first..last of rows k0..k0+terms of w [K, J] into packed, flat."""
    lanes, columns = VECTOR // w.itemsize, w.shape[1]
    for p in range(first, last):
        j = p * COLUMNS * lanes
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


@njit
def _product(
    a, a_at, a_row, a_k, rows, packed, terms, width, gates, s, s_at, s_row, c, c_at, c_row
):
    """c[r, j] = s[r, j] + Σ_k a[r, k] w[k, j] for `rows` rows by one thread; flat arrays.

    gates = 0: `packed` holds columns; else it is gated, and gate g of c and s starts g·width in.
    The distances a_row, a_k, s_row, c_row are from row to row and term to term.
    """
    lanes = VECTOR // c.itemsize
    full = gates if gates else COLUMNS
    wide, step, masked = (lanes, width, 0) if gates else (COLUMNS * lanes, lanes, lanes)
    for j in range(0, width, wide):
        vectors = gates if gates else min(COLUMNS, -(-(width - j) // lanes))
        w_at = j // wide * full * lanes * terms
        left, r = -(-rows // TALLEST[vectors]), 0
        while left:  # tiles of heights that differ by at most one
            some = -(-(rows - r) // left)
            tile(
                a, a_at + r * a_row, a_row, a_k, packed, w_at, terms, s, s_at + r * s_row + j,
                s_row, c, c_at + r * c_row + j, c_row, step, some, vectors, width - j, masked,
            )  # fmt: skip
            r += some
            left -= 1


@functools.cache
def product_at(dtype) -> tuple:
    """The address of `product` for a dtype, and a number of that dtype, so that `product` can
    compare it with its arrays. With the thirty loops of `tile` it is the largest thing that
    recurrent layers compile: called by its address it is compiled once, linked and optimised once,
    not in each function that needs it.
    """
    real, n = types.Array(from_dtype(dtype), 1, "C"), types.intp
    arguments = (real, n, n, n, n, real, n, n, n, real, n, n, real, n, n)
    _product.compile(arguments)
    made = _product.overloads[arguments]
    address = made.library.get_pointer_to_function(made.fndesc.llvm_func_name)
    return address, np.dtype(dtype).type(0)


@intrinsic
def product(
    typing, at, a, a_at, a_row, a_k, rows, packed, terms, width, gates, s, s_at, s_row, c, c_at,
    c_row,
):  # fmt: skip
    """`_product`, at the address of `product_at`."""
    n = types.intp
    known = isinstance(at, types.BaseTuple) and len(at) == 2 and at[0] == n
    for array in (a, packed, s, c):
        flat = isinstance(array, types.Array) and (array.ndim, array.layout) == (1, "C")
        if not (known and flat and array.dtype == at[1]):
            must = "product: every array must be C-contiguous, with one axis and the dtype of"
            raise TypingError(f"{must} product_at(dtype); got {array} for {at}")
    given = (a, n, n, n, n, packed, n, n, n, s, n, n, c, n, n)

    def generate(context, b, signature, args):
        kind = context.call_conv.get_function_type(types.none, given)
        function = b.inttoptr(b.extract_value(args[0], 0), kind.as_pointer())
        status, _ = context.call_conv.call_function(b, function, types.none, given, args[1:])
        with b.if_then(status.is_error, likely=False):
            context.call_conv.return_status_propagate(b, status)
        return context.get_dummy_value()

    return types.void(at, *given), generate


def gated(w, gates):
    """w [gates·H, K] packed for `product`, flat."""
    width, lanes = len(w) // gates, VECTOR // w.itemsize
    packed = np.empty((-(-width // lanes), w.shape[1], gates, lanes), w.dtype)
    parts = parts_for(packed.size)
    in_parts(_gated, parts, w, width, packed, parts)
    return packed.reshape(-1)


@njit(nogil=True)
def _columns(w, packed, parts, part):
    wide = COLUMNS * (VECTOR // w.itemsize)
    panels = -(-w.shape[1] // wide)
    first, last = part * panels // parts, (part + 1) * panels // parts
    _pack_columns(w, 0, w.shape[0], first, last, packed)


def columns(w):
    """w [K, J] packed for `product` with gates = 0, flat."""
    lanes = VECTOR // w.itemsize
    packed = np.empty(len(w) * -(-w.shape[1] // lanes) * lanes, w.dtype)
    parts = parts_for(packed.size)
    in_parts(_columns, parts, w, packed, parts)
    return packed


@njit(nogil=True)
def _outer(multiply, a, a_from, b, c, parts, part):
    blocks = -(-c.shape[0] // TALL)
    first, last = part * blocks // parts * TALL, (part + 1) * blocks // parts * TALL
    last = min(last, c.shape[0])
    terms, width = b.shape
    lanes = VECTOR // b.itemsize
    panels = -(-width // (COLUMNS * lanes))
    side = BLOCK * TALL + lanes  # not a power of two: the tiles do not meet in the cache
    packed_a = np.empty(TILES * side, a.dtype)
    packed_b = np.empty(BLOCK * -(-width // lanes) * lanes, a.dtype)
    flat_a, flat_c = a.reshape(-1), c.reshape(-1)
    for k0 in range(0, terms, BLOCK):
        some = min(BLOCK, terms - k0)
        _pack_columns(b, k0, some, 0, panels, packed_b)
        for group in range(first, last, TILES * TALL):
            wide = min(TILES * TALL, last - group)
            for k in range(some):  # whole cache lines of a row of a, into tiles side by side
                ahead = (k0 + k + AHEAD) * a.shape[1] + a_from + group
                for i in range(0, wide, lanes):
                    fetch(flat_a, ahead + i)
                source = a[k0 + k, a_from + group : a_from + group + wide]
                at = k * TALL
                for m in range(0, wide - TALL + 1, TALL):
                    for i in range(TALL):
                        packed_a[at + i] = source[m + i]
                    at += side
                for i in range(wide % TALL):
                    packed_a[at + i] = source[wide // TALL * TALL + i]
            for m in range(0, wide, TALL):
                to = (group + m) * width
                product(
                    multiply, packed_a, m // TALL * side, 1, TALL, min(TALL, wide - m), packed_b,
                    some, width, 0, flat_c, to, width, flat_c, to, width,
                )  # fmt: skip


def add_outer(a, a_from, b, c):
    """c [M, J] += Σ_k a[k, a_from + m] b[k, j]; terms in order of k.

    One product over all steps: each thread owns rows of c and packs what it needs, 256 terms at a
    time, so that both factors are read from the cache.
    """
    parts = min(get_num_threads(), parts_for(len(a) * c.size, part=PRODUCTS))
    in_parts(_outer, parts, product_at(c.dtype), a, a_from, b, c, parts)
