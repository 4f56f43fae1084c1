"""Whole parts, signs, and division with remainder: constant between steps.

Their derivative by x is 0, at the steps too, where there is none; of a remainder it is 1.
"""

from ..arrays import xp_of
from ..creation import zeros_like
from ..differentiable import differentiable
from .shapes import sum_to


def _whole(x) -> bool:
    """Integers and booleans are whole already; NumPy 2.0 would make floats of them."""
    return x.dtype.kind in "iub"


def _nothing(g):
    """A derivative of 0, whatever the cotangent: g * 0 of an infinite one would be NaN."""
    return zeros_like(g)


@differentiable(x=lambda g: _nothing(g), piecewise=True)
def floor(x, /):
    """The largest integer ≤ x, as a float; integers stay. The derivative is 0.

    NaN and infinity stay.

    >>> import glassgrad as gg
    >>> gg.floor(gg.tensor([-1.5, 0.5, 2.0]))
    tensor([-2.,  0.,  2.])
    """
    return x.copy() if _whole(x) else xp_of(x).floor(x)


@differentiable(x=lambda g: _nothing(g), piecewise=True)
def ceil(x, /):
    """The smallest integer ≥ x, as a float; integers stay. The derivative is 0.

    NaN and infinity stay.

    >>> import glassgrad as gg
    >>> gg.ceil(gg.tensor([-1.5, 0.5, 2.0]))
    tensor([-1.,  1.,  2.])
    """
    return x.copy() if _whole(x) else xp_of(x).ceil(x)


@differentiable(x=lambda g: _nothing(g), piecewise=True)
def round(x, /, decimals: int = 0):
    """x to `decimals` places, halves to the even neighbour. The derivative is 0.

    Negative `decimals` round to tens, hundreds and so on. NaN and infinity stay.

    >>> import glassgrad as gg
    >>> gg.round(gg.tensor([0.5, 1.5, -1.7])), gg.round(gg.tensor([0.126]), 2)
    (tensor([ 0.,  2., -2.]), tensor([0.13]))
    """
    return x.copy() if x.dtype.kind == "b" else xp_of(x).round(x, decimals)


@differentiable(x=lambda g: _nothing(g), piecewise=True)
def sign(x, /):
    """-1, 0 or 1. The derivative is 0; NaN stays NaN.

    >>> import glassgrad as gg
    >>> gg.sign(gg.tensor([-2.0, 0.0, 3.0]))
    tensor([-1.,  0.,  1.])
    """
    return xp_of(x).sign(x)


@differentiable(
    x=lambda g, x_shape: sum_to(_nothing(g), x_shape),
    y=lambda g, y_shape: sum_to(_nothing(g), y_shape),
    piecewise=True,
    elementwise=True,
)
def floor_divide(x, y, /):
    """⌊x / y⌋ with broadcasting; also x // y. The derivatives are 0.

    By zero it is ±∞ or NaN, and 0 between integers. Raises ShapeError if the shapes do not
    broadcast, DTypeError for mixed float dtypes.

    >>> import glassgrad as gg
    >>> gg.floor_divide(gg.tensor([-3.0, 7.0]), 2.0), gg.tensor([7, -7]) // 2
    (tensor([-2.,  3.]), tensor([ 3, -4], dtype=int64))
    """
    return x // y


@differentiable(
    x=lambda g, x_shape: sum_to(g, x_shape),
    y=lambda g, x, y, y_shape: sum_to(-g * floor_divide(x, y), y_shape),
    piecewise=True,
    elementwise=True,
)
def mod(x, y, /):
    """The remainder x - y ⌊x / y⌋ with broadcasting, with the sign of y; also x % y.

    ∂/∂x = 1, ∂/∂y = -⌊x / y⌋. By zero it is NaN, and 0 between integers. Raises ShapeError if the
    shapes do not broadcast, DTypeError for mixed float dtypes.

    >>> import glassgrad as gg
    >>> gg.mod(gg.tensor([-3.0, 7.5]), 2.0), gg.tensor([7, -7]) % 4
    (tensor([1. , 1.5]), tensor([3, 1], dtype=int64))
    """
    return x % y
