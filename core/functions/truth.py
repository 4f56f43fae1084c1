"""Yes or no of elements and along axes: plain boolean arrays, as comparisons give.

They have no derivative.
"""

import numpy as np

from ...kernels.annotations import Axes
from ..arrays import xp_of
from ..kinds import Like
from ..tensor import as_tensor
from .reductions import _check


def any(x: Like, axis: Axes | None = None, keepdims: bool = False) -> np.ndarray:
    """True where an element over `axis` is not 0, as a boolean array on x's device.

    False of nothing; NaN is not 0. Raises ShapeError for an axis that does not exist.

    >>> import glassgrad as gg
    >>> gg.any(gg.tensor([[0.0, 1.0], [0.0, 0.0]]), axis=1)
    array([ True, False])
    """
    x = as_tensor(x)
    return xp_of(x.data).asarray(x.data.any(axis=_check("any", x, axis), keepdims=keepdims))


def all(x: Like, axis: Axes | None = None, keepdims: bool = False) -> np.ndarray:
    """True where no element over `axis` is 0, as a boolean array on x's device.

    True of nothing; NaN is not 0. Raises ShapeError for an axis that does not exist.

    >>> import glassgrad as gg
    >>> gg.all(gg.tensor([[2.0, 1.0], [3.0, 0.0]]), axis=1)
    array([ True, False])
    """
    x = as_tensor(x)
    return xp_of(x.data).asarray(x.data.all(axis=_check("all", x, axis), keepdims=keepdims))


def isnan(x: Like) -> np.ndarray:
    """True where x is NaN, as a boolean array on x's device.

    >>> import glassgrad as gg
    >>> gg.isnan(gg.tensor([1.0, float("nan")]))
    array([False,  True])
    """
    x = as_tensor(x).data
    return xp_of(x).asarray(xp_of(x).isnan(x))


def isinf(x: Like) -> np.ndarray:
    """True where x is ∞ or -∞, as a boolean array on x's device.

    >>> import glassgrad as gg
    >>> gg.isinf(gg.tensor([1.0, float("inf"), float("nan")]))
    array([False,  True, False])
    """
    x = as_tensor(x).data
    return xp_of(x).asarray(xp_of(x).isinf(x))


def isfinite(x: Like) -> np.ndarray:
    """True where x is neither infinite nor NaN, as a boolean array on x's device.

    >>> import glassgrad as gg
    >>> gg.isfinite(gg.tensor([1.0, float("inf"), float("nan")]))
    array([ True, False, False])
    """
    x = as_tensor(x).data
    return xp_of(x).asarray(xp_of(x).isfinite(x))
