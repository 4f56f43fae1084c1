"""The variational autoencoder: its objective against SciPy, its three decoders, its training."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import load
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.common import binary
from glassgrad.models.variational import vae, vae_pictures


def small(decoder, **changes):
    s = models.recipe("vae").resolve("digits")
    s = replace(s, **{"hidden": (5, 4), "latent": 2, "decoder": decoder, **changes})
    return vae.VAE(6, s, gg.Generator(1), dtype="float64")


def test_negative_log_likelihoods_are_scipys():
    rng = np.random.default_rng(0)
    a, x = rng.standard_normal((4, 6)), (rng.random((4, 6)) < 0.5).astype(float)
    got = binary.bernoulli_nll(gg.Tensor(a), gg.Tensor(x)).numpy()
    want = -stats.bernoulli.logpmf(x, 1 / (1 + np.exp(-a))).sum(axis=1)
    assert np.allclose(got, want, rtol=1e-12)
    mean, logvar = rng.standard_normal((2, 4, 6))
    got = vae.gaussian_nll(gg.Tensor(mean), gg.Tensor(logvar), gg.Tensor(x)).numpy()
    want = -stats.norm.logpdf(x, mean, np.exp(logvar / 2)).sum(axis=1)
    assert np.allclose(got, want, rtol=1e-12)


@pytest.mark.parametrize("prior_sigma", [1.0, 0.4])
@pytest.mark.parametrize("decoder", ["bernoulli", "gaussian", "diagonal"])
def test_the_objective_is_the_equation(decoder, prior_sigma):
    """Written out in NumPy from the noise, the weights and the formulas of the page."""
    m = small(decoder, prior_sigma=prior_sigma)
    x = (np.random.default_rng(0).random((3, 6)) < 0.5).astype(float)
    seed, offset = m.noise.state
    loss, extra = m.objective(Batch(x))
    eps = gg.Generator(seed, offset).normal((3, 2), "float64")
    p = m.state_dict()

    def layer(name, h):
        return h @ p[f"{name}.weight"].T + p[f"{name}.bias"]

    h = np.tanh(layer("encoder.2", np.tanh(layer("encoder.0", x))))
    mu, logvar = layer("mu", h), layer("logvar", h)
    h = np.tanh(layer("decoder.2", np.tanh(layer("decoder.0", mu + np.exp(logvar / 2) * eps))))
    mean = layer("mean", h)
    if decoder == "bernoulli":
        nll = -stats.bernoulli.logpmf(x, 1 / (1 + np.exp(-mean))).sum(axis=1)
    elif decoder == "gaussian":
        nll = -stats.norm.logpdf(x, mean, m.s.sigma).sum(axis=1)
    else:
        floor = m.s.floor
        var = np.exp(np.logaddexp(0, layer("spread", h) - floor) + floor)
        nll = -stats.norm.logpdf(x, mean, np.sqrt(var)).sum(axis=1)
    # KL(N(μ, σ²) ‖ N(0, σ₀²)) = ln σ₀/σ + (σ² + μ²)/2σ₀² - ½ of each code
    kl = np.log(prior_sigma) - logvar / 2 + (np.exp(logvar) + mu**2) / (2 * prior_sigma**2) - 0.5
    kl = kl.sum(axis=1)
    assert extra["kl"].item() == pytest.approx(kl.mean(), rel=1e-12)
    assert loss.item() == pytest.approx((nll + kl).mean(), rel=1e-12)


def test_the_kl_of_any_prior_is_the_integral():
    """By quadrature of q (ln q - ln p) for each code."""
    m = small("bernoulli", prior_sigma=1.7)
    x = gg.Tensor((np.random.default_rng(0).random((3, 6)) < 0.5).astype(float))
    mu, logvar = (t.numpy() for t in m.encode(x))
    grid = np.linspace(-12, 12, 20_001)
    q = stats.norm(mu[..., None], np.exp(logvar / 2)[..., None])
    gap = q.pdf(grid) * (q.logpdf(grid) - stats.norm(0, 1.7).logpdf(grid))
    got = m.negative_bound(x, m.noise)[1].numpy()
    assert np.allclose(got, gap.sum(axis=(1, 2)) * (grid[1] - grid[0]), rtol=1e-6)


def test_a_wider_prior_is_the_same_model_in_other_units():
    """Codes c times as wide, first decoder weights c times smaller: the same bound and samples."""
    one, two = (small("bernoulli", prior_sigma=c) for c in (1.0, 3.0))
    for name in ("mu.weight", "mu.bias"):
        side, kind = name.split(".")
        p = getattr(getattr(two, side), kind)
        p.assign(3 * p.numpy())
    two.logvar.bias.assign(two.logvar.bias.numpy() + 2 * np.log(3))
    two.decoder[0].weight.assign(two.decoder[0].weight.numpy() / 3)
    x = np.ones((4, 6))
    found = [m.objective(Batch(x)) for m in (one, two)]
    assert found[0][0].item() == pytest.approx(found[1][0].item(), rel=1e-12)
    assert found[0][1]["kl"].item() == pytest.approx(found[1][1]["kl"].item(), rel=1e-12)
    data = load("digits")
    made = [
        vae_pictures.sample(done.system, data, 4, gg.Generator(0)).axes[0].images[0].get_array()
        for done in (
            training.train(models.recipe("vae"), overrides={"epochs": 0, "prior_sigma": c})
            for c in (1.0, 3.0)
        )
    ]
    assert np.abs(made[0] - made[1]).max() > 1e-3  # the same net, codes of three times the width


def test_more_samples_average():
    m = small("bernoulli", samples=3)
    x = gg.Tensor(np.ones((2, 6)))
    state = m.noise.state
    three = m.negative_bound(x, m.noise, 3)[0].numpy()
    m.noise.state = state
    one_by_one = [m.negative_bound(x, m.noise, 1)[0].numpy() for _ in range(3)]
    assert np.allclose(three, np.mean(one_by_one, axis=0), rtol=1e-12)


@pytest.mark.parametrize("name", ["vae", "vae-gaussian", "vae-diagonal"])
def test_objectives_pass_the_gradient_check(name):
    f, arrays = models.recipe(name).check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=3).error < 1e-6
    settings = models.recipe(name).settings
    f, arrays = vae.check(np.random.default_rng(0), settings, prior_sigma=0.6)
    assert gg.gradcheck(f, *arrays, order=2, directions=3).error < 1e-6


@pytest.mark.parametrize("name", ["vae", "vae-gaussian", "vae-diagonal"])
def test_training_raises_the_bound_and_draws(name):
    recipe = models.recipe(name)
    trained = training.train(recipe, overrides={"epochs": 4, "seed": 3})
    history = trained.history
    assert history[-1]["valid_bound"] < history[0]["valid_bound"]
    made = recipe.figures(trained.system, trained.data, trained.settings)
    assert {"samples", "reconstructions", "similar", "codes", "manifold"} == set(made)


def test_validation_images_are_binary_and_fixed():
    s = models.recipe("vae").resolve("digits", {"binarise": "sampled"})
    a, b = (vae.prepare(load("digits"), s) for _ in range(2))
    assert set(np.unique(a.valid.x)) == {0.0, 1.0} and np.array_equal(a.valid.x, b.valid.x)
    assert len(np.unique(a.train.x)) > 2  # drawn again in each epoch instead
    fixed = vae.prepare(load("digits"), replace(s, binarise="fixed"))
    assert set(np.unique(fixed.train.x)) == {0.0, 1.0}


def test_unknown_decoder():
    with pytest.raises(SettingError, match="'decoder' must be 'bernoulli', 'gaussian' or"):
        small("bernouli")


@pytest.mark.parametrize("name", ["vae", "vae-gaussian", "vae-diagonal"])
def test_colour_images_without_labels_are_drawn(name):
    recipe = models.recipe(name)
    few = {"epochs": 1, "hidden": (8,), "latent": 2, "batch": 500}
    trained = training.train(recipe, "china", overrides=few)
    assert trained.data.train.x.shape[1:] == (3, 8, 8)
    made = recipe.figures(trained.system, trained.data, trained.settings)
    assert {"samples", "reconstructions", "similar", "codes", "manifold"} == set(made)
    sheet = made["samples"].axes[0].images[0].get_array()
    assert sheet.shape == (6 * 9 - 1, 10 * 9 - 1)
    recipe.sample(trained.system, trained.data, 3, gg.Generator(0)).canvas.draw()


@pytest.mark.parametrize(
    ("name", "key"),
    [("vae", "sigma"), ("vae", "floor"), ("vae-gaussian", "floor"), ("vae-gaussian", "binarise"),
     ("vae-diagonal", "sigma"), ("vae-diagonal", "binarise")],
)  # fmt: skip
def test_settings_of_other_decoders_are_refused(name, key):
    value = {"sigma": 0.5, "floor": -2.0, "binarise": "fixed"}[key]
    with pytest.raises(SettingError, match=f"'{key}' has no effect with decoder="):
        models.recipe(name).resolve("digits", {key: value})


def test_no_hidden_layer_is_refused():
    with pytest.raises(SettingError, match="'hidden' must be a list of at least one"):
        small("bernoulli", hidden=())
