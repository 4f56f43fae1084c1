"""Forecasting: yardsticks as known, windows, differences, likelihood by loops, bands, growth."""

import math
from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models
from glassgrad.core.data import DataSet, Info, Split, available, load
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.models.recurrent import forecast
from glassgrad.models.recurrent import forecast_yardsticks as yards
from glassgrad.models.recurrent.forecast import Forecaster, Settings
from glassgrad.models.recurrent.forecast_data import (
    TRANSFORMS,
    as_windows,
    coefficients,
    continued,
    differenced,
)
from tests.tools import assert_close

RECIPE = models.recipe("forecast")
rng = np.random.default_rng(0)


def series(n=90, cut=(60, 15), columns=1, name="waves", **extra):
    t = np.arange(n)
    x = 5 + t[:, None] / 20 + np.sin(t[:, None] / 3 + np.arange(columns))
    x = (x + 0.1 * rng.standard_normal(x.shape)).astype(np.float32)
    parts = np.split(x, np.cumsum(cut))
    return DataSet(name, *map(Split, parts), Info(kind="series", extra=extra))


# ---------------------------------------------------------------------------- yardsticks

KNOWN = {
    "sunspots": {"persistence": 24.90, 3: 23.05, 12: 22.50, 24: 22.39, 36: 22.22},
    "sunspots_zurich": {"persistence": 19.69, 24: 17.89},
    "airline": {"persistence": 48.04, "seasonal": 41.85, "ratio": 15.62, "log": 14.05},
    "co2": {"persistence": 0.526, 52: 0.430},
}


@pytest.mark.data
@pytest.mark.parametrize("name", KNOWN)
def test_yardsticks_have_the_figures_that_are_known(name):
    """Measured when the data came, by other code; least squares on all before the test part."""
    if not available(name):
        pytest.skip(f"{name} is not here")
    data = load(name)
    z = np.concatenate([part.x[:, 0] for _, part in data.splits()]).astype(np.float64)
    n, known = len(z), len(z) - len(data.test)
    t, judged = np.arange(known - 1, n - 1), ~data.info.extra["missing"]["test"][:, 0]
    forecasts = {
        "persistence": lambda: yards.persistence(z, t, 1),
        "seasonal": lambda: yards.seasonal(z, t, 1, 12),
        "ratio": lambda: (z[t] * z[t - 11] / z[t - 12])[:, None],
        "log": lambda: np.exp(yards.autoregression(np.log(z), t, 1, 13, known)),
    }
    for what, wanted in KNOWN[name].items():
        made = forecasts.get(what) or (lambda p=what: yards.autoregression(z, t, 1, p, known))
        error = np.sqrt(np.mean((made()[:, 0] - z[t + 1])[judged] ** 2))
        digits = 3 if name == "co2" else 2
        assert round(error, digits) == wanted, what


def test_yardsticks_of_prepared_data_are_those_of_the_series():
    data = series()
    s = Settings(past=6, horizon=3, differences=(1, 4))
    z = np.concatenate([p.x[:, 0] for _, p in data.splits()]).astype(np.float64)
    found = yards.yardsticks(forecast.prepare(data, s), s)
    t = np.arange(74, 87)
    assert list(found) == ["persistence", "season before (4)", "autoregression (6)"]
    for f, want in zip(
        found.values(),
        (yards.persistence(z, t, 3), yards.seasonal(z, t, 3, 4),
         yards.autoregression(z, t, 3, 6, 75)),
        strict=True,
    ):  # fmt: skip
        assert_close(f, want, rtol=1e-12)


def test_an_autoregression_finds_a_linear_recursion_and_goes_on_with_it():
    z = np.zeros(60)
    z[:2] = 1.0, 2.0
    for t in range(2, 60):
        z[t] = 0.3 + 1.6 * z[t - 1] - 0.9 * z[t - 2]
    found = yards.autoregression(z, np.array([40, 45]), 8, 2, 40)
    assert_close(found, np.stack([z[41:49], z[46:54]]), rtol=1e-8)


# ---------------------------------------------------------------------------- the data


