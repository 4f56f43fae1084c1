"""Clipping: keep gradients from exploding, and weights in a cube.

A clipped gradient is a new array: two parameters may share the old one. Gradients: Pascanu, Mikolov
& Bengio 2013. Weights, which bounds the slope of a network: Arjovsky, Chintala & Bottou 2017.
"""

import math

import numpy as np

from ...kernels.annotations import Number
from ...kernels.errors import ValueRangeError, expect
from ..arrays import xp_of
from ..tape import Tensors
from ..tensor import Tensor


def _norm(g) -> float:
    """√Σg² in float64, scaled against overflow; NaN and Inf are passed on."""
    xp = xp_of(g)
    top = float(xp.abs(g).max()) if g.size else 0.0
    if top == 0 or not math.isfinite(top):
        return top
    return top * math.sqrt(float(xp.square(g / g.dtype.type(top)).sum(dtype="float64")))


def grad_norm(parameters: Tensors) -> float:
    """The Euclidean norm of all gradients together, as if they were one vector."""
    norms = [_norm(p.grad.data) for p in parameters if p.grad is not None]
    return math.nan if any(map(math.isnan, norms)) else math.hypot(*norms)


def finite_gradients(parameters: Tensors) -> bool:
    """True if no gradient holds NaN or Inf.

    The sums decide, in one pass and one transfer from the device. A sum that is not finite may also
    be an overflow, so only then the elements are checked.
    """
    grads = [p.grad.data for p in parameters if p.grad is not None]
    with np.errstate(all="ignore"):
        if math.isfinite(float(sum(g.sum() for g in grads))):
            return True
    return all(bool(xp_of(g).isfinite(g).all()) for g in grads)


def clip_grad_norm(parameters: Tensors, max_norm: Number) -> float:
    """Scale all gradients by max_norm/norm if their joint norm is larger; return the norm.

    The norm is the one before clipping. If it is NaN or infinite, it is returned and the gradients
    are not changed: they no longer have a direction to keep.

    >>> import glassgrad as gg
    >>> x = gg.tensor([3.0, 4.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> clip_grad_norm([x], 5.0), x.grad.numpy().tolist()
    (10.0, [3.0, 4.0])
    """
    what = "max_norm must be positive"
    expect(max_norm > 0, "clip_grad_norm", what, "> 0", max_norm, ValueRangeError)
    parameters = list(parameters)
    norm = grad_norm(parameters)
    if norm > max_norm and math.isfinite(norm):
        for p in parameters:
            if p.grad is not None:
                p.grad = Tensor(p.grad.data * p.grad.dtype.type(max_norm / norm))
    return norm


def clip_grad_value(parameters: Tensors, limit: Number) -> None:
    """Limit every element of the gradients to ±limit; NaN stays NaN."""
    expect(limit > 0, "clip_grad_value", "limit must be positive", "> 0", limit, ValueRangeError)
    for p in parameters:
        if p.grad is not None:
            g = p.grad.data
            p.grad = Tensor(xp_of(g).clip(g, -limit, limit))


def clip_weights(parameters: Tensors, limit: Number) -> None:
    """Limit every element of the parameters to ±limit, a cube of side 2·limit; NaN stays NaN.

    >>> import glassgrad as gg
    >>> w = gg.tensor([0.5, -0.001], requires_grad=True)
    >>> clip_weights([w], 0.01)
    >>> w.numpy().round(4).tolist()
    [0.009999999776482582, -0.0010000000474974513]
    """
    expect(limit > 0, "clip_weights", "limit must be positive", "> 0", limit, ValueRangeError)
    for p in parameters:
        p.assign(xp_of(p.data).clip(p.data, -limit, limit))
