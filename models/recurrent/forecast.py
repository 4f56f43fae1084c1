"""Forecasting: what a series will be, with the width of the doubt.

Lecture 3 names it first among the uses of recurrent nets (V2 191-215), without a formula. A net
reads the last `past` values up to t, and says mean and spread of each of the next H = `horizon` ::

    u_t = f(z_t)                              transform: none, log, root
    y_t = Π_d (1 - B^d) u_t                   differences: B^d u_t = u_{t-d}, for each lag d
    h_t = LSTM(y_t, h_{t-1}),   (μ, ln σ) = V h_t + c
    p(u_{t+k} | z_≤t) = N(b_{t+k} + μ_k, σ_k²),     k = 1 .. H
    -ln p  →  min                             |ln σ| stays below 5: 5 th(·/5) of what is read

b_{t+k} is what u would be if all differences to come were 0: the value itself (d = 1), that of a
season before (d = m), both together the season moved to where the series is now. The net learns
what this misses, standardised by the mean and deviation of the training part, for each k. Only
differences can take a net beyond the range that it was trained on: CO2 and passengers grow, and
without them a forecast stops at the training part's largest values.

    method=direct      V has a mean and a spread for each step to come
    method=recursive   V has those of one step. What is forecast is read as if it had come, and so
                       on to H; bands hold the given share of `draws` courses that are drawn so
    linear             adds w·y to μ, a linear autoregression next to the net (Lai et al. 2018):
                       what is linear costs no units

Figures, of all forecasts of a part and all steps where a value is known, in units of z ::

    rmse, rmse_1       of the median of all H steps, and of the first alone
    coverage, width    the share of values in the bands of nominally 90 %, and how wide they are

The yardsticks (forecast_yardsticks.py) are fitted to all before the test part, the net to the
training part alone. One step ahead a linear autoregression is hard to beat on a few thousand noisy
values. Errors of the test part, the mean of three seeds, with settings that were chosen in
validation (but for the differences of airline, which are Box and Jenkins's: its 12 months of
validation would choose d = 12 alone, which has 16.0):

                   no change   autoregression            the net
    sunspots         24.90     22.22 (36 months)         21.95
    airline          48.04     14.05 (13 logarithms)     14.20, 84 months to learn from
    CO2, ppm         0.526     0.430 (52 weeks)          0.399

The default is a series without noise, of which the net forecasts 24 steps with an error of 0.006
to 0.008, the autoregression with 0.083: the equation is not linear. One step ahead it is the other
way round, 0.005 and 0.0001. One step after the other (method=recursive, with differences=1 and
linear) starts better, 0.0003, and ends worse, 0.073 over all 24: it reads its own errors.

The pictures: bands over the course of the test part; error and coverage by the number of steps
ahead, next to the yardsticks.

Sources: Box, Jenkins, "Time series analysis: forecasting and control", 1970 (differences); Gers,
Eck, Schmidhuber, "Applying LSTM to time series predictable through time-window approaches", 2001
(where an autoregression does as well); Lai, Chang, Yang, Liu, "Modeling long- and short-term
temporal patterns with deep neural networks", 2018.
"""

import math
from statistics import NormalDist
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.arrays import xp_of
from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common.gradients import by_parameters
from . import forecast_pictures
from .forecast_data import TRANSFORMS, as_windows, coefficients, continued, differenced

BOUND = 5.0  # of |ln σ|, softly: a spread of nothing would have an infinite likelihood


class Settings(TrainingSettings):
    """Settings of a forecaster."""

    cell: Literal["lstm", "gru"] = setting("lstm", help="what reads the past")
    hidden: int = setting(32, least=1, help="units H of a level")
    layers: int = setting(1, least=1, help="levels, each on the h_t of the one below")
    past: int = setting(24, least=1, help="values that are read")
    horizon: int = setting(1, least=1, help="steps that are forecast")
    method: Literal["direct", "recursive"] = setting(
        "direct", help="all steps at once, or one after the other"
    )
    transform: Literal["none", "log", "root"] = setting("none", help="f(z)")
    differences: tuple[int, ...] = setting((), least=1, help="lags d of the differences of f(z)")
    linear: bool = setting(False, help="add a linear autoregression to the mean")
    spread: Literal["learned", "constant"] = setting("learned", help="σ of the past, or one σ")
    column: int = setting(1, least=1, help="the quantity that is forecast; all are read")
    band: float = setting(0.9, above=0, below=1, help="share of the values that a band is to hold")
    draws: int = setting(100, least=2, when=("method", "recursive"), help="courses for a band")
    schedule: str = "cosine"
    select: str = "rmse"

    def check(self):
        """Check that what is forecast can be read again."""
        if self.method == "recursive" and self.column > 1:
            raise SettingError("method=recursive forecasts a series of one quantity")