def test_windows_are_the_past_and_what_came():
    data = series(columns=2)
    missing = {k: np.zeros(p.x.shape, bool) for k, p in data.splits()}
    missing["valid"][4, 1] = True
    data = replace(data, info=replace(data.info, extra={"missing": missing}))
    found = as_windows(data, 5, 3, 2, "none")
    z = np.concatenate([p.x for _, p in data.splits()])
    first = {"train": 5, "valid": 60, "test": 75}  # of the values to come
    ends = {"train": 60, "valid": 75, "test": 90}
    for name, split in found.splits():
        assert len(split) == ends[name] - first[name] - 2
        for i, (x, y) in enumerate(zip(split.x, split.y)):
            at = first[name] + i
            assert np.array_equal(x, z[at - 5 : at])
            assert np.array_equal(y[:, 0], z[at : at + 3, 1])
            known = [not (name == "valid" and at - 60 + k == 4) for k in range(3)]
            assert y[:, 1].tolist() == known


def test_a_part_that_does_not_go_on_has_a_past_of_its_own():
    times = np.arange("2000-01", "2007-07", dtype="datetime64[M]").astype("datetime64[s]")
    whole = dict(zip(("train", "valid", "test"), np.split(times, [60, 75])))
    data = series(times=whole)
    assert len(as_windows(data, 5, 1, 1, "none").test) == 15
    far = {**whole, "test": whole["test"] + np.timedelta64(10**9, "s")}
    assert len(as_windows(series(times=far), 5, 1, 1, "none").test) == 10


@pytest.mark.parametrize("lags", [(), (1,), (4,), (1, 4), (1, 1, 3)])
def test_differences_are_undone(lags):
    u, a = rng.standard_normal((3, 20)), coefficients(lags)
    wanted = u.copy()
    for lag in lags:
        wanted = wanted[:, lag:] - wanted[:, :-lag]
    y = differenced(u, a)
    assert abs(y - wanted).max() < 1e-12
    assert abs(continued(u[:, :14], y[:, -6:], a) - u[:, 14:]).max() < 1e-10


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_are_undone(name):
    z = rng.random(9) + 0.1
    assert_close(TRANSFORMS[name].backward(TRANSFORMS[name].forward(z)), z, rtol=1e-12)


# ---------------------------------------------------------------------------- the net


def made(data, dtype="float64", **changes):
    s = Settings(**{"hidden": 4, "past": 6, "horizon": 3, **changes})
    prepared = forecast.prepare(data, s)
    return Forecaster(prepared.train, s, gg.Generator(1), dtype).eval(), prepared, s


@pytest.mark.parametrize("spread", ["learned", "constant"])
@pytest.mark.parametrize("transform, lags", [("none", ()), ("log", (1,)), ("root", (1, 4))])
def test_the_objective_is_the_likelihood_of_what_came(transform, lags, spread):
    """By loops over windows and steps, from the mean and spread that the net says."""
    m, data, _ = made(series(), transform=transform, differences=lags, spread=spread)
    f, batch = TRANSFORMS[transform].forward, m.on_device(data.train[:8])
    batch.y[3, 1, 1] = 0.0
    mean, log_spread = (v.numpy() for v in m(batch.x))
    if spread == "constant":
        assert np.ptp(log_spread, axis=0).max() == 0
    total, known = 0.0, 0
    for i in range(8):
        u = list(f(batch.x[i, :, 0]))
        base = []
        for k in range(3):  # the differences to come are 0
            path = u + base
            want = {(): 0.0, (1,): path[-1], (1, 4): path[-1] + path[-4] - path[-5]}[lags]
            base.append(want)
            centre, unit = m.rest_centre.numpy()[k], m.rest_unit.numpy()[k]
            rest = (f(batch.y[i, k, 0]) - want - centre) / unit
            sigma = math.exp(log_spread[i, k])
            if batch.y[i, k, 1]:
                error = (rest - mean[i, k]) / sigma
                total += 0.5 * error**2 + math.log(sigma) + 0.5 * math.log(2 * math.pi)
                known += 1
    assert known == 23
    assert_close(m.objective(batch).item(), total / known, rtol=1e-10)


def test_one_step_is_the_same_by_both_methods():
    for lags, linear in (((), False), ((1, 4), True)):
        direct, data, _ = made(series(), horizon=1, differences=lags, linear=linear)
        steps, _, _ = made(
            series(), horizon=1, differences=lags, linear=linear, method="recursive", draws=2
        )
        steps.load_state_dict(direct.state_dict())
        assert_close(steps.forecast(data.test.x)[0], direct.forecast(data.test.x)[0], rtol=1e-9)


