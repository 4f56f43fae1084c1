"""Order: sorted values, the indices of sorted values, the k largest.

On every backend ties keep the order of their indices, and NaN counts as larger than every number:
last in ascending order, first in descending. (An extremum is another matter: `max`, `min`,
`argmax` and `argmin` all give NaN where there is one, so that it shows.) Places have no
derivative; a sorted value has that of its element.
"""

import numpy as np

from ...kernels.annotations import Axis, Count
from ...kernels.errors import expect
from ..arrays import to_numpy, xp_of
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .indexing import _getitem
from .shapes import axes_of, reshape


def _whole_axis(name: str, x: Tensor, axis: int | None):
    """(x, axis ≥ 0), of all elements in order for None."""
    if axis is None:
        return reshape(x, (x.size,)), 0
    expect(-x.ndim <= axis < x.ndim, name, "axis must exist", axes_of(x), axis, x=x)
    return x, axis % x.ndim


def _indices(a, axis: int, descending: bool):
    """The indices of the sorted elements of an array, each within its axis."""
    xp = xp_of(a)
    if not descending:
        return xp.argsort(a, axis=axis, kind="stable")
    # backwards twice: equal elements keep their order
    backwards = xp.argsort(xp.flip(a, axis), axis=axis, kind="stable")
    return a.shape[axis] - 1 - xp.flip(backwards, axis)


def _taken(x: Tensor, indices, axis: int) -> Tensor:
    """x at indices along one axis."""
    xp = xp_of(indices)
    index = [
        xp.arange(n).reshape((-1,) + (1,) * (x.ndim - 1 - a)) for a, n in enumerate(indices.shape)
    ]
    index[axis] = indices
    return _getitem(x, tuple(index))


def sort(x: Like, axis: Axis | None = -1, descending: bool = False) -> Tensor:
    """x in ascending or descending order along `axis`; None sorts all elements as one axis.

    A new tensor: unlike an array's method, `t.sort()` does not change t. NaN comes last, and first
    in descending order. Raises ShapeError for an axis that does not exist.

    >>> import glassgrad as gg
    >>> gg.sort(gg.tensor([3.0, 1.0, 2.0])), gg.sort(gg.tensor([3, 1, 2]), descending=True)
    (tensor([1., 2., 3.]), tensor([3, 2, 1], dtype=int64))
    """
    x, axis = _whole_axis("sort", as_tensor(x), axis)
    return _taken(x, _indices(x.data, axis, descending), axis)


def argsort(x: Like, axis: Axis | None = -1, descending: bool = False) -> np.ndarray:
    """The indices of the sorted elements along `axis`, as a plain NumPy array.

    Ties keep their order. NaN comes last, and first in descending order. Raises ShapeError for an
    axis that does not exist.

    >>> import glassgrad as gg
    >>> gg.argsort(gg.tensor([2.0, 1.0, 2.0])), gg.argsort(gg.tensor([2.0, 1.0, 2.0]), -1, True)
    (array([1, 0, 2]), array([0, 2, 1]))
    """
    x, axis = _whole_axis("argsort", as_tensor(x), axis)
    return to_numpy(_indices(x.data, axis, descending))


def topk(
    x: Like, k: Count, axis: Axis | None = -1, largest: bool = True
) -> tuple[Tensor, np.ndarray]:
    """(the k largest elements along `axis`, their indices), largest first; or the k smallest.

    Of equal elements those at lower indices are taken, and come first; NaN is the largest. The
    indices are a plain NumPy array. Raises ShapeError for an axis that does not exist or has fewer
    than k elements.

    >>> import glassgrad as gg
    >>> gg.topk(gg.tensor([1.0, 3.0, 2.0, 3.0]), 2)
    (tensor([3., 3.]), array([1, 3]))
    """
    x, axis = _whole_axis("topk", as_tensor(x), axis)
    n, what = x.shape[axis], "k must not exceed the axis"
    expect(k <= n, "topk", what, f"≤ {n}", k, x=x)
    indices = _indices(x.data, axis, largest)[(slice(None),) * axis + (slice(k),)]
    return _taken(x, indices, axis), to_numpy(indices)


def argmin(x: Like, axis: Axis | None = None) -> np.ndarray:
    """Index of the smallest element along `axis` (the first on a tie), as a plain NumPy array.

    None takes all elements in order, as one axis, as NumPy does. It has no derivative. NaN counts
    as the smallest here. Raises ShapeError if the axis does not exist or has no element.

    >>> import glassgrad as gg
    >>> gg.argmin(gg.tensor([[1.0, 3.0, 1.0]]), axis=1)
    array([0])
    """
    x, axis = _whole_axis("argmin", as_tensor(x), axis)
    n = x.shape[axis]
    expect(n > 0, "argmin", "there must be at least one element", "> 0", 0, x=x)
    return np.asarray(to_numpy(x.data.argmin(axis=axis)))
