"""Contractive autoencoders: the closed form, the tape and finite differences agree on ‖J_f‖²."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import training
from glassgrad.core import nn
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.autoencoders import contractive

ONE, DEEP = contractive.RECIPES
X = np.random.default_rng(0).random((5, 6))


def small(**changes):
    s = contractive.Settings(**{"code": 3, **changes})
    return contractive.build(DataSet("small", Split(X)), s, gg.Generator(1), dtype="float64")


def differences(f, x, h=1e-6):
    """‖J_f(x_i)‖² by central differences of each input."""
    total = 0
    for d in range(x.shape[1]):
        e = h * np.eye(x.shape[1])[d]
        total = total + (((f(x + e) - f(x - e)) / (2 * h)) ** 2).sum(axis=1)
    return total


def test_the_closed_form_is_the_tape_is_finite_differences():
    m = small()
    closed = contractive.closed_form(m.encoder[0].weight, m.encode(gg.Tensor(X))).numpy()
    exact = contractive.exact(m.encode, gg.Tensor(X)).numpy()
    assert np.allclose(closed, exact, rtol=1e-12)
    assert np.allclose(exact, differences(m.codes, X), rtol=1e-7)


def test_both_forms_have_one_objective_and_one_gradient():
    a, b = small(tied=True), small(tied=True, form="exact")
    va, vb = (m.objective(Batch(X))[0] for m in (a, b))
    assert va.item() == pytest.approx(vb.item(), rel=1e-12)
    va.backward(), vb.backward()
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        assert np.allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_any_encoder_by_second_derivatives(activation):
    m = small(hidden=(5, 4), activation=activation, form="exact")
    found = contractive.exact(m.encode, gg.Tensor(X)).numpy()
    assert np.allclose(found, differences(m.codes, X), rtol=1e-6)


def test_a_convolutional_encoder_too():
    rng = gg.Generator(0)
    net = nn.Sequential(nn.Conv2d(1, 2, 3, rng=rng, dtype="float64"), nn.Tanh(), nn.Flatten())
    x = np.random.default_rng(1).random((3, 25))

    def encode(t):
        return net(t.reshape(len(t), 1, 5, 5))

    def codes(a):
        return encode(gg.Tensor(a)).numpy()

    assert np.allclose(
        contractive.exact(encode, gg.Tensor(x)).numpy(), differences(codes, x), rtol=1e-6
    )


def test_the_estimate_is_unbiased():
    m = small(hidden=(5,), activation="tanh", form="estimate")
    exact = contractive.exact(m.encode, gg.Tensor(X), create_graph=False).numpy()
    found = contractive.estimate(m.encode, gg.Tensor(X), 20_000, gg.Generator(0), False).numpy()
    assert np.allclose(found, exact, rtol=0.05)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"form": "exact"},
        {"tied": True, "loss": "cross_entropy"},
        {"hidden": (4,), "activation": "tanh", "form": "exact"},
        {"hidden": (4,), "form": "estimate", "probes": 2},
    ],
    ids=str,
)
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = ONE.check(np.random.default_rng(0), **changes)
    assert gg.gradcheck(f, *arrays, order=2, directions=5).error < 1e-6


def test_it_contracts_and_keeps_few_directions():
    """Against no penalty: a smaller Jacobian, more of whose norm lies in its first directions."""
    found = {}
    for weight in (0.0, 0.3):
        done = training.train(ONE, overrides={"weight": weight, "epochs": 12, "code": 40})
        x = done.data.test.x[:10].reshape(10, -1)
        values = contractive.singular_values(done.system.encode, x) ** 2
        share = values[:, :20].sum(axis=1) / values.sum(axis=1)
        found[weight] = done.test_figures["jacobian"], share.mean()
        squares = differences(done.system.astype("float64").codes, x.astype(float))
        assert np.allclose(squares, values.sum(axis=1), rtol=1e-3)
    assert found[0.3][0] < 0.6 * found[0.0][0] and found[0.3][1] > found[0.0][1]


def test_the_deep_one_trains_and_figures_are_drawn():
    done = training.train(DEEP, overrides={"epochs": 2})
    assert done.history[-1]["loss"] < done.history[0]["loss"]
    figures = DEEP.figures(done.system, done.data, done.settings)
    assert set(figures) == {
        "activations",
        "codes",
        "reconstructions",
        "filters",
        "jacobian",
        "beside",
    }


def test_bad_settings_are_refused():
    with pytest.raises(SettingError, match="'form' must be 'closed', 'exact' or 'estimate'"):
        small(form="open")
    with pytest.raises(SettingError, match="needs activation 'sigmoid'"):
        small(activation="tanh")
    with pytest.raises(SettingError, match="needs one layer; got hidden"):
        small(hidden=(4,))
    with pytest.raises(SettingError, match="tied weights need one layer"):
        small(hidden=(4,), form="exact", tied=True)
    with pytest.raises(SettingError, match="'probes' has no effect with form=closed"):
        ONE.resolve("digits", {"probes": 2})