@pytest.mark.parametrize("lags", [(), (1, 4)])
def test_step_by_step_reads_its_own_forecasts_as_values(lags):
    """As if the forecast had come: the whole past is read again for each step."""
    m, data, s = made(series(), method="recursive", differences=lags, draws=2, past=10)
    x = data.test.x[:2].astype(np.float64)
    found = m.forecast(x)[0]
    m.s = replace(s, horizon=1)  # whose one step ahead is taken again and again
    for k in range(3):
        y = (m.signal(x) - m.centre.data) / m.unit.data
        mean, _, _ = m.read(gg.Tensor(y))
        rest = mean.numpy() * m.rest_unit.data + m.rest_centre.data
        new = m.base(x) + rest
        x = np.concatenate([x, new[:, :, None]], axis=1)
        m.s = replace(m.s, past=11 + k)
        assert_close(found[:, k], new[:, 0], rtol=1e-8)


def test_bands_hold_their_share_and_drawn_ones_are_as_wide():
    """Steps of a random walk: σ√k after k steps, by both methods."""
    walk = np.cumsum(rng.standard_normal(3000)).astype(np.float32)[:, None]
    data = DataSet("walk", *map(Split, np.split(walk, [2000, 2500])), Info(kind="series"))
    for method in ("direct", "recursive"):
        changes = {"past": 4, "horizon": 4, "differences": (1,), "method": method, "epochs": 4,
                   "hidden": 4, "lr": 1e-2, "draws": 60}  # fmt: skip
        s = Settings(**changes)
        prepared = forecast.prepare(data, s)
        m = forecast.build(prepared, s, gg.Generator(0))
        fit(m, prepared, s)
        part = prepared.test[:200]
        _, low, high = m.forecast(part.x)
        width = (high - low).mean(axis=0) / (2 * 1.645)
        assert_close(width, np.sqrt(np.arange(1, 5)), rtol=0.15)
        assert 0.84 < forecast.bands_of(part.y, low, high)["coverage"] < 0.96


def test_only_differences_follow_a_series_that_grows():
    t = np.arange(400.0)
    growing = (0.1 * t + np.sin(t / 2)).astype(np.float32)[:, None]
    data = DataSet("growing", *map(Split, np.split(growing, [200, 300])), Info(kind="series"))
    errors = []
    for lags in ((), (1,)):
        s = Settings(past=12, hidden=8, epochs=20, batch=20, lr=1e-2, differences=lags)
        prepared = forecast.prepare(data, s)
        m = forecast.build(prepared, s, gg.Generator(0))
        fit(m, prepared, s)
        errors.append(m.evaluate(prepared.test)["rmse"])
    assert errors[0] > 3 > 0.3 > errors[1]


def test_values_that_are_not_known_are_not_judged():
    y = np.zeros((2, 1, 2))
    y[:, 0, 1] = 1, 0
    assert forecast.errors_of(y, np.array([[1.0], [50.0]])) == {"rmse": 1.0, "rmse_1": 1.0}
    found = forecast.bands_of(y, np.array([[-1.0], [5.0]]), np.array([[1.0], [9.0]]))
    assert found == {"coverage": 1.0, "width": 2.0}


@pytest.mark.parametrize("changes", [{}, {"spread": "constant"}, {"cell": "gru", "linear": False}])
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = forecast.check(np.random.default_rng(0), **changes)
    assert gg.gradcheck(f, *arrays, order=2, directions=2).error < 1e-6


def test_what_does_not_fit_is_one_clear_line():
    for changes, said in (
        ({"column": 3}, "column must be at most 2; got 3"),
        ({"transform": "log"}, "with transform=log values must be above 0"),
        ({"past": 80}, "the train part has 60 values, too few to forecast 3 after 80"),
    ):
        data = series(columns=2)
        data = replace(data, train=Split(data.train.x - 8.0)) if "transform" in changes else data
        with pytest.raises(SettingError, match=said):
            made(data, **changes)
    with pytest.raises(SettingError, match="a series of one quantity"):
        forecast.build(*made(series(columns=2), method="recursive")[1:], gg.Generator(0))
    with pytest.raises(SettingError, match="a series of one quantity"):
        Settings(method="recursive", column=2)
