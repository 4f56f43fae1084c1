"""Normalisation of channels, of rows and of neighbouring channels.

Where a kernel has the derivative, the formula is here too: it serves the higher orders.
"""

import numpy as np

from ...kernels import batchnorm as kernel
from ...kernels import lrn
from ...kernels.annotations import Count
from ...kernels.checks import within
from ...kernels.errors import ShapeError, expect
from ..differentiable import differentiable
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .arithmetic import sqrt
from .reductions import count, mean
from .shapes import concatenate, reshape


def _along(x, p):
    """A vector over the channels, reshaped to broadcast against x [N, C, ...]."""
    return p.reshape((1, -1) + (1,) * (x.ndim - 2))


def _flat(array):
    """[N, C, ...] in the shape that the kernels take: [N, C, L]."""
    return array.reshape(*array.shape[:2], -1) if array.size else array.reshape(*array.shape[:2], 0)


def _composed(x, gamma, beta, /, eps):
    """γ (x - mean)/√(var + ε) + β, as the paper writes it."""
    axes = tuple(i for i in range(x.ndim) if i != 1)
    mu = mean(x, axis=axes, keepdims=True)
    centred = x - mu
    var = mean(centred * centred, axis=axes, keepdims=True)
    y = centred / sqrt(var + eps) * _along(x, gamma) + _along(x, beta)
    return y, mu.detach().reshape((-1,)), var.detach().reshape((-1,))


def _fused(g, x, gamma, out, eps):
    """gx = γ/σ (g - mean(g) - x̂ mean(g x̂)), gγ = Σ g x̂, gβ = Σ g (Ioffe & Szegedy 2015)."""
    statistics = out[1].data, out[2].data
    gx, *others = kernel.backward(_flat(g[0].data), _flat(x.data), gamma.data, *statistics, eps)
    return Tensor(gx.reshape(x.shape)), *map(Tensor, others)


@differentiable(vjp=_fused, composed=_composed, name="normalise")
def _normalise(x, gamma, beta, /, eps):
    """(γ x̂ + β, mean, variance) of each channel; mean and variance carry no gradient."""
    y, *statistics = kernel.forward(_flat(x), gamma, beta, eps)
    return y.reshape(x.shape), *statistics