class Forecaster(System):
    """Windows of a series x [N, L, D] -> mean and spread of f(z) of one column at H steps [N, H].

    The windows are raw values; y [N, H, 2] are the values to come, and 1 where they are known.
    """

    def __init__(self, train: Split, s: Settings, rng, dtype="float32"):
        self.s, self.dtype = s, np.dtype(dtype)
        self.back = coefficients(s.differences)
        signal, base = self.signal(train.x), self.base(train.x)
        rest = TRANSFORMS[s.transform].forward(train.y[:, :, 0]) - base
        rest = rest[:, : self.outputs]
        self.centre, self.unit = self.scale(signal.mean(axis=(0, 1)), signal.std(axis=(0, 1)))
        self.rest_centre, self.rest_unit = self.scale(rest.mean(axis=0), rest.std(axis=0))
        made = {"dtype": dtype}
        cell = {"lstm": nn.LSTM, "gru": nn.GRU}[s.cell]
        columns, outputs = train.x.shape[2], self.outputs
        options = {"biases": 1} if s.cell == "gru" else {}
        self.layer = cell(columns, s.hidden, s.layers, rng=rng.child("layer"), **options, **made)
        self.mean = nn.Linear(s.hidden, outputs, rng=rng.child("mean"), **made)
        inputs = s.hidden if s.spread == "learned" else 1
        self.spread = nn.Linear(inputs, outputs, rng=rng.child("spread"), **made)
        if s.linear:
            self.straight = gg.Tensor(np.zeros((outputs, s.past * columns), dtype), True)

    @property
    def outputs(self) -> int:
        """Steps that the net itself forecasts."""
        return self.s.horizon if self.s.method == "direct" else 1

    def scale(self, centre, unit):
        """(mean, deviation) as buffers; 1 for a deviation of 0."""
        unit = np.where(unit > 0, unit, 1.0)
        return (gg.Tensor(np.asarray(a, self.dtype)) for a in (centre, unit))

    # ---------------------------------------------------------------- the series and its signal

    def signal(self, x):
        """y [N, past, D]: the differences of f(z)."""
        u = TRANSFORMS[self.s.transform].forward(x)
        return differenced(u, self.back)[:, -self.s.past :]

    def base(self, x):
        """b [N, H]: f(z) of the column to come, if all differences are 0."""
        u = TRANSFORMS[self.s.transform].forward(x[:, :, self.s.column - 1])
        return continued(u, xp_of(u).zeros((len(u), self.s.horizon), u.dtype), self.back)

    # ------------------------------------------------------------------------------ the net

    def read(self, y, state=None):
        """(μ, ln σ [N, K], the state) after standardised differences y [N, T, D]."""
        hs, state = self.layer(y.transpose((1, 0, 2)), state)
        h = hs[-1]
        raw = self.spread(h if self.s.spread == "learned" else 0 * h[:, :1])
        return self.mean(h), BOUND * gg.tanh(raw / BOUND), state

    def straight_part(self, y):
        """w·y of the last `past` differences, or 0."""
        return y.reshape((len(y), -1)) @ self.straight.T if self.s.linear else 0.0

    def forward(self, x):
        """(μ, ln σ) [N, K] of the standardised rest, after raw windows x [N, L, D]."""
        y = gg.Tensor((self.signal(x) - self.centre.data) / self.unit.data)
        mean, log_spread, _ = self.read(y)
        return mean + self.straight_part(y), log_spread

    def objective(self, batch):
        """-ln p of the known values to come in standard units, the mean over them."""
        rest = TRANSFORMS[self.s.transform].forward(batch.y[:, :, 0]) - self.base(batch.x)
        rest, known = rest[:, : self.outputs], batch.y[:, : self.outputs, 1]
        rest = (rest - self.rest_centre.data) / self.rest_unit.data
        mean, log_spread = self(batch.x)
        error = (mean - gg.Tensor(rest)) * gg.exp(-log_spread)
        nats = (0.5 * error * error + log_spread + 0.5 * math.log(2 * math.pi)) * gg.Tensor(known)
        return nats.sum() / max(1.0, float(known.sum()))

    def loss_terms(self, batch):
        """How many values the objective is a mean over: those known among the steps of the net."""
        return float(batch.y[:, : self.outputs, 1].sum())

    # ------------------------------------------------------------------------------ forecasts

    def forecast(self, x: np.ndarray, bands: bool = True) -> tuple[np.ndarray, ...]:
        """(median, lower, upper end of the band) [N, H] of windows x, float64 on the host.

        Without `bands` the median alone, which spares the draws of method=recursive.
        """
        x = self.on_device(Batch(np.asarray(x))).x
        with gg.no_grad():
            if self.s.method == "recursive":
                return self.step_by_step(x, bands)
            mean, log_spread = (a.numpy().astype(np.float64) for a in self(x))
        unit, centre = (a.numpy().astype(np.float64) for a in (self.rest_unit, self.rest_centre))
        middle = gg.Tensor(self.base(x)).numpy() + mean * unit + centre
        half = NormalDist().inv_cdf(0.5 + 0.5 * self.s.band) * np.exp(log_spread) * unit
        ends = (middle, middle - half, middle + half) if bands else (middle,)
        return tuple(map(TRANSFORMS[self.s.transform].backward, ends))

    def predictions(self, x):
        """The medians of the next steps, and the ends of their bands, in the series' units."""
        return dict(zip(("median", "lower", "upper"), self.forecast(x)))

    def step_by_step(self, x, bands: bool):
        """The same by one step at a time: the course of the means, and bands of drawn courses."""
        y = (self.signal(x) - self.centre.data) / self.unit.data
        begin = self.read(gg.Tensor(y))
        middle = self.course(x, y, begin, None)
        if not bands:
            return (middle,)
        rng, rest = gg.Generator(self.s.seed).child("courses"), 0.5 - 0.5 * self.s.band
        drawn = [self.course(x, y, begin, rng) for _ in range(self.s.draws)]
        return middle, *np.quantile(drawn, (rest, 1 - rest), axis=0)

    def course(self, x, y, begin, rng):
        """z [N, H] if each step is its mean, or drawn by `rng`, and then read as what came.

        y [N, past, 1] are the standardised differences, `begin` what the net says after them.
        """
        (mean, log_spread, state), found = begin, []
        for k in range(self.s.horizon):
            if k:
                mean, log_spread, state = self.read(gg.Tensor(y[:, -1:]), state)
            step = mean + self.straight_part(gg.Tensor(y))
            if rng is not None:
                noise = self.on_device(Batch(rng.normal(mean.shape))).x
                step = step + gg.exp(log_spread) * gg.Tensor(noise)
            found.append(step.data * self.rest_unit.data + self.rest_centre.data)
            new = (found[-1] - self.centre.data) / self.unit.data
            y = xp_of(y).concatenate([y[:, 1:], new[:, :, None]], axis=1)
        u = TRANSFORMS[self.s.transform].forward(x[:, :, 0])
        steps = continued(u, xp_of(y).concatenate(found, axis=1), self.back)
        return TRANSFORMS[self.s.transform].backward(gg.Tensor(steps).numpy().astype(np.float64))

    def evaluate(self, split, size=500):
        """The objective, and the errors of the page."""
        found = super().evaluate(split, size)
        return found | errors_of(split.y, *self.forecast(split.x, bands=False))

    def evaluate_finished(self, split):
        """The same, and the figures of the bands."""
        middle, *ends = self.forecast(split.x)
        found = System.evaluate(self, split)
        return found | errors_of(split.y, middle) | bands_of(split.y, *ends)


