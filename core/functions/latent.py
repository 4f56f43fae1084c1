"""The reparameterisation trick: noise, sample and KL in one kernel."""

from ...kernels import philox
from ...kernels import reparam as kernel
from ...kernels.errors import expect
from ..differentiable import differentiable
from ..kinds import Like
from ..random import Generator
from ..tensor import Tensor, as_tensor
from .arithmetic import exp
from .reductions import sum as sum_


def _composed(mu, logvar, /, seed, offset):
    eps = Tensor(philox.normal(mu.shape, seed, offset, mu.dtype, mu.xp))
    z = mu + exp(logvar * 0.5) * eps
    return z, sum_(1 + logvar - mu * mu - exp(logvar), axis=-1) * -0.5


def _fused(g, mu, logvar, seed, offset):
    xp = mu.xp
    gz = xp.zeros_like(mu.data) if g[0] is None else g[0].data
    gkl = xp.zeros(mu.shape[0], mu.dtype) if g[1] is None else g[1].data
    gmu, glogvar = kernel.backward(gz, gkl, mu.data, logvar.data, seed, offset)
    return Tensor(gmu), Tensor(glogvar)


@differentiable(vjp=_fused, composed=_composed, name="reparameterise")
def _reparameterise(mu, logvar, /, seed, offset):
    """(z, kl) from (μ, ln σ²) and the noise at (seed, offset)."""
    return kernel.forward(mu, logvar, seed, offset)


def reparameterise(mu: Like, logvar: Like, rng: Generator) -> tuple[Tensor, Tensor]:
    """z = μ + σ ε with ε ~ N(0, I), and KL(N(μ, σ²) ‖ N(0, I)) of each row.

    mu, logvar [N, D] -> z [N, D], kl [N], with kl = -½ Σ_j (1 + ln σ² - μ² - σ²)
    (Kingma & Welling 2014, appendix B).

    Raises ShapeError, DTypeError.

    >>> import glassgrad as gg
    >>> z, kl = gg.reparameterise(gg.ones((1, 2)), gg.zeros((1, 2)), gg.Generator(0))
    >>> z.shape, kl
    ((1, 2), tensor([1.]))
    """
    mu, logvar = as_tensor(mu), as_tensor(logvar)
    fits, what = mu.ndim == 2 and mu.shape == logvar.shape, "mu and logvar must be [N, D]"
    expect(fits, "reparameterise", what, mu.shape, logvar.shape, mu=mu, logvar=logvar)
    return _reparameterise(mu, logvar, *rng.take(mu.size))
