"""Sums, means, extrema and norms along axes. Sums are taken in a fixed order."""

import numpy as np

from ...kernels.annotations import Axes
from ...kernels.checks import within
from ...kernels.errors import DTypeError, expect
from ..arrays import xp_of
from ..differentiable import differentiable
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .shapes import axes_of, broadcast_to, in_order, reshape
from .summation import total


def _axes(axis, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return tuple(a % ndim for a in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def _kept(shape, axis) -> tuple[int, ...]:
    """The shape with the reduced axes kept at length 1."""
    axes = _axes(axis, len(shape))
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _check(function, x, axis):
    """`axis` as None, an int or a tuple of ints, all of which exist."""
    if axis is None:
        return None
    several = isinstance(axis, (tuple, list))
    for a in axis if several else (axis,):
        whole, what = isinstance(a, (int, np.integer)), "axis must be an int or a tuple of ints"
        expect(whole, function, what, "int", f"{a!r}", DTypeError, x=x)
        expect(-x.ndim <= a < x.ndim, function, "axis must exist", axes_of(x), a, x=x)
    if not several:
        return axis
    twice = len({a % x.ndim for a in axis}) < len(axis)
    expect(not twice, function, "an axis must be named once", "different axes", axis, x=x)
    return tuple(axis)


def _spread(g, x_shape, axis):
    return broadcast_to(reshape(g, _kept(x_shape, axis)), x_shape)


@differentiable(x=_spread, flops=lambda arrays, outs, settings: arrays[0].size - outs[0].size)
def sum(x, /, axis: Axes | None = None, keepdims: bool = False):
    """Σ x over `axis` (an int, a tuple, or None for all).  Every term's derivative is 1.

    >>> import glassgrad as gg
    >>> gg.sum(gg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    tensor([4., 6.])
    """
    axis = _check("sum", x, axis)
    return xp_of(x).asarray(total(x, axis, keepdims))


def count(shape, axis) -> int:
    """The number of elements that a reduction over `axis` combines."""
    n = 1
    for a in _axes(axis, len(shape)):
        n *= shape[a]
    return n


def mean(x: Like, axis: Axes | None = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean over `axis`.

    Raises ShapeError for an axis that does not exist, or without elements (instead of NaN).

    >>> import glassgrad as gg
    >>> gg.mean(gg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=-1)
    tensor([1.5, 3.5])
    """
    x = as_tensor(x)
    axis = _check("mean", x, axis)
    n = count(x.shape, axis)
    expect(n > 0, "mean", "there must be at least one element", "> 0", n, x=x)
    return sum(x, axis=axis, keepdims=keepdims) / float(n)


def variance(x: Like, axis: Axes | None = None, keepdims: bool = False, ddof: int = 0) -> Tensor:
    """Σ(x - mean)² / (n - ddof) over `axis`; ddof 0 is the population's, 1 the sample's.

    Raises ShapeError for an axis that does not exist or too few elements, ValueRangeError for a
    negative ddof.

    >>> import glassgrad as gg
    >>> gg.variance(gg.tensor([1.0, 3.0])), gg.variance(gg.tensor([1.0, 3.0]), ddof=1)
    (tensor(1.), tensor(2.))
    """
    x = as_tensor(x)
    axis = _check("variance", x, axis)
    within("variance", "ddof", ddof, least=0)
    n = count(x.shape, axis)
    expect(n > ddof, "variance", "there must be more elements than ddof", f"> {ddof}", n, x=x)
    d = x - mean(x, axis=axis, keepdims=True)
    return sum(d * d, axis=axis, keepdims=keepdims) / float(n - ddof)


def _first_hit(x: Tensor, axis, extremum: str) -> Tensor:
    """1 at the first element equal to the extremum of its group, 0 elsewhere: a constant."""
    xp, axes = x.xp, _axes(axis, x.ndim)
    rest = tuple(a for a in range(x.ndim) if a not in axes)
    flat = x.data.transpose(rest + axes)
    flat = flat.reshape(*(x.shape[a] for a in rest), count(x.shape, axis))
    at = xp.expand_dims(getattr(xp, f"arg{extremum}")(flat, axis=-1), -1)
    hit = (xp.arange(flat.shape[-1]) == at).astype(x.dtype)
    hit = hit.reshape([x.shape[a] for a in rest + axes])
    back = sorted(range(x.ndim), key=lambda i: (rest + axes)[i])
    return Tensor(in_order(hit.transpose(back)))


@differentiable(
    x=lambda g, x, axis, x_shape: _spread(g, x_shape, axis) * _first_hit(x, axis, "max"),
    piecewise=True,
)
def max(x, /, axis: Axes | None = None, keepdims: bool = False):
    """The largest element over `axis`; on a tie the gradient goes to the first.

    NaN wins. Raises ShapeError if the axis does not exist or has no element.

    >>> import glassgrad as gg
    >>> x = gg.tensor([1.0, 3.0, 3.0], requires_grad=True)
    >>> gg.grad(gg.max(x), x)
    tensor([0., 1., 0.])
    """
    axis = _check("max", x, axis)
    expect(count(x.shape, axis) > 0, "max", "there must be at least one element", "> 0", 0, x=x)
    return xp_of(x).asarray(x.max(axis=axis, keepdims=keepdims))


@differentiable(
    x=lambda g, x, axis, x_shape: _spread(g, x_shape, axis) * _first_hit(x, axis, "min"),
    piecewise=True,
)
def min(x, /, axis: Axes | None = None, keepdims: bool = False):
    """The smallest element over `axis`; on a tie the gradient goes to the first.

    NaN wins. Raises ShapeError if the axis does not exist or has no element.

    >>> import glassgrad as gg
    >>> gg.min(gg.tensor([[1.0, 3.0], [2.0, 0.0]]), axis=0)
    tensor([1., 0.])
    """
    axis = _check("min", x, axis)
    expect(count(x.shape, axis) > 0, "min", "there must be at least one element", "> 0", 0, x=x)
    return xp_of(x).asarray(x.min(axis=axis, keepdims=keepdims))


def _direction(g, x, out, axis, x_shape):
    """x/‖x‖, and 0 where the norm is 0."""
    n = _spread(out, x_shape, axis)
    zero = Tensor((n.data == 0).astype(n.dtype))
    return _spread(g, x_shape, axis) * x / (n + zero)


@differentiable(x=_direction, floats=True)
def norm(x, /, axis: Axes | None = None, keepdims: bool = False):
    """√Σx² over `axis`, scaled against overflow.  ∂‖x‖/∂x = x/‖x‖, and 0 at 0.

    x of any shape; integers become float32.

    >>> import glassgrad as gg
    >>> gg.norm(gg.tensor([[3.0, 4.0], [0.0, 0.0]]), axis=-1)
    tensor([5., 0.])
    """
    axis = _check("norm", x, axis)
    xp = xp_of(x)
    scale = abs(x).max(axis=axis, keepdims=True) if x.size else xp.ones([1] * x.ndim, x.dtype)
    scale = xp.where((scale > 0) & xp.isfinite(scale), scale, xp.ones_like(scale))
    r = xp.sqrt(total((x / scale) ** 2, axis, keepdims=True)) * scale
    return (
        r
        if keepdims
        else r.reshape([n for i, n in enumerate(x.shape) if i not in _axes(axis, x.ndim)])
    )
