"""The product of one thread's own rows with packed weights, called by its address.

With the thirty loops of `tile` it is the largest thing that recurrent layers compile. Called by its
address it is compiled once, linked and optimised once, not in each function that needs it.
"""

import functools

import numpy as np
from numba import from_dtype, types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from ..compiled import njit
from .panels import COLUMNS
from .tile import TALLEST, VECTOR, Packed, Place, Rows, tile


@njit
def _product(a, rows, w, s, c):
    """c[r, j] = s[r, j] + Σ_k a[r, k] w[k, j] for `rows` rows by one thread.

    `a`, `s`, `c` are Rows, `w` is Packed; gate g of `c` and `s` begins g·width numbers in.
    """
    lanes = VECTOR // c.array.itemsize
    # a panel of gates: its vectors lie a width apart, and only the units past the last are cut;
    # a panel of columns: its vectors are neighbours, and the last is cut where the matrix ends
    full = w.gates if w.gates else COLUMNS
    wide, between, fewer = (lanes, w.width, 0) if w.gates else (COLUMNS * lanes, lanes, lanes)
    for j in range(0, w.width, wide):
        vectors = w.gates if w.gates else min(COLUMNS, -(-(w.width - j) // lanes))
        panel = j // wide * full * lanes * w.terms
        left, r = -(-rows // TALLEST[vectors]), 0
        while left:  # tiles of heights that differ by at most one
            some = -(-(rows - r) // left)
            tile(a, w, s, c, Place(r, j, panel, some, vectors, between, w.width - j, fewer))
            r += some
            left -= 1


def _types(real):
    """The types of `_product`'s arguments for flat arrays of a dtype."""
    array, n = types.Array(real, 1, "C"), types.intp
    rows = types.NamedTuple((array, n, n, n), Rows)
    return rows, n, types.NamedTuple((array, n, n, n), Packed), rows, rows


@functools.cache
def product_at(dtype) -> tuple:
    """The address of `product` for a dtype, and a number of that dtype, so that `product` can
    compare it with its arrays.
    """
    arguments = _types(from_dtype(dtype))
    _product.compile(arguments)
    made = _product.overloads[arguments]
    address = made.library.get_pointer_to_function(made.fndesc.llvm_func_name)
    return address, np.dtype(dtype).type(0)


@intrinsic
def product(typing, at, a, rows, w, s, c):
    """`_product`, at the address of `product_at`."""
    known = isinstance(at, types.BaseTuple) and len(at) == 2 and at[0] == types.intp
    given = _types(at[1]) if known and isinstance(at[1], types.Float) else None
    if given is None or (a, w, s, c) != (given[0], *given[2:]):
        must = "product: every array must be C-contiguous, with one axis and the dtype of"
        raise TypingError(f"{must} product_at(dtype); got {a}, {w}, {s}, {c} for {at}")

    def generate(context, b, signature, args):
        kind = context.call_conv.get_function_type(types.none, given)
        # llvmlite knows what an address is called with by the type of its pointer, as Numba's does
        function = b.inttoptr(b.extract_value(args[0], 0), kind.as_pointer())
        status, _ = context.call_conv.call_function(b, function, types.none, given, args[1:])
        with b.if_then(status.is_error, likely=False):
            context.call_conv.return_status_propagate(b, status)
        return context.get_dummy_value()

    return types.void(at, *given), generate
