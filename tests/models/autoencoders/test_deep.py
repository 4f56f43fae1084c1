"""The deep autoencoder: its layers in NumPy, its start, its training."""

from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Split, load
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.autoencoders import deep

RECIPE = models.recipe("deep-autoencoder")


@pytest.fixture(scope="module")
def trained():
    return training.train(RECIPE)


def logistic(a):
    return 1 / (1 + np.exp(-a))


def small(x, **changes):
    s = deep.Settings(**{"hidden": (7, 5), "code": 2, **changes})
    return deep.build(DataSet("small", Split(x)), s, gg.Generator(1), dtype="float64")


@pytest.mark.parametrize("centred", [True, False])
def test_the_objective_is_the_equation(centred):
    x = np.random.default_rng(0).random((4, 6))
    m = small(x, centred=centred)
    p, h = m.state_dict(), x
    for name in ("encoder.0", "encoder.2", "encoder.4", "decoder.0", "decoder.2", "decoder.4"):
        a = h @ p[f"{name}.weight"].T + p[f"{name}.bias"]
        h = a if name == "encoder.4" else logistic(a) - (0.5 if centred else 0)
    y = h + (0.5 if centred else 0)  # the output is logistic in both
    want = ((y - x) ** 2).sum(axis=1).mean()
    assert m.objective(Batch(x)).item() == pytest.approx(want, rel=1e-12)
    assert [q.shape[0] for q in m.parameters()[::2]] == [7, 5, 2, 5, 7, 6]


def test_the_network_of_the_paper():
    x = np.zeros((1, 1, 28, 28), np.float32)
    m = deep.build(DataSet("x", Split(x)), RECIPE.resolve("mnist"), gg.Generator(0))
    assert [q.shape for q in m.parameters()[::2]] == [
        (1000, 784), (500, 1000), (250, 500), (30, 250),
        (250, 30), (500, 250), (1000, 500), (784, 1000),
    ]  # fmt: skip
    assert m.encode(gg.ones((2, 784))).shape == (2, 30)


def test_centring_leaves_the_function_as_it_is():
    """The two start at the same function, and each can be written as the other."""
    x = np.random.default_rng(0).random((4, 6))
    a, b = small(x), small(x, centred=False)
    assert np.allclose(a.reconstruct(x), b.reconstruct(x), rtol=1e-12)
    for p in a.parameters():
        p.assign(np.random.default_rng(1).standard_normal(p.shape))
    state = a.state_dict()
    for name in ("encoder.2", "encoder.4", "decoder.2", "decoder.4"):
        state[f"{name}.bias"] = state[f"{name}.bias"] - 0.5 * state[f"{name}.weight"].sum(axis=1)
    b.load_state_dict(state)
    assert np.allclose(a.reconstruct(x), b.reconstruct(x), rtol=1e-12)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_a_balanced_start_lets_the_signal_through(activation):
    """What tells two images apart reaches the last layer; from the usual start it does not."""
    data = load("digits")
    found = {}
    for start in ("balanced", "usual"):
        s = replace(
            RECIPE.resolve("digits"),
            start=start,
            activation=activation,
            code=30,
            hidden=(300, 200, 100),
        )
        system = deep.build(data, s, gg.Generator(0))
        with gg.no_grad():
            x = gg.Tensor(data.train.x[:200].reshape(200, -1))
            found[start] = system.decoder(system.encode(x)).numpy().std(axis=0).mean()
    assert found["balanced"] > 0.1 and found["balanced"] > 5 * found["usual"], found


@pytest.mark.parametrize(
    "changes",
    [{}, {"centred": False}, {"activation": "relu"}, {"loss": "cross_entropy"}, {"start": "usual"}],
    ids=str,
)
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = deep.check(np.random.default_rng(0), **changes)
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


@pytest.mark.slow
def test_two_codes_say_more_than_two_principal_components(trained):
    from sklearn.decomposition import PCA

    assert trained.settings.code == 2
    x, y = (s.x.reshape(len(s), -1) for s in (trained.data.train, trained.data.test))
    pca = PCA(2).fit(x)
    rest = ((pca.inverse_transform(pca.transform(y)) - y) ** 2).sum(axis=1).mean()
    assert trained.test_figures["squared_error"] < 0.75 * rest
    history = trained.history
    assert history[-1]["valid_squared_error"] < 0.6 * history[0]["valid_squared_error"]


def test_state_travels_and_figures_are_drawn(trained):
    from matplotlib.figure import Figure

    other = RECIPE.build(trained.data, trained.settings, gg.Generator(9))
    x = trained.data.test.x[:5]
    assert not np.allclose(other.reconstruct(x), trained.system.reconstruct(x), atol=1e-3)
    other.load_state_dict(trained.system.state_dict())
    assert np.array_equal(other.reconstruct(x), trained.system.reconstruct(x))
    made = RECIPE.figures(trained.system, trained.data, trained.settings)
    assert set(made) == {"activations", "codes", "reconstructions", "filters", "copying"}
    assert all(isinstance(f, Figure) for f in made.values())


def test_unknown_choices_are_refused():
    x = np.zeros((2, 6))
    for key in ("activation", "start", "output", "loss"):
        with pytest.raises(SettingError, match=f"'{key}' must be .* or .*; got 'other'"):
            small(x, **{key: "other"})
    with pytest.raises(SettingError, match="'hidden' must be a list of at least one"):
        small(x, hidden=())
