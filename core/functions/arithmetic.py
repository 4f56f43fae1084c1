"""Element by element: sums, products, powers, and the elementary functions.

Each derivative is written above its function. `g` is the gradient of the objective with respect to
the output; if an argument was broadcast, `sum_to` sums the gradient over the new axes.
"""

import math

import numpy as np

from ...kernels.annotations import Number
from ...kernels.errors import ShapeError, ValueRangeError, describe, expect
from ..arrays import is_array, is_cupy, placed, xp_of
from ..differentiable import differentiable, moves
from ..kinds import Like
from ..tensor import Tensor, array_of, as_tensor, values_of
from .shapes import sum_to


@differentiable(
    x=lambda g, x_shape: sum_to(g, x_shape),
    y=lambda g, y_shape: sum_to(g, y_shape),
    elementwise=True,
)
def add(x, y, /):
    """x + y, with broadcasting.

    >>> import glassgrad as gg
    >>> gg.add(gg.tensor([1.0, 2.0]), 1.0)
    tensor([2., 3.])
    """
    return x + y


@differentiable(
    x=lambda g, x_shape: sum_to(g, x_shape),
    y=lambda g, y_shape: sum_to(-g, y_shape),
    elementwise=True,
)
def sub(x, y, /):
    """x - y, with broadcasting.

    Raises ShapeError if the shapes do not broadcast, DTypeError for mixed float dtypes.

    >>> import glassgrad as gg
    >>> gg.sub(gg.tensor([1.0, 2.0]), 1.0)
    tensor([0., 1.])
    """
    return x - y


@differentiable(
    x=lambda g, y, x_shape: sum_to(g * y, x_shape),
    y=lambda g, x, y_shape: sum_to(g * x, y_shape),
    elementwise=True,
)
def mul(x, y, /):
    """x y, element by element, with broadcasting.

    ∂(xy)/∂x = y, summed over the axes along which x was repeated. Raises ShapeError if the
    shapes do not broadcast, DTypeError for mixed float dtypes.

    >>> import glassgrad as gg
    >>> gg.mul(gg.tensor([1.0, 2.0]), gg.tensor([[3.0], [4.0]]))
    tensor([[3., 6.],
            [4., 8.]])
    """
    return x * y


@differentiable(
    x=lambda g, y, x_shape: sum_to(g / y, x_shape),
    y=lambda g, y, out, y_shape: sum_to(-g * out / y, y_shape),
    floats=True,
)
def div(x, y, /):
    """x / y, with broadcasting.  ∂(x/y)/∂y = -(x/y)/y.

    Division by zero gives ±∞ or NaN, as in IEEE arithmetic. Raises ShapeError if the shapes do
    not broadcast, DTypeError for mixed float dtypes.

    >>> import glassgrad as gg
    >>> gg.div(1.0, gg.tensor([2.0, 4.0]))
    tensor([0.5 , 0.25])
    """
    return x / y


