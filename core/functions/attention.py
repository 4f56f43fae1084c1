"""Attention: as the formula, and as one fused call of the kernels (kernels/attention)."""

import math

from ...kernels import attention as kernel
from ...kernels.checks import within
from ...kernels.errors import expect
from ..differentiable import differentiable
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .arithmetic import where
from .indexing import check_lengths
from .linalg import matmul
from .shapes import swap_axes
from .softmax import logsumexp, softmax


def _composed(q, k, v, /, lengths, scale, causal):
    """softmax(c q kᵀ) v; a key that is not there has the score -∞, its value is 0."""
    xp, (m, n) = q.xp, (q.shape[1], k.shape[1])
    there = xp.arange(n) < lengths[:, None]
    k, v = (where(there[..., None], t, 0.0) for t in (k, v))
    seen = xp.broadcast_to(there[:, None], (len(there), m, n))
    if causal:
        seen = seen & (xp.arange(n) <= xp.arange(m)[:, None])
    some = seen.any(axis=2)[..., None]  # a query without a key: any weights, but no values
    s = where(seen | ~some, scale * matmul(q, swap_axes(k, 1, 2)), -math.inf)
    o = where(some, matmul(softmax(s), v), 0.0)
    return o, where(some[..., 0], logsumexp(s), -math.inf).detach()


def _fused(g, q, k, v, out, lengths, scale, causal):
    arrays = (t.data for t in (g[0], q, k, v, *out))
    return tuple(map(Tensor, kernel.backward(*arrays, lengths, scale, causal)))


@differentiable(
    vjp=_fused,
    composed=_composed,
    flops=lambda arrays, outs, settings: 2 * outs[1].size * arrays[1].shape[1]
    * (arrays[1].shape[2] + arrays[2].shape[2]),
    name="attention",
)  # fmt: skip
def _attention(q, k, v, /, lengths, scale, causal):
    """(o, lse); the log-sum-exp of the scores is kept for the derivative."""
    return kernel.forward(q, k, v, lengths, scale, causal)


def scaled_dot_product_attention(
    q: Like, k: Like, v: Like, lengths=None, causal: bool = False, scale: float | None = None
) -> Tensor:
    """softmax(c q kᵀ) v: each query reads the values, each as much as its key fits the query.

    q [..., M, D], k [..., N, D], v [..., N, E] -> [..., M, E], with the same axes in front; c is
    `scale`, by default 1/√D. `lengths` are integers for the axes in front: how many keys are there,
    by default all N; what is beyond has no influence. `causal` leaves query m the keys 0 ... m. A
    query without any key gets zeros. Raises ShapeError, DTypeError, ValueRangeError.
    (Vaswani et al. 2017; the names are PyTorch's, which takes a mask for the lengths.)

    >>> import glassgrad as gg
    >>> q, k, v = gg.zeros((1, 2)), gg.ones((3, 2)), gg.tensor([[1.0], [3.0], [8.0]])
    >>> gg.scaled_dot_product_attention(q, k, v)  # all keys fit equally: the mean
    tensor([[4.]])
    >>> gg.scaled_dot_product_attention(q, k, v, lengths=2)
    tensor([[2.]])
    """
    name = "scaled_dot_product_attention"
    q, k, v = map(as_tensor, (q, k, v))
    for key, t in (("q", q), ("k", k), ("v", v)):
        expect(t.ndim >= 2, name, f"{key} must have two axes at least", "≥ 2 axes", t.ndim, q=q)
    front, (m, d), (n, e) = q.shape[:-2], q.shape[-2:], v.shape[-2:]
    for key, t, shape in (("k", k, (*front, n, d)), ("v", v, (*front, n, e))):
        what = f"{key} must fit q and the other"
        expect(t.shape == shape, name, what, shape, t.shape, q=q, k=k, v=v)
    if scale is None:
        scale = 1 / math.sqrt(max(1, d))
    within(name, "scale", scale, above=0)
    b = math.prod(front)
    if lengths is None:
        lengths = q.xp.full(front, n, "int64")
    else:
        lengths = check_lengths(name, lengths, "have q's axes in front", front, (0, n, "N"), q)
    q, k, v = (t.reshape((b, *t.shape[-2:])) for t in (q, k, v))
    o = _attention(q, k, v, lengths.reshape((b,)), scale, causal)[0]
    return o.reshape((*front, m, e))
