"""The importance-sampled bound against a model whose likelihood is known."""

import numpy as np
import pytest
from scipy import special, stats

import glassgrad as gg
from glassgrad import models
from glassgrad.core.data import Split
from glassgrad.models.variational import vae
from glassgrad.models.variational.importance import LogMeanExp, importance_bound, importance_figures


class Linear:
    """z ~ N(0, σ₀² I), x | z ~ N(Wz, s² I); q is the posterior, its variances `wide` times.

    The columns of W are orthogonal, so the posterior is diagonal.
    """

    def __init__(self, wide=1.0, s=0.7, prior_sigma=1.0):
        self.prior_sigma = prior_sigma
        q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 2)))
        self.w, self.s, self.wide = q * [1.5, 0.4], s, wide

    def encode(self, x):
        var = 1 / (1 / self.prior_sigma**2 + (self.w**2).sum(axis=0) / self.s**2)
        mu = x.data @ self.w / self.s**2 * var
        return gg.Tensor(mu), gg.Tensor(np.log(self.wide * var) + 0 * mu)

    def nll(self, z, x):
        zero = gg.zeros((1, 1), "float64") + 2 * np.log(self.s)
        return vae.gaussian_nll(z @ gg.Tensor(self.w.T.copy()), zero, x)

    def negative_bound(self, x, rng):
        mu, logvar = self.encode(x)
        z, kl = gg.reparameterise(mu, logvar, rng)
        return self.nll(z, x) + kl, kl

    def log_p(self, x):
        cov = self.prior_sigma**2 * self.w @ self.w.T + self.s**2 * np.eye(5)
        return stats.multivariate_normal.logpdf(x, np.zeros(5), cov)


X = np.random.default_rng(1).standard_normal((7, 5))


@pytest.mark.parametrize("prior_sigma", [1.0, 2.5])
def test_with_the_exact_posterior_every_draw_gives_the_likelihood(prior_sigma):
    m = Linear(prior_sigma=prior_sigma)
    got = importance_bound(m, gg.Tensor(X), 3, gg.Generator(0), piece=4)
    assert np.allclose(got, m.log_p(X), rtol=1e-12)


def test_more_draws_raise_the_bound_to_the_likelihood():
    m, means = Linear(wide=2.0), []
    x = np.repeat(X, 50, axis=0)
    for k in (1, 5, 50, 2000):
        got = importance_bound(m, gg.Tensor(x), k, gg.Generator(2), piece=1000)
        means.append(float((m.log_p(x) - got).mean()))
    assert means == sorted(means, reverse=True) and means[0] > 0.1
    assert abs(means[-1]) < 2e-3


@pytest.mark.parametrize("piece", [1, 7, 64, 1000])
def test_the_log_mean_exp_does_not_depend_on_its_pieces(piece):
    a = np.random.default_rng(3).normal(-800, 300, (4, 100))
    total = LogMeanExp()
    for i in range(0, 100, piece):
        total.add(a[:, i : i + piece])
    assert np.allclose(total.value(), special.logsumexp(a, axis=1) - np.log(100), rtol=1e-13)


def test_draws_without_weight_do_not_make_a_nan():
    total = LogMeanExp()
    total.add(np.array([[-np.inf], [-np.inf]]))
    total.add(np.array([[-np.inf], [2.0]]))
    assert total.value().tolist() == [-np.inf, 2.0 - np.log(2)]


def test_memory_is_bounded_by_the_piece():
    m, sizes = Linear(), []
    inner = m.nll
    m.nll = lambda z, x: (sizes.append(z.shape[0]), inner(z, x))[1]
    importance_bound(m, gg.Tensor(X), 250, gg.Generator(0), piece=100)
    assert max(sizes) <= 100 and sum(sizes) == 7 * 250


def test_some_images_stand_for_all():
    """The control variate: near the figure of all rows, within a few of its standard errors."""
    m = Linear(wide=2.0)
    x = np.random.default_rng(4).standard_normal((2000, 5))
    every = importance_figures(m, gg.Tensor(x), 50, 0, gg.Generator(5))
    some = importance_figures(m, gg.Tensor(x), 50, 200, gg.Generator(5))
    assert 0 < every["nll_error"] < some["nll_error"]
    assert 0 < some["nll_error"] < 0.6 * m.log_p(x).std() / np.sqrt(200)  # without the others
    assert abs(some["nll"] - every["nll"]) < 4 * some["nll_error"]


def test_the_vae_reports_it_at_the_end_only():
    s = models.recipe("vae").resolve("digits", {"importance": 64, "hidden": (5,), "latent": 2})
    system = vae.VAE(64, s, gg.Generator(1))
    split = Split((np.random.default_rng(0).random((20, 1, 8, 8)) < 0.5).astype(np.float32))
    assert set(system.evaluate(split)) == {"bound", "kl"}
    found = system.evaluate_finished(split)
    assert set(found) == {"bound", "kl", "nll", "nll_error"}
    assert found["nll"] < found["bound"]