@differentiable(x=lambda g: -g)
def neg(x, /):
    """-x.

    >>> import glassgrad as gg
    >>> gg.neg(gg.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return -x


def _base_slope(g, x, y, x_shape):
    """y xʸ⁻¹, and 0 for y = 0, also at x = 0, where xʸ⁻¹ is infinite."""
    if not isinstance(y, Tensor):
        return g * y * power(x, y - 1) if y else g * 0
    both = (values_of(x) == 0) & (y.data == 0)
    return sum_to(g * y * power(x, y - 1 + _mask(both, g)), x_shape)


def _exponent_slope(g, x, out, y_shape):
    """xʸ ln x, and 0 for x = 0."""
    if not isinstance(x, Tensor):
        if x == 0:
            return sum_to(g * 0, y_shape)
        return sum_to(g * out * (math.log(x) if x > 0 else math.nan), y_shape)
    zero = x.data == 0
    return sum_to(g * where(zero, 0.0, out) * log(where(zero, 1.0, x)), y_shape)


@differentiable(x=_base_slope, y=_exponent_slope, elementwise=True)
def power(x, y, /):
    """xʸ with broadcasting.  ∂/∂x = y xʸ⁻¹,  ∂/∂y = xʸ ln x, and 0 where x = 0.

    Either may be a number. Integers stay integers, except that a negative exponent makes them
    float32. NaN for a negative x and a fractional y; for a negative x, ∂/∂y is always NaN.

    >>> import glassgrad as gg
    >>> gg.power(gg.tensor([2.0, 3.0]), 3), 2 ** gg.tensor([0.5, 3.0])
    (tensor([ 8., 27.]), tensor([1.4142135, 8.       ]))
    """
    if isinstance(y, int) and y == 2 and not (is_array(x) and x.dtype == bool):
        return x * x
    if _is_whole(x) and _is_whole(y) and bool((y < 0).any() if is_array(y) else y < 0):
        x, y = (a.astype(np.float32) if is_array(a) else float(a) for a in (x, y))
    return x**y


def _is_whole(a) -> bool:
    return a.dtype.kind in "iub" if is_array(a) else isinstance(a, int)


@differentiable(x=lambda g, out: g * out, floats=True)
def exp(x, /):
    """eˣ, its own derivative.

    x of any shape; integers become float32.

    >>> import glassgrad as gg
    >>> gg.exp(gg.tensor([0.0, 1.0]))
    tensor([1.      , 2.718282])
    """
    return xp_of(x).exp(x)


@differentiable(x=lambda g, x: g / x, floats=True)
def log(x, /):
    """Natural logarithm.  (ln x)' = 1/x.

    x of any shape; integers become float32. -∞ at 0, NaN below 0.

    >>> import glassgrad as gg
    >>> gg.log(gg.tensor([1.0, 10.0]))
    tensor([0.       , 2.3025851])
    """
    return xp_of(x).log(x)


@differentiable(x=lambda g, x: g / (1 + x), floats=True)
def log1p(x, /):
    """ln(1 + x), accurate for small x.

    x of any shape; integers become float32.

    >>> import glassgrad as gg
    >>> gg.log1p(gg.tensor([1e-20]))
    tensor([1.e-20])
    """
    return xp_of(x).log1p(x)


@differentiable(x=lambda g, out: g * (out + 1), floats=True)
def expm1(x, /):
    """eˣ - 1, accurate for small x.

    x of any shape; integers become float32.

    >>> import glassgrad as gg
    >>> gg.expm1(gg.tensor([1e-20]))
    tensor([1.e-20])
    """
    return xp_of(x).expm1(x)


@differentiable(x=lambda g, out: g / (2 * out), floats=True)
def sqrt(x, /):
    """√x.  (√x)' = 1/(2√x), infinite at 0.

    x of any shape; integers become float32. NaN below 0.

    >>> import glassgrad as gg
    >>> gg.sqrt(gg.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return xp_of(x).sqrt(x)


@differentiable(x=lambda g, x: g * cos(x), floats=True)
def sin(x, /):
    """sin x.

    x of any shape; integers become float32. x in radians.

    >>> import glassgrad as gg
    >>> gg.sin(gg.tensor([0.0, 1.0]))
    tensor([0.      , 0.841471])
    """
    return xp_of(x).sin(x)


@differentiable(x=lambda g, x: -g * sin(x), floats=True)
def cos(x, /):
    """cos x.

    x of any shape; integers become float32. x in radians.

    >>> import glassgrad as gg
    >>> gg.cos(gg.tensor([0.0, 1.0]))
    tensor([1.       , 0.5403023])
    """
    return xp_of(x).cos(x)


def _erf(x):
    if xp_of(x).__name__ == "cupy":
        from cupyx.scipy.special import erf as special_erf
    else:
        from scipy.special import erf as special_erf
    return special_erf(x)


@differentiable(x=lambda g, x: g * (2 / math.sqrt(math.pi)) * exp(-x * x), floats=True)
def erf(x, /):
    """Error function 2/√π ∫₀ˣ exp(-t²) dt.

    x of any shape; integers become float32.

    >>> import glassgrad as gg
    >>> gg.erf(gg.tensor([0.0, 1.0]))
    tensor([0.       , 0.8427008])
    """
    return _erf(x)


def _sign(x: Tensor) -> Tensor:
    return Tensor(x.xp.sign(x.data))


@differentiable(x=lambda g, x: g * _sign(x), piecewise=True)
def absolute(x, /):
    """|x|, with derivative 0 at 0.

    Also abs(x).

    >>> import glassgrad as gg
    >>> x = gg.tensor([-2.0, 0.0], requires_grad=True)
    >>> gg.absolute(x)
    tensor([2., 0.], from absolute)
    >>> gg.grad(abs(x).sum(), x)
    tensor([-1.,  0.])
    """
    return abs(x)


@differentiable(
    x=lambda g, x, y, x_shape: sum_to(g * _mask(values_of(x) >= values_of(y), g), x_shape),
    y=lambda g, x, y, y_shape: sum_to(g * _mask(values_of(x) < values_of(y), g), y_shape),
    piecewise=True,
    elementwise=True,
)
def maximum(x, y, /):
    """The larger of x and y, element by element; on a tie the gradient goes to x.

    NaN in either argument stays NaN. Raises ShapeError if the shapes do not broadcast,
    DTypeError for mixed float dtypes.

    >>> import glassgrad as gg
    >>> gg.maximum(gg.tensor([1.0, 4.0]), 3.0)
    tensor([3., 4.])
    """
    return xp_of(x, y).maximum(x, y)


@differentiable(
    x=lambda g, x, y, x_shape: sum_to(g * _mask(values_of(x) <= values_of(y), g), x_shape),
    y=lambda g, x, y, y_shape: sum_to(g * _mask(values_of(x) > values_of(y), g), y_shape),
    piecewise=True,
    elementwise=True,
)
def minimum(x, y, /):
    """The smaller of x and y, element by element; on a tie the gradient goes to x.

    NaN in either argument stays NaN. Raises ShapeError if the shapes do not broadcast,
    DTypeError for mixed float dtypes.

    >>> import glassgrad as gg
    >>> gg.minimum(gg.tensor([1.0, 4.0]), 3.0)
    tensor([1., 3.])
    """
    return xp_of(x, y).minimum(x, y)


def _mask(condition, like: Tensor) -> Tensor:
    """A boolean array as 0/1 in the dtype of `like`."""
    return Tensor(placed(values_of(condition), like.data).astype(like.dtype))


def clip(
    x: Like, low: Number | Tensor | None = None, high: Number | Tensor | None = None
) -> Tensor:
    """x limited to [low, high]; the gradient is 0 outside, and 1 on the edges.

    Either bound may be None. Raises ValueRangeError for two Python numbers with low > high; for
    arrays that is not checked, and `high` wins.

    >>> import glassgrad as gg
    >>> gg.clip(gg.tensor([-2.0, 0.5, 2.0]), -1.0, 1.0)
    tensor([-1. ,  0.5,  1. ])
    """
    if isinstance(low, int | float) and isinstance(high, int | float):
        expect(low <= high, "clip", "low must not exceed high", f"≤ {high}", low, ValueRangeError)
    if low is not None:
        x = maximum(x, low)
    return as_tensor(x) if high is None else minimum(x, high)


@differentiable(
    x=lambda g, condition, x_shape: sum_to(g * _mask(condition, g), x_shape),
    y=lambda g, condition, y_shape: sum_to(g * _mask(~condition, g), y_shape),
    elementwise=True,
    name="where",
    flops=moves,
)
def _select(x, y, /, condition):
    """x where the condition holds, y elsewhere."""
    try:
        return xp_of(x, y).where(placed(condition, x if is_cupy(x) else y), x, y)
    except ValueError as error:
        shapes = " and ".join(str(np.shape(a)) for a in (condition, x, y))
        raise ShapeError(
            "where: shapes must broadcast; expected lengths that are equal or 1, counted from the"
            f" last axis, got {shapes} {describe(condition=condition, x=x, y=y)}"
        ) from error


def where(condition, x, y) -> Tensor:
    """x where `condition` holds, y elsewhere; the condition itself has no derivative.

    >>> import glassgrad as gg
    >>> gg.where(gg.tensor([True, False]), gg.tensor([1.0, 2.0]), 0.0)
    tensor([1., 0.])
    """
    condition = values_of(condition)
    condition = condition if is_array(condition) else array_of("where", condition)
    return _select(x, y, condition=condition.astype(bool))
