"""The network around the recurrent cells: tasks, masks, carried states, resumption, training."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models
from glassgrad.core.data import DataSet, Info, Split, Vocabulary, load
from glassgrad.core.training.loop import Silent, fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.settings import SettingError
from glassgrad.models.recurrent import lstm, sequence
from glassgrad.models.recurrent.which_task import (
    TASKS,
    Counting,
    Frames,
    Labels,
    Legal,
    Text,
    Values,
)
from tests.tools import assert_close

NAMES = ("rnn", "lstm", "peephole-lstm", "gru")


def settings(**changes):
    return lstm.LSTM.resolve("rolls", {"hidden": 5, "batch": 4, "epochs": 2, **changes})


def system(data, dtype="float64", **changes):
    s = settings(**changes)
    return sequence.build(data, s, gg.Generator(1), layer=lstm.layer, dtype=dtype)


def rolls(lengths=(4, 7, 3), keys=3, seed=0):
    rng = np.random.default_rng(seed)
    pieces = [(rng.random((n, keys)) < 0.4).astype(np.float64) for n in lengths]
    return DataSet("rolls", Split(pieces), Split(pieces), Split(pieces))


def text(n=402):
    """ab then c or d, again and again: ln 2 / 3 = 0.23 nats for each symbol."""
    tokens = np.tile([0, 1, 2], n // 3)
    tokens[2::3] += np.random.default_rng(0).integers(0, 2, n // 3)
    part = Split(tokens)
    return DataSet("text", part, part, part, Info(vocabulary=Vocabulary(tuple("abcd"))))


def outputs(m, x):
    """The LSTM and its read-out in NumPy, one sequence [T, I] -> [T, K]."""
    p, h = m.state_dict(), m.s.hidden
    state, cell, out = np.zeros(h), np.zeros(h), []
    for row in x:
        a = p["layer.weight_ih_l0"] @ row + p["layer.weight_hh_l0"] @ state + p["layer.bias_ih_l0"]
        i, f, g, o = a[:h], a[h : 2 * h], a[2 * h : 3 * h], a[3 * h :]
        i, f, o = (1 / (1 + np.exp(-v)) for v in (i, f, o))
        cell = f * cell + i * np.tanh(g)
        state = o * np.tanh(cell)
        out.append(p["readout.weight"] @ state + p.get("readout.bias", 0.0))
    return np.array(out)


def test_the_loss_of_ragged_rolls_is_the_equation():
    data = rolls()
    m = system(data)
    total, frames = 0.0, 0
    for piece in data.train.x:
        p = 1 / (1 + np.exp(-outputs(m, piece[:-1])))
        y = piece[1:]
        total += -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum()
        frames += len(y)
    batch = m.on_device(m.task.batch(data.train))
    assert_close(m.objective(batch).item(), total / frames, rtol=1e-12)
    assert_close(m.eval().evaluate(data.train)["loss"], total / frames, rtol=1e-12)
    assert_close(m.evaluate(data.train, size=2)["loss"], total / frames, rtol=1e-12)


def test_padding_changes_neither_the_loss_nor_its_gradient():
    data = rolls((4, 3))
    m = system(data)
    batch = m.task.batch(data.train)
    longer = m.task.batch(data.train)
    junk = np.random.default_rng(1).random((5, 2, 3))
    longer.x, longer.y = (np.concatenate([a, junk.round()]) for a in (batch.x, batch.y))
    longer.mask = np.concatenate([batch.mask, np.zeros((5, 2), "float32")])
    found = []
    for b in (batch, longer):
        loss = m.objective(m.on_device(b))
        found.append((loss.item(), gg.grad(loss, m.parameters())))
    assert_close(found[0][0], found[1][0], rtol=1e-14)
    for a, b in zip(found[0][1], found[1][1]):
        assert_close(a.numpy(), b.numpy(), rtol=1e-13)


def test_answers_at_the_end_are_those_of_the_last_real_step():
    rng = np.random.default_rng(0)
    xs = [rng.random((n, 2)) for n in (3, 6, 4)]
    values = DataSet("sums", Split(xs, rng.random((3, 1))))
    m = system(values)
    want = np.array([outputs(m, x)[-1] for x in xs])
    assert_close(
        m.objective(m.task.batch(values.train)).item(),
        ((want - values.train.y) ** 2).mean(),
        rtol=1e-12,
    )
    labels = DataSet("kinds", Split(xs, np.array([1, 0, 1])), info=Info(classes=("no", "yes")))
    m = system(labels)
    z = np.array([outputs(m, x)[-1] for x in xs])
    want = np.log(np.exp(z).sum(axis=1)) - z[np.arange(3), labels.train.y]
    found = m.eval().evaluate(labels.train)
    assert_close(found["loss"], want.mean(), rtol=1e-12)
    assert found["error"] == pytest.approx(100 * (z.argmax(axis=1) != labels.train.y).mean())


def test_images_are_scanned_row_by_row():
    digits = load("digits")
    m = system(digits, "float32")
    x = m.task.batch(digits.train[:3]).x
    assert x.shape == (8, 3, 8)
    assert (x[5, 2] == digits.train.x[2, 0, 5]).all()


def test_the_labels_of_a_data_set_decide_its_task():
    cases = {Frames: rolls(), Text: text(), Labels: load("digits"), Values: load("adding"),
             Legal: load("embedded_reber"), Counting: load("counting")}  # fmt: skip
    for task, data in cases.items():
        assert type(sequence.task_for(data, settings())) is task
    assert set(cases) == set(TASKS.values())
    with pytest.raises(SettingError, match="iris is a table"):
        sequence.task_for(load("iris"), settings())
    with pytest.raises(SettingError, match=re.escape("sequence 0 must have at least two frames")):
        sequence.task_for(DataSet("grey", Split([np.full((3, 2), 0.5)])), settings())
    with pytest.raises(SettingError, match="'target' must be 'legal' or 'next'"):
        sequence.task_for(load("embedded_reber"), settings(target="all"))


def legal_batch(target):
    data = load("embedded_reber")
    task = sequence.task_for(data, settings(target=target))
    return data, task, task.batch(data.test[:6])


def test_a_string_is_solved_by_the_criterion_of_its_target():
    _, task, batch = legal_batch("legal")
    z = np.where(batch.y[1] > 0, 1.0, -1.0)
    assert task.right(z, batch).all()
    z[3, 2] *= -1  # one step of one string
    assert task.right(z, batch).tolist() == [True, True, False, True, True, True]
    _, task, batch = legal_batch("next")
    z = np.where(batch.y[1] > 0, -1.0, -3.0)  # all below 1/2, the legal ones most active
    assert task.right(z, batch).all()
    z[3, 2] = -3.0
    assert task.right(z, batch).tolist() == [True, True, False, True, True, True]


def test_padded_steps_of_a_string_are_not_judged():
    _, task, batch = legal_batch("legal")
    z = np.where(batch.y[1] > 0, 1.0, -1.0)
    z[batch.mask == 0] = 1.0
    assert (batch.mask == 0).any() and task.right(z, batch).all()


def test_next_and_legal_symbols_are_those_of_the_strings():
    data, _, batch = legal_batch("next")
    for n in range(6):
        string, legal = data.test.x[n], data.test.y[n]
        assert (batch.y[0][: len(string) - 1, n] == string[1:]).all()
        assert (batch.y[1][: len(string) - 1, n] == legal[:-1]).all()
        assert (batch.y[1] >= batch.y[0]).all()  # what came was legal


def test_largest_n_ends_at_the_first_failure():
    task = sequence.task_for(load("counting"), settings())

    def largest(n, right):
        values = {"n": np.array(n), "solved": np.array(right), "loss": np.zeros(len(n))}
        return task.summary(values)["largest_n"]

    assert largest([1, 2, 3, 4], [True, True, False, True]) == 2
    assert largest([3, 1, 2], [True, True, True]) == 3
    assert largest([11, 12], [False, True]) == 10


def test_test_strings_are_unseen_and_differ():
    s = models.recipe("lstm").resolve("embedded_reber")
    data = sequence.prepare(load("embedded_reber"), s)

    def strings(split):
        return ["".join("BTPSXVE"[k] for k in x.argmax(axis=1)) for x in split.x]

    train, test, valid = (strings(p) for p in (data.train, data.test, data.valid))
    assert len(train) == s.examples and len(test) == len(set(test)) == 256
    assert not set(test) & set(train) and not set(test) & set(valid)


def test_texts_carry_their_state_from_window_to_window():
    data = text()
    m = system(data, steps=10)
    whole = system(data, steps=1000).train()
    m.train()
    got = [m.objective(b).item() * len(b.x) for b in m.batches(data, 4, 0, 0, 0)]
    (one,) = whole.batches(data, 4, 0, 0, 0)
    assert len(got) == m.batches_per_epoch(data, 4) == 10
    assert_close(sum(got) / len(one.x), whole.objective(one).item(), rtol=1e-12)
    assert abs(m.carried.parts[0].numpy()).max() > 0
    assert {k for k in m.state_dict() if k.startswith("carried")} == {"carried.0", "carried.1"}
    next(iter(m.batches(data, 4, 0, 1, 0)))
    assert not m.carried.parts[0].numpy().any()  # an epoch starts from zeros


def test_a_texts_figures_belong_together():
    data = text()
    found = system(data).eval().evaluate(data.test)
    assert found["perplexity"] == pytest.approx(np.exp(found["loss"]))
    assert found["bits"] == pytest.approx(found["loss"] / np.log(2))


def test_weight_noise_is_drawn_in_training_only_and_leaves_the_weights():
    data = rolls()
    m = system(data, weight_noise=0.5)
    batch = m.task.batch(data.train)
    before = {k: v.copy() for k, v in m.state_dict().items()}
    one, two = m.objective(batch).item(), m.objective(batch).item()
    assert one != two
    calm = [m.eval().objective(batch).item() for _ in range(2)]
    assert calm[0] == calm[1] != one
    m.train().objective(batch).backward()
    assert all(p.grad is not None for p in m.parameters())
    assert all((before[k] == v).all() for k, v in m.state_dict().items())


class Kill(Exception):
    pass


class KillAt(Silent):
    """Stops a training after so many batches in all."""

    def __init__(self, batches):
        self.left = batches

    def step(self, epoch, batch, figures):
        self.left -= 1
        if self.left < 0:
            raise Kill


STEPS = {"rolls": {}, "text": {"steps": 30}}
CASES = {"rolls": rolls((4, 7, 3, 5, 6, 2, 9)), "text": text()}


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_a_killed_training_goes_on_bit_for_bit(name, kind, tmp_path):
    """In the middle of an epoch, with ragged batches or a carried state, dropout and noise."""
    data, recipe = CASES[kind], models.recipe(name)
    changes = {"hidden": 4, "batch": 3, "epochs": 3, "dropout": 0.2, "select": "loss"}
    s = recipe.resolve(kind, {"weight_noise": 0.1, **changes, **STEPS[kind]})

    def fresh():
        return recipe.build(data, s, gg.Generator(2))

    whole = fresh()
    history = fit(whole, data, s)
    run = Run(tmp_path)
    with pytest.raises(Kill):
        fit(fresh(), data, s, run=run, progress=KillAt(4), save_every=0.0)
    resumed = fresh()
    again = fit(resumed, data, s, run=run, resume=True)
    assert [h | {"seconds": 0} for h in again] == [h | {"seconds": 0} for h in history]
    for (k, a), b in zip(whole.state_dict().items(), resumed.state_dict().values()):
        assert (a == b).all(), k


@pytest.mark.parametrize("name", NAMES)
def test_objectives_pass_the_gradient_check(name):
    f, arrays = models.recipe(name).check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=2).error < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_small_texts_are_learnt_and_made_up(name):
    data, recipe = text(1500), models.recipe(name)
    s = recipe.resolve("text", {"hidden": 16, "batch": 10, "epochs": 15, "lr": 1e-2, "steps": 20})
    m = recipe.build(data, s, gg.Generator(0))
    fit(m, data, s)
    assert np.log(2) / 3 - 0.02 < m.evaluate(data.test)["loss"] < np.log(2) / 3 + 0.05
    figure = recipe.sample(m, data, 200, gg.Generator(1))
    made = figure.texts[0].get_text().replace("\n", "")
    assert len(made) == 200 and set(made) == set("abcd")
    assert np.mean([a + b in ("ab", "bc", "bd", "ca", "da") for a, b in pairwise(made)]) > 0.95


def test_classifiers_make_nothing_up():
    digits = load("digits")
    m = system(digits, "float32")
    with pytest.raises(SettingError, match="nothing to generate"):
        sequence.sample(m, digits, 3, gg.Generator(0))


@pytest.mark.parametrize(
    "name", [n if n == "lstm" else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]
)
def test_every_task_is_drawn(name):
    recipe = models.recipe(name)
    sets = {
        "rolls": rolls(keys=88),
        "text": text(),
        **{n: load(n) for n in ("digits", "adding", "embedded_reber", "counting")},
    }
    for kind, data in sets.items():
        few = {"examples": 20} if kind in ("adding", "embedded_reber") else {}
        s = recipe.resolve(kind, {"hidden": 4, "batch": 4, "layers": 1, **few})
        data = recipe.prepare(data, s)
        m = recipe.build(data, s, gg.Generator(0)).eval()
        found = recipe.figures(m, data, s)
        assert found
        for figure in found.values():
            figure.canvas.draw()
        if kind in ("rolls", "embedded_reber", "counting"):
            recipe.sample(m, data, 3, gg.Generator(0)).canvas.draw()


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [("digits", "steps", 3), ("digits", "embed", 4), ("digits", "length", 9),
     ("digits", "examples", 5), ("digits", "target", "next"), ("rolls", "steps", 3),
     ("text", "examples", 5), ("adding", "target", "next"), ("adding", "letters", "abc"),
     ("embedded_reber", "length", 50), ("counting", "examples", 5)],
)  # fmt: skip
def test_settings_that_a_task_does_not_read_are_refused(kind, key, value):
    data = {"rolls": rolls(), "text": text()}.get(kind) or load(kind)
    with pytest.raises(SettingError, match=f"'{key}' has no effect on {data.name}"):
        sequence.task_for(data, settings(**{key: value}))
    sequence.task_for(data, settings())


@pytest.mark.parametrize(
    ("kind", "changes", "size"),
    [("adding", {"examples": 7, "length": 12}, 7), ("embedded_reber", {"examples": 9}, 9),
     ("temporal_order", {"examples": 6, "length": 30}, 6), ("counting", {"train_n": (2, 4)}, 3)],
)  # fmt: skip
def test_generated_sets_are_drawn_by_the_settings(kind, changes, size):
    s = settings(**changes)
    data = sequence.prepare(load(kind), s)
    assert len(data.train) == size
    if "length" in changes:
        assert changes["length"] <= len(data.train.x[0]) <= 1.1 * changes["length"]
    assert sequence.task_for(data, s)


def test_three_letters_are_counted_too():
    recipe = models.recipe("peephole-lstm")
    s = recipe.resolve("counting", {"letters": "abc", "test_n": (1, 3)})
    data = recipe.prepare(load("counting"), s)
    assert data.info.extra["strings"]["test"] == ["SabcT", "SaabbccT", "SaaabbbcccT"]
    m = recipe.build(data, s, gg.Generator(0)).eval()
    assert type(m.task) is Counting and m.task.outputs == 5
    assert m.evaluate(data.test)["largest_n"] <= 3
    with pytest.raises(SettingError, match="'letters' must be 'ab' or 'abc'; got 'abd'"):
        recipe.prepare(load("counting"), replace(s, letters="abd"))


def test_a_batch_knows_how_many_samples_it_has():
    for data, n in ((rolls((4, 7, 3)), 3), (text(), 4), (load("digits"), 4), (load("counting"), 4)):
        m = system(data, "float32")
        batch = next(iter(m.batches(data, 4, 0, 0, 0)))
        assert len(batch) == len(m.on_device(batch)) == n
        assert batch.x.shape[1] == n


def test_a_batch_of_more_rows_than_symbols_is_refused_at_once():
    with pytest.raises(SettingError, match="batch must be below the 402 symbols"):
        system(text(), batch=10_000_000)


def test_the_carried_state_has_the_layers_shape():
    m = system(text(), batch=7, layers=2, dropout=0.5)
    assert [c.shape for c in m.carried.parts] == [(2, 7, 5)] * 2
    start = [g.state for _, g in m.named_generators()]
    again = system(text(), batch=7, layers=2, dropout=0.5, steps=9)
    assert [g.state for _, g in again.named_generators()] == start


def test_the_slides_read_out_has_no_bias_and_the_presets_one():
    assert "readout.bias" not in system(rolls()).state_dict()
    assert "readout.bias" in system(rolls(), readout_bias=True).state_dict()
    for name in NAMES:
        recipe = models.recipe(name)
        assert not recipe.resolve("rolls").readout_bias
        assert all(recipe.resolve(data).readout_bias for data in recipe.presets)
