"""The self-organising map against loops written from the lecture, and MiniSom's number."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core import data
from glassgrad.core.data import DataSet, Info, Split
from glassgrad.core.training.settings import SettingError, TrainingSettings
from glassgrad.core.training.system import Batch
from glassgrad.kernels import som as kernel
from glassgrad.models.common.names import names_of
from glassgrad.models.competitive import som, som_pictures
from glassgrad.models.competitive.grid import Grid
from tests.tools import Undivided, assert_close


class Stub:
    """The part of a training that a map looks at."""

    shards = Undivided()

    def __init__(self, lr):
        self.settings, self.batches, self.done = TrainingSettings(lr=lr, epochs=1), 1, 0.0


def make(x, **changes):
    s = replace(models.recipe("som").resolve("digits"), **changes)
    return som.SOM(x, s, gg.Generator(0)), s


@pytest.mark.parametrize("update", ["vorontsov", "dyakonov"])
def test_a_step_is_the_lectures_loop(update):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((7, 3)).astype(np.float32)
    kernel = "gaussian" if update == "vorontsov" else "exponential"
    m, _ = make(
        x, rows=3, columns=4, update=update, normalise=False, kernel=kernel, sigma=1.3, radius=1.5
    )
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
        for n in range(len(x))
        for m in range(len(w))
    ]
    assert value.item() == pytest.approx(sum(terms), rel=1e-12)
    K = som.KERNELS["gaussian"](*Grid(2, 3).offsets, 1.0)
    moved = kernel.update(w, x, kernel.winners(x, w)[0], K, 0.3, rule) - w
    assert_close(moved, -0.3 * gg.grad(value, leaf).numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("decay", "half"), [("constant", 1.0), ("asymptotic", 0.5), ("linear", 0.505)]
)
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
    assert whole.train.x.shape == (15, 4) and whole.valid is None and whole.test is None
    apart = som.prepare(images, replace(s, whole=False))
    assert [len(v) for _, v in apart.splits()] == [6, 4, 5]
    scaled = som.prepare(images, replace(s, scale=True)).train.x
    assert np.allclose(scaled.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(scaled.std(axis=0), 1, atol=1e-5)
    unit = som.prepare(images, models.recipe("som-dyakonov").resolve("iris"))
    assert np.allclose(np.linalg.norm(unit.train.x, axis=1), 1, atol=1e-6)
    row = parts[0].x[0].reshape(-1)
    assert np.allclose(unit.train.x[0], row / np.sqrt((row**2).sum()))


def test_component_planes_are_the_weights_of_each_feature():
    rng = np.random.default_rng(0)
    x, y = rng.random((30, 20)).astype(np.float32), rng.integers(0, 3, 30)
    data_set = DataSet("table", Split(x, y), info=Info(feature_names=[f"f{j}" for j in range(20)]))
    m, s = make(x, rows=3, columns=4, init="sample")
    w = m.w.numpy()
    w[:, [2, 5, 11]] = 0.5  # constant ones are the first to go
    m.w.assign(w)
    fig = som_pictures.figures(m, data_set, s)["components"]
    shown = [ax for ax in fig.axes if ax.collections and ax.get_title()]
    assert [ax.get_title() for ax in shown[:2]] == ["density", "class"] and len(shown) == 18
    assert np.allclose(shown[0].collections[0].get_array(), m.density(x, 5))
    for ax in shown[2:]:
        j = int(ax.get_title()[1:])
        assert j not in (2, 5, 11)
        assert (ax.collections[0].get_array() == w[:, j]).all()
        assert ax.collections[0].get_clim() == shown[2].collections[0].get_clim()


def test_every_sample_is_a_dot_in_its_winners_cell():
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((90, 2)).astype(np.float32), rng.integers(0, 2, 90)
    data_set = DataSet("table", Split(x, y), info=Info(classes=("left", "right")))
    m, s = make(x, rows=4, columns=3, init="sample", grid="hexagonal")
    ax = som_pictures.figures(m, data_set, s)["classes"].axes[0]
    winner, _ = m.winners(x)
    dots = {
        c.get_label(): c.get_offsets() for c in ax.collections if c.get_label() in ("left", "right")
    }
    for k, name in enumerate(("left", "right")):
        away = np.linalg.norm(dots[name][:, None] - m.grid.positions, axis=2)
        assert (away.min(axis=1) < 0.5).all()
        assert (
            np.bincount(away.argmin(axis=1), minlength=12).tolist()
            == np.bincount(winner[y == k], minlength=12).tolist()
        )
    every = np.concatenate(list(dots.values()))
    assert len(np.unique(every.round(4), axis=0)) == 90


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
    assert found["dead"] == 9 - len(set(d.argmin(axis=1).tolist()))
    assert np.allclose(m.density(x, 4), np.sort(d, axis=0)[:4].mean(axis=0), rtol=1e-5)
    share = m.shares(Split(x, y), 4)
    for k in range(9):
        near = y[np.argsort(d[:, k])[:4]]
        assert share[k].tolist() == [(near == c).mean() for c in range(3)]
    around = [
        [j for j in range(9) if 0 < max(abs(i // 3 - j // 3), abs(i % 3 - j % 3)) < 2]
        for i in range(9)
    ]
    want = [np.mean([np.linalg.norm(w[i] - w[j]) for j in around[i]]) for i in range(9)]
    assert np.allclose(m.u_matrix(), want, rtol=1e-5)


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize("grid", ["rectangular", "hexagonal"])
def test_the_topographic_error_is_that_of_the_grid(grid, torus):
    """Neighbours named one by one: eight, or six that depend on the row, across the border."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 2)).astype(np.float32)
    rows, columns = 4, 5
    m, _ = make(x, rows=rows, columns=columns, init="sample", grid=grid, torus=torus)
    around = {
        "rectangular": lambda a: [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)],
        "hexagonal": lambda a: [
            (0, -1),
            (0, 1),
            *((i, j + a % 2) for i in (-1, 1) for j in (-1, 0)),
        ],
    }[grid]
    d = ((x[:, None] - m.w.numpy()) ** 2).sum(axis=2)
    apart = 0
    for row in d:
        (a, b), second = (divmod(int(k), columns) for k in np.argsort(row, kind="stable")[:2])
        near = [(a + i, b + j) for i, j in around(a)]
        if torus:
            near = [(i % rows, j % columns) for i, j in near]
        apart += second not in near
    assert m.evaluate(Split(x))["te"] == pytest.approx(apart / 200)
    assert 0.1 < apart / 200 < 0.95


