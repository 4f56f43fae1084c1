"""The self-organising map against loops written from the lecture, and MiniSom's number."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import Split
from glassgrad.core.recipe import SettingError
from glassgrad.core.system import Batch
from glassgrad.models import som


class Stub:
    """The part of a trainer that a map looks at."""

    def __init__(self, lr):
        self.settings, self.batches, self.done = {"lr": lr, "epochs": 1}, 1, 0.0


def make(x, **changes):
    s = {**models.recipe("som").resolve("digits"), **changes}
    return som.SOM(x, s, gg.Generator(0)), s


@pytest.mark.parametrize("update", ["vorontsov", "dyakonov"])
def test_a_step_is_the_lectures_loop(update):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((7, 3)).astype(np.float32)
    kernel = "gaussian" if update == "vorontsov" else "exponential"
    m, _ = make(x, rows=3, columns=4, update=update, normalise=False, kernel=kernel, sigma=1.3,
                radius=1.5)  # fmt: skip
    w = m.w.numpy().astype(float).reshape(3, 4, 3)
    m.train_step(Batch(x), Stub(0.3))
    for sample in x:
        distance = ((w - sample) ** 2).sum(axis=2)
        a, b = np.unravel_index(distance.argmin(), (3, 4))
        for i in range(3):
            for j in range(4):
                if np.hypot(a - i, b - j) > 1.5:
                    continue
                if update == "vorontsov":
                    k = np.exp(-((a - i) ** 2 + (b - j) ** 2) / (2 * 1.3**2))
                    w[i, j] += 0.3 * k * (sample - w[i, j])
                else:
                    k = np.exp(-(abs(a - i) + abs(b - j)) / 1.3)
                    w[i, j] += 0.3 * k * sample
    assert np.abs(m.w.numpy().reshape(3, 4, 3) - w).max() < 1e-5


def test_lecture_initialisation_is_small():
    m, _ = make(np.ones((5, 2), np.float32), rows=4, columns=5)
    assert np.abs(m.w.numpy()).max() <= 0.5 / 20


def test_the_additive_rule_grows_and_normalising_cures_it():
    x = np.random.default_rng(0).standard_normal((200, 3)).astype(np.float32) + 2
    grown, _ = make(x, rows=3, columns=3, update="dyakonov", normalise=False, kernel="exponential")
    cured, _ = make(x, rows=3, columns=3, update="dyakonov", normalise=True, kernel="exponential")
    for m in (grown, cured):
        m.train_step(Batch(x), Stub(0.5))
    assert np.linalg.norm(grown.w.numpy(), axis=1).max() > 20
    assert np.allclose(np.linalg.norm(cured.w.numpy(), axis=1), 1, atol=1e-5)


def test_errors_and_density_against_loops():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((30, 2)).astype(np.float32)
    y = rng.integers(0, 3, 30)
    m, _ = make(x, rows=3, columns=3, init="sample")
    w = m.w.numpy()
    d = np.sqrt(((x[:, None] - w) ** 2).sum(axis=2))
    found = m.evaluate(Split(x, y))
    assert found["qe"] == pytest.approx(d.min(axis=1).mean(), rel=1e-5)
    apart = 0
    for row in d:
        first, second = np.argsort(row, kind="stable")[:2]
        apart += max(abs(first // 3 - second // 3), abs(first % 3 - second % 3)) > 1
    assert found["te"] == pytest.approx(apart / 30)
    right = sum(np.bincount(y[d.argmin(axis=1) == k]).max(initial=0) for k in range(9))
    assert found["purity"] == pytest.approx(right / 30)
    dense = m.density(x, 4).reshape(-1)
    assert np.allclose(dense, np.sort(d, axis=0)[:4].mean(axis=0), rtol=1e-5)


def test_minisoms_number_is_reached():
    recipe = models.recipe("som")
    target = recipe.targets[0]
    trained = training.train(recipe, target.data, overrides=target.settings)
    assert target.reached(trained.test_figures["qe"]), trained.test_figures


def test_house_votes_separate_the_parties():
    pytest.importorskip("glassgrad.core.data")
    from glassgrad.core import data

    if not data.available("house_votes_84"):
        pytest.skip("house_votes_84 is not here")
    trained = training.train(models.recipe("som"), "house_votes_84")
    assert trained.test_figures["purity"] > 0.9  # the majority alone gives 0.614


def test_figures_are_drawn():
    recipe = models.recipe("som")
    trained = training.train(recipe, overrides={"epochs": 1, "rows": 5, "columns": 5})
    made = recipe.figures(trained.system, trained.data, trained.settings)
    assert set(made) == {"density", "prototypes", "components", "classes"}


@pytest.mark.parametrize("key", ["kernel", "decay", "init", "update"])
def test_unknown_choices_name_the_nearest(key):
    with pytest.raises(SettingError, match=f"{key} must be one of"):
        make(np.ones((5, 2), np.float32), **{key: "lectur"})
