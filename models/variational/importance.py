"""The importance-sampled bound on ln p(x) of a model with latent variables (next to U3 240-447).

With k draws z_1 .. z_k ~ q(z|x) and weights w_l = p(x, z_l) / q(z_l|x) ::

    ln p(x)  ≥  E L_{k+1}  ≥  E L_k,      L_k = ln (1/k) Σ_l w_l

L_1 is the bound that the VAE is trained on, and L_k converges to ln p(x) as k grows (Burda, Grosse
& Salakhutdinov 2016, theorem 1): papers report k = 5000 as "the likelihood" of a VAE. The mean of k
weights is a running log-sum-exp ::

    m' = max(m, max_l a_l),    s' = s e^(m - m') + Σ_l e^(a_l - m')        L_k = m + ln(s / k)

with a_l = ln w_l, so that draws come in pieces and memory holds only one piece, for any k.
"""

import math

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of


class LogMeanExp:
    """ln (1/k) Σ_l e^(a_l) of each row, from pieces a [rows, any number of draws].

    >>> total = LogMeanExp()
    >>> for piece in ([[0.0, 800.0]], [[800.0]]):
    ...     total.add(np.array(piece))
    >>> total.value().round(4)  # 800 + ln(2/3)
    array([799.5945])
    """

    def __init__(self):
        self.most = self.sum = None
        self.count = 0

    def add(self, a) -> None:
        """Add draws; sums are in float64."""
        xp = xp_of(a)
        a = a.astype("float64", copy=False)
        if self.most is None:
            self.most, self.sum = xp.full(len(a), -xp.inf), xp.zeros(len(a))
        most = xp.maximum(self.most, a.max(axis=1))
        at = xp.where(xp.isfinite(most), most, 0)  # 0 while no draw has any weight
        self.sum = self.sum * xp.exp(self.most - at) + xp.exp(a - at[:, None]).sum(axis=1)
        self.most, self.count = most, self.count + a.shape[1]

    def value(self):
        """The result for each row, float64."""
        xp = xp_of(self.sum)
        with np.errstate(divide="ignore"):
            at = xp.where(xp.isfinite(self.most), self.most, 0)
            return at + xp.log(self.sum) - math.log(self.count)


def log_weights(vae, x, mu, logvar, draws: int, rng):
    """ln p(x, z) - ln q(z|x) of `draws` codes for each row: x [N, D], mu, logvar [N, K] -> [N, M].

    ln N(z; 0, σ₀² I) - ln N(z; μ, σ²) = ½ Σ_j (ln σ²_j/σ₀² + ε_j² - z_j²/σ₀²): no constants.
    """
    n, k = mu.shape
    xp = xp_of(mu.data)
    eps = xp.asarray(rng.normal((n, draws, k), mu.dtype))
    z = mu.data[:, None] + xp.exp(0.5 * logvar.data)[:, None] * eps
    u, wide = z / vae.prior_sigma, logvar.data - 2 * math.log(vae.prior_sigma)
    prior = 0.5 * (wide[:, None] + eps * eps - u * u).sum(axis=2)
    images = xp.repeat(x.data, draws, axis=0)
    nll = vae.nll(gg.Tensor(z.reshape(n * draws, k)), gg.Tensor(images)).data
    return prior - nll.reshape(n, draws)


def importance_bound(vae, x, samples: int, rng, piece: int = 2000):
    """L_k of each row of x [N, D] with k = `samples` draws, as an array [N], in nats (≤ ln p(x)).

    `vae` has encode(x) -> (μ, ln σ²), nll(z, x) -> -ln p(x|z) and prior_sigma, its σ₀. At most
    about `piece` codes go through the decoder at a time.
    """
    rows = max(1, piece // samples)
    found = []
    with gg.no_grad():
        for i in range(0, x.shape[0], rows):
            some = gg.Tensor(x.data[i : i + rows])
            mu, logvar = vae.encode(some)
            total = LogMeanExp()
            for start in range(0, samples, piece):
                draws = min(piece, samples - start)
                total.add(log_weights(vae, some, mu, logvar, draws, rng))
            found.append(total.value())
    return xp_of(x.data).concatenate(found) if found else x.data[:0, 0].astype("float64")


def importance_figures(vae, x, samples: int, images: int, rng) -> dict[str, float]:
    """{"nll": the mean of -L_k over all rows of x [N, D], "nll_error": its standard error}.

    L_k is computed for `images` rows, evenly spread over x (0: for all). The cheap L_1 then serves
    as a control variate to extend the expensive L_k to the other rows: with B = -L_1 ::

        nll = mean of B over all rows  -  mean of (B + L_k) over the chosen ones

    whose error is that of the second mean, since B + L_k varies far less than either. It is
    estimated from the variance over the chosen rows, which includes that of their draws.
    """
    n = x.shape[0]
    chosen = np.unique(np.linspace(0, n - 1, min(images or n, n)).round().astype(int))
    with gg.no_grad():
        pieces = [x.data[i : i + 500] for i in range(0, n, 500)]
        bounds = [vae.negative_bound(gg.Tensor(p), rng)[0].numpy() for p in pieces]
    bounds = np.concatenate(bounds).astype("float64")
    found = importance_bound(vae, gg.Tensor(x.data[chosen]), samples, rng)
    gaps = bounds[chosen] + gg.Tensor(found).numpy()
    error = gaps.std(ddof=1) / math.sqrt(len(gaps)) if len(gaps) > 1 else math.nan
    return {"nll": float(bounds.mean() - gaps.mean()), "nll_error": float(error)}
