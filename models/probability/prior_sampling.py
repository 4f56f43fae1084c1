"""p(x) = E_{z~p(z)} p(x|z) by sampling the prior, and why it fails (lecture 4, U3 189-214).

A latent-variable model draws z from a simple p(z), then x from p(x|z). Its likelihood is a mean
over the prior, which M draws estimate without bias ::

    p(x) = ∫ p(x|z) p(z) dz = E_{z~p(z)} p(x|z) ≈ (1/M) Σ_m p(x|z_m),        z_m ~ p(z)

The estimate is right on average and useless in practice: p(x|z) is next to nothing for nearly every
z but the few that could have made x, and the more numbers z has, the fewer draws come near them. A
few terms carry the whole sum. How many is the effective sample size, of weights w_m ::

    ESS = (Σ w_m)² / Σ w_m²              M if all are equal, 1 if one has everything

Draws from a q(z|x) that is near the posterior, with the weights corrected for it, do not fail ::

    p(x) = E_{z~q} p(x|z) p(z)/q(z|x)

To find such a q for every x at once is what the encoder of the variational autoencoder is for
(models/variational; importance.py there has this estimate).

To measure the failure, p(x) must be known. It is for a linear map of z with normal noise,
probabilistic principal components (Tipping & Bishop 1999) ::

    p(z) = N(0, I_k)    p(x|z) = N(W z + m, σ² I)    p(x) = N(m, W Wᵀ + σ² I)
    p(z|x) = N(V Wᵀ (x - m)/σ², V),    V = (I + WᵀW/σ²)⁻¹

with W = U_k (Λ_k - σ² I)^½ of the k largest eigenvalues Λ of the covariance of the data and σ² the
mean of the others: the maximum of the likelihood, in closed form.
"""

import math
from dataclasses import dataclass

import numpy as np

from ...core import pictures

WIDER = 1.1  # q is the posterior with deviations so many times as large
NUMBERS = (1, 2, 4, 8, 16)  # of z, in the picture


