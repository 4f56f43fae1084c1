"""A VAE with the priors of an AAE: the objective by hand, its KL against closed form and SciPy."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logsumexp

import glassgrad as gg
from glassgrad import models
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.variational import priors, vae_prior

X = (np.random.default_rng(0).random((8, 6)) < 0.4).astype(float)


def small(settings=vae_prior.Settings, **changes):
    s = settings(**{"hidden": (5,), **changes})
    return vae_prior.PriorVAE(DataSet("small", Split(X)), s, gg.Generator(1), dtype="float64")


def petals(z, m):
    """ln p(z) of the mixture, component by component."""
    found = []
    for k in range(m):
        t = 2 * np.pi * k / m
        turn = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
        cov = turn @ np.diag([priors.ALONG**2, priors.ACROSS**2]) @ turn.T
        found.append(stats.multivariate_normal(priors.RADIUS * turn[:, 0], cov).logpdf(z))
    return logsumexp(found, axis=0) - np.log(m)


@pytest.mark.parametrize("prior", ["normal", "mixture"])
def test_the_objective_is_the_equation(prior):
    m = small(prior=prior, components=3)
    h = m.encoder(gg.Tensor(X)).numpy()
    mu, sigma = h[:, :2], np.exp(h[:, 2:] / 2)
    z = mu + sigma * gg.Generator(*m.noise.state).normal((8, 2), "float64")
    p = expit(m.decoder(gg.Tensor(z)).numpy())
    reconstruction = -np.log(np.where(X > 0, p, 1 - p)).sum(axis=1).mean()
    log_p = stats.norm.logpdf(z).sum(axis=1) if prior == "normal" else petals(z, 3)
    kl = (stats.norm.logpdf(z, mu, sigma).sum(axis=1) - log_p).mean()
    loss, parts = m.objective(Batch(X))
    assert parts["reconstruction"].item() == pytest.approx(reconstruction, rel=1e-12)
    assert parts["kl"].item() == pytest.approx(kl, rel=1e-10)
    assert loss.item() == pytest.approx(reconstruction + kl, rel=1e-12)


def test_the_mean_over_draws_is_the_divergence():
    """Against the closed form for the normal prior, against a sum over a grid for the mixture."""
    mu, logvar, n = gg.tensor([[0.7, -0.4]] * 40_000), gg.tensor([[-1.0, 0.3]] * 40_000), 40_000
    z, closed = gg.reparameterise(mu, logvar, gg.Generator(2))
    d = small().divergence(z, mu, logvar).numpy()
    assert abs(d.mean() - closed.numpy()[0]) < 4 * d.std() / np.sqrt(n)
    d = small(vae_prior.MixtureSettings, components=3).divergence(z, mu, logvar).numpy()
    sigma = np.exp([-0.5, 0.15])
    axes = [m + s * np.linspace(-7, 7, 700) for m, s in zip([0.7, -0.4], sigma)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    q = stats.norm.pdf(grid, [0.7, -0.4], sigma).prod(axis=1)
    cell = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    exact = (q * (np.log(q) - petals(grid, 3))).sum() * cell
    assert abs(d.mean() - exact) < 4 * d.std() / np.sqrt(n)


@pytest.mark.parametrize("changes", [{}, {"prior": "mixture", "components": 2}])
def test_gradients(changes):
    f, arrays = models.recipe("vae-plane").check(np.random.default_rng(0), **changes)
    report = gg.gradcheck(f, *arrays, order=2, directions=4)
    assert report.error < 1e-6 and not report.zero


def test_densities_are_needed():
    with pytest.raises(SettingError, match=r"a VAE needs densities.*got 'deterministic'"):
        small(encoder="deterministic")
    with pytest.raises(SettingError, match=r"a VAE needs densities.*got 'normal' and 'squared'"):
        small(loss="squared")
    with pytest.raises(SettingError, match="code must be 2"):
        models.recipe("vae-mixture").resolve("digits", {"code": 3})
