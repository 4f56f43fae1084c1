"""A net and its twin: the same start, the same steps, one thing different; and their pictures."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import training
from glassgrad.core.data import load
from glassgrad.models.autoencoders import contractive, denoising, twins
from glassgrad.models.autoencoders.regularised import code_figures
from glassgrad.models.common.images import filters_of

ONE, STATIC = contractive.ONE, denoising.STATIC


def test_a_twin_without_a_change_is_the_system_itself():
    done = training.train(ONE, overrides={"epochs": 2, "code": 10})
    again, name = twins.twin(contractive.build, done.system, done.data, done.settings)
    want, got = done.system.state_dict(), again.state_dict()
    assert name == "without" and all(np.array_equal(want[k], got[k]) for k in want)
    plain = training.train(ONE, overrides={"epochs": 2, "code": 10, "weight": 0.0}).system
    other, _ = twins.twin(contractive.build, done.system, done.data, done.settings, weight=0.0)
    want, got = plain.state_dict(), other.state_dict()
    assert all(np.array_equal(want[k], got[k]) for k in want)


def test_a_twin_takes_as_many_steps_and_says_where_it_does_not(monkeypatch):
    done = training.train(STATIC, overrides={"epochs": 1, "code": 5, "batch": 200})
    seen = []
    monkeypatch.setattr(twins, "fit", lambda system, data, s: seen.append((system, s)))
    changes = {"noise": "gaussian", "sigma": 0.0}
    build = denoising.build
    name = twins.twin(build, done.system, done.data, done.settings, **changes)[1]
    assert name == "without" and seen[0][1].epochs == 4  # 26 steps of the enlarged sample, of 7
    assert seen[0][1].noise == "gaussian" and seen[0][0].s.sigma == 0.0
    monkeypatch.setattr(twins, "MOST", 14)
    name = twins.twin(build, done.system, done.data, done.settings, **changes)[1]
    assert name == "without, 2 epochs instead of 4" and seen[1][1].epochs == 2


def test_the_rows_show_each_nets_own_codes():
    a, b = (training.train(ONE, overrides={"epochs": 1, "code": 12, "weight": w}) for w in (0, 2))
    fig = twins.beside([(a.system, "one"), (b.system, "two")], a.data)
    assert len(fig.axes) == 6
    for done, row, name in ((a, fig.axes[:3], "one"), (b, fig.axes[3:], "two")):
        z, x = done.system.codes(a.data.test.x), a.data.test.x.reshape(300, -1)
        error = ((done.system.reconstruct(x) - x) ** 2).sum(axis=1).mean()
        assert row[0].get_title() == f"{name}: error {error:.2f}"
        shown = row[1].images[0].get_array()
        assert sorted(shown.ravel()) == pytest.approx(sorted(z.ravel()))
        active = code_figures(z, "sigmoid")["active"]
        assert row[1].get_title().startswith(f"{active:.0%} of the codes")
        assert sum(bar.get_height() for bar in row[2].patches) == z.size


def test_filters_leave_out_what_is_0_in_every_image():
    data = load("digits")
    dead = (data.train.x.reshape(-1, 64) == 0).all(axis=0)
    assert 1 <= dead.sum() < 10
    w = gg.Generator(0).normal((5, 64))
    w[:, dead] = 100.0
    shown = filters_of(w, data)
    assert (shown[:, dead] == 0.5).all() and np.allclose(np.abs(shown - 0.5).max(axis=1), 0.5)
    norms = np.linalg.norm(w * ~dead, axis=1)
    first = (w * ~dead)[norms.argmax()]
    assert np.allclose(shown[0], 0.5 + 0.5 * first / np.abs(first).max())
