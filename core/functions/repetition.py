"""Values again and in a circle: `tile`, `repeat`, `roll`, made of reshapes, slices and joins."""

from collections.abc import Sequence

import numpy as np

from ...kernels.annotations import Axes, Axis, Lengths
from ...kernels.capacity import expect_fits
from ...kernels.errors import DTypeError, expect
from ..kinds import Like
from ..tensor import Tensor, as_tensor, values_of
from .indexing import _getitem
from .shapes import axes_of, broadcast_to, concatenate, reshape


def tile(x: Like, reps: Lengths) -> Tensor:
    """x laid next to itself `reps[axis]` times along each axis: ab -> ababab.

    With more `reps` than axes x gets new axes in front; with fewer, they are those of the last
    axes. Raises ShapeError for a negative number.

    >>> import glassgrad as gg
    >>> gg.tile(gg.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2., 1., 2.],
            [1., 2., 1., 2.]])
    """
    x = as_tensor(x)
    reps = tuple(reps) if isinstance(reps, tuple | list) else (reps,)
    for n in reps:
        expect(n >= 0, "tile", "reps must not be negative", "≥ 0", reps, x=x)
    axes = max(x.ndim, len(reps))
    reps = (1,) * (axes - len(reps)) + reps
    shape = (1,) * (axes - x.ndim) + x.shape
    result = tuple(r * n for r, n in zip(reps, shape))
    expect_fits("tile", "the result", result, x.data)
    pairs = [(r, n) for r, n in zip(reps, shape)]
    x = reshape(x, tuple(k for _, n in pairs for k in (1, n)))
    return reshape(broadcast_to(x, tuple(k for pair in pairs for k in pair)), result)


def repeat(x: Like, repeats: int | Sequence, axis: Axis | None = None) -> Tensor:
    """Each element `repeats` times in a row along `axis`: ab -> aaabbb.

    repeats  a number, or one for each place of the axis
    axis     None, the default, takes all elements in order, as one axis

    Raises ShapeError for an axis that does not exist, negative numbers or another number of them.

    >>> import glassgrad as gg
    >>> gg.repeat(gg.tensor([1.0, 2.0]), 2), gg.repeat(gg.tensor([1.0, 2.0]), [1, 3])
    (tensor([1., 1., 2., 2.]), tensor([1., 2., 2., 2.]))
    """
    x, counts = as_tensor(x), np.asarray(values_of(repeats))
    if counts.dtype.kind not in "iu" and counts.size:
        raise DTypeError(f"repeat: repeats must be integers; got {counts.dtype}")
    if axis is None:
        x, axis = reshape(x, (x.size,)), 0
    expect(-x.ndim <= axis < x.ndim, "repeat", "axis must exist", axes_of(x), axis, x=x)
    axis %= x.ndim
    n = x.shape[axis]
    fits = counts.ndim == 0 or counts.shape in ((n,), (1,))
    expect(fits, "repeat", "repeats must be a number, or one for each place", n, counts.shape, x=x)
    least = int(counts.min(initial=0))
    expect(least >= 0, "repeat", "repeats must not be negative", "≥ 0", least, x=x)
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    if counts.size == 1:
        times = int(counts.reshape(-1)[0])
        expect_fits("repeat", "the result", (*before, n * times, *after), x.data)
        x = reshape(x, (*before, n, 1, *after))
        return reshape(broadcast_to(x, (*before, n, times, *after)), (*before, n * times, *after))
    total = sum(counts.tolist())
    expect_fits("repeat", "the result", (*before, total, *after), x.data)
    places = np.repeat(np.arange(n), counts.astype(np.int64))
    return _getitem(x, (slice(None),) * axis + (places,))


def roll(x: Like, shift: Axes, axis: Axes | None = None) -> Tensor:
    """x moved by `shift` places along `axis`, what leaves at one end entering at the other.

    Both may be tuples of one length; None, the default, moves all elements in order, as one axis.
    Raises ShapeError for an axis that does not exist.

    >>> import glassgrad as gg
    >>> gg.roll(gg.tensor([1.0, 2.0, 3.0]), 1)
    tensor([3., 1., 2.])
    """
    x = as_tensor(x)
    if axis is None:
        return reshape(roll(reshape(x, (x.size,)), shift, 0), x.shape)
    axes = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    shifts = tuple(shift) if isinstance(shift, tuple | list) else (shift,)
    if len(axes) == 1:
        axes *= len(shifts)
    if len(shifts) == 1:
        shifts *= len(axes)
    what = "shift and axis must be numbers, or as many of one as of the other"
    expect(len(shifts) == len(axes), "roll", what, len(axes), len(shifts), x=x)
    for by, a in zip(shifts, axes):
        expect(-x.ndim <= a < x.ndim, "roll", "axis must exist", axes_of(x), a, x=x)
        a %= x.ndim
        cut = -by % x.shape[a] if x.shape[a] else 0
        if cut:
            before = (slice(None),) * a
            parts = _getitem(x, (*before, slice(cut, None))), _getitem(x, (*before, slice(cut)))
            x = concatenate(*parts, axis=a)
    return x
