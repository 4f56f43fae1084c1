"""A training that diverged says which call of which layer did it, and what helps."""

import tracemalloc

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training import divergence
from glassgrad.core.training.alternating import AlternatingSystem, Phase
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import TrainingSettings
from glassgrad.core.training.state import DivergedError
from glassgrad.core.training.system import System
from glassgrad.models.recurrent import lstm, rnn

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
SETTINGS = TrainingSettings(epochs=1, batch=4, optimiser="sgd")


class Net(System):
    """Any objective over named parts."""

    def __init__(self, objective, **parts):
        vars(self).update(parts)
        self.f = objective

    def objective(self, batch):
        return self.f(self, gg.Tensor(batch.x))


def data(x=None):
    x = np.ones((4, 2), np.float32) if x is None else x
    return DataSet("x", Split(x, x[:, 0]))


def message(system, split=None, **settings) -> str:
    with pytest.raises(DivergedError) as caught:
        fit(system, split or data(), SETTINGS.changed(**settings))
    return str(caught.value)


def linear(scale=1.0):
    layer = nn.Linear(2, 2, bias=False, rng=gg.Generator(0))
    layer.weight.assign(np.full((2, 2), scale, np.float32))
    return layer


def rolls(lead: int, sounding=None) -> DataSet:
    """Piano rolls that begin with silence."""
    if sounding is None:
        sounding = np.random.default_rng(0).random((3, 12, 88)) < 0.05
    pieces = [np.concatenate([np.zeros((lead, 88)), s]).astype("float32") for s in sounding]
    return DataSet("rolls", Split(pieces), Split(pieces[:1]), Split(pieces[:1]))


def train_rolls(recipe, split, **settings):
    s = recipe.resolve(
        "jsb_chorales",
        {"hidden": 24, "epochs": 1, "dropout": 0.0, "select": "", "init": 1.0, **settings},
    )
    system = recipe.build(split, s, gg.Generator(0))
    return fit(system, split, s)[-1]["loss"]


@pytest.mark.parametrize("clip", [0.0, 1.0, 1e-6])
def test_a_silent_lead_in_overflows_on_the_way_back(clip):
    with pytest.raises(DivergedError) as caught:
        train_rolls(rnn.RNN, rolls(120), clip=clip)
    text = str(caught.value)
    assert "at epoch 1, batch 1, though the loss, " in text and "is finite: linear of" in text
    assert "linear of layer.weight_hh_l0 makes the first infinite number, " in text
    assert "of 131 uses back from the loss; with each use the largest grew" in text
    assert "clipping comes after the backward pass and cannot help; try shorter sequences" in text
    assert "try a smaller lr or clip" not in text


def test_what_the_message_recommends_helps():
    for recipe, lead, settings in (
        (rnn.RNN, 12, {}),
        (rnn.RNN, 120, {"init": 0.2}),
        (lstm.RECIPES[0], 120, {}),
    ):
        assert np.isfinite(train_rolls(recipe, rolls(lead), **settings))


@pytest.mark.data
def test_chorales_after_a_long_silence():
    try:
        pieces = gg.data.load("jsb_chorales").train.x[:4]
    except gg.GlassgradError:
        pytest.skip("no chorales here")
    with pytest.raises(DivergedError, match=r"linear of layer\.weight_hh_l0 makes the first infin"):
        train_rolls(rnn.RNN, rolls(200, pieces))


def test_a_fused_layer_is_named():
    layer = nn.LSTM(2, 3, biases=0, rng=gg.Generator(0))
    layer.weight_hh_l0.assign(np.full((12, 3), 1e3, np.float32))
    system = Net(lambda s, x: s.layer(x[:, None, :] * 0.0)[0].sum() * 1e38, layer=layer)
    text = message(system, data(np.ones((40, 2), np.float32)), batch=40)
    assert "though the loss, 0, is finite: lstm of layer.weight_hh_l0 makes the first" in text
    assert "clipping comes after" in text and "shorter sequences" in text


def test_no_net_through_time():
    text = message(Net(lambda s, x: (s.layer(x * 1e-30) * 1e30 * 1e30).sum(), layer=linear()))
    assert "though the loss, 1.6e+31, is finite: mul of layer.weight" in text
    assert "makes the first infinite number; clipping comes after the backward pass" in text
    assert "shorter sequences" not in text and "smaller lr" not in text  # nothing was learnt yet


