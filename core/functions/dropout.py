"""Dropout and other noise: every draw is identified by (seed, offset) and can be repeated."""

from ...kernels import dropout as kernel
from ...kernels import philox
from ...kernels.checks import within
from ...kernels.errors import ValueRangeError, expect
from ..arrays import xp_of
from ..differentiable import differentiable
from ..kinds import Like
from ..random import Generator
from ..tensor import Tensor, as_tensor


@differentiable(x=lambda g, p, seed, offset: _dropout(g, p, seed, offset), name="dropout")
def _dropout(x, /, p, seed, offset):
    """x · mask/(1-p): linear in x, so its derivative is itself, with the same mask."""
    return kernel.forward(x, p, seed, offset)


def dropout(x: Like, p: float, rng: Generator) -> Tensor:
    """Each element becomes 0 with probability p, the others are divided by 1 - p.

    (Srivastava et al. 2014, in the inverted form: nothing to do at test time.)

    The mask depends only on the generator's seed and offset. Raises ValueRangeError for a p outside
    [0, 1).

    >>> import glassgrad as gg
    >>> gg.dropout(gg.ones((4,)), 0.5, gg.Generator(0))
    tensor([0., 2., 2., 2.])
    """
    expect(0 <= p < 1, "dropout", "p must lie in [0, 1)", "0 ≤ p < 1", p, ValueRangeError)
    x = as_tensor(x)
    return _dropout(x, p, *rng.take(x.size)) if p else x


def masking_noise(x, p: float, rng: Generator) -> Tensor:
    """Each element becomes 0 with probability p, without rescaling (lecture 1, denoising).

    Raises ValueRangeError for a p outside [0, 1].

    >>> import glassgrad as gg
    >>> gg.masking_noise(gg.ones((4,)), 0.5, gg.Generator(0))
    tensor([0., 1., 1., 1.])
    """
    expect(0 <= p <= 1, "masking_noise", "p must be a probability", "0 ≤ p ≤ 1", p, ValueRangeError)
    x = as_tensor(x)
    array = x.data
    keep = philox.uniform(array.shape, *rng.take(array.size), array.dtype, xp_of(array)) >= p
    return x * Tensor(keep.astype(array.dtype))


def gaussian_noise(x, sigma: float, rng: Generator) -> Tensor:
    """x + σ ε with ε ~ N(0, 1).

    Raises ValueRangeError for a negative σ.

    >>> import glassgrad as gg
    >>> gg.gaussian_noise(gg.ones((2, 3)), 0.1, gg.Generator(0)).shape
    (2, 3)
    """
    within("gaussian_noise", "sigma", sigma, least=0)
    x = as_tensor(x)
    array = x.data
    noise = philox.normal(array.shape, *rng.take(array.size), array.dtype, xp_of(array))
    return x + Tensor(noise) * sigma