def errors_of(y: np.ndarray, middle: np.ndarray) -> dict[str, float]:
    """rmse and rmse_1 of forecasts [N, H], where y [N, H, 2] is known."""
    squares, known = (middle - y[:, :, 0]) ** 2, y[:, :, 1] > 0
    first = squares[:, 0][known[:, 0]]
    return {"rmse": float(np.sqrt(squares[known].mean())), "rmse_1": float(np.sqrt(first.mean()))}


def bands_of(y: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, float]:
    """The share of known values in their bands [N, H], and the bands' mean width."""
    z, known = y[:, :, 0], y[:, :, 1] > 0
    inside = (low <= z) & (z <= high)
    return {"coverage": float(inside[known].mean()), "width": float((high - low)[known].mean())}


def prepare(data: DataSet, s: Settings) -> DataSet:
    """Each part as windows of the past with what came next (`forecast_data.as_windows`)."""
    return as_windows(data, s.past + sum(s.differences), s.horizon, s.column, s.transform)


def build(data: DataSet, s: Settings, rng) -> Forecaster:
    """The forecaster for the windows of a series."""
    if s.method == "recursive" and data.train.x.shape[2] > 1:
        raise SettingError(f"{data.name}: method=recursive needs a series of one quantity")
    return Forecaster(data.train, s, rng)


