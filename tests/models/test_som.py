"""The self-organising map against loops written from the lecture, and MiniSom's number."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core import data
from glassgrad.core.data import DataSet, Split
from glassgrad.core.recipe import SettingError
from glassgrad.core.system import Batch
from glassgrad.kernels import som as kernel
from glassgrad.models import som
from tests.tools import assert_close


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


@pytest.mark.parametrize(("name", "rule"), [("som", "difference"), ("som-dyakonov", "additive")])
def test_a_step_of_each_rule_goes_down_its_objective(name, rule):
    """η Σ_n K (x_n - w_m), or η Σ_n K x_n, is -η times the gradient of what gradcheck checks."""
    x, w, rows = som.weighted(np.random.default_rng(4))
    f, (start,) = models.recipe(name).check(np.random.default_rng(4))
    assert (start == w).all()
    leaf = gg.Tensor(w, requires_grad=True)
    value = f(leaf)
    terms = [
        rows[n, m] * (0.5 * ((x[n] - w[m]) ** 2).sum() if name == "som" else -(x[n] @ w[m]))
        for n in range(len(x)) for m in range(len(w))
    ]  # fmt: skip
    assert value.item() == pytest.approx(sum(terms), rel=1e-12)
    K = som.KERNELS["gaussian"](*som.grid_offsets(2, 3), 1.0)
    moved = kernel.update(w, x, kernel.winners(x, w)[0], K, 0.3, rule) - w
    assert_close(moved, -0.3 * gg.grad(value, leaf).numpy(), rtol=1e-12)


@pytest.mark.parametrize(("decay", "half"), [("constant", 1.0), ("asymptotic", 0.5),
                                             ("linear", 0.505)])  # fmt: skip
def test_rate_and_width_fall_as_the_decay_says(decay, half):
    one, _ = make(np.ones((5, 2), np.float32), rows=1, columns=1, decay=decay, radius=0.0)
    one.w.assign(np.zeros((1, 2), np.float32))
    stub = Stub(0.4)
    stub.done = 0.5
    one.train_step(Batch(np.ones((1, 2), np.float32)), stub)
    assert np.allclose(one.w.numpy(), 0.4 * half)
    m, _ = make(np.ones((5, 2), np.float32), rows=1, columns=3, decay=decay, sigma=2.0)
    want = np.exp(-np.array([0, 1, 4]) / (2 * (2.0 * half) ** 2))
    assert np.allclose(m.neighbourhood(0.5)[0], want, rtol=1e-6)


def test_shuffled_draws_go_through_the_samples_in_turn():
    x = np.arange(12, dtype=np.float32)[:, None]
    data_set = DataSet("line", Split(x))

    def drawn(epoch, **changes):
        m, _ = make(x, rows=2, columns=2, **changes)
        found = list(m.batches(data_set, 5, 3, epoch, 0))
        assert len(found) == m.batches_per_epoch(data_set, 5)
        return np.concatenate([b.x for b in found])[:, 0].tolist()

    one = drawn(0, shuffled=True, epochs=1)
    assert sorted(one) == list(range(12)) != one
    halves = [drawn(e, shuffled=True, epochs=2, draws=6) for e in (0, 1)]
    assert sorted(halves[0] + halves[1]) == list(range(12))
    anyhow = drawn(0, draws=600)  # with replacement
    assert len(anyhow) == 600 and set(anyhow) == set(range(12))


def test_pca_initialisation_spans_the_plane_of_the_main_axes():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((300, 4)) * np.array([5.0, 2.0, 0.1, 0.1]) + 7
    w = som.initial_weights("pca", (3, 5), x, None).reshape(3, 5, 4)
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    centre = x.mean(axis=0)
    assert np.allclose(w[1, 2], centre)
    for edge, k in ((w[2, 2] - centre, -1), (w[1, 4] - centre, -2)):
        assert np.linalg.norm(edge) == pytest.approx(np.sqrt(values[k]), rel=1e-9)
        assert abs(edge @ vectors[:, k]) == pytest.approx(np.sqrt(values[k]), rel=1e-9)
    assert np.allclose(w[2, 4] - centre, (w[2, 2] - centre) + (w[1, 4] - centre))


def test_prepare_flattens_scales_and_makes_unit_rows():
    rng = np.random.default_rng(0)
    parts = [Split(rng.random((n, 1, 2, 2)).astype("f4") + 1, np.arange(n)) for n in (6, 4, 5)]
    images = DataSet("images", *parts)
    s = models.recipe("som").resolve("digits", {"scale": False})
    whole = som.prepare(images, s)
    assert whole.train.x.shape == whole.test.x.shape == (15, 4) and whole.valid is None
    apart = som.prepare(images, {**s, "whole": False})
    assert [len(v) for _, v in apart.splits()] == [6, 4, 5]
    scaled = som.prepare(images, {**s, "scale": True}).train.x
    assert np.allclose(scaled.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(scaled.std(axis=0), 1, atol=1e-5)
    unit = som.prepare(images, models.recipe("som-dyakonov").resolve("iris"))
    assert np.allclose(np.linalg.norm(unit.train.x, axis=1), 1, atol=1e-6)
    row = parts[0].x[0].reshape(-1)
    assert np.allclose(unit.train.x[0], row / np.sqrt((row**2).sum()))


def test_component_planes_are_the_weights_of_each_feature():
    planes = np.random.default_rng(0).random((3, 4, 20))
    planes[:, :, [2, 5, 11]] = 0.5  # constant ones are the first to go
    fig = som.component_planes(planes, tuple(f"f{j}" for j in range(20)))
    shown = [ax for ax in fig.axes if ax.images]
    assert len(shown) == 16
    for ax in shown:
        j = int(ax.get_title()[1:])
        assert j not in (2, 5, 11)
        assert (ax.images[0].get_array() == planes[:, :, j]).all()


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


@pytest.mark.data
def test_house_votes_separate_the_parties():
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


def test_density_cannot_ask_for_more_samples_than_there_are():
    with pytest.raises(SettingError, match="neighbours must be at most 5; got 6"):
        make(np.ones((5, 2), np.float32), neighbours=6)


@pytest.mark.parametrize(
    "changes", [{"schedule": "cosine"}, {"optimiser": "sgd"}, {"clip": 1.0}, {"weight_decay": 0.1},
                {"normalise": False}]
)  # fmt: skip
def test_settings_without_effect_are_refused(changes):
    (key,) = changes
    with pytest.raises(SettingError, match=f"'{key}' has no effect"):
        models.recipe("som").resolve("digits", changes)
    if key == "normalise":
        assert not models.recipe("som-dyakonov").resolve("digits", changes)["normalise"]


def test_figures_do_not_depend_on_the_pieces_of_a_split():
    rng = np.random.default_rng(1)
    split = Split(rng.standard_normal((31, 3)).astype(np.float32), rng.integers(0, 3, 31))
    m, _ = make(split.x, rows=3, columns=3, init="sample")
    assert m.evaluate(split, size=7) == pytest.approx(m.evaluate(split), rel=1e-6)
