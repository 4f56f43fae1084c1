"""The multi-layer perceptron: its equations in NumPy, its switches, its trainings, its pictures."""

import math

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Info, Split, from_arrays, load
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.common.validation import with_validation
from glassgrad.models.perceptrons import mlp
from glassgrad.models.perceptrons.tasks import Classification, Regression, task_of
from tests.tools import assert_close

RECIPE = models.recipe("mlp")
SIGMA = {"relu": lambda a: np.maximum(a, 0), "tanh": np.tanh,
         "sigmoid": lambda a: 1 / (1 + np.exp(-a))}  # fmt: skip


def small(task=None, inputs=5, dtype="float64", **changes):
    s = mlp.Settings(**{"hidden": (4, 3), **changes})
    return mlp.Mlp(inputs, task or Classification(3), s, gg.Generator(1), dtype=dtype)


def by_hand(m, x, sigma):
    """z = W h_L + b with h_l = σ(W_l h_{l-1} + b_l), row by row."""
    p = list(m.state_dict().items())
    weights = [v for n, v in p if n.endswith("weight")]
    biases = [v for n, v in p if n.endswith("bias")]
    z = np.zeros((len(x), len(biases[-1])))
    for n, h in enumerate(x.reshape(len(x), -1)):
        for layer, (w, b) in enumerate(zip(weights, biases)):
            h = w @ h + b
            h = sigma(h) if layer < len(weights) - 1 else h
        z[n] = h
    return z


# ------------------------------------------------------------------------------- the equations


@pytest.mark.parametrize("hidden", [(), (4,), (4, 3)], ids=str)
@pytest.mark.parametrize("activation", SIGMA)
def test_the_objective_of_classes_is_the_equation(activation, hidden):
    m = small(activation=activation, hidden=hidden)
    x, y = np.random.default_rng(0).standard_normal((6, 5)), np.array([0, 2, 1, 2, 0, 0])
    z = by_hand(m, x, SIGMA[activation])
    q = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss, extra = m.objective(Batch(x, y))
    assert loss.item() == pytest.approx(-np.log(q[np.arange(6), y]).mean(), rel=1e-12)
    assert extra["accuracy"] == (z.argmax(axis=1) == y).mean()
    assert_close(m.answers(x, size=4), z, rtol=1e-12)
    found = m.eval().evaluate(Split(x, y), size=4)
    assert found == pytest.approx({"loss": loss.item(), "accuracy": extra["accuracy"]})


@pytest.mark.parametrize("names", [(), ("a", "b")], ids=str)
def test_the_objective_of_quantities_is_the_equation(names):
    rng = np.random.default_rng(0)
    y = rng.standard_normal((8, 2)) * [1, 100] + [5, -300]
    m = small(Regression(y, names, dtype="float64"), activation="tanh")
    x, k = rng.standard_normal((8, 5)), ("a", "b") if names else ("1", "2")
    z, mean, spread = by_hand(m, x, np.tanh), y.mean(axis=0), y.std(axis=0)
    loss, extra = m.objective(Batch(x, y))
    assert extra == {}
    assert loss.item() == pytest.approx(np.square(z - (y - mean) / spread).mean(), rel=1e-12)
    answers = z * spread + mean
    assert_close(m.answers(x), answers, rtol=1e-12)
    found = m.eval().evaluate(Split(x, y), size=3)
    wrong = np.square(answers - y).sum(axis=0)
    r2 = 1 - wrong / np.square(y - mean).sum(axis=0)
    want = {"loss": loss.item(), "r2": r2.mean()}
    want |= {f"rmse_{name}": math.sqrt(w / 8) for name, w in zip(k, wrong)}
    assert found == pytest.approx(want, rel=1e-10)


def test_the_figures_of_quantities_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    for y in (rng.standard_normal((9, 3)), rng.standard_normal((9, 1)), np.full((9, 1), 2.0)):
        for answers in (y, y + rng.standard_normal(y.shape), np.tile(y.mean(axis=0), (9, 1))):
            task = Regression(y)
            assert task.score(answers, y) == pytest.approx(metrics.r2_score(y, answers), abs=1e-12)
            found = task.figures(answers, y)
            want = metrics.root_mean_squared_error(y, answers, multioutput="raw_values")
            assert [v for k, v in found.items() if k != "r2"] == pytest.approx(want, abs=1e-12)


