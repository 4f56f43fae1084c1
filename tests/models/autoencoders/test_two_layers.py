"""The autoencoder of two layers: its objective in NumPy, bottleneck and over-complete code."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.autoencoders import copying
from glassgrad.models.autoencoders import two_layers as ae

UNDER, OVER = ae.RECIPES
ACTIVATIONS = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "linear": lambda a: a,
}


@pytest.fixture(scope="module", params=[UNDER, OVER], ids=lambda r: r.name)
def trained(request):
    return request.param, training.train(request.param)


def small(**changes):
    x = np.random.default_rng(0).random((4, 6))
    s = UNDER.settings(**{"code": 3, **changes})
    return ae.build(DataSet("small", Split(x)), s, gg.Generator(1), dtype="float64"), x


@pytest.mark.parametrize("output", ["sigmoid", "linear"])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_the_objective_is_the_equation(activation, output):
    m, x = small(activation=activation, output=output)
    p = m.state_dict()
    z = ACTIVATIONS[activation](x @ p["encoder.0.weight"].T + p["encoder.0.bias"])
    y = ACTIVATIONS[output](z @ p["decoder.0.weight"].T + p["decoder.0.bias"])
    want = sum(((a - b) ** 2).sum() for a, b in zip(y, x)) / len(x)
    assert m.objective(Batch(x)).item() == pytest.approx(want, rel=1e-12)
    assert np.allclose(m.reconstruct(x), y, rtol=1e-12) and np.allclose(m.codes(x), z, rtol=1e-12)
    assert m.evaluate(Split(x), size=3)["squared_error"] == pytest.approx(want, rel=1e-12)


def test_cross_entropy_is_scipys():
    from scipy.special import xlog1py, xlogy

    m, x = small(loss="cross_entropy")
    x[0, :2] = 0.0, 1.0
    y = m.reconstruct(x)
    want = -(xlogy(x, y) + xlog1py(1 - x, -y)).sum(axis=1).mean()
    assert m.objective(Batch(x)).item() == pytest.approx(want, rel=1e-10)
    assert set(m.evaluate(Split(x))) == {"squared_error"}


@pytest.mark.parametrize(
    "changes", [{}, {"activation": "relu"}, {"loss": "cross_entropy"}, {"code": 8}], ids=str
)
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = ae.check(np.random.default_rng(0), **changes)
    assert gg.gradcheck(f, *arrays, order=2, directions=8).error < 1e-6


@pytest.mark.slow
def test_training_learns_the_data(trained):
    recipe, done = trained
    history = done.history
    assert history[-1]["valid_squared_error"] < 0.3 * history[0]["valid_squared_error"]
    # PCA with as many components, from scikit-learn: the logistic output may do a little better.
    if recipe is UNDER:
        from sklearn.decomposition import PCA

        x, y = (s.x.reshape(len(s), -1) for s in (done.data.train, done.data.test))
        pca = PCA(done.settings.code).fit(x)
        rest = ((pca.inverse_transform(pca.transform(y)) - y) ** 2).sum(axis=1).mean()
        assert done.test_figures["squared_error"] < 1.1 * rest


def test_an_overcomplete_code_copies_what_a_bottleneck_cannot(trained):
    recipe, done = trained
    x = done.data.test.x.reshape(len(done.data.test), -1)
    other = copying.scrambled(x)
    assert np.array_equal(np.sort(other, axis=0), np.sort(x, axis=0))  # the same values per pixel
    assert not np.array_equal(other, x)
    error = ((done.system.reconstruct(other) - other) ** 2).sum(axis=1).mean()
    share = error / ((other - other.mean(axis=0)) ** 2).sum(axis=1).mean()
    assert share < 0.12 if recipe is OVER else share > 0.4


def test_state_travels_and_figures_are_drawn(trained):
    from matplotlib.figure import Figure

    recipe, done = trained
    other = recipe.build(done.data, done.settings, gg.Generator(9))
    x = done.data.test.x[:5]
    assert not np.allclose(other.reconstruct(x), done.system.reconstruct(x), atol=1e-3)
    other.load_state_dict(done.system.state_dict())
    assert np.array_equal(other.reconstruct(x), done.system.reconstruct(x))
    made = recipe.figures(done.system, done.data, done.settings)
    assert set(made) == {"activations", "codes", "reconstructions", "filters", "copying"}
    assert all(isinstance(f, Figure) for f in made.values())


def test_unknown_choices_are_refused():
    for key in ("activation", "output", "loss"):
        with pytest.raises(SettingError, match=f"'{key}' must be .* or .*; got 'cosine'"):
            small(**{key: "cosine"})
    with pytest.raises(SettingError, match="needs output 'sigmoid'"):
        small(loss="cross_entropy", output="linear")


def test_the_registry_knows_it():
    assert models.recipe("autoencoder") is UNDER
