"""Functions that only move or repeat values: each is linear, and its derivative is its transpose.

broadcast_to <-> sum_to      reshape <-> reshape       transpose <-> transpose (inverse)
concatenate  <-> slices      pad     <-> slice         getitem   <-> scatter (indexing.py)
"""

from collections.abc import Iterable

import numpy as np

from ...kernels.annotations import Axes, Axis, DType, Lengths, Number, Shape, Widths
from ...kernels.errors import expect
from ..arrays import is_array, xp_of
from ..differentiable import differentiable, moves
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .summation import total


def in_order(x):
    """The array in C order; a scalar keeps shape (), unlike with `ascontiguousarray`."""
    return xp_of(x).ascontiguousarray(x) if x.ndim else x


def axes_of(x) -> str:
    """Which axes there are, for messages.

    >>> import numpy as np
    >>> axes_of(np.ones((2, 3))), axes_of(np.ones(()))
    ('-2..1', 'none: x is a scalar')
    """
    return f"-{x.ndim}..{x.ndim - 1}" if x.ndim else "none: x is a scalar"


def _sum_to(x, shape):
    """Sum x over every axis that broadcasting from `shape` creates."""
    lead = x.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(
        i + lead for i, n in enumerate(shape) if n == 1 and x.shape[i + lead] != 1
    )
    return total(x, axes).reshape(shape) if axes else x.reshape(shape)


@differentiable(
    x=lambda g, x_shape: broadcast_to(g, x_shape),
    flops=lambda arrays, outs, settings: arrays[0].size - outs[0].size,
    name="sum_to",
)
def _sum_to_shape(x, /, shape):
    """Sum over the axes that broadcasting `shape` to x's shape would repeat."""
    return _sum_to(x, shape)


def sum_to(x: Like, shape: Shape) -> Tensor:
    """The transpose of broadcasting: x summed over the axes along which `shape` was repeated.

    >>> import glassgrad as gg
    >>> gg.sum_to(gg.ones((2, 3)), (3,))
    tensor([2., 2., 2.])
    """
    x = as_tensor(x)
    return x if x.shape == tuple(shape) else _sum_to_shape(x, tuple(shape))


@differentiable(x=lambda g, x_shape: sum_to(g, x_shape), flops=moves, name="broadcast_to")
def _broadcast(x, /, shape):
    """x repeated along new axes and axes of length 1."""
    return in_order(xp_of(x).broadcast_to(x, shape))


def broadcast_to(x: Like, shape: Shape) -> Tensor:
    """x repeated to `shape`, by NumPy's rules.

    Raises ShapeError.

    >>> import glassgrad as gg
    >>> gg.broadcast_to(gg.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """
    x = as_tensor(x)
    return x if x.shape == tuple(shape) else _broadcast(x, tuple(shape))


@differentiable(x=lambda g, x_shape: reshape(g, x_shape), flops=moves)
def reshape(x, /, shape: Lengths):
    """The same values in row-major order under another shape; one length may be -1.

    Raises ShapeError if the number of elements would change.

    >>> import glassgrad as gg
    >>> gg.reshape(gg.tensor([1.0, 2.0, 3.0, 4.0]), (2, 2))
    tensor([[1., 2.],
            [3., 4.]])
    >>> gg.reshape(gg.tensor([1.0, 2.0, 3.0, 4.0]), (2, -1)).shape
    (2, 2)
    """
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    known = 1
    for n in shape:
        expect(n >= -1, "reshape", "a length must not be negative, but for one -1", "≥ -1", n, x=x)
        known *= n if n != -1 else 1
    open_ = shape.count(-1)
    expect(open_ < 2, "reshape", "one length may be left open", "at most one -1", shape, x=x)
    if open_ and not known:
        expect(False, "reshape", "-1 next to a length 0 could be any length", "no -1", shape, x=x)
    fits = x.size % known == 0 if open_ else x.size == known
    expect(fits, "reshape", "the number of elements must stay the same", x.size, shape, x=x)
    return x.reshape(shape)


def _inverse(axes):
    inverse = [0] * len(axes)
    for i, a in enumerate(axes):
        inverse[a] = i  # works for axes counted from the end, too
    return tuple(inverse)


