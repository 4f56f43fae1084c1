"""Log-sum-exp, softmax and their logarithms: the largest term is taken out first."""

import math

from ..arrays import xp_of
from ..differentiable import differentiable
from .arithmetic import exp, where
from .reductions import _check, _spread
from .reductions import sum as sum_
from .summation import total


def _weights(g, x, out, axis, x_shape):
    """g · exp(x - logsumexp(x)); a row of nothing but -∞ has weights 0, not NaN."""
    top = _spread(out, x_shape, axis)
    return _spread(g, x_shape, axis) * exp(x - where(top.data == -math.inf, 0.0, top))


@differentiable(x=_weights, floats=True)
def logsumexp(x, /, axis=-1, keepdims=False):
    """ln Σ eˣ over `axis`.  Its gradient is softmax(x).

    >>> import glassgrad as gg
    >>> gg.logsumexp(gg.tensor([1000.0, 1000.0]))
    tensor(1000.6932)
    """
    axis = _check("logsumexp", x, axis)
    xp = xp_of(x)
    top = x.max(axis=axis, keepdims=True)
    safe = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    out = xp.log(total(xp.exp(x - safe), axis, keepdims=True)) + safe
    return out if keepdims else xp.asarray(out.squeeze(axis))


@differentiable(
    x=lambda g, out, axis: out * (g - sum_(g * out, axis=axis, keepdims=True)), floats=True
)
def softmax(x, /, axis=-1):
    """eˣ / Σ eˣ along `axis`.  gx = y (g - Σ g y).

    `axis` is an int or a tuple. A row of nothing but -∞ has no softmax: NaN.

    >>> import glassgrad as gg
    >>> gg.softmax(gg.tensor([1000.0, 1000.0]))
    tensor([0.5, 0.5])
    """
    axis = _check("softmax", x, axis)
    e = xp_of(x).exp(x - x.max(axis=axis, keepdims=True))
    return e / total(e, axis, keepdims=True)


@differentiable(
    x=lambda g, out, axis: g - exp(out) * sum_(g, axis=axis, keepdims=True), floats=True
)
def log_softmax(x, /, axis=-1):
    """x - logsumexp(x).  gx = g - softmax(x) Σ g.

    `axis` is an int or a tuple.

    >>> import glassgrad as gg
    >>> gg.log_softmax(gg.tensor([0.0, 1000.0]))
    tensor([-1000.,     0.])
    """
    axis = _check("log_softmax", x, axis)
    xp = xp_of(x)
    x = x - x.max(axis=axis, keepdims=True)
    return x - xp.log(total(xp.exp(x), axis, keepdims=True))
