"""Generated tables for regimes of learning, checked by other means than they are made with."""

import numpy as np
import pytest

from glassgrad.core.data import DataError, digest, load, synthetic_heat
from glassgrad.core.data.synthetic_glyphs import CLASSES, DRAWINGS
from glassgrad.core.data.synthetic_heat import HIGH, LOW, NAMES, heated_plates
from glassgrad.core.data.synthetic_lupi import RELEVANT, normal_rows, shared_normal
from tests.tools import assert_close

LUPI = ("clean_labels", "clean_features", "relevant", "relevant_each", "other_relevant")


def test_normal_numbers_are_normal_and_belong_to_their_row():
    stats = pytest.importorskip("scipy.stats")
    z = normal_rows(3, 0, 4000, 5)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    assert abs(np.corrcoef(z.T) - np.eye(5)).max() < 0.07
    assert np.array_equal(normal_rows(3, 7, 2, 5), z[7:9]) and np.isfinite(z).all()
    assert not np.isin(shared_normal(3, 50), z).any()


@pytest.mark.parametrize("kind", LUPI)
def test_privileged_tables_are_as_described(kind):
    d = load(f"lupi_{kind}", d=6, train=3000, valid=5, test=2000, seed=2)
    alpha, own = shared_normal(2, 6), d.info.extra["privileged"]
    assert d.info.kind == "table" and len(d.info.feature_names) == 6 + own
    assert [len(s) for _, s in d.splits()] == [3000, 5, 2000]
    x, seen, y = d.train.x[:, :6].astype(float), d.train.x[:, 6:].astype(float), d.train.y
    assert x.shape[1] + own == d.train.x.shape[1] and abs(y.mean() - 0.5) < 0.05
    if kind == "clean_labels":
        assert own == 1
        assert_close(seen[:, 0], x @ alpha, rtol=1e-4)
        # P(y = 1 | x*) = Φ(x*)
        near = np.abs(seen[:, 0] - 1) < 0.3
        assert abs(y[near].mean() - 0.841) < 0.08
    elif kind == "clean_features":
        assert own == 6 and np.array_equal(y, seen @ alpha > 0)
        assert abs((x - seen).std() - 1) < 0.03 and abs(((x - seen) * seen).mean()) < 0.03
    elif kind == "other_relevant":
        columns = [{int(np.flatnonzero((s.x[:, :6] == s.x[:, 6 + j : 7 + j]).all(axis=0))[0])
                    for j in range(RELEVANT)} for s in (d.train, d.test)]  # fmt: skip
        assert all(len(c) == RELEVANT for c in columns) and columns[0] != columns[1]
        score = seen @ alpha[:RELEVANT]
        assert np.array_equal(y, score > np.median(score))
    else:
        at = (seen[:, :, None] == x[:, None, :]).argmax(axis=2)
        assert (np.sort(at, axis=1)[:, 1:] > np.sort(at, axis=1)[:, :-1]).all(), "a column twice"
        assert np.array_equal(y, (seen * alpha[at]).sum(axis=1) > 0)
        assert len(np.unique(at, axis=0)) == (1 if kind == "relevant" else 6 * 5 * 4)


def test_a_row_depends_on_its_number_only():
    for kind in LUPI[:4]:
        a = load(f"lupi_{kind}", d=5, train=6, valid=2, test=0)
        b = load(f"lupi_{kind}", d=5, train=3, valid=3, test=2)
        assert np.array_equal(a.whole().x, b.whole().x)
    name = "lupi_clean_labels"
    assert digest(load(name, test=5)) == digest(load(name, test=5))
    assert digest(load(name, test=5)) != digest(load(name, test=5, seed=1))


