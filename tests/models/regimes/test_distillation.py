"""Distillation: the objective in NumPy, its switches, the transfer set, the class never seen."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Split, load
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.common.shifts import shifted
from glassgrad.models.perceptrons.tasks import Classification, Regression
from glassgrad.models.regimes import distillation
from glassgrad.models.regimes.imitation import imitation
from tests.tools import assert_close

RECIPE = models.recipe("distillation")
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((6, 5)), np.array([0, 2, 1, 2, 0, 0])


def small(task=None, stage="student", **changes):
    s = distillation.Settings(**{"teacher": (4,), "student": (3,), **changes})
    m = distillation.Distillation(5, task or Classification(3), s, gg.Generator(1), dtype="float64")
    m.stage = stage
    return m


def answers(m, net):
    a, b = net.linear()
    h = np.maximum(X @ a.weight.numpy().T + a.bias.numpy(), 0)
    return h @ b.weight.numpy().T + b.bias.numpy()


def q(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def by_labels(z):
    return -np.log(q(z)[np.arange(6), Y]).mean()


@pytest.mark.parametrize("t, hard", [(1.0, 0.0), (1.0, 0.25), (20.0, 0.0), (4.0, 0.5)])
def test_the_objective_is_the_equation(t, hard):
    m = small(temperature=(t,), hard=hard)  # with dropout, which the answers must not have
    a, b = answers(m, m.teacher), answers(m, m.students[0])
    soft = -(q(a / t) * np.log(q(b / t))).sum(axis=1).mean()
    want = (1 - hard) * t**2 * soft + hard * by_labels(b) + by_labels(answers(m, m.plain))
    loss, extra = m.objective(Batch(X, Y))
    assert loss.item() == pytest.approx(want, rel=1e-12)
    assert extra["imitation"] == pytest.approx(soft, rel=1e-12)
    loss.backward()
    assert all(p.grad is None for p in m.teacher.parameters())


def test_several_students_are_as_many_objectives():
    m = small(temperature=(20.0, 1.0), without=2)
    a, want = answers(m, m.teacher), by_labels(answers(m, m.plain))
    for net, t, rows in zip(m.students, (20.0, 1.0, 20.0), (Y >= 0, Y >= 0, Y != 2), strict=True):
        soft = -(q(a / t) * np.log(q(answers(m, net) / t)))[rows].sum(axis=1).mean()
        want += t**2 * soft
    assert m.objective(Batch(X, Y))[0].item() == pytest.approx(want, rel=1e-12)
    loss, _ = m.objective(Batch(X[Y == 2], Y[Y == 2]))  # nothing for the last student
    loss.backward()
    grads = [net.linear()[0].weight.grad for net in m.students]
    assert grads[2] is None and all(np.abs(g.numpy()).max() > 0 for g in grads[:2])
    assert list(m.nets()) == [
        "error_teacher", "error", "error_t1", "error_without", "error_plain"
    ]  # fmt: skip
    for same in (2.0, 2.0000001):  # both would be `error_t2`
        with pytest.raises(SettingError, match="temperature has the same value twice"):
            small(temperature=(2.0, same))


def test_all_published_figures_are_of_the_same_runs():
    s = [RECIPE.resolve(t.data, t.settings) for t in RECIPE.targets]
    assert all(other.as_dict() == s[0].as_dict() for other in s)
    assert s[0].temperature == RECIPE.resolve("mnist", {"temperature": "20,1"}).temperature
    m = small(temperature=s[0].temperature, without=2)
    assert {t.metric for t in RECIPE.targets} <= set(m.evaluate(Split(X, Y)))


def test_the_default_is_the_lectures_form():
    s = distillation.Settings()
    assert (s.temperature, s.hard, s.without) == ((1.0,), 0.0, -1)
    m = small(stage="teacher", dropout=0.0)
    assert m.objective(Batch(X, Y))[0].item() == pytest.approx(by_labels(answers(m, m.teacher)))


def test_a_high_temperature_matches_logits():
    """T² dL/db → (b - a)/K for logits of mean 0 (Hinton et al. 2015, section 2.1)."""
    a, b = (z - z.mean(axis=1, keepdims=True) for z in RNG.standard_normal((2, 4, 3)))
    z = gg.Tensor(b, requires_grad=True)
    (1e8 * imitation(Classification(3), z, gg.Tensor(a), 1e4)).backward()
    assert_close(z.grad.numpy(), (b - a) / 3 / 4, rtol=1e-3)


def test_quantities_are_imitated_by_squared_errors():
    y = RNG.standard_normal((6, 2))
    m = small(Regression(y, dtype="float64"))
    z = (y - y.mean(axis=0)) / y.std(axis=0)
    a, b, p = (answers(m, net) for net in (m.teacher, m.students[0], m.plain))
    want = np.square(b - a).mean() + np.square(p - z).mean()
    assert m.objective(Batch(X, y))[0].item() == pytest.approx(want, rel=1e-12)
    with pytest.raises(SettingError, match="these labels are quantities"):
        small(Regression(y), temperature=(2.0,))


@pytest.mark.parametrize("task", [None, Regression(np.arange(6.0), dtype="float64")])
def test_the_objective_passes_the_gradient_check(task):
    changes = {"task": task, "temperature": (1.0,)} if task else {}
    f, arrays = distillation.check(np.random.default_rng(0), **changes)
    n = 4  # the teacher's weights and biases come first, and are finished
    report = gg.gradcheck(lambda *p: f(*arrays[:n], *p), *arrays[n:], order=2, directions=4)
    assert report.error < 1e-6


def test_the_teacher_comes_first_and_all_start_alike():
    s = RECIPE.resolve("digits", {"pretrain": 1, "epochs": 2, "teacher": (9,), "student": (5,)})
    data = RECIPE.prepare(load("digits"), s)
    m = RECIPE.build(data, s, gg.Generator(0))
    start = m.state_dict()
    names = [n for n in start if n.startswith("students")]
    assert names and all(
        np.array_equal(start[n], start[n.replace("students.0", "plain")]) for n in names
    )
    fit(m, data, replace(s, epochs=1))
    half = m.state_dict()
    assert all(np.array_equal(half[n], start[n]) for n in names)
    m = RECIPE.build(data, s, gg.Generator(0))
    fit(m, data, s)
    end = m.state_dict()
    assert all(np.array_equal(v, half[n]) for n, v in end.items() if n.startswith("teacher"))
    assert not any(np.array_equal(end[n], start[n]) for n in names)
    assert set(RECIPE.figures(m, data, s)) == {"errors", "answers"}
    assert all(isinstance(f, Figure) for f in RECIPE.figures(m, data, s).values())


def test_the_transfer_set_and_the_class_that_is_left_out():
    digits = load("digits")
    found = distillation.transfer_set(digits, distillation.Settings(transfer=40))
    assert np.bincount(found.y, minlength=10).tolist() == [4] * 10
    assert len(distillation.transfer_set(digits, distillation.Settings())) == len(digits.train)
    with pytest.raises(SettingError, match="has no class 10 to leave out"):
        RECIPE.prepare(digits, distillation.Settings(without=10))
    with pytest.raises(SettingError, match="has no class 0 to leave out"):
        RECIPE.prepare(load("diabetes"), distillation.Settings(without=0))
    with pytest.raises(SettingError, match="has nothing but class 1"):
        one = DataSet("one", Split(np.zeros((3, 2)), np.ones(3, int)))
        RECIPE.prepare(one, distillation.Settings(without=1))
    for data, jitter in ((digits, 8), (load("iris"), 1)):
        with pytest.raises(SettingError, match="jitter moves images, by less than their size"):
            RECIPE.prepare(data, distillation.Settings(jitter=jitter))
    with pytest.raises(SettingError, match="hard must be in"):
        distillation.Settings(hard=1.5)


def test_the_shift_makes_the_unseen_class_as_frequent_as_its_labels():
    m = small(without=2)
    x, y = RNG.standard_normal((200, 5)), np.arange(200) % 4 % 3
    m.find_shift(DataSet("d", Split(x, y)))
    shift = m.shift.numpy()
    z = m.students[-1].eval().answers(x)
    assert shift[:2].tolist() == [0, 0] and shift[2] >= 0
    if (z.argmax(axis=1) == 2).mean() < 0.25:
        assert abs(((z + shift).argmax(axis=1) == 2).mean() - 0.25) <= 0.01
    for p in m.students[-1].linear()[-1:]:
        p.bias.assign(p.bias.numpy() + np.array([9.0, 9.0, 0.0]))  # now it never is the answer
    m.find_shift(DataSet("d", Split(x, y)))
    again = (m.students[-1].answers(x) + m.shift.numpy()).argmax(axis=1)
    assert m.shift.numpy()[2] > 5 and abs((again == 2).mean() - 0.25) <= 0.01
    found = m.evaluate(Split(x, y))
    assert found["error_shifted"] == pytest.approx(100 * (again != y).mean())
    assert found["unseen_shifted"] == pytest.approx(100 * (again[y == 2] != 2).mean())
    before = m.students[-1].answers(x).argmax(axis=1)
    assert found["error_without"] == pytest.approx(100 * (before != y).mean())
    assert found["unseen"] == pytest.approx(100 * (before[y == 2] != 2).mean())


def test_the_selected_epoch_has_the_shift_of_its_own_weights():
    changes = {"pretrain": 2, "epochs": 5, "lr": 1e-2, "fine_lr": 1e-2, "without": 3}
    s = RECIPE.resolve("digits", {**changes, "transfer": 0, "select": "error"})
    data = RECIPE.prepare(load("digits"), s)
    m = RECIPE.build(data, s, gg.Generator(0))
    evaluate, kept = m.evaluate, []

    def planted(split):
        """The second epoch of the student is the best; the check of `select` asks first."""
        kept.append((m.shift.numpy().copy(), m.students[-1].state_dict()))
        return {**evaluate(split), "error": abs(len(kept) - 5.0)}

    m.evaluate = planted
    rows = fit(m, data, s)
    assert [row["valid_error"] for row in rows] == [3, 2, 1, 0, 1]
    shifts = [shift[3] for shift, _ in kept]
    assert shifts[:3] == [0, 0, 0] and len(set(shifts[3:])) == 3 and min(shifts[3:]) > 0
    assert m.shift.numpy().tolist() == kept[4][0].tolist()
    assert all(np.array_equal(v, kept[4][1][k]) for k, v in m.students[-1].state_dict().items())
    m.find_shift(data)
    assert m.shift.numpy().tolist() == kept[4][0].tolist()
    for row in rows[2:]:  # and validation figures are of shifted answers, in every epoch
        assert row["valid_error_shifted"] != row["valid_error_without"]


def test_jitter_moves_whole_images_and_loses_nothing_else():
    x = np.zeros((400, 1, 7, 7), np.float32)
    x[:, 0, 3, 3] = 1
    moved = shifted(x, 2, gg.Generator(1))
    assert moved.shape == x.shape and (moved.sum(axis=(1, 2, 3)) == 1).all()
    at = np.argwhere(moved[:, 0])[:, 1:] - 3
    assert {tuple(a) for a in at.tolist()} == {(i, j) for i in range(-2, 3) for j in range(-2, 3)}


def test_max_norm_is_for_the_teacher_alone():
    few = {"pretrain": 1, "epochs": 2, "teacher": (9,), "max_norm": 0.3, "lr": 0.02}
    s = RECIPE.resolve("digits", few)
    data = RECIPE.prepare(load("digits"), s)
    m = RECIPE.build(data, s, gg.Generator(0))
    fit(m, data, s)
    longest = [np.linalg.norm(w.linear()[0].weight.numpy(), axis=1).max()
               for w in (m.teacher, m.students[0])]  # fmt: skip
    assert longest[0] <= 0.3 * (1 + 1e-6) < longest[1]


@pytest.mark.slow
def test_the_default_student_beats_the_plain_one():
    """Baselines: the plain net of the same 50 images. Seeds 0-4 gained 3.3 to 6 points."""
    found = training.train(RECIPE).test_figures
    assert found["gain"] > 2 and found["error"] < 11 and found["error_teacher"] < 7.5, found


@pytest.mark.slow
def test_a_certain_teacher_says_little_and_a_temperature_brings_it_back():
    gains = []
    for seed in range(2):
        changes = {"pretrain": 30, "epochs": 60, "transfer": 100, "temperature": (1.0, 4.0)}
        found = training.train(RECIPE, overrides={**changes, "seed": seed}).test_figures
        gains.append([found["error_plain"] - found[who] for who in ("error", "error_t4")])
    certain, warm = np.mean(gains, axis=0)
    assert certain < 1 < warm, gains


@pytest.mark.slow
def test_a_student_knows_a_class_that_it_never_saw():
    """Baseline: a net that learns from labels without 3s knows none of them, a tenth of all."""
    changes = {"transfer": 0, "without": 3, "temperature": (4.0,), "pretrain": 15, "epochs": 45}
    found = training.train(RECIPE, overrides=changes).test_figures
    assert found["unseen_shifted"] < 40 and found["error_shifted"] < 10 - 2, found
