"""Privileged information: the objectives in NumPy, the stages, the paper's tables, the pictures."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from matplotlib.figure import Figure

import glassgrad as gg
from glassgrad import models
from glassgrad.core.data import DataSet, Split, load
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.perceptrons.tasks import Classification, Regression
from glassgrad.models.regimes import lupi
from tests.tools import assert_close

RECIPE = models.recipe("lupi")
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((6, 7)), np.array([0, 2, 1, 2, 0, 0])


def small(task=None, stage="student", **changes):
    s = lupi.Settings(**changes)
    m = lupi.Lupi(4, 3, task or Classification(3), s, gg.Generator(1), dtype="float64")
    m.stage = stage
    return m


def logits(m, who):
    layer = getattr(m, who)[0]
    x = X[:, 4:] if who == "teacher" else X[:, :4]
    return x @ layer.weight.numpy().T + layer.bias.numpy()


def q(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def by_labels(z):
    return -np.log(q(z)[np.arange(6), Y]).mean()


def alike(b, a, t=1.0):
    return -(q(a / t) * np.log(q(b))).sum(axis=1).mean()


@pytest.mark.parametrize(
    "stage, changes, weights",
    [  # the weights of: the student's labels, the teacher's labels, the imitation
        ("teacher", {}, (0, 1, 0)),
        ("student", {"mu": 2.5}, (1, 0, 2.5)),
        ("joint", {"form": "joint", "mu": 2.5, "teacher_weight": 3.0}, (1, 3, 2.5)),
        ("student", {"terms": "paper", "imitation": 0.3, "temperature": 5.0}, (0.7, 0, 7.5)),
        ("student", {"terms": "paper"}, (0, 0, 1)),
    ],
)
def test_the_objectives_are_those_of_the_page(stage, changes, weights):
    m = small(stage=stage, **changes)
    a, b = logits(m, "teacher"), logits(m, "student")
    own, teacher, like = weights
    want = own * by_labels(b) + teacher * by_labels(a)
    want += like * alike(b, a, changes.get("temperature", 1.0))
    want += (stage != "teacher") * by_labels(logits(m, "regular"))
    loss, _ = m.objective(Batch(X, Y))
    assert loss.item() == pytest.approx(want, rel=1e-12)


def test_of_quantities_the_losses_are_squared_errors():
    y = RNG.standard_normal((6, 2)) * [1, 50]
    m = small(Regression(y, dtype="float64"), mu=2.0)
    a, b, r = (logits(m, who) for who in ("teacher", "student", "regular"))
    z = (y - y.mean(axis=0)) / y.std(axis=0)
    want = np.square(b - z).mean() + 2 * np.square(b - a).mean() + np.square(r - z).mean()
    assert m.objective(Batch(X, y))[0].item() == pytest.approx(want, rel=1e-12)
    assert set(m.evaluate(Split(X, y))) == {"r2", "r2_regular", "r2_teacher", "gain"}
    with pytest.raises(SettingError, match="these labels are quantities"):
        small(Regression(y), terms="paper", temperature=2.0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"task": Regression(np.arange(6.0).reshape(3, 2), dtype="float64")},
        {"stage": "student", "form": "separate", "terms": "paper", "temperature": 3.0,
         "imitation": 0.4},
    ],
    ids=["joint", "quantities", "paper"],
)  # fmt: skip
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = lupi.check(np.random.default_rng(0), **changes)
    if "stage" in changes:  # the teacher's weights, which come first, are finished
        f, arrays = partial(f, *arrays[:4]), arrays[4:]
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


def test_a_finished_teacher_is_not_changed_by_its_student_but_together_it_is():
    m = small()
    m.objective(Batch(X, Y))[0].backward()
    assert m.teacher[0].weight.grad is None and m.student[0].weight.grad is not None
    m = small(stage="joint", form="joint", teacher_weight=0.0)
    m.objective(Batch(X, Y))[0].backward()
    assert np.abs(m.teacher[0].weight.grad.numpy()).max() > 1e-3


def test_the_teacher_comes_first_and_the_regular_net_is_one_that_learns_alone():
    s = RECIPE.resolve("lupi_relevant", {"pretrain": 3, "epochs": 6, "batch": 50})
    data = RECIPE.prepare(load("lupi_relevant", d=5, train=100, valid=0, test=50), s)
    m = RECIPE.build(data, s, gg.Generator(0))
    start = m.state_dict()
    assert np.array_equal(start["student.0.weight"], start["regular.0.weight"])
    fit(m, data, replace(s, epochs=3))
    half = m.state_dict()
    for name, value in half.items():
        assert np.array_equal(value, start[name]) == (not name.startswith("teacher")), name
    m = RECIPE.build(data, s, gg.Generator(0))
    fit(m, data, s)
    for name, value in m.state_dict().items():
        assert np.array_equal(value, half[name]) == name.startswith("teacher"), name
    none = RECIPE.build(data, s.changed(mu=0.0), gg.Generator(0))
    fit(none, data, s)
    assert np.array_equal(none.student[0].weight.numpy(), m.regular[0].weight.numpy())
    assert none.evaluate(data.test)["gain"] == 0


def test_images_become_means_of_windows_and_pixels():
    digits = load("digits")
    data = RECIPE.prepare(digits, lupi.Settings(shrink=2, examples=30, seed=5))
    assert data.train.x.shape == (30, 16 + 64) and data.info.extra["privileged"] == 64
    image = data.test.x[3, 16:].reshape(8, 8)
    assert np.array_equal(image, digits.test.x[3, 0])
    for i in range(4):
        for j in range(4):
            mean = image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean()
            assert data.test.x[3, 4 * i + j] == pytest.approx(mean, abs=1e-6)
    other = RECIPE.prepare(digits, lupi.Settings(shrink=2, examples=30, seed=6))
    assert not np.array_equal(other.train.x, data.train.x)
    for shrink in (1, 3):
        with pytest.raises(SettingError, match="shrink must be above 1 and divide"):
            RECIPE.prepare(digits, lupi.Settings(shrink=shrink))


def test_columns_of_tables_and_draws_by_the_seed():
    iris = RECIPE.prepare(load("iris"), lupi.Settings(privileged=2))
    m = RECIPE.build(iris, lupi.Settings(privileged=2), gg.Generator(0))
    assert m.inputs == 2 and m.teacher[0].weight.shape == (3, 2)
    assert_close(iris.train.x.std(axis=0), np.ones(4), rtol=1e-5)
    raw = load("lupi_clean_labels", d=4, train=20, valid=2, test=6)
    one = RECIPE.prepare(raw, lupi.Settings(seed=3))
    want = load("lupi_clean_labels", d=4, train=20, valid=2, test=6, seed=3).standardised()
    assert np.array_equal(one.train.x, want.train.x) and np.array_equal(one.test.y, want.test.y)
    for privileged in (0, 4):
        with pytest.raises(SettingError, match="say how many of the last of its 4 are x"):
            RECIPE.prepare(load("iris"), lupi.Settings(privileged=privileged))
    with pytest.raises(SettingError, match="examples must be at most"):
        RECIPE.prepare(load("iris"), lupi.Settings(privileged=1, examples=1000))
    with pytest.raises(SettingError, match="has no labels"):
        RECIPE.prepare(DataSet("none", Split(np.zeros((3, 2)))), lupi.Settings())
    for wrong in ({"imitation": 1.5}, {"form": "joint", "terms": "paper"}):
        with pytest.raises(SettingError):
            lupi.Settings(**wrong)


def test_the_pictures():
    few = {"pretrain": 1, "epochs": 2}
    for name, drawn in (
        ("lupi_relevant", {"settings", "scores", "margins", "weights"}),
        ("diabetes", {"settings", "scores", "weights"}),
        ("digits", {"settings", "scores", "margins", "weights"}),
    ):
        s = RECIPE.resolve(name, few, "table")
        data = RECIPE.prepare(load(name), s)
        m = RECIPE.build(data, s, gg.Generator(0))
        made = RECIPE.figures(m, data, s)
        assert set(made) == drawn and all(isinstance(f, Figure) for f in made.values())
    titles = [ax.get_title() for ax in made["settings"].axes]
    assert titles[:6] == [
        "supervised", "unsupervised", "privileged (LUPI)", "semi-supervised", "transductive",
        "partial LUPI",
    ]  # fmt: skip
    assert len(made["settings"].axes[6].tables[0].get_celld()) == 3 * 5


# -------------------------------------------------------------------------------------- the numbers


def draws(name: str, count: int, **changes) -> dict[str, float]:
    """Means over the first draws of a table, of student, regular net and teacher."""
    found = []
    for seed in range(count):
        s = RECIPE.resolve(name, {"seed": seed, **changes})
        data = RECIPE.prepare(load(name), s)
        m = RECIPE.build(data, s, gg.Generator(seed))
        fit(m, replace(data, valid=None), s)
        found.append(m.evaluate(data.test))
    return {k: float(np.mean([f[k] for f in found])) for k in found[0]}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, published",
    [
        ("lupi_clean_labels", (0.96, 0.88, 0.95)),
        ("lupi_clean_features", (0.90, 0.68, 0.70)),
        ("lupi_relevant", (0.98, 0.89, 0.97)),
        ("lupi_other_relevant", (0.96, 0.55, 0.56)),
    ],
)
def test_the_tables_of_the_paper(name, published):
    """Eight draws of the paper's 100. Means of a hundred: see the page; 3 points are 2 errors."""
    found = draws(name, 8, **lupi.DESCENT)
    got = (found["accuracy_teacher"], found["accuracy_regular"], found["accuracy"])
    off = 0.07 if name == "lupi_other_relevant" else 0.035
    assert got == pytest.approx(published, abs=off)


@pytest.mark.slow
def test_columns_of_each_row_help_nobody():
    found = draws("lupi_relevant_each", 4, **lupi.DESCENT)
    assert all(abs(found[k] - 0.5) < 0.05 for k in found if k != "gain"), found


@pytest.mark.slow
def test_the_joint_form_gains_too_unless_the_imitation_drowns_the_labels():
    good = draws("lupi_clean_labels", 3, form="joint")
    bad = draws("lupi_clean_labels", 3, form="joint", teacher_weight=1.0)
    assert good["gain"] > 0.04 and bad["gain"] < 0, (good, bad)
    assert bad["accuracy_teacher"] < good["accuracy_teacher"] - 0.05