def test_shared_tasks_are_functions_of_the_shared_directions():
    d = load("shared_tasks", tasks=3, d=7, shared=2, noise=0, train=40, valid=0, test=4, seed=1)
    a, beta = d.info.extra["directions"], d.info.extra["coefficients"]
    assert_close(a @ a.T, np.eye(2), rtol=1e-12)
    t, x = d.train.x[:, 0].astype(int), d.train.x[:, 1:].astype(float)
    assert np.bincount(t).tolist() == [40, 40, 40] and len(d.test) == 12
    y = (beta[t] * np.tanh(x @ a.T)).sum(axis=1)  # √2 and 1/√2 cancel
    assert_close(d.train.y[:, 0], y, rtol=1e-4)
    noisy = load("shared_tasks", tasks=3, d=7, shared=2, noise=0.5, train=2000, valid=0, test=0)
    quiet = load("shared_tasks", tasks=3, d=7, shared=2, noise=0, train=2000, valid=0, test=0)
    assert abs((noisy.train.y - quiet.train.y).std() - 0.5) < 0.02
    few = load("shared_tasks", tasks=2, d=7, shared=2, noise=0, train=5, valid=0, test=0, seed=1)
    assert np.array_equal(few.train.x[5:], d.train.x[40:45])


def series(kappa, loss, a, b, s, time):
    """The temperatures for β = 0 by the plate's own sines, coefficients by Simpson's rule."""
    integrate = pytest.importorskip("scipy.integrate")
    at, n = np.linspace(0, 1, 1001), np.arange(1, 41)
    sines = np.sin(np.pi * n[:, None] * at)
    qx, qy = (
        2 * integrate.simpson(np.exp(-((at - c) ** 2) / (2 * s**2)) * sines, x=at) for c in (a, b)
    )
    rate = kappa * np.pi**2 * (n[:, None] ** 2 + n**2) + loss
    modes = 40 * np.outer(qy, qx) * (1 - np.exp(-rate * time)) / rate
    here = np.sin(np.pi * np.outer(np.arange(1, 6) / 6, n))
    return (here @ modes @ here.T).ravel()


def test_plates_of_constant_conductivity_are_the_sine_series():
    p = [[1.0, 0.0, 3.0, 0.4, 0.6, 0.15], [0.6, 0.0, 0.0, 0.3, 0.5, 0.1]]
    want = np.array([series(*np.delete(row, 1), 0.06) for row in p])
    errors = []
    for cells in (12, 24, 48):
        errors.append(np.abs(heated_plates(np.array(p), cells=cells) - want).max())
    assert errors[1] < 0.01 * want.max() and errors[0] / errors[1] > 3 < errors[1] / errors[2]


def test_plates_whose_conductivity_grows_lose_heat_faster_and_converge():
    p = np.array([[1.0, beta, 0.0, 0.45, 0.55, 0.12] for beta in (0.0, 0.5, 1.0)])
    u = heated_plates(p)
    assert (u[1] < u[0])[12] and (u[2] < u[1])[12] and (u > 0).all()
    fine = heated_plates(p, cells=36)
    assert np.abs(u - fine).max() < 0.02 * fine.max()
    # at rest κ∇²F = -q: F = u + βu²/2 is then the temperature of the plate of constant conductivity
    rest = heated_plates(p, time=1.0)
    assert_close(rest[2] + rest[2] ** 2 / 2, rest[0], rtol=1e-6)


def test_the_table_of_plates():
    d = load("heated_plate", train=5, valid=2, test=3, seed=4)
    assert d.train.x.shape == (5, 6) and d.train.y.shape == (5, 25)
    x = d.whole().x
    assert (x >= LOW.astype(np.float32)).all() and (x <= HIGH.astype(np.float32)).all()
    assert_close(d.test.y, heated_plates(d.test.x).astype(np.float32), rtol=1e-6)
    again = load("heated_plate", train=2, valid=3, test=5, seed=4).whole()
    assert np.array_equal(again.x, x) and np.array_equal(again.y, d.whole().y)
    assert len(d.info.target_names) == 25 and d.info.feature_names == NAMES


