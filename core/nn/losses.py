"""Losses: how far predictions are from targets, as one number.

`reduction` is "mean" (over all elements, or over the rows if a loss reduces rows), "sum" or "none".
Predictions come first, targets second, with the same shape. Nothing is broadcast: a loss of [N, 1]
against [N] would silently compare everything with everything. Targets may be plain arrays.
"""

import math

import numpy as np

from ...kernels.checks import within
from ...kernels.errors import DTypeError, ValueRangeError, describe, expect
from ..arrays import is_array, xp_of
from ..differentiable import differentiable
from ..functions import (
    absolute,
    clip,
    log,
    maximum,
    minimum,
    relu,
    sigmoid,
    softplus,
)
from ..functions import sum as sum_
from ..functions.indexing import targets_are_known
from ..kinds import Like
from ..tensor import Tensor, as_tensor, numbers_of, values_of
from .cross_entropy import cross_entropy as cross_entropy
from .cross_entropy import linear_cross_entropy as linear_cross_entropy
from .cross_entropy import nll as nll
from .reduction import reduced


def _paired(function: str, x, y) -> tuple[Tensor, Tensor]:
    """Both as tensors. The target has x's shape; if it was not a float array, it gets x's dtype.

    A plain array is copied if the tape may keep it, because callers reuse target buffers.
    """
    x = as_tensor(x)
    if not isinstance(y, Tensor):
        kept = x.requires_grad
        given = numbers_of(function, y, None if is_array(y) else x.data)
        y = Tensor(given.copy() if kept else given)
    if y.dtype.kind != "f":
        y = Tensor(y.data.astype(x.dtype))
    what = "predictions and targets must have one shape"
    expect(x.shape == y.shape, function, what, x.shape, y.shape)
    if x.dtype.kind == "f" and x.dtype != y.dtype:
        raise DTypeError(
            f"{function}: float dtypes must agree; expected {x.dtype}, got {y.dtype}"
            f" {describe(predictions=x, targets=y)}; convert one with .astype(...)"
        )
    return x, y


def mse(x: Like, y, reduction: str = "mean") -> Tensor:
    """(x - y)².

    >>> import glassgrad as gg
    >>> mse(gg.tensor([1.0, 2.0]), [0.0, 4.0]).item()
    2.5
    """
    x, y = _paired("mse", x, y)
    d = x - y
    return reduced(d * d, "mse", reduction)


def l1(x: Like, y, reduction: str = "mean") -> Tensor:
    """|x - y|, with derivative 0 at 0.

    >>> import glassgrad as gg
    >>> l1(gg.tensor([1.0, 2.0]), [0.0, 4.0]).item()
    1.5
    """
    x, y = _paired("l1", x, y)
    return reduced(absolute(x - y), "l1", reduction)


def huber(x: Like, y, delta: float = 1.0, reduction: str = "mean") -> Tensor:
    """½ d² for |d| ≤ δ, δ(|d| - ½ δ) beyond, d = x - y (Huber 1964).

    Raises ValueRangeError unless δ > 0.

    >>> import glassgrad as gg
    >>> huber(gg.tensor([0.5, 3.0]), [0.0, 0.0], reduction="none")
    tensor([0.125, 2.5  ])
    """
    expect(delta > 0, "huber", "delta must be positive", "> 0", delta, ValueRangeError)
    x, y = _paired("huber", x, y)
    d = absolute(x - y)
    q = minimum(d, delta)
    return reduced(q * q * 0.5 + (d - q) * delta, "huber", reduction)


@differentiable(p=lambda g, p: g / maximum(p, 1e-12), name="clamped_log")
def _clamped_log(p, /):
    """ln p, at least -100, with the derivative 1/p, at most 1e12: both finite at p = 0."""
    xp = xp_of(p)
    with np.errstate(divide="ignore"):  # the clamp takes care of ln 0 = -inf
        return xp.maximum(xp.log(p), p.dtype.type(-100))


def _probabilities(function, **named):
    for name, p in named.items():
        values = values_of(p)
        known = name == "y" and targets_are_known()
        if not (known or bool(((values >= 0) & (values <= 1)).all())):
            raise ValueRangeError(
                f"{function}: {name} must hold probabilities; expected 0..1, got"
                f" {float(values.min()):g}..{float(values.max()):g} {p.describe()}"
            )


