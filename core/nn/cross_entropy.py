"""Cross-entropy of a softmax: of logits, of a last layer that has none, of log-probabilities."""

import numpy as np

from ...kernels import cross_entropy as kernel
from ...kernels.checks import choice, within
from ...kernels.doors import check_all
from ...kernels.errors import ValueRangeError, expect
from ...kernels.product import product
from ..arrays import is_array, placed, xp_of
from ..differentiable import differentiable
from ..functions import linear, logsumexp, take_along, where
from ..functions.indexing import check_labels, labels_as_array, targets_are_known
from ..functions.linalg import expect_linear
from ..kinds import Like
from ..tensor import Tensor, as_tensor, values_of
from .reduction import reduced


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
    logits: Like,
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
        return reduced(loss, name, reduction)
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
    reduced(loss, name, reduction)  # refuses an empty batch
    if not targets_are_known() and not known.any():
        raise ValueRangeError(f"{name}: all labels are {ignore_index}, there is no mean")
    return loss.sum() / Tensor(of_row.sum())


def _class_weights(function: str, logits, weight):
    """weight [K] as an array of the logits' kind; ones where it is None."""
    if weight is None:
        return xp_of(logits.data).ones(logits.shape[-1:], logits.dtype)
    weight = values_of(weight)
    weight = weight if is_array(weight) else np.asarray(weight)
    weight = placed(weight, logits.data).astype(logits.dtype)
    what, classes = "weight must have one number for each class", logits.shape[-1:]
    expect(weight.shape == classes, function, what, classes, weight.shape, logits=logits)
    return weight


def _to_all(logits, labels, weight):
    """-Σ_k weight_k ln softmax(z)_k of each row, 0 where its label is unknown."""
    z = where((labels >= 0)[..., None], logits, 0.0)
    rows = logsumexp(z, axis=-1) * Tensor(weight.sum()) - (z * Tensor(weight)).sum(axis=-1)
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
    x: Like, w: Like, b: Like | None, labels, reduction: str = "mean"
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
    >>> linear_cross_entropy(x, w, None, [1, 0], "none").numpy().round(4)
    array([0.3133, 2.1269], dtype=float32)
    """
    x, w, b = expect_linear("linear_cross_entropy", x, w, b)
    labels = check_labels("linear_cross_entropy", labels, len(w))
    rows, what = x.shape[:-1], "labels must have x's leading shape"
    expect(labels.shape == rows, "linear_cross_entropy", what, rows, labels.shape, x=x)
    labels = placed(labels, x.data).astype(np.int64, copy=False)
    x = x.reshape(labels.size, x.shape[-1])
    loss = _linear_cross_entropy(x, w, b, labels=labels.reshape(-1))[0]
    return reduced(loss.reshape(rows), "linear_cross_entropy", reduction)


def nll(log_probabilities: Like, labels, reduction: str = "mean") -> Tensor:
    """-log_probabilities[label] for log-probabilities [..., K] and integer labels [...].

    Raises DTypeError, ValueRangeError or ShapeError for bad labels.

    >>> import glassgrad as gg
    >>> nll(gg.tensor([[-1.0, -2.0], [-3.0, -4.0]]), [0, 1]).item()
    2.5
    """
    log_probabilities = as_tensor(log_probabilities)
    labels = _labels("nll", log_probabilities, labels)
    return reduced(-take_along(log_probabilities, labels), "nll", reduction)


def _labels(function, logits, labels, unknown=None):
    """int64 labels next to the logits, -1 where they equal `unknown`."""
    expect(logits.ndim >= 1, function, "logits must have a class axis", "≥ 1 axis", logits.ndim)
    labels = labels_as_array(labels)
    if unknown is None:
        labels = check_labels(function, labels, logits.shape[-1])
    else:
        missing = labels == unknown
        labels = check_labels(
            function, xp_of(labels).where(missing, 0, labels), logits.shape[-1]
        ).astype(np.int64)  # uint8 has no -1
        labels = xp_of(labels).where(missing, -1, labels)
    rows, what = logits.shape[:-1], "labels must have the logits' leading shape"
    expect(labels.shape == rows, function, what, rows, labels.shape, logits=logits)
    return placed(labels, logits.data).astype(np.int64, copy=False)


check_all(globals(), ("cross_entropy", "linear_cross_entropy", "nll"))
