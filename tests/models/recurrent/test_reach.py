"""A plain net on tunes that begin with silence: the failure of the page, and what mends it."""

import warnings

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models
from glassgrad.core.data import DataSet, Info, Split, load
from glassgrad.core.training.loop import DivergedError, fit
from glassgrad.core.training.settings import SettingError
from glassgrad.models.recurrent import sequence
from glassgrad.models.recurrent.rnn import trained
from tests.tools import assert_close

RNN = models.recipe("rnn")
SILENT = 220


def tunes(count: int, silent: int, sounding: int = 40) -> Split:
    rng = np.random.default_rng(silent)
    rolls = []
    for _ in range(count):
        roll = (rng.random((silent + sounding, 88)) < 0.05).astype(np.float32)
        roll[:silent] = 0
        rolls.append(roll)
    return Split(rolls)


def made(reach=0, radius=2.2, **changes):
    """A net whose W is orthogonal times `radius`, and its settings."""
    changed = {"hidden": 24, "epochs": 1, "batch": 4, "dropout": 0.0, "reach": reach, **changes}
    s = RNN.resolve("jsb_chorales", {**changed, "select": ""})
    data = DataSet("rolls", tunes(4, SILENT), info=Info(kind="sequences"))
    system = RNN.build(data, s, gg.Generator(0))
    q = np.linalg.qr(np.random.default_rng(1).standard_normal((24, 24)))[0]
    system.layer.weight_hh_l0.assign((radius * q).astype(np.float32))
    return system, data, s


def test_silence_at_the_beginning_overflows_the_gradient_and_the_message_says_so():
    system, data, s = made()
    before = [p.numpy().copy() for p in system.parameters()]
    with pytest.raises(DivergedError, match=r"is finite: .* uses back.*truncated back-propag"):
        fit(system, data, s)
    assert all(np.array_equal(a, p.numpy()) for a, p in zip(before, system.parameters()))


def test_a_shorter_reach_mends_it():
    system, data, s = made(reach=30)
    history = fit(system, data, s)
    assert np.isfinite(history[-1]["loss"])


def test_the_loss_is_the_same_and_the_gradient_another():
    losses, grads = [], []
    for reach in (0, 5, 300):
        system, data, _ = made(reach, radius=0.9)
        loss = system.objective(system.task.batch(data.train))
        losses.append(loss.item())
        grads.append(gg.grad(loss, system.layer.weight_hh_l0).numpy())
    assert losses[0] == losses[1] == losses[2]
    assert_close(grads[2], grads[0], rtol=0)
    assert np.abs(grads[1] - grads[0]).max() > 1e-6


def test_the_picture_of_gradients_of_such_a_net_has_finite_norms():
    system, data, _ = made(radius=6.0)
    weights = system.layer.weight_hh_l0.numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        norms = trained(system, DataSet("d", data.train, test=data.train), 60, 4)
    assert norms[0] / norms[-1] == pytest.approx(6.0**60, rel=1e-3)  # th' is 1 in silence
    assert system.layer.weight_hh_l0.dtype == "float32"
    assert np.array_equal(system.layer.weight_hh_l0.numpy(), weights)


def test_a_text_has_windows_and_no_reach():
    s = RNN.settings(reach=3, batch=5)
    with pytest.raises(SettingError, match="'reach' has no effect on shakespeare_piece"):
        sequence.task_for(load("shakespeare_piece"), s)