def test_a_loss_that_overflows_names_the_call_and_the_layer():
    both = {"first": linear(1e20), "second": linear(1e20)}
    text = message(Net(lambda s, x: s.second(s.first(x)).sum(), **both))
    assert "loss is inf at epoch 1, batch 1: linear of second.weight makes the first" in text
    assert text.endswith("inputs of the order of 1")
    hidden = np.ones((4, 2), np.float32)  # the tape does not keep the constant of a sum
    text = message(Net(lambda s, x: gg.exp(s.first(x) + hidden).mean(), first=linear(1e3)))
    assert "linear of first.weight has finite inputs; it, or what follows it, makes the" in text
    text = message(Net(lambda s, x: gg.exp(s.first(x)).mean(), first=linear(1e3)))
    assert "exp of first.weight makes the first infinite number" in text
    text = message(Net(lambda s, x: (gg.log(s.first(x) * 0 - 1)).mean(), first=linear()))
    assert "log of first.weight makes the first NaN number; its derivative or its value" in text


def test_data_and_weights_that_are_bad_to_begin_with():
    nothing = gg.Tensor(np.full((4, 2), np.nan, np.float32))  # a data set would refuse it
    assert "what the batch holds is NaN to begin with" in message(
        Net(lambda s, x: s.layer(nothing).sum(), layer=linear())
    )
    assert "layer.weight is infinite to begin with" in message(
        Net(lambda s, x: s.layer(x).sum(), layer=linear(np.inf))
    )


def test_a_later_step_may_owe_it_to_the_rate():
    system = Net(lambda s, x: (s.layer(x) ** 2).sum(), layer=linear())
    text = message(system, data(np.ones((40, 2), np.float32)), lr=1e6)
    assert "power of layer.weight makes the first infinite number" in text
    assert text.endswith("or a smaller lr") and "epoch 1, batch 1:" not in text


def test_a_phase_is_named():
    class Two(AlternatingSystem):
        def __init__(self):
            self.a, self.b = linear(), linear(1e20)

        def phases(self, settings):
            return (
                Phase("calm", lambda b: self.a(gg.Tensor(b.x)).sum(), (self.a,), 0.1),
                Phase("wild", lambda b: (self.b(gg.Tensor(b.x)) ** 2).sum(), (self.b,), 0.1),
            )

    assert "wild is inf at epoch 1, batch 1: power of b.weight" in message(Two())


def test_a_healthy_training_is_not_looked_at(monkeypatch):
    for name in ("in_forward", "in_backward"):
        monkeypatch.setattr(divergence, name, lambda *_: pytest.fail("looked at"))
    fit(Net(lambda s, x: (s.layer(x) ** 2).mean(), layer=linear()), data(), SETTINGS)


def test_a_graph_without_a_fault_has_no_culprit():
    w = gg.ones(3, requires_grad=True)
    loss = (w * w).sum()
    assert divergence.in_forward(loss, {id(w): "w"}) is None
    assert divergence.in_backward(loss, {id(w): "w"}) is None
    assert (
        divergence.in_backward(gg.ones(()), {}) is None
        and divergence.in_forward(gg.ones(()), {}) is None
    )


@pytest.mark.parametrize("error", [MemoryError(), ZeroDivisionError("no")])
@pytest.mark.parametrize("name", ["in_forward", "in_backward"])
def test_a_diagnosis_that_fails_does_not_replace_the_error(monkeypatch, error, name):
    def fail(*args):
        raise error

    monkeypatch.setattr(divergence, name, fail)
    big = 1e20 if name == "in_forward" else 1e-30
    text = message(Net(lambda s, x: (s.layer(x * big) / big * 1e30).sum(), layer=linear(big)))
    assert f"(the search for the call that did it ended in {type(error).__name__}); try a" in text
    assert ("is finite (the search" in text) == (name == "in_backward") == ("or clip" not in text)


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_a_gradient_without_a_loss_is_not_to_be_clipped(clip):
    """As of a Boltzmann machine, whose gradient is a difference of two phases."""

    class Machine(Net):
        def train_step(self, batch, trainer):
            for p in self.parameters():
                p.grad = gg.Tensor(np.full(p.shape, np.inf, np.float32))
            trainer.clip()

    text = message(Machine(None, layer=linear()), clip=clip)
    assert "gradient" in text and "; try a smaller lr, or GLASSGRAD_DEBUG=3" in text


def test_what_is_done_again_is_not_kept():
    """Of a chain of 40 calls two results of 4 MB are there at a time, not 40."""

    def objective(s, x):
        h = s.w + s.w  # a constant that is added would not be known any more
        for _ in range(40):
            h = h + s.w
        return h.sum() * 1e38 * 1e38

    system = Net(objective, w=gg.ones((1000, 1000), requires_grad=True))
    with np.errstate(all="ignore"):
        loss = system.objective(data(np.zeros((1000, 1000), np.float32)).train)
    tracemalloc.start()
    culprit = divergence.in_forward(loss, {id(system.w): "w"})
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert culprit.function == "mul" and culprit.known and most < 20e6
