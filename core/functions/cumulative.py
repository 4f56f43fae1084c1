"""Running sums and products along an axis, and products over axes.

A product has no derivative by division where a factor is zero, so none is divided here: that of a
product is the product of the others, and that of running products is a recurrence, `carry`, which
is its own kind of derivative.
"""

from ...kernels.annotations import Axes, Axis
from ...kernels.errors import expect
from ..arrays import xp_of
from ..differentiable import differentiable
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .reductions import _axes, _check, _spread, count
from .shapes import axes_of, concatenate, flip, reshape, swap_axes, transpose


def _along(name: str, function, x, axis: int | None):
    """A function of the last axis along any axis, or along all elements in order for None."""
    x = as_tensor(x)
    if axis is None:
        return function(reshape(x, (x.size,)))
    if x.ndim:
        expect(-x.ndim <= axis < x.ndim, name, "axis must exist", axes_of(x), axis, x=x)
    else:
        expect(axis in (-1, 0), name, "axis must exist", axes_of(x), axis, x=x)
    if not x.ndim or axis % x.ndim == x.ndim - 1:
        return function(x)
    return swap_axes(function(swap_axes(x, axis, -1)), axis, -1)


def _last(x):
    return -1 if x.ndim else ()


@differentiable(x=lambda g: flip(_running_sum(flip(g, _last(g))), _last(g)), name="cumsum")
def _running_sum(x, /):
    """Running sums along the last axis."""
    dtype = x.dtype if x.dtype.kind == "f" else None
    return x.cumsum(axis=-1, dtype=dtype) if x.ndim else x.sum(dtype=dtype)


def cumsum(x: Like, axis: Axis | None = None) -> Tensor:
    """Running sums along `axis`: y_k = x_0 + ... + x_k.

    None takes all elements in order, as one axis, as NumPy does. Booleans are counted; along axis
    -1 a scalar is its own sum. Raises ShapeError for an axis that does not exist.

    >>> import glassgrad as gg
    >>> gg.cumsum(gg.tensor([1.0, 2.0, 3.0]))
    tensor([1., 3., 6.])
    >>> gg.cumsum(gg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    tensor([[1., 2.],
            [4., 6.]])
    """
    return _along("cumsum", _running_sum, x, axis)


def _shifted(x: Tensor, first: float) -> Tensor:
    """x one place further along the last axis, after `first`: x_{k-1} at k."""
    start = Tensor(x.xp.full((*x.shape[:-1], 1), first, x.dtype))
    return concatenate(start, x[..., :-1], axis=-1)


def _back(a: Tensor, g: Tensor) -> Tensor:
    """t_k = g_k + a_{k+1} t_{k+1}: the same recurrence, from the end."""
    return flip(_carry(_shifted(flip(a, -1), 0.0), flip(g, -1)), -1)


def _carry_back(g, a, out):
    """t as in `_back` is the cotangent of b_k, and t_k s_{k-1} that of a_k."""
    if not a.shape[-1]:
        return g, g
    t = _back(a, g)
    return t * _shifted(out, 0.0), t


@differentiable(vjp=_carry_back, name="carry", flops=lambda arrays, outs, s: 2 * outs[0].size)
def _carry(a, b, /):
    """s_k = a_k s_{k-1} + b_k along the last axis, from 0: one step after another."""
    s = b.copy()
    for k in range(1, s.shape[-1]):
        s[..., k] += a[..., k] * s[..., k - 1]
    return s


def _running_slope(g, x, out):
    """∂/∂x_k = Π_{j<k} x_j · Σ_{i≥k} g_i Π_{k<j≤i} x_j, where no factor is left out by division."""
    if not x.ndim or not x.shape[-1]:
        return g
    return _shifted(out, 1.0) * _back(x, g)


@differentiable(x=_running_slope, name="cumprod")
def _running_product(x, /):
    """Running products along the last axis."""
    dtype = x.dtype if x.dtype.kind == "f" else None
    return xp_of(x).cumprod(x, axis=-1, dtype=dtype) if x.ndim else x.prod(dtype=dtype)


def cumprod(x: Like, axis: Axis | None = None) -> Tensor:
    """Running products along `axis`: y_k = x_0 ... x_k.

    None takes all elements in order, as one axis, as NumPy does. The derivative is right at zeros,
    too; it takes one step after another along the axis. Raises ShapeError for an axis that does not
    exist.

    >>> import glassgrad as gg
    >>> gg.cumprod(gg.tensor([2.0, 3.0, 4.0]))
    tensor([ 2.,  6., 24.])
    """
    return _along("cumprod", _running_product, x, axis)


def _others(g, x, axis, x_shape):
    """Each element's cotangent is the product of the others, times g."""
    if not x.size:
        return x * 0
    axes = _axes(axis, x.ndim)
    rest = tuple(a for a in range(x.ndim) if a not in axes)
    turned = transpose(x, rest + axes)
    flat = reshape(turned, (*(x.shape[a] for a in rest), count(x.shape, axis)))
    before = _shifted(_running_product(flat), 1.0)
    after = flip(_shifted(_running_product(flip(flat, -1)), 1.0), -1)
    back = tuple(sorted(range(x.ndim), key=lambda i: (rest + axes)[i]))
    return _spread(g, x_shape, axis) * transpose(reshape(before * after, turned.shape), back)


@differentiable(x=_others, flops=lambda arrays, outs, settings: arrays[0].size - outs[0].size)
def prod(x, /, axis: Axes | None = None, keepdims: bool = False):
    """Π x over `axis` (an int, a tuple, or None for all); 1 where there is nothing.

    The derivative is the product of the others, right at zeros, too. Raises ShapeError for an axis
    that does not exist.

    >>> import glassgrad as gg
    >>> x = gg.tensor([2.0, 0.0, 4.0], requires_grad=True)
    >>> gg.prod(x), gg.grad(gg.prod(x), x)
    (tensor(0., from prod), tensor([0., 8., 0.]))
    """
    axis = _check("prod", x, axis)
    return xp_of(x).asarray(x.prod(axis=axis, keepdims=keepdims))