def test_a_glyph_is_ink_around_its_curves():
    """One drawing, a loop for each pixel; others do not change with the numbers of classes."""
    side, k, n = 9, 2, 3
    own = normal_rows(5, CLASSES + k, 1, 18)[0].reshape(3, 3, 2)
    z = normal_rows(5, k * DRAWINGS + n, 1, 22)[0]
    corners = 0.5 + 0.24 * np.clip(own, -1.6, 1.6) + 0.035 * z[:18].reshape(3, 3, 2)
    angle, size, move = 0.2 * z[18], np.exp(0.12 * z[19]), 0.06 * z[20:]
    points = []
    for a, b, c in corners:
        for t in np.linspace(0, 1, 16):
            x, y = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c - 0.5
            turned = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
            points.append(size * np.array(turned) + 0.5 + move)
    want = np.empty((side, side))
    for i, j in np.ndindex(side, side):
        pixel = np.array([(j + 0.5) / side, (i + 0.5) / side])
        want[i, j] = np.exp(-min(((p - pixel) ** 2).sum() for p in points) / 0.055**2)
    d = load("glyphs", classes=4, drawings=10, side=side, seed=5)
    assert_close(d.train.x[6 * k + n, 0], want.astype(np.float32), rtol=1e-5)
    assert np.bincount(d.train.y).tolist() == [6] * 4 and np.bincount(d.test.y).tolist() == [2] * 4
    few = load("glyphs", classes=3, drawings=5, side=side, seed=5)
    assert np.array_equal(few.train.x[3:6], d.train.x[6:9])
    assert d.train.x.min() >= 0 and d.train.x.max() <= 1


def test_what_cannot_be_is_refused_in_a_line():
    for name, options in (
        ("lupi_relevant", {"d": 2}), ("lupi_relevant", {"train": -1}),
        ("lupi_clean_labels", {"seed": -1}), ("lupi_clean_labels", {"d": 2.5}),
        ("shared_tasks", {"tasks": 0}), ("shared_tasks", {"shared": 9, "d": 8}),
        ("shared_tasks", {"noise": float("nan")}), ("shared_tasks", {"noise": "no"}),
        ("shared_tasks", {"train": 2**19}), ("heated_plate", {"seed": 2**64}),
        ("glyphs", {"classes": 0}), ("glyphs", {"drawings": 4}), ("glyphs", {"side": 2.5}),
        ("glyphs", {"seed": -1}), ("photographs", {"count": 19}), ("photographs", {"patch": 22}),
    ):  # fmt: skip
        with pytest.raises(DataError, match="must be") as error:
            load(name, **options)
        assert "\n" not in str(error.value)
    good = np.array([[1.0, 0.5, 1.0, 0.5, 0.5, 0.1]])
    for wrong in (good[0], good[:, :5], good * np.nan, -good):
        with pytest.raises(DataError, match="heated_plates: "):
            heated_plates(wrong)
    for options in ({"cells": 7}, {"time": 0.0}, {"time": float("nan")}, {"cells": 606}):
        with pytest.raises(DataError, match="cells must be a multiple of 6"):
            heated_plates(good, **options)
    with pytest.raises(DataError, match="are too many"):
        heated_plates(good * [1e9, 1, 1, 1, 1, 1])
    assert heated_plates(good[:0]).shape == (0, 25)


def test_known_values():
    """Fixed for ever: other numbers here would mean other data under the same name."""
    for name, x, y in (
        ("lupi_clean_labels", [1.9972366094589233, -0.648155927658081], 1),
        ("lupi_relevant_each", [-2.07798171043396, 0.6547278761863708], 0),
        ("shared_tasks", [-1.3313159942626953, -0.53226238489151], 1.5318325757980347),
        ("heated_plate", [0.8890638947486877, 0.1508152037858963], 0.09606194496154785),
    ):
        d = load(name, train=1, valid=0, test=0)
        assert_close(d.train.x[0, [1, -1]], np.array(x, np.float32), rtol=1e-5)
        assert_close(d.train.y.ravel()[:1].astype(float), np.array([y]), rtol=1e-5)
    assert synthetic_heat.SENSORS == 5
    glyph = load("glyphs").test.x[-1, 0, 8]
    assert_close(
        glyph[[4, 6, 8]], np.array([0.0167523, 0.8889812, 0.0445297], np.float32), rtol=1e-5
    )
