"""Nets side by side: the same streams for all, steps next to PyTorch's, curves by hand."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import Split, load, minibatches
from glassgrad.core.training.loop import Silent, fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.state import TrainingState
from glassgrad.models.perceptrons import tricks, tricks_pictures
from glassgrad.models.perceptrons.tricks import SideBySide, sooner
from tests.tools import assert_close

RECIPE = models.recipe("tricks")
DATA = load("digits")
SMALL = {"hidden": (9, 7), "epochs": 1, "every": 5}


def settings(**changes):
    return RECIPE.resolve("digits", {**SMALL, **changes})


def build(dtype="float32", **changes):
    return SideBySide(64, 10, settings(**changes), gg.Generator(2), dtype, held=DATA.test)


# --------------------------------------------------------------------------- what is compared


@pytest.mark.parametrize(
    ("compare", "names"),
    [
        ("batch_norm", ["plain", "batch_norm"]),
        ("dropout", ["plain", "dropout"]),
        ("activation", ["sigmoid", "tanh", "relu"]),
        ("optimiser", list(tricks.RATES)),
    ],
)
def test_nets_differ_in_one_thing_and_start_from_the_same_weights(compare, names):
    m = build(compare=compare)
    assert m.names == names
    fields = {
        "batch_norm": {"batch_norm"}, "dropout": {"dropout", "dropout_input"},
        "activation": {"activation", "lr"}, "optimiser": {"optimiser", "lr"},
    }[compare]  # fmt: skip
    first, *others = map(vars, m.variants.values())
    assert all({k for k in first if first[k] != v[k]} <= fields for v in others)
    for net in m.nets[1:]:
        for a, b in zip(net.linear(), m.nets[0].linear(), strict=True):
            assert np.array_equal(a.weight.numpy(), b.weight.numpy())
            assert b.bias is None or not b.bias.numpy().any()


def test_weights_are_gaussian_of_the_deviation_asked_for():
    m = SideBySide(64, 10, settings(hidden=(200, 200), init=0.03), gg.Generator(0))
    w = np.concatenate([layer.weight.numpy().ravel() for layer in m.nets[0].linear()])
    assert abs(w.std() - 0.03) < 5e-4 and abs(w.mean()) < 5e-4
    assert abs((abs(w) < 0.03).mean() - 0.6827) < 0.01


def test_each_rule_has_its_own_rate_and_the_schedule_scales_all_of_them():
    m, s = build(compare="optimiser"), settings(compare="optimiser")
    both = m.make_optimiser(s)
    kinds = [type(both[f"loss_{name}"]).__name__ for name in m.names]
    assert kinds == ["SGD", "Momentum", "Momentum", "AdaGrad", "Adadelta", "RMSProp", "Adam"]
    for factor in (1.0, 0.1):
        both.lr = s.lr * factor
        found = [both[f"loss_{name}"].lr for name in m.names]
        assert_close(found, s.lr * factor * np.array(list(tricks.RATES.values())), rtol=1e-12)


# ----------------------------------------------------------------- the steps, next to PyTorch's


def twin(net, v):
    """The same net of PyTorch's layers, with the same weights."""
    torch = pytest.importorskip("torch")
    sigma = {"sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}
    layers, linear = [torch.nn.Flatten()], net.linear()
    for k, layer in enumerate(linear):
        o, i = layer.weight.shape
        t = torch.nn.Linear(i, o, bias=layer.bias is not None).double()
        t.weight.data = torch.tensor(layer.weight.numpy())
        if layer.bias is not None:
            t.bias.data = torch.tensor(layer.bias.numpy())
        layers.append(t)
        if k < len(linear) - 1:
            layers += [torch.nn.BatchNorm1d(o).double()] if v.batch_norm else []
            layers.append(sigma[v.activation]())
    return torch.nn.Sequential(*layers)


@pytest.mark.parametrize("compare", ["batch_norm", "activation", "optimiser"])
def test_ten_steps_of_every_net_are_those_of_pytorch(compare):
    torch = pytest.importorskip("torch")
    o = torch.optim
    rules = {
        "sgd": o.SGD, "momentum": lambda p, lr: o.SGD(p, lr, momentum=0.9),
        "nesterov": lambda p, lr: o.SGD(p, lr, momentum=0.9, nesterov=True),
        "adagrad": o.Adagrad, "adadelta": o.Adadelta, "rmsprop": o.RMSprop, "adam": o.Adam,
    }  # fmt: skip
    m, s = build("float64", compare=compare, init=0.4), settings(compare=compare)
    twins = [twin(net, v) for net, v in zip(m.nets, m.variants.values())]
    theirs = [rules[v.optimiser](t.parameters(), v.lr)
              for t, v in zip(twins, m.variants.values())]  # fmt: skip
    state = TrainingState(m, DATA, s)
    for batch in list(minibatches(DATA.train, s.batch))[:10]:
        found = m.train_step(m.on_device(batch), state)
        for name, t, rule in zip(m.names, twins, theirs):
            rule.zero_grad()
            x = torch.tensor(batch.x).double()
            loss = torch.nn.functional.cross_entropy(t(x), torch.tensor(batch.y))
            loss.backward()
            rule.step()
            assert found[f"loss_{name}"] == pytest.approx(loss.item(), rel=1e-6), name
    m.eval()
    for net, t in zip(m.nets, twins):  # with running means too
        z = t.eval()(torch.tensor(DATA.test.x).double()).detach().numpy()
        assert_close(m.answers(net, DATA.test.x, 70)[1], z, rtol=1e-5)


@pytest.mark.parametrize("compare", ["batch_norm", "activation", "dropout"])
def test_the_objective_passes_the_gradient_check(compare):
    f, arrays = tricks.check(np.random.default_rng(0), compare=compare)
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


def test_dropout_and_max_norm_are_of_the_second_net_alone():
    m = build(compare="dropout", max_norm=0.05)
    count = [sum(isinstance(x, gg.nn.Dropout) for x in (*n.lower, *n.upper)) for n in m.nets]
    assert count == [0, 3]
    state = TrainingState(m, DATA, settings(compare="dropout", max_norm=0.05))
    m.train_step(m.on_device(next(iter(minibatches(DATA.train, 60)))), state)
    for net, most in zip(m.nets, (np.inf, 0.05)):
        norms = np.concatenate(
            [np.linalg.norm(w.weight.numpy(), axis=1) for w in net.linear()[:-1]]
        )
        assert (norms.max() > 0.06) == (most == np.inf) and norms.max() <= most * (1 + 1e-5)


# ----------------------------------------------------------------------------------- the curves


def by_hand(net, x):
    """(inputs of the last σ, logits), layer by layer in evaluation, in NumPy."""
    h, v = x.reshape(len(x), -1).astype(float), net.v
    sigma = {"sigmoid": lambda a: 1 / (1 + np.exp(-a)), "tanh": np.tanh,
             "relu": lambda a: np.maximum(a, 0)}[v.activation]  # fmt: skip
    *hidden, last = net.linear()
    norms = [layer for layer in net.lower if isinstance(layer, gg.nn.BatchNorm)]
    for k, layer in enumerate(hidden):
        h = sigma(h) if k else h
        h = h @ layer.weight.numpy().T.astype(float)
        h = h + layer.bias.numpy() if layer.bias is not None else h
        if norms:
            n = norms[k]
            h = (h - n.running_mean.numpy()) / np.sqrt(n.running_var.numpy() + n.eps)
            h = h * n.weight.numpy() + n.bias.numpy()
    return h, sigma(h) @ last.weight.numpy().T + last.bias.numpy()


class AtStep(Silent):
    """Calls `see(steps done)` after each step."""

    def __init__(self, see):
        self.see, self.done = see, 0

    def step(self, epoch, batch, figures):
        self.done += 1
        self.see(self.done)


def test_the_curves_are_what_the_nets_answer_at_their_steps():
    m, s, wanted = build(), settings(), {}

    def see(done):
        training = m.training
        if done % 5 == 0:
            m.eval()
            wanted[done] = [by_hand(net, DATA.test.x) for net in m.nets]
            m.train(training)

    wanted[0] = [by_hand(net, DATA.test.x) for net in m.nets]
    fit(m, DATA, s, progress=AtStep(see))
    curves = m.curves()
    assert curves.steps.tolist() == [0, 5, 10, 15, 20]  # of 22 steps
    for at, step in enumerate(curves.steps):
        for k, (u, z) in enumerate(wanted[step]):
            right = (z.argmax(axis=1) == DATA.test.y).mean()
            assert curves.accuracies[k, at] == pytest.approx(right, abs=1e-6)
            for p, row in zip((15, 50, 85), curves.inputs[k, at]):
                ordered = np.sort(u, axis=0)  # linear between the two rows next to the place
                place = p / 100 * (len(u) - 1)
                low = int(place)
                want = ordered[low] + (place - low) * (ordered[low + 1] - ordered[low])
                assert_close(row, want, rtol=1e-4)
    assert np.isnan(m.accuracies.numpy()[:, 5:]).all()


def test_the_figures_are_those_of_the_curves_and_of_the_split():
    m, s = build(), settings(epochs=3)
    fit(m, DATA, s)
    found, c = m.evaluate_finished(DATA.valid), m.curves()
    right = [(by_hand(n, DATA.valid.x)[1].argmax(axis=1) == DATA.valid.y).mean() for n in m.nets]
    assert [found[f"accuracy_{name}"] for name in m.names] == pytest.approx(right)
    assert found["gain"] == pytest.approx(100 * (right[1] - right[0]))
    for k, name in enumerate(m.names):
        each = [np.std(c.inputs[k, :, 1, j]) / np.mean(c.inputs[k, :, 2, j] - c.inputs[k, :, 0, j])
                for j in range(7)]  # fmt: skip
        assert found[f"drift_{name}"] == pytest.approx(np.mean(each), rel=1e-4)
    best = c.accuracies[0].argmax()
    first = next((i for i, a in enumerate(c.accuracies[1]) if a >= c.accuracies[0][best]), None)
    assert found["sooner"] == (0 if first is None else (best + 1) / (first + 1))
    assert sooner(np.array([0.5, 0.9]), np.array([0.1, 0.8])) == 0


def test_curves_end_at_the_most_points_and_a_system_without_rows_has_none():
    m = build(points=2)
    fit(m, DATA, settings(points=2))
    assert m.curves().steps.tolist() == [0, 5]
    bare = SideBySide(64, 10, settings(), gg.Generator(2))
    fit(bare, DATA, settings())
    assert not len(bare.curves().steps)
    assert tricks_pictures.figures(bare, DATA, settings()) == {}
    assert set(bare.evaluate_finished(DATA.test)) == {
        "accuracy_plain",
        "accuracy_batch_norm",
        "gain",
    }


def test_recording_does_not_change_the_training():
    """The same weights, running means and streams with many points and with none."""
    for compare in ("batch_norm", "dropout"):
        found = []
        for points in (1, 200):
            m = build(compare=compare, points=points, every=3)
            fit(m, DATA, settings(compare=compare, points=points, every=3))
            found.append({k: v for k, v in m.state_dict().items() if k.startswith("nets")})
        assert all(np.array_equal(v, found[1][k]) for k, v in found[0].items())


def test_a_training_that_was_stopped_goes_on_as_if_it_was_not(tmp_path):
    s, whole, count = settings(compare="dropout"), build(compare="dropout"), iter(range(99))
    fit(whole, DATA, s)
    with pytest.raises(KeyboardInterrupt):
        fit(build(compare="dropout"), DATA, s, run=Run(tmp_path),
            stop=lambda: next(count) == 6)  # fmt: skip
    again = build(compare="dropout")
    fit(again, DATA, s, run=Run(tmp_path), resume=True)
    for name, value in whole.state_dict().items():
        assert np.array_equal(again.state_dict()[name], value, equal_nan=True), name


@pytest.mark.slow
@pytest.mark.parametrize(("compare", "least"), [("activation", 1.0), ("optimiser", 1.0)])
def test_relu_and_adaptive_steps_learn_where_plain_sigmoids_do_not_yet(compare, least):
    done = training.train(RECIPE, overrides={"compare": compare, "epochs": 20})
    assert done.test_figures["gain"] > least
    made = RECIPE.figures(done.system, done.data, done.settings)
    assert set(made) == {"accuracy", "inputs"}
    lines = made["accuracy"].axes[0].lines
    assert [line.get_label() for line in lines] == done.system.names


def test_other_labels_than_classes_are_refused():
    with pytest.raises(gg.core.training.settings.SettingError, match="has no class labels"):
        tricks.build(
            tricks.DataSet("q", Split(np.zeros((4, 2)), np.zeros((4, 1)))), settings(),
            gg.Generator(0),
        )  # fmt: skip
