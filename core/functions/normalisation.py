"""Batch and layer normalisation: once as the formula, once as a fused first-order derivative."""

from ...kernels.errors import ShapeError, expect
from ..arrays import xp_of
from ..differentiable import differentiable
from ..tensor import Tensor, as_tensor
from .arithmetic import sqrt
from .reductions import count, mean
from .summation import total


def _composed(x, gamma, beta, /, axes, eps):
    """γ (x - mean)/√(var + ε) + β, as the paper writes it."""
    shape = _along(x.shape, axes)
    centred = x - mean(x, axis=axes, keepdims=True)
    var = mean(centred * centred, axis=axes, keepdims=True)
    y = centred / sqrt(var + eps) * gamma.reshape(shape) + beta.reshape(shape)
    return y, var.detach() * 0 + mean(x, axis=axes, keepdims=True).detach(), var.detach()


def _along(shape, axes):
    """Shape in which a vector over the axes that are not normalised broadcasts."""
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _fused(g, x, gamma, out, axes, eps, needs):
    """gx = γ/σ (g - mean(g) - x̂ mean(g x̂)), gγ = Σ g x̂, gβ = Σ g (Ioffe & Szegedy 2015)."""
    g, x, gamma = g[0].data, x.data, gamma.data
    mu, var = out[1].data, out[2].data
    xp = xp_of(x)
    inv = 1 / xp.sqrt(var + x.dtype.type(eps))
    hat = (x - mu) * inv
    gbeta = total(g, axes, keepdims=True)
    ggamma = total(g * hat, axes, keepdims=True)
    n = x.dtype.type(1 / count(x.shape, axes))
    gx = gamma.reshape(_along(x.shape, axes)) * inv * (g - n * gbeta - hat * (n * ggamma))
    flat = gamma.shape
    return Tensor(gx), Tensor(ggamma.reshape(flat)), Tensor(gbeta.reshape(flat))


@differentiable(vjp=_fused, composed=_composed, name="normalise")
def _normalise(x, gamma, beta, /, axes, eps):
    """(γ x̂ + β, mean, variance) over `axes`; mean and variance carry no gradient."""
    xp, shape = xp_of(x), _along(x.shape, axes)
    n = x.dtype.type(count(x.shape, axes))
    mu = total(x, axes, keepdims=True) / n
    centred = x - mu
    var = total(centred * centred, axes, keepdims=True) / n
    inv = 1 / xp.sqrt(var + x.dtype.type(eps))
    return centred * (inv * gamma.reshape(shape)) + beta.reshape(shape), mu, var


def batch_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5):
    """Normalise each channel (axis 1) over all other axes: returns (y, mean [C], variance [C]).

    y = γ (x - mean)/√(variance + ε) + β with the batch's own (biased) variance; the mean and the
    variance are constants, for running averages (Ioffe & Szegedy 2015).

    x [N, C, ...], gamma, beta [C] -> y like x. Raises ShapeError where shapes do not fit or a
    channel has a single value.

    >>> import glassgrad as gg
    >>> y, mean, var = gg.batch_norm(gg.tensor([[1.0], [3.0]]), gg.ones(1), gg.zeros(1), eps=0.0)
    >>> y, mean, var
    (tensor([[-1.],
            [ 1.]]), array([2.], dtype=float32), array([1.], dtype=float32))
    """
    x, gamma, beta = as_tensor(x), as_tensor(gamma), as_tensor(beta)
    expect(x.ndim >= 2, "batch_norm", "x must have a channel axis", "≥ 2 axes", x.ndim, x=x)
    axes = tuple(i for i in range(x.ndim) if i != 1)
    if count(x.shape, axes) < 2:
        raise ShapeError(
            f"batch_norm: needs at least two values in each channel to normalise; got {x.shape}"
        )
    for name, p in (("gamma", gamma), ("beta", beta)):
        expect(
            p.shape == (x.shape[1],), "batch_norm", f"{name} must have shape [C]", (x.shape[1],),
            p.shape, x=x,
        )  # fmt: skip
    y, mu, var = _normalise(x, gamma, beta, axes, eps)
    return y, mu.data.reshape(-1), var.data.reshape(-1)


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Tensor:
    """Normalise each row over the last axis: γ (x - mean)/√(variance + ε) + β (Ba et al. 2016).

    x [..., D], gamma, beta [D] -> [..., D]. Raises ShapeError.

    >>> import glassgrad as gg
    >>> gg.layer_norm(gg.tensor([[1.0, 3.0]]), gg.ones(2), gg.zeros(2), eps=0.0)
    tensor([[-1.,  1.]])
    """
    x, gamma, beta = as_tensor(x), as_tensor(gamma), as_tensor(beta)
    expect(
        gamma.shape == x.shape[-1:] == beta.shape, "layer_norm", "gamma and beta must be [D]",
        x.shape[-1:], gamma.shape, x=x,
    )  # fmt: skip
    d = x - mean(x, axis=-1, keepdims=True)
    return d / sqrt(mean(d * d, axis=-1, keepdims=True) + eps) * gamma + beta