@differentiable(
    x=lambda g, axes: transpose(g, None if axes is None else _inverse(axes)), flops=moves
)
def transpose(x, /, axes: Axes | None = None):
    """Axes in another order, reversed by default; negative ones count from the end.

    Raises ShapeError for axes that are not a permutation.

    >>> import glassgrad as gg
    >>> gg.transpose(gg.ones((2, 3, 4)), (1, 2, 0)).shape
    (3, 4, 2)
    """
    if axes is not None:
        every, what = list(range(x.ndim)), "axes must be a permutation of all axes"
        inside = all(-x.ndim <= a < x.ndim for a in axes)
        fits = inside and sorted(a % x.ndim for a in axes) == every
        expect(fits, "transpose", what, every, axes, x=x)
    return x.transpose(axes)


def swap_axes(x: Like, a: Axis, b: Axis) -> Tensor:
    """x with axes a and b exchanged.

    >>> import glassgrad as gg
    >>> gg.swap_axes(gg.ones((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    x = as_tensor(x)
    a, b = _axis(a, x.ndim, "swap_axes", x), _axis(b, x.ndim, "swap_axes", x)
    axes = list(range(x.ndim))
    axes[a], axes[b] = axes[b], axes[a]
    return transpose(x, tuple(axes))


def _axis(axis: int, ndim: int, function: str, x) -> int:
    known = f"-{ndim}..{ndim - 1}" if ndim else "none: x is a scalar"
    expect(-ndim <= axis < ndim, function, "axis must exist", known, axis, x=x)
    return axis % ndim


def expand_dims(x: Like, axis: Axis) -> Tensor:
    """x with a new axis of length 1 at position `axis`.

    >>> import glassgrad as gg
    >>> gg.expand_dims(gg.ones((2, 3)), -1).shape
    (2, 3, 1)
    """
    x = as_tensor(x)
    axis = _axis(axis, x.ndim + 1, "expand_dims", x)
    return reshape(x, (*x.shape[:axis], 1, *x.shape[axis:]))


def squeeze(x: Like, axis: Axis | None = None) -> Tensor:
    """x without its axis `axis`, which must have length 1; by default without all such axes.

    Raises ShapeError.

    >>> import glassgrad as gg
    >>> gg.squeeze(gg.ones((2, 1, 3)), 1).shape, gg.squeeze(gg.ones((1, 2, 1))).shape
    ((2, 3), (2,))
    """
    x = as_tensor(x)
    if axis is None:
        return reshape(x, tuple(n for n in x.shape if n != 1))
    axis = _axis(axis, x.ndim, "squeeze", x)
    expect(x.shape[axis] == 1, "squeeze", f"axis {axis} must have length 1", 1, x.shape[axis], x=x)
    return reshape(x, x.shape[:axis] + x.shape[axis + 1 :])


def flatten(x: Like, start: Axis = 1) -> Tensor:
    """Merge all axes from `start` on: [N, C, H, W] -> [N, C·H·W].

    Raises ShapeError for a `start` beyond the axes.

    >>> import glassgrad as gg
    >>> gg.flatten(gg.ones((2, 3, 4))).shape
    (2, 12)
    """
    x = as_tensor(x)
    known = f"-{x.ndim}..{x.ndim}" if x.ndim else "0"
    expect(-x.ndim <= start <= x.ndim, "flatten", "start must be an axis", known, start, x=x)
    size = 1
    for n in x.shape[start:]:
        size *= n
    return reshape(x, (*x.shape[:start], size))


def _parts(g, shapes, axis, needs):
    """The slice of g that belongs to each of the joined arrays."""
    parts, start = [], 0
    for shape, need in zip(shapes, needs):
        stop = start + shape[axis]
        index = (slice(None),) * (axis % len(shape)) + (slice(start, stop),)
        parts.append(g[index] if need else None)
        start = stop
    return parts


@differentiable(vjp=_parts, elementwise=True, flops=moves)
def concatenate(*xs, axis: Axis = 0):
    """Arrays joined along an existing axis; given one by one or as one list.

    Raises ShapeError if they differ in another axis, DTypeError for mixed float dtypes.

    >>> import glassgrad as gg
    >>> gg.concatenate(gg.tensor([1.0]), gg.tensor([2.0, 3.0]))
    tensor([1., 2., 3.])
    >>> gg.concatenate([gg.ones((2, 1)), gg.zeros((2, 3))], axis=1).shape
    (2, 4)
    """
    expect(len(xs) > 0, "concatenate", "there must be at least one array", 1, 0)
    xs = [x if is_array(x) else np.asarray(x) for x in xs]  # numbers
    first = xs[0]
    axis = _axis(axis, first.ndim, "concatenate", first)
    for i, x in enumerate(xs):
        same = x.ndim == first.ndim and all(
            m == n for k, (m, n) in enumerate(zip(x.shape, first.shape)) if k != axis
        )
        what = f"xs[{i}] must have the shape of xs[0] but for axis {axis}"
        expect(same, "concatenate", what, first.shape, x.shape)
    return xp_of(*xs).concatenate(xs, axis=axis)


def stack(tensors: Iterable, axis: Axis = 0) -> Tensor:
    """Tensors of one shape joined along a new axis.

    Raises ShapeError.

    >>> import glassgrad as gg
    >>> gg.stack([gg.ones(3), gg.zeros(3)]).shape
    (2, 3)
    """
    return concatenate(*(expand_dims(t, axis) for t in tensors), axis=axis)


def split(x: Like, sizes: Axes, axis: Axis = 0) -> list[Tensor]:
    """x cut along `axis` into pieces of the given sizes; an int means that many equal pieces.

    Raises ShapeError.

    >>> import glassgrad as gg
    >>> [part.shape for part in gg.split(gg.ones((4, 2)), [1, 3])]
    [(1, 2), (3, 2)]
    """
    x = as_tensor(x)
    axis = _axis(axis, x.ndim, "split", x)
    n = x.shape[axis]
    if isinstance(sizes, int):
        equal = sizes > 0 and n % sizes == 0
        expect(equal, "split", "the pieces must be equal", f"a divisor of {n}", sizes, x=x)
        sizes = [n // sizes] * sizes
    least = min(sizes, default=0)
    expect(least >= 0, "split", "a size must not be negative", "≥ 0", list(sizes), x=x)
    expect(sum(sizes) == n, "split", "the sizes must add up to the axis", n, list(sizes), x=x)
    pieces, start = [], 0
    for size in sizes:
        pieces.append(x[(slice(None),) * axis + (slice(start, start + size),)])
        start += size
    return pieces


@differentiable(
    x=lambda g, widths, x_shape: g[tuple(slice(a, a + n) for (a, _), n in zip(widths, x_shape))],
    flops=moves,
)
def pad(x, /, widths: Widths, value: Number = 0.0):
    """x with `widths[axis] = (before, after)` constant elements added along each axis.

    Raises ShapeError unless there is one pair of widths ≥ 0 for each axis.

    >>> import glassgrad as gg
    >>> gg.pad(gg.tensor([1.0, 2.0]), ((1, 2),))
    tensor([0., 1., 2., 0., 0.])
    """
    expect(len(widths) == x.ndim, "pad", "there must be widths for each axis", x.ndim, len(widths))
    for pair in widths:
        expect(min(pair) >= 0, "pad", "widths must be pairs (before, after)", "both ≥ 0", pair, x=x)
    # np.pad makes an array of the widths, and an empty one would hold floats
    return xp_of(x).pad(x, widths, constant_values=value) if widths else x.copy()


@differentiable(x=lambda g, axis: flip(g, axis), flops=moves)
def flip(x, /, axis: Axes | None):
    """x in reverse order along one axis or several.

    >>> import glassgrad as gg
    >>> gg.flip(gg.tensor([1.0, 2.0, 3.0]), 0)
    tensor([3., 2., 1.])
    """
    return in_order(xp_of(x).flip(x, axis))


@differentiable(x=lambda g, x: astype(g, x.dtype), flops=moves)
def astype(x, /, dtype: DType):
    """x converted to float32 or float64; the gradient is converted back.

    >>> import glassgrad as gg
    >>> gg.astype(gg.tensor([1.0]), "float64")
    tensor([1.], dtype=float64)
    """
    return x.astype(dtype)
