"""Activation functions, each in a form that neither overflows nor loses digits."""

import math
from typing import Literal

import numpy as np

from ..arrays import xp_of
from ..differentiable import differentiable
from ..kinds import Like
from ..tensor import Tensor
from .arithmetic import exp, maximum, minimum


def _exp_of_minus_abs(x):
    """e^-|x| in one new array."""
    xp, e = xp_of(x), xp_of(x).empty_like(x)
    return xp.exp(xp.negative(xp.abs(x, out=e), out=e), out=e)


@differentiable(x=lambda g, out: g * out * (1 - out), floats=True)
def sigmoid(x, /):
    """σ(x) = 1/(1 + e⁻ˣ), with σ' = σ(1 - σ).

    With e = exp(-|x|) it is 1/(1 + e) for x ≥ 0 and e/(1 + e) below: nothing overflows, and small
    values keep all their digits; in ½(1 + tanh(x/2)) they would cancel.

    >>> import glassgrad as gg
    >>> gg.sigmoid(gg.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0. , 0.5, 1. ])
    """
    e = _exp_of_minus_abs(x)
    y = xp_of(x).where(x >= 0, x.dtype.type(1), e)
    e += 1
    y /= e
    return y


@differentiable(x=lambda g, out: g * (1 - out * out), floats=True)
def tanh(x, /):
    """tanh x, with tanh' = 1 - tanh².

    x of any shape; integers become float32.

    >>> import glassgrad as gg
    >>> gg.tanh(gg.tensor([0.0, 1000.0]))
    tensor([0., 1.])
    """
    return xp_of(x).tanh(x)


def _positive(t: Tensor) -> Tensor:
    return Tensor((t.data > 0).astype(t.dtype))


@differentiable(x=lambda g, mask: _where_positive(g, mask=mask), name="relu_backward")
def _where_positive(x, /, mask):
    """x where the mask is True, 0·x elsewhere, without making a mask of floats."""
    return x * mask