def batch_norm(
    x: Like, gamma: Like, beta: Like, eps: float = 1e-5
) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Normalise each channel (axis 1) over all other axes: returns (y, mean [C], variance [C]).

    y = γ (x - mean)/√(variance + ε) + β with the batch's own (biased) variance; mean and
    variance are returned as constants, for running averages (Ioffe & Szegedy 2015).

    x [N, C, ...], gamma, beta [C] -> y like x. Raises ShapeError if shapes do not fit or a
    channel has a single value, ValueRangeError for a negative ε.

    >>> import glassgrad as gg
    >>> y, mean, var = gg.batch_norm(gg.tensor([[1.0], [3.0]]), gg.ones(1), gg.zeros(1), eps=0.0)
    >>> y, mean, var
    (tensor([[-1.],
            [ 1.]]), array([2.], dtype=float32), array([1.], dtype=float32))
    """
    x, gamma, beta = as_tensor(x), as_tensor(gamma), as_tensor(beta)
    within("batch_norm", "eps", eps, least=0)
    expect(x.ndim >= 2, "batch_norm", "x must have a channel axis", "≥ 2 axes", x.ndim, x=x)
    axes = tuple(i for i in range(x.ndim) if i != 1)
    if count(x.shape, axes) < 2:
        raise ShapeError(
            f"batch_norm: needs at least two values in each channel to normalise; got {x.shape}"
        )
    for name, p in (("gamma", gamma), ("beta", beta)):
        shape, what = (x.shape[1],), f"{name} must have shape [C]"
        expect(p.shape == shape, "batch_norm", what, shape, p.shape, x=x)
    y, mu, var = _normalise(x, gamma, beta, eps)
    return y, mu.data, var.data


def layer_norm(x: Like, gamma: Like, beta: Like, eps: float = 1e-5) -> Tensor:
    """Normalise each row over the last axis: γ (x - mean)/√(variance + ε) + β (Ba et al. 2016).

    x [..., D], gamma, beta [D] -> [..., D]. Raises ShapeError, ValueRangeError for a negative ε.

    >>> import glassgrad as gg
    >>> gg.layer_norm(gg.tensor([[1.0, 3.0]]), gg.ones(2), gg.zeros(2), eps=0.0)
    tensor([[-1.,  1.]])
    """
    x, gamma, beta = as_tensor(x), as_tensor(gamma), as_tensor(beta)
    within("layer_norm", "eps", eps, least=0)
    shape, what = x.shape[-1:], "gamma and beta must be [D]"
    expect(gamma.shape == shape == beta.shape, "layer_norm", what, shape, gamma.shape, x=x)
    d = x - mean(x, axis=-1, keepdims=True)
    return d / sqrt(mean(d * d, axis=-1, keepdims=True) + eps) * gamma + beta


def group_norm(x: Like, groups: int, gamma: Like, beta: Like, eps: float = 1e-5) -> Tensor:
    """Normalise each group of channels of each example: γ (x - mean)/√(variance + ε) + β.

    The C channels are `groups` groups of as many neighbours; mean and variance (biased) are those
    of a group at all its places, of one example. With one group it is layer normalisation of an
    image, with C groups instance normalisation (Wu & He 2018).

    x [N, C, ...], gamma, beta [C] -> like x. Raises ShapeError if shapes do not fit or `groups`
    does not divide C, ValueRangeError for a negative ε.

    >>> import glassgrad as gg
    >>> x = gg.tensor([[[1.0], [3.0], [10.0], [30.0]]])
    >>> gg.group_norm(x, 2, gg.ones(4), gg.zeros(4), eps=0.0).reshape(4)
    tensor([-1.,  1., -1.,  1.])
    """
    x, gamma, beta, name = as_tensor(x), as_tensor(gamma), as_tensor(beta), "group_norm"
    within(name, "eps", eps, least=0)
    within(name, "groups", groups, least=1)
    expect(x.ndim >= 2, name, "x must have a channel axis", "≥ 2 axes", x.ndim, x=x)
    shape, what = (x.shape[1],), "gamma and beta must be [C]"
    for given in (gamma, beta):
        expect(given.shape == shape, name, what, shape, given.shape, x=x, gamma=gamma, beta=beta)
    fits, what = x.shape[1] % groups == 0, "groups must divide the channels"
    expect(fits, name, what, f"a divisor of {x.shape[1]}", groups, x=x)
    if not x.size:
        return x * _along(x, gamma) + _along(x, beta)
    rows = reshape(x, (x.shape[0], groups, -1))
    d = rows - mean(rows, axis=-1, keepdims=True)
    y = reshape(d / sqrt(mean(d * d, axis=-1, keepdims=True) + eps), x.shape)
    return y * _along(x, gamma) + _along(x, beta)


def _lrn_composed(x, /, size, alpha, beta, k):
    """x (k + α Σ x²)^-β, the sum as one of shifted copies."""
    squares, (n, channels, *rest) = x * x, x.shape
    before, after = (Tensor(x.xp.zeros((n, m, *rest), x.dtype)) for m in (size // 2, size - 1))
    padded = concatenate([before, squares, after], axis=1)
    total = sum(padded[:, d : d + channels] for d in range(size))
    sums = k + alpha * total
    return x * sums**-beta, sums.detach()


def _lrn_fused(g, x, out, size, alpha, beta):
    """gx_c = g_c s_c^-β - 2 α β x_c Σ_j g_j x_j s_j^(-β-1) over the j whose window c is in."""
    arrays = (_flat(a.data) for a in (g[0], x, out[1]))
    return (Tensor(lrn.backward(*arrays, size, alpha, beta).reshape(x.shape)),)


@differentiable(vjp=_lrn_fused, composed=_lrn_composed, name="local_response_norm")
def _lrn(x, /, size, alpha, beta, k):
    """(x s^-β, s); the sums s are kept for the derivative."""
    return tuple(a.reshape(x.shape) for a in lrn.forward(_flat(x), size, k, alpha, beta))


def local_response_norm(
    x: Like, size: Count = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
) -> Tensor:
    """Each number over (k + α Σ x²)^β, the sum over `size` channels around its own, at its place.

    x [N, C, ...] -> the same shape. As in the paper: α multiplies the sum. (In PyTorch it is
    divided by `size` first; its alpha is ours times `size`, and its k is 1 by default.) The window
    of an even `size` reaches one channel further down than up. Raises ShapeError, ValueRangeError
    for k ≤ 0, size < 1, negative α or β. (Krizhevsky, Sutskever & Hinton 2012, section 3.3.)

    >>> import glassgrad as gg
    >>> x = gg.tensor([[[1.0], [2.0], [1.0]]])
    >>> gg.local_response_norm(x, 3, alpha=1.0, beta=1.0, k=3.0).reshape(3)
    tensor([0.125     , 0.22222222, 0.125     ])
    """
    x, name = as_tensor(x), "local_response_norm"
    expect(x.ndim >= 2, name, "x must have a channel axis", "≥ 2 axes", x.ndim, x=x)
    for key, value in (("alpha", alpha), ("beta", beta)):
        within(name, key, value, least=0)
    within(name, "k", k, above=0)
    within(name, "size", size, least=1)
    return _lrn(x, size, alpha, beta, k)[0]
