"""`fit` on any network and any data, `predict`: what a newcomer writes first."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.data import DataError, DataSet, Split
from glassgrad.core.training.predictor import Predictor, as_data
from glassgrad.core.training.settings import SettingError, TrainingSettings
from glassgrad.kernels.errors import DTypeError, ValueRangeError

RNG = np.random.default_rng(0)
X = RNG.random((60, 3)).astype(np.float32)


def line(outputs=1):
    return gg.nn.Linear(3, outputs, rng=gg.Generator(1))


def by_hand(net, loss, epochs, lr):
    """Plain gradient descent on all samples at once, in five lines."""
    w, b = net.weight.numpy().astype(float), net.bias.numpy().astype(float)
    for _ in range(epochs):
        gw, gb = loss(w, b)
        w, b = w - lr * gw, b - lr * gb
    return w, b


def test_quantities_are_fitted_by_least_squares():
    y = X @ np.array([1.0, -2.0, 0.5], np.float32) + 0.3

    def gradient(w, b):
        d = 2 * (X @ w.T + b - y[:, None]) / len(X)
        return d.T @ X, d.sum(axis=0)

    net = line()
    w, b = by_hand(net, gradient, 20, 0.1)
    history = gg.fit(net, (X, y), epochs=20, batch=60, lr=0.1, optimiser="sgd")
    assert np.allclose(net.weight.numpy(), w, atol=1e-5) and np.allclose(net.bias.numpy(), b, 1e-5)
    assert [row["epoch"] for row in history] == list(range(1, 21)) and not net.training
    column = line()
    gg.fit(column, (X, y[:, None]), epochs=20, batch=60, lr=0.1, optimiser="sgd")
    assert np.array_equal(column.weight.numpy(), net.weight.numpy())


def test_classes_are_fitted_by_cross_entropy():
    y = (X[:, 0] > X[:, 1]).astype(int)

    def gradient(w, b):
        z = X @ w.T + b
        p = np.exp(z - z.max(axis=1, keepdims=True))
        d = (p / p.sum(axis=1, keepdims=True) - np.eye(2)[y]) / len(X)
        return d.T @ X, d.sum(axis=0)

    net = line(2)
    w, _ = by_hand(net, gradient, 30, 1.0)
    history = gg.fit(net, (X, y), epochs=30, batch=60, lr=1.0, optimiser="sgd")
    assert np.allclose(net.weight.numpy(), w, atol=1e-5)
    right = (gg.predict(net, X).argmax(axis=1) == y).mean()
    assert right > 0.9 and abs(right - history[-1]["accuracy"]) < 0.1


def test_without_y_it_is_an_autoencoder():
    net = gg.nn.Sequential(line(2), gg.nn.Linear(2, 3, rng=gg.Generator(2)))
    history = gg.fit(net, X, epochs=200, lr=1e-2)
    assert history[-1]["loss"] < 0.5 * np.var(X)  # two of three dimensions
    again = gg.nn.Sequential(line(2), gg.nn.Linear(2, 3, rng=gg.Generator(2)))
    gg.fit(again, DataSet("x", Split(X)), epochs=200, lr=1e-2)
    assert np.array_equal(net[0].weight.numpy(), again[0].weight.numpy())


def test_a_loss_of_ones_own():
    net, seen = line(), []

    def loss(out, y):
        seen.append(y.shape)
        return gg.nn.losses.l1(out.reshape(y.shape), y)

    gg.fit(net, (X, np.zeros(60)), epochs=1, batch=30, loss=loss)
    assert seen == [(30,), (30,)]


def test_settings_are_those_of_the_system_or_of_every_training():
    net = line(2)
    assert len(gg.fit(net, (X, np.zeros(60, int)))) == TrainingSettings().epochs
    assert len(gg.fit(net, (X, np.zeros(60, int)), TrainingSettings(epochs=2))) == 2
    assert len(gg.fit(net, (X, np.zeros(60, int)), TrainingSettings(epochs=2), epochs=3)) == 3
    recipe = __import__("glassgrad.models").models.recipe("mlp")
    s = recipe.resolve("iris", {"epochs": 2})
    data = recipe.prepare(gg.data.load("iris"), s) if recipe.prepare else gg.data.load("iris")
    assert len(gg.fit(recipe.build(data, s, gg.Generator(0)), data)) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"lr": "fast"}, "'lr' must be"),
        ({"batch": 0}, "at least 1"),
        ({"select": "nothing"}, "not among the validation figures"),
    ],
)
def test_wrong_settings_are_named(changes, message):
    with pytest.raises(SettingError, match=message):
        gg.fit(line(), (X, X[:, 0]), **changes)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("digit", "did you mean 'digits'"),
        ("./nothing.csv", "nothing.csv"),
        ((X, X[:5, 0]), "same length"),
        ([X, X[:, 0]], "arrays of numbers"),
        ({"x": X}, "got dict"),
        (None, "got NoneType"),
        (3, "at least one axis"),
        ("karate", "is a graph"),
    ],
)
def test_wrong_data_are_named(data, message):
    with pytest.raises(DataError, match=message):
        gg.fit(line(), data, epochs=1)


def test_what_is_no_network():
    with pytest.raises(DTypeError, match="expected a Module"):
        gg.fit(X, X)
    system = Predictor(line())
    with pytest.raises(SettingError, match="has its own objective"):
        gg.fit(system, X, loss=lambda out, y: out.sum())


def test_arrays_are_all_for_training():
    data = as_data((X, [0.0] * 60))
    assert len(data.train) == 60 and data.valid is None and data.test is None
    alone = as_data((X,)).train  # somebody's (x,), without a y
    assert alone.x.shape == X.shape and alone.y is None
    with pytest.raises(gg.data.DataError, match=r"\(x, y\); got 3 arrays"):
        as_data((X, X, X))


def test_predict_leaves_the_net_as_it_was():
    drop = gg.nn.Sequential(gg.nn.Dropout(0.5, rng=gg.Generator(0)), line(2))
    drop[1].eval()
    out = gg.predict(drop, X.astype(np.float64), size=7)
    assert out.dtype == np.float32 and drop.training and not drop[1].training
    assert np.allclose(out, X @ drop[1].weight.numpy().T + drop[1].bias.numpy(), atol=1e-6)
    assert gg.predict(drop, gg.tensor(X[:0])).shape == (0, 2)
    with pytest.raises(ValueRangeError, match="size must be at least 1"):
        gg.predict(drop, X, size=0)


def test_the_net_gets_tensors():
    class Reader(gg.nn.Module):
        def __init__(self):
            self.read, self.say = gg.nn.GRU(1, 4), gg.nn.Linear(4, 2)

        def forward(self, x):
            return self.say(self.read(x.transpose((1, 0)).expand_dims(2))[0][-1].tanh())

    net = Reader()
    gg.fit(net, (X, X[:, 0] > X[:, 1]), epochs=2)  # truth is a class
    assert gg.predict(net, X).shape == (60, 2)
    assert gg.predict(net, gg.tensor(X, requires_grad=True)).shape == (60, 2)


def test_a_loss_of_ones_own_may_compare_columns():
    history = gg.fit(line(), (X, X[:, 0]), loss=gg.mse, epochs=1)
    again = gg.fit(line(), (X, X[:, 0]), epochs=1)
    assert history[0]["loss"] == again[0]["loss"]


def test_labels_that_are_lost_are_not_taken_for_none():
    system = Predictor(line(3), answer="logits")
    with pytest.raises(SettingError, match="was trained on labels; these have none"):
        system.evaluate(Split(X))
