"""Activation functions, each in a form that neither overflows nor loses digits."""

import numpy as np

from ..arrays import xp_of
from ..differentiable import differentiable
from ..tensor import Tensor
from .arithmetic import exp


@differentiable(x=lambda g, out: g * out * (1 - out))
def sigmoid(x, /):
    """σ(x) = 1/(1 + e⁻ˣ), with σ' = σ(1 - σ); computed as ½(1 + tanh(x/2)), which cannot overflow.

    >>> import glassgrad as gg
    >>> gg.sigmoid(gg.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0. , 0.5, 1. ])
    """
    half = x.dtype.type(0.5)
    xp = xp_of(x)
    if xp is np and x.dtype == np.float64:
        # tanh loses the tail below e⁻³⁶; the exponential keeps it
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + e), e / (1 + e))
    return half * xp.tanh(half * x) + half


@differentiable(x=lambda g, out: g * (1 - out * out))
def tanh(x, /):
    """tanh x, with tanh' = 1 - tanh²."""
    return xp_of(x).tanh(x)


def _positive(t: Tensor) -> Tensor:
    return Tensor((t.data > 0).astype(t.dtype))


@differentiable(x=lambda g, out: g * _positive(out), piecewise=True)
def relu(x, /):
    """max(x, 0), with derivative 0 at 0; NaN stays NaN."""
    return xp_of(x).maximum(x, x.dtype.type(0))


def _slope(x: Tensor, slope: float) -> Tensor:
    one = x.dtype.type(1)
    return Tensor(x.xp.where(x.data > 0, one, x.dtype.type(slope)))


@differentiable(x=lambda g, x, slope: g * _slope(x, slope), piecewise=True)
def leaky_relu(x, /, slope=0.01):
    """x for x > 0, slope·x otherwise (Maas et al. 2013)."""
    return xp_of(x).where(x > 0, x, x * x.dtype.type(slope))


def _elu_slope(g, x, alpha):
    up = _positive(x)
    low = Tensor(x.xp.minimum(x.data, 0)) if x.node is None and not x.requires_grad else None
    low = low if low is not None else x * (1 - up)  # the branch below 0, differentiable
    return g * (up + (1 - up) * exp(low) * alpha)


@differentiable(x=_elu_slope, piecewise=True)
def elu(x, /, alpha=1.0):
    """x for x > 0, α(eˣ - 1) otherwise (Clevert et al. 2016)."""
    xp = xp_of(x)
    return xp.where(x > 0, x, x.dtype.type(alpha) * xp.expm1(xp.minimum(x, 0)))


@differentiable(x=lambda g, x: g * sigmoid(x))
def softplus(x, /):
    """ln(1 + eˣ) = max(x, 0) + ln(1 + e^-|x|), with derivative σ(x)."""
    xp = xp_of(x)
    return xp.maximum(x, x.dtype.type(0)) + xp.log1p(xp.exp(-abs(x)))


def log_sigmoid(x: Tensor) -> Tensor:
    """ln σ(x) = -softplus(-x)."""
    return -softplus(-x)