def test_targets_may_have_any_unit():
    """Targets a thousand times as large: the same training, errors a thousand times as large."""
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal((60, 3)), rng.standard_normal(60)
    y = (x @ [1.0, -2.0, 0.5] + 0.1 * noise)[:, None]
    found = []
    for scale, shift in ((1, 0), (1024, 7)):
        data = from_arrays(x, y * scale + shift)
        s = RECIPE.resolve("arrays", {"epochs": 3, "hidden": (8,)}, data.info.kind)
        data = RECIPE.prepare(data, s)
        system = RECIPE.build(data, s, gg.Generator(0))
        fit(system, data, s)
        found.append(system.evaluate(data.test))
    assert found[1]["r2"] == pytest.approx(found[0]["r2"], rel=1e-3)
    assert found[1]["rmse"] == pytest.approx(1024 * found[0]["rmse"], rel=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"activation": "tanh"},
        {"hidden": ()},
        {"dropout": 0.3, "dropout_input": 0.2, "activation": "sigmoid"},
        {"task": Regression(np.arange(6.0).reshape(3, 2), dtype="float64")},
    ],
    ids=lambda c: "-".join(c),
)
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = mlp.check(np.random.default_rng(0), **changes)
    report = gg.gradcheck(f, *arrays, order=2, directions=4)
    assert report.error < 1e-6
    assert report.piecewise == ("activation" not in changes and changes != {"hidden": ()})


# --------------------------------------------------------------------------------- its switches


def test_dropout_is_before_each_layer_and_only_in_training():
    p = {"dropout": 0.5, "dropout_input": 0.25}
    kinds = [type(layer).__name__ for layer in small(**p).network]
    assert kinds == ["Flatten", "Dropout", "Linear", "ReLU", "Dropout", "Linear", "ReLU",
                     "Dropout", "Linear"]  # fmt: skip
    assert [layer.p for layer in small(**p).network if hasattr(layer, "p")] == [0.25, 0.5, 0.5]
    m, x = small(hidden=(), dropout_input=0.25), np.ones((2000, 5))
    z = m(gg.Tensor(x)).numpy()
    assert len(np.unique(z.round(9), axis=0)) > 20  # of 32 masks
    assert_close(z.mean(axis=0), by_hand(m, x[:1], None)[0], rtol=0.05)  # unbiased
    m.eval()
    assert_close(m(gg.Tensor(x)).numpy(), by_hand(m, x, None), rtol=1e-12)


def lengths(c):
    """The longest weight vector of each layer after each step of an epoch with max-norm c."""
    found, data = [], load("digits")
    s = RECIPE.resolve("digits", {"max_norm": c, "epochs": 1, "lr": 0.02, "hidden": (20, 10)})

    class Watched(mlp.Mlp):
        def train_step(self, batch, training):
            figures = super().train_step(batch, training)
            found.append([np.linalg.norm(a.weight.numpy(), axis=1).max() for a in self.linear()])
            return figures

    fit(Watched(64, Classification(10), s, gg.Generator(0)), data, s)
    return np.array(found)


def test_max_norm_holds_for_hidden_units_after_every_step():
    bound, free = lengths(0.4), lengths(0.0)
    assert len(bound) == 41 and (bound[:, :2] <= 0.4 * (1 + 1e-6)).all()
    assert bound[-1, 2] > 0.5, "the outputs have no bound"
    assert (free[-1] > 0.8).all()


def test_settings_that_need_hidden_units_say_so():
    for key, value in {"dropout": 0.5, "max_norm": 1.0, "activation": "tanh"}.items():
        with pytest.raises(SettingError, match="has no effect with hidden"):
            RECIPE.resolve("digits", {"hidden": (), key: value})
    for wrong in ({"hidden": (0,)}, {"dropout": 1.0}, {"dropout_input": -0.1}, {"max_norm": -1}):
        with pytest.raises(SettingError, match=f"'{next(iter(wrong))}' must be"):
            RECIPE.resolve("digits", wrong)


# -------------------------------------------------------------------------------------- its data


def test_the_labels_decide_what_is_learnt():
    x = np.zeros((4, 2), np.float32)
    assert task_of("mlp", DataSet("d", Split(x, np.array([0, 3, 1, 0])))).size == 4
    named = DataSet("d", Split(x, np.zeros(4, int)), info=Info(classes=("a", "b", "c")))
    assert task_of("mlp", named).size == 3
    for y in (np.arange(4.0), np.arange(4.0)[:, None]):
        task = task_of("mlp", DataSet("d", Split(x, y)))
        assert isinstance(task, Regression) and task.size == 1
        assert (task.mean.item(), task.deviation.item()) == pytest.approx((1.5, math.sqrt(1.25)))
    constant = task_of("mlp", DataSet("d", Split(x, np.full(4, 7.0))))
    assert constant.deviation.item() == 1
    for kind, how in {"table": "name a column: --label", "images": "give each class a"}.items():
        with pytest.raises(SettingError, match=f"d has no labels to learn; .*{how}"):
            RECIPE.prepare(DataSet("d", Split(x), info=Info(kind=kind)), RECIPE.settings())
    for y in (np.zeros((4, 2), int), np.zeros((4, 2, 2)), [np.zeros(2)] * 4):
        with pytest.raises(SettingError, match="the labels must be classes, int"):
            RECIPE.prepare(DataSet("d", Split(x, y)), RECIPE.settings())