@pytest.mark.parametrize("grid", ["rectangular", "hexagonal"])
def test_a_torus_has_no_border(grid):
    """One sample moves every node by the distance the shorter way round."""
    x = np.zeros((4, 2), np.float32)
    m, _ = make(x, rows=4, columns=6, grid=grid, torus=True, sigma=1.0, radius=0.0, neighbours=1)
    w = np.ones((24, 2), np.float32)
    w[0] = 0.5  # the winner, in a corner
    m.w.assign(w)
    m.train_step(Batch(x[:1]), Stub(1.0))
    moved = 1 - m.w.numpy()[:, 0].reshape(4, 6)
    step = {"rectangular": 1.0, "hexagonal": np.sqrt(3) / 2}[grid]
    shift = {"rectangular": 0.0, "hexagonal": 0.5}[grid]
    assert moved[0, 1] == pytest.approx(np.exp(-0.5)) == pytest.approx(moved[0, 5])
    assert moved[1, 0] == pytest.approx(np.exp(-(step**2 + shift**2) / 2), rel=1e-5)
    assert moved[3, 0] == pytest.approx(np.exp(-(step**2 + shift**2) / 2), rel=1e-5)
    assert moved[2, 3] == pytest.approx(np.exp(-(4 * step**2 + 9) / 2), rel=1e-4)


def test_an_iris_map_near_the_som_toolboxs():
    """Its documentation, from memory: 11 x 6 hexagonal, batch, PCA, width 2 to 1: QE 0.393."""
    settings = {
        "grid": "hexagonal", "rows": 11, "columns": 6, "form": "batch", "init": "pca",
        "sigma": 1.0, "radius": 0.0, "epochs": 23,
    }  # fmt: skip
    found = training.train(models.recipe("som"), "iris", overrides=settings).test_figures
    assert found["qe"] == pytest.approx(0.393, rel=0.03) and found["te"] < 0.1


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
    assert trained.test_figures["te"] < 0.1
    made = models.recipe("som").figures(trained.system, trained.data, trained.settings)
    titles = [ax.get_title() for ax in made["components"].axes]
    assert titles[:2] == ["density", "class"] and "physician-fee-freeze" in titles
    assert titles[2:18] == names_of(trained.data)
    dots = {c.get_label(): len(c.get_offsets()) for c in made["classes"].axes[0].collections}
    assert dots["democrat"] == 267 and dots["republican"] == 168


def test_figures_are_drawn():
    recipe = models.recipe("som")
    trained = training.train(recipe, overrides={"epochs": 1, "rows": 5, "columns": 5})
    made = recipe.figures(trained.system, trained.data, trained.settings)
    lecture = {"density", "u_matrix", "prototypes", "components", "classes"}
    assert set(made) == lecture | {"subjective", "distortion"}


@pytest.mark.parametrize(
    ("key", "wrong", "nearest"),
    [("kernel", "gausian", "gaussian"), ("decay", "liner", "linear"), ("init", "lectur", "lecture"),
     ("update", "voronzov", "vorontsov"), ("form", "bach", "batch"),
     ("grid", "hexagon", "hexagonal")],
)  # fmt: skip
def test_unknown_choices_name_the_nearest(key, wrong, nearest):
    with pytest.raises(SettingError, match=f"'{key}' must be .*did you mean '{nearest}'"):
        make(np.ones((5, 2), np.float32), **{key: wrong})


def test_every_rule_and_every_start_is_a_choice():
    assert get_args(som.Update) == tuple(som.RULES)
    x = np.random.default_rng(0).standard_normal((9, 3)).astype(np.float32)
    starts = {
        kind: make(x, rows=2, columns=2, init=kind)[0].w.numpy().tobytes()
        for kind in (*som.INITS, "pca")
    }
    assert len(set(starts.values())) == 4


def test_a_grid_that_cannot_be_is_refused_with_the_settings():
    changes = {"grid": "hexagonal", "torus": True, "rows": 3}
    with pytest.raises(SettingError, match=r"^som: a hexagonal torus needs .* rows; got 3"):
        models.recipe("som").resolve("digits", changes)
    assert models.recipe("som").resolve("digits", {**changes, "rows": 4}).torus


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
        assert not models.recipe("som-dyakonov").resolve("digits", changes).normalise


def test_figures_do_not_depend_on_the_pieces_of_a_split():
    rng = np.random.default_rng(1)
    split = Split(rng.standard_normal((31, 3)).astype(np.float32), rng.integers(0, 3, 31))
    m, _ = make(split.x, rows=3, columns=3, init="sample")
    assert m.evaluate(split, size=7) == pytest.approx(m.evaluate(split), rel=1e-6)
