"""Vectorised elementary functions against float64, within the errors that the page states."""

import math

import numpy as np
import pytest

from glassgrad.kernels.compiled import njit
from glassgrad.kernels.elementary import exp, exp_down, log_unit, turn


@njit
def exps(x, out):
    for i in range(x.size):
        out[i] = exp(x[i])


@njit
def exps_down(y, out):
    for i in range(y.size):
        out[i] = exp_down(y[i])


@njit
def logs(m, out):
    for i in range(m.size):
        out[i] = log_unit(m[i], out)


@njit
def turns(v, cosine, sine):
    for i in range(v.size):
        cosine[i], sine[i] = turn(v[i], cosine)


def ulps(got, want):
    """The largest error in units of the last place of float32."""
    return (np.abs(got - want) / np.spacing(np.abs(want).astype("float32")).astype(float)).max()


def integers(low, high, n=300_000):
    """Both ends of the range, powers of two and what lies beside them, and many between."""
    powers = np.array([2**k + d for k in range(1, 24) for d in (-1, 0, 1)])
    ends = np.arange(100)
    some = np.random.default_rng(0).integers(low, high + 1, n)
    every = np.concatenate([low + ends, high - ends, powers[powers >= low], some])
    return every.astype(np.int32)


def test_exp_in_float32():
    x = np.random.default_rng(0).uniform(-104, 88.7, 300_000).astype("float32")
    x[:100_000] /= 100
    got = np.empty_like(x)
    exps(x, got)
    assert ulps(got, np.exp(x.astype(float))) < 1.1


def test_exp_of_negative_numbers_in_float32():
    y = np.random.default_rng(0).uniform(-87, 0, 300_000).astype("float32")
    y[:100_000] /= 100
    got = np.empty_like(y)
    exps_down(y, got)
    assert ulps(got, np.exp(y.astype(float))) < 1.1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exp_of_negative_numbers_at_the_ends(dtype):
    y = np.array([0, -0.0, -np.inf, np.nan, -1000], dtype)
    got = np.empty_like(y)
    exps_down(y, got)
    assert np.array_equal(got, np.array([1, 1, 0, np.nan, 0], dtype), equal_nan=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exp_at_the_ends(dtype):
    x = np.array([0, -0.0, np.inf, -np.inf, np.nan, 1000, -1000], dtype)
    got = np.empty_like(x)
    exps(x, got)
    assert np.array_equal(
        got, np.array([1, 1, np.inf, 0, np.nan, np.inf, 0], dtype), equal_nan=True
    )


def test_log_unit_in_float32():
    m = integers(1, 2**24)
    got = np.empty(m.size, "float32")
    logs(m, got)
    assert np.array_equal(got == 0, m == 2**24)
    assert ulps(got[m < 2**24], np.log(m[m < 2**24] / 2.0**24)) < 0.9


def test_turn_in_float32():
    v = integers(0, 2**24 - 1)
    got = np.empty((2, v.size), "float32")
    turns(v, *got)
    angle = 2 * math.pi * v / 2.0**24
    for values, want in zip(got, (np.cos(angle), np.sin(angle))):
        zero = np.abs(want) < 1e-12  # a quarter turn: float64 knows pi to 16 digits only
        assert zero.any() and not values[zero].any()
        assert ulps(values[~zero], want[~zero]) < 2.0


def test_float64_is_the_c_librarys():
    v = integers(1, 2**24 - 1, 1000)
    log, cosine, sine = np.empty((3, v.size))
    logs(v, log)
    turns(v, cosine, sine)
    angle = 2 * math.pi * v / 2.0**24
    for got, want in zip((log, cosine, sine), (np.log(v / 2.0**24), np.cos(angle), np.sin(angle))):
        assert np.abs(got - want).max() < 1e-13
