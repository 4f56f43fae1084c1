"""Log-sum-exp, softmax and log-softmax: the largest term is subtracted first."""

import math

import numpy as np

from ...kernels.annotations import Axes
from ..arrays import xp_of
from ..differentiable import differentiable
from .arithmetic import exp, where
from .reductions import _check, _kept, _spread
from .reductions import sum as sum_
from .summation import total


def _largest(x, axis):
    """The largest element over `axis`, which is kept with length 1; -∞ if there is none."""
    if x.size:
        return x.max(axis=axis, keepdims=True)
    return xp_of(x).full(_kept(x.shape, axis), -math.inf, x.dtype)


def _weights(g, x, out, axis, x_shape):
    """g · exp(x - logsumexp(x)); a row of only -∞ has weights 0, not NaN."""
    top = _spread(out, x_shape, axis)
    return _spread(g, x_shape, axis) * exp(x - where(top.data == -math.inf, 0.0, top))


@differentiable(x=_weights, floats=True)
def logsumexp(x, /, axis: Axes | None = -1, keepdims: bool = False):
    """ln Σ eˣ over `axis`.  Its gradient is softmax(x).

    `axis` is an int, a tuple or None for all. Over an axis without elements it is ln 0 = -∞.
    Raises ShapeError for an axis that does not exist.

    >>> import glassgrad as gg
    >>> gg.logsumexp(gg.tensor([1000.0, 1000.0]))
    tensor(1000.6932)
    """
    axis = _check("logsumexp", x, axis)
    xp = xp_of(x)
    top = _largest(x, axis)
    safe = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    with np.errstate(divide="ignore"):  # ln 0 = -∞ is intended
        out = xp.log(total(xp.exp(x - safe), axis, keepdims=True)) + safe
    return out if keepdims else xp.asarray(out.squeeze(axis))


@differentiable(
    x=lambda g, out, axis: out * (g - sum_(g * out, axis=axis, keepdims=True)), floats=True
)
def softmax(x, /, axis: Axes | None = -1):
    """eˣ / Σ eˣ along `axis`.  gx = y (g - Σ g y).

    `axis` is an int or a tuple. A row of only -∞ has no softmax: NaN. An empty row stays empty.
    Raises ShapeError for an axis that does not exist.

    >>> import glassgrad as gg
    >>> gg.softmax(gg.tensor([1000.0, 1000.0]))
    tensor([0.5, 0.5])
    """
    axis = _check("softmax", x, axis)
    e = xp_of(x).exp(x - _largest(x, axis))
    return e / total(e, axis, keepdims=True)


@differentiable(
    x=lambda g, out, axis: g - exp(out) * sum_(g, axis=axis, keepdims=True), floats=True
)
def log_softmax(x, /, axis: Axes | None = -1):
    """x - logsumexp(x).  gx = g - softmax(x) Σ g.

    `axis` is an int or a tuple. Raises ShapeError for an axis that does not exist.

    >>> import glassgrad as gg
    >>> gg.log_softmax(gg.tensor([0.0, 1000.0]))
    tensor([-1000.,     0.])
    """
    axis = _check("log_softmax", x, axis)
    xp = xp_of(x)
    x = x - _largest(x, axis)
    return x - xp.log(total(xp.exp(x), axis, keepdims=True)) if x.size else x
