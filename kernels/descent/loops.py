"""What the versions for the CPU share: flat arrays, cut into one stretch for each thread."""

import numpy as np

from ..compiled import njit
from ..threads import in_parts, parts_for


@njit
def stretch(x, parts, part):
    """The first number of a part of x, and the first one after it."""
    return part * x.size // parts, (part + 1) * x.size // parts


def run(kernel, in_place, x, g, slots, rule, *options):
    """`kernel` on flat arrays, changed in place or copied before; returns them in x's shape.

    It gets the numbers of the rule in the arrays' own precision and as a plain tuple, since Numba
    takes microseconds longer to read a named one: more than a step of a small layer.
    """
    arrays = [a if a is None or in_place else np.array(a, order="C") for a in (x, *slots)]
    flat = [None if a is None else a.reshape(-1) for a in arrays]
    numbers, parts = tuple(map(x.dtype.type, rule)), parts_for(x.size)
    gradient = np.ascontiguousarray(g).reshape(-1)
    in_parts(kernel, parts, flat[0], gradient, *flat[1:], numbers, *options, parts)
    return tuple(arrays)