def test_tables_are_standardised_and_other_kinds_left_as_they_are():
    s = RECIPE.settings()
    wine = RECIPE.prepare(load("wine"), s)
    assert_close(wine.train.x.mean(axis=0), np.zeros(13), rtol=1e-5)
    assert_close(wine.train.x.std(axis=0), np.ones(13), rtol=1e-5)
    raw = load("wine")
    mean, spread = raw.train.x.mean(axis=0), raw.train.x.std(axis=0)
    assert_close(wine.test.x, (raw.test.x - mean) / spread, rtol=1e-5)
    for data in (load("digits"), from_arrays(np.eye(20), np.arange(20) % 2)):
        assert RECIPE.prepare(data, s) is data


def test_without_a_validation_split_training_rows_become_one():
    rows = np.arange(40.0).reshape(20, 2)
    y = np.arange(20)
    data = with_validation(DataSet("d", Split(rows, y), test=Split(rows[:3], y[:3])))
    assert (len(data.train), len(data.valid), len(data.test)) == (18, 2, 3)
    assert sorted([*data.train.y, *data.valid.y]) == list(range(20))
    assert np.array_equal(rows[data.valid.y], data.valid.x)
    assert with_validation(data) is data
    tiny = with_validation(DataSet("d", Split(rows[:9], y[:9])))
    assert (len(tiny.train), len(tiny.valid)) == (8, 1)  # a tenth of them is none
    single = DataSet("d", Split(rows[:1], y[:1]))
    assert with_validation(single) is single


# ------------------------------------------------------------------------------------ trainings


@pytest.mark.parametrize("data", ["iris", "diabetes"])
def test_a_training_is_repeated_by_its_seed_and_travels(data):
    few = {"epochs": 2, "dropout": 0.2, "max_norm": 1.0}
    a, b = (training.train(RECIPE, data, overrides=few) for _ in range(2))
    assert a.test_figures == b.test_figures
    other = RECIPE.build(a.data, a.settings, gg.Generator(9)).eval()
    x = a.data.test.x
    assert not np.allclose(other.answers(x), a.system.answers(x), atol=1e-3)
    other.load_state_dict(a.system.state_dict())
    assert np.array_equal(other.answers(x), a.system.answers(x))


@pytest.fixture(scope="module")
def default():
    return training.train(RECIPE)


@pytest.mark.slow
def test_the_default_is_no_worse_than_logistic_regression(default):
    """Bounds: the largest class of the digits has 12 %; scikit-learn's logistic regression."""
    linear = pytest.importorskip("sklearn.linear_model")
    data = default.data
    x, rest = (s.x.reshape(len(s.x), -1) for s in (data.train, data.test))
    peer = linear.LogisticRegression(max_iter=2000).fit(x, data.train.y).score(rest, data.test.y)
    got = default.test_figures["accuracy"]
    most = np.bincount(data.test.y).max() / len(data.test)
    assert most < 0.2 and got > max(0.9, peer - 0.01), (got, peer)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_on_tables_it_is_within_a_point_of_a_linear_model(name):
    """On the test rows of so many random splits that they are at least 300 in all."""
    linear = pytest.importorskip("sklearn.linear_model")
    got, peers, plain = [], [], []
    for seed in range(-(-300 // len(load(name).test))):
        s = RECIPE.resolve(name, {"seed": seed})
        data = RECIPE.prepare(load(name, seed=seed), s)
        system = RECIPE.build(data, s, gg.Generator(seed))
        fit(system, data, s)
        x, y = data.test.x, data.test.y
        got.append(system.task.score(system.eval().answers(x), y))
        classes = isinstance(system.task, Classification)
        model = linear.LogisticRegression(max_iter=2000) if classes else linear.LinearRegression()
        peers.append(model.fit(data.train.x, data.train.y.ravel()).score(x, y.ravel()))
        plain.append(np.bincount(y).max() / len(y) if classes else 0.0)
    assert np.mean(got) > np.mean(plain) + 0.25, "hardly better than always saying the same"
    assert np.mean(got) > np.mean(peers) - 0.01, (got, peers)


def test_few_rows_leave_one_for_validation_and_the_seed_chooses_it():
    data = DataSet("few", Split(np.arange(16.0).reshape(8, 2), np.arange(8.0)))
    found = {seed: with_validation(data, seed).valid.y.tolist() for seed in range(6)}
    assert {len(rows) for rows in found.values()} == {1} and len({*map(tuple, found.values())}) > 1