@dataclass(frozen=True)
class Linear:
    """W [D, k], m [D] and σ of probabilistic principal components."""

    w: np.ndarray
    mean: np.ndarray
    sigma: float

    @classmethod
    def fit(cls, x: np.ndarray, k: int) -> "Linear":
        """The maximum of the likelihood of rows x [N, D]; k < D.

        >>> x = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        >>> found = Linear.fit(x, 1)
        >>> round(found.sigma**2, 3), abs(found.w.round(3)).ravel().tolist()  # ½ and √(4½ - ½)
        (0.5, [2.0, 0.0])
        """
        x = np.asarray(x, np.float64)
        mean = x.mean(axis=0)
        values, vectors = np.linalg.eigh((x - mean).T @ (x - mean) / len(x))
        values, vectors = values[::-1], vectors[:, ::-1]
        noise = max(float(values[k:].mean()), 1e-12)
        scale = np.sqrt(np.maximum(values[:k] - noise, 0))
        return cls(vectors[:, :k] * scale, mean, math.sqrt(noise))

    def log_likelihood(self, x: np.ndarray) -> np.ndarray:
        """ln p(x) of rows [N, D], exact."""
        d = len(self.mean)
        cov = self.w @ self.w.T + self.sigma**2 * np.eye(d)
        rest = np.asarray(x, np.float64) - self.mean
        _, log_det = np.linalg.slogdet(cov)
        squares = (rest * np.linalg.solve(cov, rest.T).T).sum(axis=1)
        return -0.5 * (squares + log_det + d * math.log(2 * math.pi))

    def log_given(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """ln p(x|z) of rows x [N, D] for z [N, M, k] or [M, k]: [N, M]."""
        error = np.asarray(x, np.float64)[:, None] - (z @ self.w.T + self.mean)
        d = len(self.mean)
        scale = d * math.log(self.sigma * math.sqrt(2 * math.pi))
        return -0.5 * (error * error).sum(axis=2) / self.sigma**2 - scale

    def prior_weights(self, x: np.ndarray, draws: int, rng) -> np.ndarray:
        """ln p(x|z_m), z_m ~ p(z), the same draws for all rows: [N, M]."""
        return self.log_given(x, rng.normal((draws, self.w.shape[1]), "float64"))

    def posterior_weights(self, x: np.ndarray, draws: int, rng) -> np.ndarray:
        """ln p(x|z_m) p(z_m)/q(z_m|x), z_m ~ q, the posterior a little widened: [N, M]."""
        k = self.w.shape[1]
        v = np.linalg.inv(np.eye(k) + self.w.T @ self.w / self.sigma**2)
        root = WIDER * np.linalg.cholesky(v)
        centre = (np.asarray(x, np.float64) - self.mean) @ self.w @ v / self.sigma**2
        e = rng.normal((len(x), draws, k), "float64")
        z = centre[:, None] + e @ root.T
        _, log_det = np.linalg.slogdet(root)
        log_ratio = 0.5 * (e * e).sum(axis=2) + log_det - 0.5 * (z * z).sum(axis=2)
        return self.log_given(x, z) + log_ratio


def log_mean(log_w: np.ndarray) -> np.ndarray:
    """ln (1/M) Σ w_m of each row of ln w [N, M].

    >>> log_mean(np.log([[1.0, 3.0]])).round(4)  # ln 2
    array([0.6931])
    """
    top = log_w.max(axis=1, keepdims=True)
    return top[:, 0] + np.log(np.exp(log_w - top).mean(axis=1))


def effective(log_w: np.ndarray) -> np.ndarray:
    """(Σw)²/Σw² of each row of ln w [N, M]: between 1 and M.

    >>> effective(np.log([[1.0, 1.0], [1.0, 1e-9]])).round(3).tolist()
    [2.0, 1.0]
    """
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    return w.sum(axis=1) ** 2 / (w * w).sum(axis=1)


def compared(train: np.ndarray, x: np.ndarray, numbers, draws: int, rng) -> dict:
    """For each k: (effective sizes, errors of ln p(x)) by the prior and by q, means over rows x."""
    found = {}
    for k in numbers:
        model = Linear.fit(train, k)
        exact = model.log_likelihood(x)
        by = (model.prior_weights(x, draws, rng), model.posterior_weights(x, draws, rng))
        found[k] = [(effective(w).mean(), np.abs(log_mean(w) - exact).mean()) for w in by]
    return found


def picture(train: np.ndarray, x: np.ndarray, rng, draws: int = 1000):
    """Effective sample size and error of ln p(x) over the number of entries of z."""
    numbers = [k for k in NUMBERS if k < min(train.shape)]
    found = compared(train, x[:100], numbers, draws, rng)
    fig = pictures.figure(8.4, 3.4)
    left, right = fig.subplots(1, 2)
    for i, (name, colour) in enumerate((("prior", pictures.ACCENT), ("q(z|x)", pictures.INK))):
        left.plot(numbers, [found[k][i][0] for k in numbers], "o-", color=colour, label=name)
        right.plot(numbers, [found[k][i][1] for k in numbers], "o-", color=colour, label=name)
    left.axhline(draws, color="#c9d1d8", lw=0.8)
    left.set(xlabel="numbers in z", ylabel=f"effective of {draws} draws", yscale="log")
    right.set(xlabel="numbers in z", ylabel="|error of ln p(x)|, nats", yscale="log")
    for ax in (left, right):
        ax.set_xscale("log", base=2)
        ax.set_xticks(numbers, [str(k) for k in numbers])
        ax.spines[["top", "right"]].set_visible(False)
    left.legend(frameon=False, fontsize=8, title="draws of", title_fontsize=8)
    fig.suptitle("p(x) = E p(x|z) with z from the prior, and from near the posterior", fontsize=10)
    return fig
