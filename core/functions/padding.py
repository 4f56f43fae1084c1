"""Padding: what surrounds an array is a constant, or values of its own."""

from typing import Literal

import numpy as np

from ...kernels.annotations import Number, Widths
from ...kernels.errors import ValueRangeError, expect
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .indexing import getitem
from .shapes import pad as constant

PadMode = Literal["constant", "edge", "reflect", "wrap"]


def pad(x: Like, widths: Widths, value: Number = 0.0, mode: PadMode = "constant") -> Tensor:
    """x with `widths[axis] = (before, after)` elements added along each axis.

    mode      of 1 2 3, two more on both sides
    constant  0 0 | 1 2 3 | 0 0    `value`
    edge      1 1 | 1 2 3 | 3 3    the nearest
    reflect   3 2 | 1 2 3 | 2 1    a mirror at the outer elements; at most n - 1 of them
    wrap      2 3 | 1 2 3 | 1 2    round and round; at most n of them

    The names are NumPy's; edge and wrap are "replicate" and "circular" in PyTorch. The derivative
    adds up what an element is used for. Raises ShapeError unless there is one pair of widths ≥ 0
    for each axis, no larger than the mode allows.

    >>> import glassgrad as gg
    >>> gg.pad(gg.tensor([1.0, 2.0]), ((1, 2),))
    tensor([0., 1., 2., 0., 0.])
    >>> gg.pad(gg.tensor([1.0, 2.0, 3.0]), ((2, 0),), mode="reflect")
    tensor([3., 2., 1., 2., 3.])
    """
    x = as_tensor(x)
    no_value, what = value == 0 or mode == "constant", "value is for mode 'constant' alone"
    expect(no_value, "pad", what, "value 0", value, ValueRangeError)
    if mode == "constant":
        return constant(x, widths, value)
    constant(Tensor(x.xp.zeros((0,) * x.ndim, x.dtype)), widths)  # refuses bad widths
    for axis, (n, pair) in enumerate(zip(x.shape, widths)):
        most = {"edge": max(pair) if n else 0, "reflect": max(0, n - 1), "wrap": n}[mode]
        what = f"mode '{mode}' has too few elements along axis {axis}"
        expect(max(pair) <= most, "pad", what, f"widths ≤ {most}", pair, x=x)
        if max(pair):
            places = np.pad(np.arange(n), pair, mode=mode)
            x = getitem(x, (slice(None),) * axis + (places,))
    return x
