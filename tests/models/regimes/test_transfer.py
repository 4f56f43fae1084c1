"""Transfer learning: frozen, fine-tuned and new nets, compared with NumPy."""

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
from glassgrad.models.regimes import transfer

RECIPE = models.recipe("transfer")
RNG = np.random.default_rng(0)
SMALL = {
    "channels": (), "hidden": (5,), "batch_norm": False, "sizes": (2, 4), "repeats": 2,
    "pretrain": 1, "epochs": 2, "batch": 20,
}  # fmt: skip


def small(**changes):
    s = transfer.Settings(**{**SMALL, **changes})
    return transfer.Transfer((1, 3, 3), (2, 3), s, gg.Generator(1), dtype="float64")


def hidden(f, x):
    w, b = f[1].weight.numpy(), f[1].bias.numpy()
    return np.maximum(x.reshape(len(x), -1) @ w.T + b, 0)


def loss(g, z, y):
    a = z @ g.weight.numpy().T + g.bias.numpy()
    a -= a.max(axis=1, keepdims=True)
    return -(a - np.log(np.exp(a).sum(axis=1, keepdims=True)))[np.arange(len(y)), y].mean()


def test_the_objectives_are_the_equations():
    m = small()
    x, y = RNG.standard_normal((12, 1, 3, 3)), np.array([0, 1, 2] * 4)
    want = dict.fromkeys(transfer.FORMS, 0.0)
    for n, (r, k) in enumerate(np.ndindex(2, 2)):
        part, labels = x[3 * n : 3 * n + 3], y[3 * n : 3 * n + 3]
        want["frozen"] += loss(m.frozen[r][k], hidden(m.source[r].f, part), labels)
        for form in ("tuned", "scratch"):
            net = getattr(m, form)[r][k]
            want[form] += loss(net.g, hidden(net.f, part), labels)
    for form, value in want.items():
        assert m.target_loss(form, Batch(x, y)).item() == pytest.approx(value, rel=1e-12)
    assert m.objective(Batch(x, y)).item() == pytest.approx(sum(want.values()), rel=1e-12)
    source = sum(loss(net.g, hidden(net.f, x), y % 2) for net in m.source)
    assert m.source_loss(Batch(x, y % 2)).item() == pytest.approx(source, rel=1e-12)
    m.target_loss("frozen", Batch(x, y)).backward()
    assert all(p.grad is None for net in m.source for p in net.parameters())


@pytest.mark.parametrize("changes", [{}, {"channels": (), "batch_norm": False}])
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = transfer.check(np.random.default_rng(0), **changes)
    assert gg.gradcheck(f, *arrays, directions=4).error < 1e-6


def test_f_is_frozen_and_fine_tuning_starts_from_it():
    s = RECIPE.resolve("digits", {**SMALL, "sizes": (20, 40), "channels": (3,), "hidden": ()})
    s = replace(s, batch_norm=True)
    data = RECIPE.prepare(load("digits"), s)
    m = RECIPE.build(data, s, gg.Generator(0))
    start = m.state_dict()
    fit(m, data, replace(s, epochs=1))
    after = m.state_dict()
    changed = {n for n in start if not np.array_equal(start[n], after[n])}
    assert changed and all(n.startswith("source") for n in changed)
    m.start_tuned()
    for r, k in np.ndindex(2, 2):
        both = m.source[r].f.state_dict(), m.tuned[r][k].f.state_dict()
        assert all(np.array_equal(a, b) for a, b in zip(*(d.values() for d in both)))
    m = RECIPE.build(data, s, gg.Generator(0))
    fit(m, data, s)
    end = m.state_dict()
    for name, value in after.items():  # running means, too
        assert np.array_equal(end[name], value) == name.startswith("source"), name


def test_all_nets_of_a_size_start_from_the_same_head():
    m = small()
    for r, k in np.ndindex(2, 2):
        heads = (m.frozen[r][k], m.tuned[r][k].g, m.scratch[r][k].g)
        assert all(np.array_equal(h.weight.numpy(), heads[0].weight.numpy()) for h in heads)