@differentiable(x=lambda g, out: _where_positive(g, mask=out.data > 0), piecewise=True)
def relu(x, /):
    """max(x, 0), with derivative 0 at 0; NaN stays NaN.

    x of any shape (Nair & Hinton 2010; the lecture's default).

    >>> import glassgrad as gg
    >>> gg.relu(gg.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    return xp_of(x).maximum(x, x.dtype.type(0))


def _slope(x: Tensor, slope: float) -> Tensor:
    one = x.dtype.type(1)
    return Tensor(x.xp.where(x.data > 0, one, x.dtype.type(slope)))


@differentiable(x=lambda g, x, slope: g * _slope(x, slope), piecewise=True, floats=True)
def leaky_relu(x, /, slope: float = 0.01):
    """x for x > 0, slope·x otherwise (Maas et al. 2013).

    x of any shape; integers become float32.

    >>> import glassgrad as gg
    >>> gg.leaky_relu(gg.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1,  2. ])
    """
    return xp_of(x).where(x > 0, x, x * x.dtype.type(slope))


def _elu_slope(g, x, alpha):
    up = _positive(x)
    return g * (up + (1 - up) * exp(minimum(x, 0.0)) * alpha)


@differentiable(x=_elu_slope, piecewise=True, floats=True)
def elu(x, /, alpha: float = 1.0):
    """x for x > 0, α(eˣ - 1) otherwise (Clevert et al. 2016).

    x of any shape; integers become float32.

    >>> import glassgrad as gg
    >>> gg.elu(gg.tensor([-1000.0, 2.0]))
    tensor([-1.,  2.])
    """
    xp = xp_of(x)
    return xp.where(x > 0, x, x.dtype.type(alpha) * xp.expm1(xp.minimum(x, 0)))


@differentiable(x=lambda g, x: g * sigmoid(x), floats=True)
def softplus(x, /):
    """ln(1 + eˣ) = max(x, 0) + ln(1 + e^-|x|), with derivative σ(x).

    x of any shape; integers become float32.

    >>> import glassgrad as gg
    >>> gg.softplus(gg.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.000000e+00, 6.931472e-01, 1.000000e+03])
    """
    xp = xp_of(x)
    e = _exp_of_minus_abs(x)
    y = xp.log1p(e, out=e)
    y += xp.maximum(x, x.dtype.type(0))
    return y


def log_sigmoid(x: Like) -> Tensor:
    """ln σ(x) = -softplus(-x).

    Finite for every finite x; log(sigmoid(x)) would underflow to -∞.

    >>> import glassgrad as gg
    >>> gg.log_sigmoid(gg.tensor([-1000.0, 0.0]))
    tensor([-1.000000e+03, -6.931472e-01])
    """
    return -softplus(-x)


def _flat(x: Tensor, most: float) -> Tensor:
    """x limited to ±most, beyond which the slopes here are 0 or 1: ∞ · 0 has no value."""
    return minimum(maximum(x, -most), most)


@differentiable(x=lambda g, x: g * sigmoid(x) * (1 + _flat(x, 1000.0) * sigmoid(-x)), floats=True)
def silu(x, /):
    """x σ(x), also called swish (Elfwing et al. 2018); 0 at -∞.

    x of any shape; integers become float32.

    >>> import glassgrad as gg
    >>> gg.silu(gg.tensor([-1000.0, 0.0, 1000.0]))
    tensor([  -0.,    0., 1000.])
    """
    return xp_of(x).maximum(x, np.finfo(x.dtype).min) * sigmoid.body(x)


@differentiable(x=lambda g, x: g * exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi)), floats=True)
def normal_cdf(x, /):
    """Φ(x) = ½ erfc(-x/√2), the share of a standard normal below x.

    x of any shape; integers become float32. Small values keep all their digits.

    >>> import glassgrad as gg
    >>> gg.normal_cdf(gg.tensor([-100.0, 0.0, 10.0]))
    tensor([0. , 0.5, 1. ])
    """
    if xp_of(x).__name__ == "cupy":
        from cupyx.scipy.special import erfc
    else:
        from scipy.special import erfc
    return erfc(x * x.dtype.type(-math.sqrt(0.5))) * x.dtype.type(0.5)


STEEP, BEND = 2 * math.sqrt(2 / math.pi), 0.044715  # of the approximation by a tangent


def _gelu_slope(g, x, approximate):
    """Φ(x) + x φ(x); of x σ(u), σ(u) (1 + x σ(-u) u')."""
    t = _flat(x, 100.0)
    if approximate == "none":
        return g * (normal_cdf(x) + t * exp(t * t * -0.5) * (1 / math.sqrt(2 * math.pi)))
    u = STEEP * t * (1 + BEND * t * t)
    return g * sigmoid(u) * (1 + t * sigmoid(-u) * (STEEP + 3 * STEEP * BEND * t * t))


@differentiable(x=_gelu_slope, floats=True)
def gelu(x, /, approximate: Literal["none", "tanh"] = "none"):
    """x Φ(x), Φ the distribution function of a standard normal; 0 at -∞ (Hendrycks & Gimpel 2016).

    ``approximate="tanh"`` is ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), computed as
    x σ(2 √(2/π) (x + 0.044715 x³)), in which small values keep their digits.

    x of any shape; integers become float32. Raises ValueRangeError for another approximation.

    >>> import glassgrad as gg
    >>> gg.gelu(gg.tensor([-100.0, 0.0, 10.0])), gg.gelu(gg.tensor([10.0]), "tanh")
    (tensor([-0.,  0., 10.]), tensor([10.]))
    """
    xp = xp_of(x)
    if approximate == "none":
        share = normal_cdf.body(x)
    else:
        t = xp.minimum(xp.maximum(x, -100), 100)  # its cube does not overflow
        share = sigmoid.body(x.dtype.type(STEEP) * t * (1 + x.dtype.type(BEND) * t * t))
    return xp.maximum(x, np.finfo(x.dtype).min) * share