def binary_cross_entropy(p: Like, y, reduction: str = "mean") -> Tensor:
    """-(y ln p + (1 - y) ln(1 - p)) for probabilities p and targets y in 0..1.

    Logarithms are limited to -100 and their slopes to 1e12, so that p = 0 and 1 give finite values.
    For logits, `binary_cross_entropy_with_logits` is exact and cheaper. Raises ValueRangeError
    outside 0..1.

    >>> import glassgrad as gg
    >>> binary_cross_entropy(gg.tensor([0.5, 0.5]), [1.0, 0.0]).item()
    0.6931471824645996
    """
    p, y = _paired("binary_cross_entropy", p, y)
    _probabilities("binary_cross_entropy", p=p, y=y)
    loss = -(y * _clamped_log(p) + (1 - y) * _clamped_log(1 - p))
    return reduced(loss, "binary_cross_entropy", reduction)


def _logit_loss_fused(g, z, y, needs):
    """∂/∂z = σ(z) - y,  ∂/∂y = -z."""
    gz = sigmoid.body(z.data)
    gz -= y.data
    gz *= g.data
    return Tensor(gz), Tensor(-g.data * z.data) if needs[1] else None


@differentiable(vjp=_logit_loss_fused, composed=lambda z, y: softplus(z) - z * y, name="logit_loss")
def _logit_loss(z, y, /):
    """max(z, 0) - z y + ln(1 + e^-|z|)."""
    xp, loss, e = xp_of(z), xp_of(z).empty_like(z), xp_of(z).empty_like(z)
    xp.subtract(xp.maximum(z, z.dtype.type(0)), xp.multiply(z, y, out=e), out=loss)
    xp.exp(xp.negative(xp.abs(z, out=e), out=e), out=e)
    loss += xp.log1p(e, out=e)
    return loss


def binary_cross_entropy_with_logits(z: Like, y, reduction: str = "mean") -> Tensor:
    """-(y ln σ(z) + (1 - y) ln(1 - σ(z))) = max(z, 0) - z y + ln(1 + e^-|z|).

    >>> import glassgrad as gg
    >>> binary_cross_entropy_with_logits(gg.tensor([1000.0, -1000.0]), [1.0, 1.0], "none")
    tensor([   0., 1000.])
    """
    name = "binary_cross_entropy_with_logits"
    z, y = _paired(name, z, y)
    _probabilities(name, y=y)
    return reduced(_logit_loss(z, y), name, reduction)


def kl_divergence(p, log_q: Like, reduction: str = "mean") -> Tensor:
    """KL(p ‖ q) = Σ_k p_k (ln p_k - ln q_k) over the last axis, with 0 ln 0 = 0.

    p [..., K] are probabilities, log_q [..., K] log-probabilities (`log_softmax`); "mean" is over
    the rows. Raises ValueRangeError for p outside 0..1.

    >>> import glassgrad as gg
    >>> kl_divergence([[1.0, 0.0]], gg.log_softmax(gg.tensor([[0.0, 0.0]])))
    tensor(0.6931472)
    """
    log_q, p = _paired("kl_divergence", log_q, p)
    _probabilities("kl_divergence", p=p)
    rows = sum_(p * (_clamped_log(p) - log_q), axis=-1)
    return reduced(rows, "kl_divergence", reduction)


def gaussian_nll(
    mu: Like, y, variance: Like, reduction: str = "mean", eps: float = 1e-6, full: bool = False
) -> Tensor:
    """½ (ln v + (y - μ)²/v) with v = max(variance, ε) (Nix & Weigend 1994); `full` adds ½ ln 2π.

    Raises ValueRangeError for a negative variance. A variance below ε has the gradient 0.

    >>> import glassgrad as gg
    >>> gaussian_nll(gg.tensor([1.0]), [3.0], gg.tensor([1.0]))
    tensor(2.)
    """
    mu, y = _paired("gaussian_nll", mu, y)
    mu, variance = _paired("gaussian_nll", mu, variance)
    if not bool((variance.data >= 0).all()):
        raise ValueRangeError(
            f"gaussian_nll: variance must not be negative; expected ≥ 0, got"
            f" {float(variance.data.min()):g} {variance.describe()}"
        )
    within("gaussian_nll", "eps", eps, least=0)
    v = clip(variance, eps)
    d = y - mu
    loss = (log(v) + d * d / v) * 0.5
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, "gaussian_nll", reduction)


def hinge(scores: Like, y, reduction: str = "mean") -> Tensor:
    """max(0, 1 - y s) for scores s and targets y of -1 or +1 (Cortes & Vapnik 1995).

    Raises ValueRangeError for other targets.

    >>> import glassgrad as gg
    >>> hinge(gg.tensor([2.0, 0.5]), [1, 1], "none")
    tensor([0. , 0.5])
    """
    scores, y = _paired("hinge", scores, y)
    if not bool((abs(y.data) == 1).all()):
        raise ValueRangeError("hinge: targets must be -1 or +1")
    return reduced(relu(1 - y * scores), "hinge", reduction)
