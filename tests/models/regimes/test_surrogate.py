"""Surrogates: a perceptron for a simulator, its figures, its speed."""

import contextlib
from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import load
from glassgrad.core.data.synthetic_heat import HIGH, LOW, heated_plates
from glassgrad.core.training.settings import SettingError
from glassgrad.models.regimes import surrogate
from tests.tools import assert_close

RECIPE = models.recipe("surrogate")


@pytest.fixture(scope="module")
def raw():
    return load("heated_plate", train=20, valid=0, test=12)


def test_the_objective_passes_the_gradient_check():
    f, arrays = surrogate.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


def test_the_objective_is_the_mean_squared_error_in_units_of_the_deviation(raw):
    s = RECIPE.resolve("heated_plate", {"hidden": (3,)})
    data = RECIPE.prepare(raw, s)
    m = RECIPE.build(data, s, gg.Generator(0))
    (w, b), (v, c) = (((p.weight.numpy(), p.bias.numpy())) for p in m.linear())
    z = np.tanh(data.train.x @ w.T + b) @ v.T + c
    y, mean, deviation = raw.train.y, raw.train.y.mean(axis=0), raw.train.y.std(axis=0)
    loss, _ = m.objective(data.train)
    assert loss.item() == pytest.approx(np.square(z - (y - mean) / deviation).mean(), rel=1e-4)
    found = m.evaluate(data.train)
    wrong = z * deviation + mean - y
    r2 = 1 - np.square(wrong).sum(axis=0) / np.square(y - mean).sum(axis=0)
    assert found["error"] == pytest.approx(100 * (1 - r2.mean()), rel=1e-4)
    assert found["largest"] == pytest.approx(np.abs(wrong / deviation).max(), rel=1e-4)


def test_the_simulator_gets_the_parameters_back_in_their_units(raw, monkeypatch):
    s = RECIPE.resolve("heated_plate", {"hidden": (3,), "runs": 15})
    data = RECIPE.prepare(raw, s)
    assert len(data.train) == 15
    m, seen = RECIPE.build(data, s, gg.Generator(0)), []
    monkeypatch.setattr(surrogate, "heated_plates", lambda p: seen.append(p) or heated_plates(p))
    found = m.evaluate_finished(data.test)
    assert len(seen) == 3 and all(p.shape == (12, 6) for p in seen)
    assert_close(seen[0], raw.test.x.astype(float), rtol=1e-5)
    assert (seen[0] >= LOW - 1e-5).all() and (seen[0] <= HIGH + 1e-5).all()
    assert found["speed_up"] == pytest.approx(found["simulator_ms"] / found["net_ms"])
    assert set(m.evaluate(data.test)) == set(found) - {"speed_up", "simulator_ms", "net_ms"}


def test_a_table_of_ones_own_has_no_simulator_and_its_pictures(raw):
    s = RECIPE.resolve("diabetes", {"epochs": 1}, "table")
    data = RECIPE.prepare(load("diabetes"), s)
    m = RECIPE.build(data, s, gg.Generator(0))
    assert "speed_up" not in m.evaluate_finished(data.test) and m.scale is None
    assert set(RECIPE.figures(m, data, s)) == {"predicted"}
    named = replace(raw, info=replace(raw.info, source="somewhere"))
    assert "scale" not in RECIPE.prepare(named, s).info.extra
    own = RECIPE.prepare(raw, s)
    assert set(RECIPE.figures(RECIPE.build(own, s, gg.Generator(0)), own, s)) == {
        "predicted",
        "plates",
    }
    with pytest.raises(SettingError, match="runs must be at most 20; got 21"):
        RECIPE.prepare(raw, RECIPE.resolve("heated_plate", {"runs": 21}))


def test_the_speed_is_measured_with_one_thread_and_on_the_cpu(raw, monkeypatch):
    data = RECIPE.prepare(raw, RECIPE.resolve("heated_plate", {"hidden": (3,)}))
    m = RECIPE.build(data, surrogate.Settings(hidden=(3,)), gg.Generator(0))
    inside, timed, moved, to = [], [], [], m.to

    @contextlib.contextmanager
    def one_thread():
        inside.append(True)
        yield
        inside.clear()

    def fastest(run, repeats):
        timed.append((len(inside), len(moved)))
        return len(timed)

    monkeypatch.setattr(surrogate, "blas_at_one_thread", one_thread)
    monkeypatch.setattr(surrogate, "fastest", fastest)
    m.to = lambda device: moved.append(device) or to(device)
    assert m.measured(data.test.x)["speed_up"] == 1 / 2
    assert timed == [(1, 0), (1, 1)] and not inside
    assert moved == ["cpu", "cpu"]  # there, and back to where it was


@pytest.mark.slow
def test_the_default_explains_99_per_cent_a_hundred_times_as_fast():
    """Baselines: the mean leaves 100 %, a linear model as below. Seeds 0-2: 0.20 %, 480 times."""
    done = training.train(RECIPE)
    found, data = done.test_figures, done.data
    x, z = (np.c_[s.x, np.ones(len(s))] for s in (data.train, data.test))
    line = z @ np.linalg.lstsq(x, data.train.y, rcond=None)[0]
    linear = 100 * (1 - done.system.task.score(line, data.test.y))
    assert found["error"] < 1 < linear / 10, (found, linear)
    assert found["speed_up"] > 100, found