def check(rng, **changes):
    """The objective of a few windows as a function of all parameters, for gradcheck."""
    s = Settings(**{"hidden": 3, "past": 4, "horizon": 2, "differences": (1,), "linear": True}
                 | changes)  # fmt: skip
    x, y = rng.standard_normal((5, 5, 2)), rng.standard_normal((5, 2, 2))
    y[:, :, 1] = [[1, 1], [0, 1], [1, 0], [1, 1], [0, 0]]
    system = Forecaster(Split(x, y), s, gg.Generator(3), "float64")
    return by_parameters(system, Batch(x, y))


SHORT = {"batch": 50, "lr": 5e-3}
SUNSPOTS = {"past": 36, "transform": "root", "epochs": 20, **SHORT}
GENERATED = {
    "past": 48, "horizon": 24, "epochs": 30, "batch": 50, "lr": 1e-2, "clip": 1.0,
}  # fmt: skip

FORECAST = Recipe(
    name="forecast",
    title="Forecasting of a series, with bands",
    lecture="lecture 3 (V2 191-215)",
    rows=(84,),
    build=build,
    prepare=prepare,
    settings=Settings,
    takes=("series",),
    data="mackey_glass",
    presets={
        "mackey_glass": GENERATED,
        "sunspots": SUNSPOTS,
        "sunspots_zurich": SUNSPOTS,
        "co2": {"past": 52, "differences": (1,), "epochs": 30, **SHORT},
        "airline": {
            "past": 13,
            "transform": "log",
            "differences": (1, 12),
            "hidden": 8,
            "linear": True,
            "epochs": 60,
            "batch": 10,
            "lr": 3e-3,
        },
        "series": {"differences": (1,), "epochs": 30, **SHORT},
    },
    metric="rmse",
    targets=(
        Target(
            "sunspots of a month, one step ahead, rmse 1980-2022",
            "sunspots",
            "rmse",
            "none on this part",
            22.22,
            own=True,
            seeds=3,
            note="22.22 is the best least-squares autoregression, of 36 months; persistence 24.90",
        ),
        Target(
            "airline passengers, one month ahead, rmse 1957-1960",
            "airline",
            "rmse",
            "none on this part",
            14.05,
            own=True,
            seeds=3,
            note="14.05 is an autoregression of 13 logarithms; y[t-1] y[t-12] / y[t-13] has 15.62,"
            " persistence 48.04",
        ),
        Target(
            "CO2 at Mauna Loa, one week ahead, rmse from 1990 on, ppm",
            "co2",
            "rmse",
            "none on this part",
            0.430,
            own=True,
            seeds=3,
            note="0.430 is a least-squares autoregression of 52 weeks; persistence 0.526",
        ),
        Target(
            "Mackey-Glass, the next 24 steps, rmse",
            "mackey_glass",
            "rmse",
            "none over 24 steps",
            0.083,
            own=True,
            seeds=3,
            note="0.083 is an autoregression of 48 values, each forecast read as a value",
        ),
    ),
    figures=forecast_pictures.figures,
    check=check,
)
RECIPES = (FORECAST,)