def test_samples_are_nested_balanced_and_passed_through_in_turn():
    digits = load("digits")
    s = RECIPE.resolve("digits", {"sizes": (10, 50), "repeats": 2})
    m = RECIPE.build(digits, s, gg.Generator(0))
    one, two = (m.sample(digits, 0, r) for r in range(2))
    for order in (one, two):
        assert np.bincount(digits.train.y[order[:50]]).tolist() == [0] * 5 + [10] * 5
        assert len(set(order)) == len(order) == (digits.train.y >= 5).sum()
    assert not np.array_equal(one, two)
    steps = m.batches_per_epoch(digits, 25)
    assert steps == -(-(digits.train.y < 5).sum() // 25)
    batches = list(m.batches(digits, 25, 0, s.pretrain, 0))
    assert len(batches) == steps and {len(b) for b in batches} == {4 * 25}
    images = {digits.train.x[i].tobytes() for i in one[:10]}
    assert {a.tobytes() for b in batches for a in b.x[:25]} == images
    assert {a.tobytes() for a in batches[0].x[:10]} == images
    again = list(m.batches(digits, 25, 0, s.pretrain, 3))
    assert np.array_equal(again[0].x, batches[3].x) and (batches[0].y < 5).all()
    source = list(m.batches(digits, 25, 0, 0, 0))
    assert (np.concatenate([b.y for b in source]) < 5).all() and len(source) == steps


def test_shifted_images_are_those_of_training_alone():
    digits = load("digits")
    s = RECIPE.resolve("digits", {"sizes": (10,), "repeats": 1, "shift": 2})
    m = RECIPE.build(digits, s, gg.Generator(0))
    plain = RECIPE.build(digits, replace(s, shift=0), gg.Generator(0))
    for epoch in (0, s.pretrain):
        a, b = (next(iter(n.batches(digits, 25, 0, epoch, 0))) for n in (m, plain))
        assert np.array_equal(a.y, b.y) and not np.array_equal(a.x, b.x)


def test_the_figures_are_counts_of_wrong_answers():
    m = small()
    x, y = RNG.standard_normal((30, 1, 3, 3)), np.arange(30) % 5
    found = m.eval().evaluate(Split(x, y))
    target, labels = x[y >= 2], y[y >= 2] - 2
    wrong = np.zeros((3, 2, 2))
    for r, k in np.ndindex(2, 2):
        nets = (
            (m.source[r].f, m.frozen[r][k]),
            *((n.f, n.g) for n in (m.tuned[r][k], m.scratch[r][k])),
        )
        for form, (f, g) in enumerate(nets):
            a = hidden(f, target) @ g.weight.numpy().T + g.bias.numpy()
            wrong[form, r, k] = 100 * (a.argmax(axis=1) != labels).mean()
    for form, rows in zip(transfer.FORMS, wrong):
        for size, column in zip((2, 4), rows.T):
            assert found[f"{form}_{size}"] == pytest.approx(column.mean())
    gains = wrong[2, :, 0] - wrong[0, :, 0]
    assert found["error"] == pytest.approx(wrong[0].mean())
    assert found["gain"] == pytest.approx(gains.mean())
    assert found["spread"] == pytest.approx(abs(gains[0] - gains[1]) / 2)


def test_no_gain_is_not_a_gain():
    (target,) = RECIPE.targets
    assert not target.reached(0.0) and target.reached(1.0)


def test_the_picture_is_drawn():
    m = small()
    data = DataSet("d", Split(RNG.standard_normal((30, 1, 3, 3)), np.arange(30) % 5))
    drawn = RECIPE.figures(m, data, m.s)
    assert set(drawn) == {"curve"} and isinstance(drawn["curve"], Figure)


def test_what_cannot_be_is_refused_in_a_line():
    digits = load("digits")
    for changes, match in (
        ({"source": 9}, "each task needs two classes; digits has 10, 9 of them"),
        ({"sizes": (5000,)}, "training images of the target's classes; got sizes"),
        ({"shift": 8}, "shift must be below"),
    ):
        with pytest.raises(SettingError, match=match):
            RECIPE.prepare(digits, RECIPE.resolve("digits", changes))
    with pytest.raises(SettingError, match="sizes must ascend"):
        transfer.Settings(sizes=(20, 10))
    with pytest.raises(SettingError, match="at least 5 epochs"):
        RECIPE.resolve("digits", {"epochs": 4})
    with pytest.raises(SettingError, match="which 5 levels can halve"):
        s = RECIPE.resolve("digits", {"channels": (2,) * 5})
        training.build(RECIPE, digits, s)
