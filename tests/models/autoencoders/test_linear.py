"""The linear autoencoder against NumPy's SVD and scikit-learn's PCA."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import load
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.autoencoders import linear as lae

RECIPE = models.recipe("linear-autoencoder")


def rows(split):
    return split.x.reshape(len(split), -1).astype(float)


def small(x, **changes):
    return lae.LinearAutoencoder(x, lae.Settings(**{"code": 2, **changes}), gg.Generator(1))


@pytest.fixture(scope="module")
def trained():
    return training.train(RECIPE)


@pytest.mark.parametrize("changes", [{}, {"tied": True}, {"centred": True}], ids=str)
def test_the_objective_is_the_equation(changes):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((7, 5))
    m = small(x, **changes)
    for p in m.parameters():
        p.assign(rng.standard_normal(p.shape))
    a = m.encoder.weight.numpy()
    b = a.T if changes.get("tied") else m.decoder.weight.numpy()
    mean = x.mean(axis=0) if changes.get("centred") else 0.0
    want = sum(((b @ (a @ (r - mean)) + mean - r) ** 2).sum() for r in x) / len(x)
    assert m.objective(Batch(x)).item() == pytest.approx(want, rel=1e-12)
    assert len(m.parameters()) == (1 if changes.get("tied") else 2)
    assert m.encoder.bias is None


def test_principal_directions_are_those_of_the_svd_and_of_scikit_learn():
    from sklearn.decomposition import PCA

    x = rows(load("digits").train)
    u, mean = lae.principal(x, 5)
    v = np.linalg.svd(x, full_matrices=False)[2][:5].T
    assert not mean.any()
    assert np.abs(np.abs((u * v).sum(axis=0)) - 1).max() < 1e-10
    u, mean = lae.principal(x, 5, centred=True)
    pca = PCA(5).fit(x)
    assert np.allclose(mean, pca.mean_, atol=1e-12)
    assert np.abs(np.abs((u.T * pca.components_).sum(axis=1)) - 1).max() < 1e-10


def test_largest_sine_is_scipys_angle():
    from scipy.linalg import subspace_angles

    rng = np.random.default_rng(0)
    b, u = rng.standard_normal((9, 3)), np.linalg.qr(rng.standard_normal((9, 3)))[0]
    assert lae.largest_sine(b, u) == pytest.approx(np.sin(subspace_angles(b, u).max()), rel=1e-10)
    assert lae.largest_sine(u @ rng.standard_normal((3, 3)), u) < 1e-13
    near = u + 1e-9 * np.linalg.qr(np.c_[u, rng.standard_normal((9, 3))])[0][:, 3:]
    assert lae.largest_sine(near, u) == pytest.approx(1e-9, rel=1e-5)  # a cosine would give 0


@pytest.mark.slow
def test_gradients_find_the_subspace_of_pca(trained):
    """The lecture's claim to 1e-3, against an SVD of its own: nothing from the model but A, B."""
    for target in RECIPE.targets:
        assert target.reached(trained.test_figures[target.metric]), trained.test_figures
    x, k = rows(trained.data.train), trained.settings.code
    _, s, vt = np.linalg.svd(x, full_matrices=False)
    optimum = (s[k:] ** 2).sum()
    error = ((trained.system.reconstruct(x) - x) ** 2).sum()
    assert 1 - 1e-9 < error / optimum < 1 + 1e-3
    b, a = trained.system.decoder.weight.numpy(), trained.system.encoder.weight.numpy()
    assert lae.largest_sine(b, vt[:k].T) < 1e-3
    # The optimum is the projection, though its factors are no orthonormal bases.
    projected = x @ vt[:k].T @ vt[:k]
    assert np.linalg.norm(x @ a.T @ b.T - projected) < 1e-3 * np.linalg.norm(projected)
    assert np.abs(b.T @ b - np.eye(k)).max() > 0.01


def test_an_untrained_one_does_not_pass(trained):
    fresh = RECIPE.build(trained.data, trained.settings, gg.Generator(5))
    figures = fresh.evaluate(trained.data.test)
    assert figures["error_gap"] > 0.1 and figures["sine"] > 0.1


def test_centred_is_the_pca_of_scikit_learn():
    from sklearn.decomposition import PCA

    done = training.train(RECIPE, overrides={"centred": True, "epochs": 15, "code": 8})
    x, y = rows(done.data.train), rows(done.data.test)
    pca = PCA(8).fit(x)
    want = pca.inverse_transform(pca.transform(y))
    assert lae.largest_sine(done.system.b.numpy(), pca.components_.T) < 1e-3
    assert np.linalg.norm(done.system.reconstruct(y) - want) < 1e-3 * np.linalg.norm(want)
    assert done.test_figures["pca"] == pytest.approx(((want - y) ** 2).sum() / len(y), rel=1e-9)


def test_batches_go_on_in_the_middle_of_an_epoch():
    data = load("digits")
    s = RECIPE.resolve("digits", {"batch": 500, "passes": 3})
    system = RECIPE.build(data, s, gg.Generator(0))
    whole = [b.x for b in system.batches(data, 500, 0, 2, 0)]
    assert len(whole) == system.batches_per_epoch(data, 500) == 9
    assert not np.array_equal(whole[0], whole[3])  # a new order in every pass
    for start in range(9):
        rest = [b.x for b in system.batches(data, 500, 0, 2, start)]
        assert len(rest) == 9 - start
        assert all(np.array_equal(a, b) for a, b in zip(rest, whole[start:]))


@pytest.mark.parametrize("changes", [{}, {"tied": True}, {"centred": True}], ids=str)
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = lae.check(np.random.default_rng(0), **changes)
    assert gg.gradcheck(f, *arrays, order=2).error < 1e-6


def test_state_travels_and_figures_are_drawn(trained):
    from matplotlib.figure import Figure

    other = RECIPE.build(trained.data, trained.settings, gg.Generator(9))
    x = trained.data.test.x[:5]
    assert not np.allclose(other.reconstruct(x), trained.system.reconstruct(x), atol=1e-3)
    other.load_state_dict(trained.system.state_dict())
    assert np.array_equal(other.reconstruct(x), trained.system.reconstruct(x))
    made = RECIPE.figures(trained.system, trained.data, trained.settings)
    assert set(made) == {"subspace", "activations", "codes", "reconstructions", "filters"}
    assert all(isinstance(f, Figure) for f in made.values())


def test_too_many_codes_are_refused():
    with pytest.raises(SettingError, match="code must be at most 5"):
        small(np.ones((9, 5)), code=6)
