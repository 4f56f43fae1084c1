"""Losses: how far predictions are from targets, as one number.

`reduction` is "mean" (over all elements, or over the rows if a loss reduces rows), "sum" or "none".
Predictions come first, targets second, with the same shape. Nothing is broadcast: a loss of [N, 1]
against [N] would silently compare everything with everything. Targets may be plain arrays.
"""

import math

import numpy as np

from ...kernels import cross_entropy as kernel
from ...kernels.checks import choice, within
from ...kernels.errors import DTypeError, ShapeError, ValueRangeError, describe, expect
from ...kernels.product import product
from ..arrays import is_array, placed, xp_of
from ..differentiable import differentiable
from ..functions import (
    absolute,
    clip,
    linear,
    log,
    logsumexp,
    maximum,
    minimum,
    relu,
    sigmoid,
    softplus,
    take_along,
    where,
)
from ..functions import sum as sum_
from ..functions.indexing import check_labels, labels_as_array, targets_are_known
from ..functions.linalg import expect_linear
from ..tensor import Tensor, as_tensor, numbers_of, values_of


def _reduce(values: Tensor, function: str, reduction: str) -> Tensor:
    choice(function, "reduction", reduction, ("mean", "sum", "none"))
    if reduction == "none":
        return values
    if values.size == 0:
        raise ShapeError(f"{function}: the batch is empty, it has no {reduction} {values.shape}")
    return values.mean() if reduction == "mean" else values.sum()


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


def mse(x: Tensor, y, reduction: str = "mean") -> Tensor:
    """(x - y)².

    >>> import glassgrad as gg
    >>> mse(gg.tensor([1.0, 2.0]), [0.0, 4.0]).item()
    2.5
    """
    x, y = _paired("mse", x, y)
    d = x - y
    return _reduce(d * d, "mse", reduction)


def l1(x: Tensor, y, reduction: str = "mean") -> Tensor:
    """|x - y|, with derivative 0 at 0.

    >>> import glassgrad as gg
    >>> l1(gg.tensor([1.0, 2.0]), [0.0, 4.0]).item()
    1.5
    """
    x, y = _paired("l1", x, y)
    return _reduce(absolute(x - y), "l1", reduction)


def huber(x: Tensor, y, delta: float = 1.0, reduction: str = "mean") -> Tensor:
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
    return _reduce(q * q * 0.5 + (d - q) * delta, "huber", reduction)


def _cross_entropy_composed(logits, /, labels):
    known = labels >= 0
    z = where(known[..., None], logits, 0.0)  # what an unknown row holds must not come through
    lse = logsumexp(z, axis=-1)
    return where(known, lse - take_along(z, labels.clip(0)), 0.0), lse.detach()


def _cross_entropy_fused(g, logits, out, labels):
    """softmax - one_hot, with one exponential: the forward pass kept the log-sum-exp."""
    z, rows = _as_rows(logits.data, labels)
    g, lse = (t.data.reshape(-1) for t in (g[0], out[1]))
    return Tensor(kernel.backward(g, z, rows, lse).reshape(logits.shape))


def _as_rows(logits, labels):
    """[..., K] and [...] in the shapes that the kernels take: [N, K] and [N]."""
    n = labels.size
    return logits.reshape(n, logits.shape[-1]), labels.reshape(n)


@differentiable(vjp=_cross_entropy_fused, composed=_cross_entropy_composed, name="cross_entropy")
def _cross_entropy(logits, /, labels):
    """(-ln softmax(logits)[label], log-sum-exp); the second is kept for the derivative."""
    loss, lse = kernel.forward(*_as_rows(logits, labels))
    return loss.reshape(labels.shape), lse.reshape(labels.shape)


