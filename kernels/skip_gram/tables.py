"""What the versions of a step share: whose tables they change, and how many threads do."""

import numpy as np

from ..threads import PRODUCTS, in_parts, parts_for


def run(kernel, racing: bool, in_place: bool, w, c, centre, context, negative, rates):
    """(w, c) after ``kernel(w, c, centre, context, negative, rates, parts, part)`` of every part.

    There is one part unless they race. c is None where both tables are one.
    """
    w, c = (a if a is None or in_place else np.array(a, order="C") for a in (w, c))
    pairs = [np.ascontiguousarray(a) for a in (centre, context, negative, rates)]
    N, k = pairs[2].shape
    parts = parts_for(N * (1 + k) * w.shape[1], max(1, N), PRODUCTS) if racing else 1
    in_parts(kernel, parts, w, w if c is None else c, *pairs, parts)
    return w, c