def cross_entropy(
    logits: Tensor,
    labels,
    reduction: str = "mean",
    *,
    weight=None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """-ln softmax(logits)[label] for logits [..., K] and integer labels [...] in 0..K-1.

    Computed as logsumexp(z) - z_label, so that no probability underflows. The classes are the
    *last* axis.

    weight           [K], a factor of each class; "mean" is then Σ loss / Σ weight[label]
    ignore_index     a label that stands for "unknown": such a row has the loss 0, whatever its
                     logits are, and no part in a mean
    label_smoothing  ε: the target is 1 - ε at the label, and ε/K more at every class
                     (Szegedy et al. 2016)

    Raises DTypeError, ShapeError or ValueRangeError for bad labels and weights, and where all
    labels of a mean are unknown.

    >>> import glassgrad as gg
    >>> logits = gg.tensor([[0.0, 0.0], [0.0, 1000.0]])
    >>> round(cross_entropy(logits, [0, 1]).item(), 4)
    0.3466
    >>> cross_entropy(logits, [-1, 0], ignore_index=-1, label_smoothing=0.5)
    tensor(750.)
    """
    name = "cross_entropy"
    logits = as_tensor(logits)
    labels = _labels(name, logits, labels, ignore_index)
    within(name, "label_smoothing", label_smoothing, least=0, most=1)
    loss = _cross_entropy(logits, labels=labels)[0]
    if weight is None and not label_smoothing and ignore_index is None:
        return _reduce(loss, name, reduction)
    known = (labels >= 0).astype(logits.dtype)
    of_class = _class_weights(name, logits, weight)
    of_row = known if weight is None else known * of_class[labels.clip(0)]
    if label_smoothing:
        loss = loss * of_row * (1 - label_smoothing)
        loss = loss + _to_all(logits, labels, of_class) * (label_smoothing / logits.shape[-1])
    elif weight is not None:
        loss = loss * of_row
    choice(name, "reduction", reduction, ("mean", "sum", "none"))
    if reduction != "mean":
        return loss if reduction == "none" else loss.sum()
    _reduce(loss, name, reduction)  # refuses an empty batch
    if not targets_are_known() and not known.any():
        raise ValueRangeError(f"{name}: all labels are {ignore_index}, there is no mean")
    return loss.sum() / Tensor(of_row.sum())


def _class_weights(function: str, logits, weight):
    """weight [K] as an array of the logits' kind; ones where it is None."""
    if weight is None:
        return xp_of(logits.data).ones(logits.shape[-1:], logits.dtype)
    weight = placed(np.asarray(values_of(weight)), logits.data).astype(logits.dtype)
    what, classes = "weight must have one number for each class", logits.shape[-1:]
    expect(weight.shape == classes, function, what, classes, weight.shape, logits=logits)
    return weight


def _to_all(logits, labels, weight):
    """-Σ_k weight_k ln softmax(z)_k of each row, 0 where its label is unknown."""
    z = where((labels >= 0)[..., None], logits, 0.0)
    rows = logsumexp(z, axis=-1) * float(weight.sum()) - (z * Tensor(weight)).sum(axis=-1)
    return where(labels >= 0, rows, 0.0)


LOGITS = 1 << 22  # of `linear_cross_entropy` that exist at a time: 16 MiB in float32


def _logits_in_parts(x, w, b):
    """Slices of the rows of x [N, D], each with its logits x wᵀ + b [n, K], one part at a time."""
    step = max(1, LOGITS // max(1, len(w)))
    for at in range(0, len(x), step):
        part = slice(at, at + step)
        z = product(x[part], w.T)
        if b is not None:
            z += b
        yield part, z


def _linear_cross_entropy_composed(x, w, b=None, /, *, labels):
    return _cross_entropy_composed(linear(x, w, b), labels)


def _linear_cross_entropy_fused(g, x, w, b, out, labels, needs):
    """gz = g (softmax - one_hot), gx = gz w, gw = gzᵀ x, gb = Σ gz; z is computed again."""
    g, lse, x, w = g[0].data, out[1].data, x.data, w.data
    b = None if b is None else b.data
    gx, gw, gb = (xp_of(x).zeros_like(a) if need else None for a, need in zip((x, w, b), needs))
    for part, z in _logits_in_parts(x, w, b):
        gz = kernel.backward(g[part], z, labels[part], lse[part])
        if needs[0]:
            gx[part] = product(gz, w)
        if needs[1]:
            gw += product(gz.T, x[part])
        if needs[2]:
            gb += gz.sum(axis=0)
    return tuple(None if a is None else Tensor(a) for a in (gx, gw, gb))


@differentiable(
    vjp=_linear_cross_entropy_fused,
    composed=_linear_cross_entropy_composed,
    flops=lambda arrays, outs, settings: 2 * arrays[0].size * len(arrays[1]),
    name="linear_cross_entropy",
)
def _linear_cross_entropy(x, w, b=None, /, *, labels):
    """(-ln softmax(x wᵀ + b)[label], log-sum-exp); the second is kept for the derivative."""
    xp = xp_of(x)
    loss, lse = xp.empty(len(x), x.dtype), xp.empty(len(x), x.dtype)
    for part, z in _logits_in_parts(x, w, b):
        loss[part], lse[part] = kernel.forward(z, labels[part])
    return loss, lse


def linear_cross_entropy(
    x: Tensor, w: Tensor, b: Tensor | None, labels, reduction: str = "mean"
) -> Tensor:
    """`cross_entropy(linear(x, w, b), labels)` without its matrix of logits.

    x [..., D], w [K, D], b [K] or None, integer labels [...] in 0..K-1. With K = 30 000 words and
    N = 4096 rows, the logits take 491 MB in float32 and their gradient as much again. Here they
    exist for 16 MiB of rows at a time, and backward they are computed again: four matrix products
    of N·K·D instead of three (`glassgrad bench softmax.layer` measures it).
    Raises as `linear` and `cross_entropy`. Source: Wijmans et al., "Cut your losses in
    large-vocabulary language models", 2024, which never write a logit to memory.

    >>> import glassgrad as gg
    >>> x, w = gg.tensor([[1.0], [2.0]]), gg.tensor([[0.0], [1.0]])
    >>> linear_cross_entropy(x, w, None, [1, 0], "none")
    tensor([0.31326166, 2.126928  ])
    """
    x, w, b = expect_linear("linear_cross_entropy", x, w, b)
    labels = check_labels("linear_cross_entropy", labels, len(w))
    rows, what = x.shape[:-1], "labels must have x's leading shape"
    expect(labels.shape == rows, "linear_cross_entropy", what, rows, labels.shape, x=x)
    labels = placed(labels, x.data).astype(np.int64, copy=False)
    x = x.reshape(labels.size, x.shape[-1])
    loss = _linear_cross_entropy(x, w, b, labels=labels.reshape(-1))[0]
    return _reduce(loss.reshape(rows), "linear_cross_entropy", reduction)


def nll(log_probabilities: Tensor, labels, reduction: str = "mean") -> Tensor:
    """-log_probabilities[label] for log-probabilities [..., K] and integer labels [...].

    Raises DTypeError, ValueRangeError or ShapeError for bad labels.

    >>> import glassgrad as gg
    >>> nll(gg.tensor([[-1.0, -2.0], [-3.0, -4.0]]), [0, 1]).item()
    2.5
    """
    log_probabilities = as_tensor(log_probabilities)
    labels = _labels("nll", log_probabilities, labels)
    return _reduce(-take_along(log_probabilities, labels), "nll", reduction)


def _labels(function, logits, labels, unknown=None):
    """int64 labels next to the logits, -1 where they equal `unknown`."""
    expect(logits.ndim >= 1, function, "logits must have a class axis", "≥ 1 axis", logits.ndim)
    labels = labels_as_array(labels)
    missing = None if unknown is None else labels == unknown
    if missing is not None:
        labels = xp_of(labels).where(missing, 0, labels)
    labels = check_labels(function, labels, logits.shape[-1])
    if missing is not None:
        labels = xp_of(labels).where(missing, -1, labels)
    rows, what = logits.shape[:-1], "labels must have the logits' leading shape"
    expect(labels.shape == rows, function, what, rows, labels.shape, logits=logits)
    return placed(labels, logits.data).astype(np.int64, copy=False)


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


def binary_cross_entropy(p: Tensor, y, reduction: str = "mean") -> Tensor:
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
    return _reduce(loss, "binary_cross_entropy", reduction)


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


def binary_cross_entropy_with_logits(z: Tensor, y, reduction: str = "mean") -> Tensor:
    """-(y ln σ(z) + (1 - y) ln(1 - σ(z))) = max(z, 0) - z y + ln(1 + e^-|z|).

    >>> import glassgrad as gg
    >>> binary_cross_entropy_with_logits(gg.tensor([1000.0, -1000.0]), [1.0, 1.0], "none")
    tensor([   0., 1000.])
    """
    name = "binary_cross_entropy_with_logits"
    z, y = _paired(name, z, y)
    _probabilities(name, y=y)
    return _reduce(_logit_loss(z, y), name, reduction)


def kl_divergence(p, log_q: Tensor, reduction: str = "mean") -> Tensor:
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
    return _reduce(rows, "kl_divergence", reduction)


def gaussian_nll(
    mu: Tensor, y, variance: Tensor, reduction: str = "mean", eps: float = 1e-6, full: bool = False
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
    return _reduce(loss + 0.5 * math.log(2 * math.pi) if full else loss, "gaussian_nll", reduction)


def hinge(scores: Tensor, y, reduction: str = "mean") -> Tensor:
    """max(0, 1 - y s) for scores s and targets y of -1 or +1 (Cortes & Vapnik 1995).

    Raises ValueRangeError for other targets.

    >>> import glassgrad as gg
    >>> hinge(gg.tensor([2.0, 0.5]), [1, 1], "none")
    tensor([0. , 0.5])
    """
    scores, y = _paired("hinge", scores, y)
    if not bool((abs(y.data) == 1).all()):
        raise ValueRangeError("hinge: targets must be -1 or +1")
    return _reduce(relu(1 - y * scores), "hinge", reduction)
