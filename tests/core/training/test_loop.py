"""The training loop: resumption bit for bit, divergence, selection, run folders."""

import json
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.data import DataSet
from glassgrad.core.training.loop import DivergedError, TrainingState, fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import System
from tests.core.training.regression import Regression, problem, settings


class StopAfter(Exception):
    pass


class Killer:
    """A display that stops the training after so many steps, as a kill would."""

    def __init__(self, steps):
        self.left = steps

    def start(self, *args): ...
    def epoch(self, row): ...
    def finish(self): ...

    def step(self, *args):
        self.left -= 1
        if self.left == 0:
            raise StopAfter


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "rmsprop", "adam", "adadelta"])
@pytest.mark.parametrize("steps", [1, 7, 10, 13])
def test_a_killed_run_goes_on_to_the_same_weights(tmp_path, optimiser, steps):
    s = settings(optimiser=optimiser, clip=1.0, select="loss")
    whole = Regression(gg.Generator(1))
    fit(whole, problem(), s)

    run = Run.create(tmp_path, "x")
    with pytest.raises(StopAfter):  # every step saves; the last checkpoint is one step behind
        fit(Regression(gg.Generator(1)), problem(), s, run=run, progress=Killer(steps + 1),
            save_every=0.0)  # fmt: skip
    resumed = Regression(gg.Generator(99))  # other weights: all must come from the checkpoint
    history = fit(resumed, problem(), s, run=run, resume=True)
    assert len(history) == 4
    want, got = whole.state_dict(), resumed.state_dict()
    assert want.keys() == got.keys()
    for name in want:
        assert np.array_equal(want[name], got[name]), name


class Settled(Regression):
    """Has learnt enough when an epoch lowers its loss by less than a fifth."""

    def finished(self, trainer):
        loss = [row["loss"] for row in trainer.history[-2:]]
        return len(loss) == 2 and loss[1] > 0.8 * loss[0]


@pytest.mark.parametrize("steps", [2, 14, 10**9])
def test_a_system_may_end_its_training_and_a_resumed_one_ends_there_too(tmp_path, steps):
    """Killed in its first or third epoch, or not at all, and resumed once more after the end."""
    data, s = problem(), settings(epochs=60, lr=0.05)
    alone = Settled(gg.Generator(0))
    history = fit(alone, data, s)
    loss = [row["loss"] for row in history]
    assert 3 <= len(loss) < 60 and loss[-1] > 0.8 * loss[-2]
    assert all(b <= 0.8 * a for a, b in pairwise(loss[:-1]))
    run = Run(tmp_path)
    with suppress(StopAfter):
        fit(Settled(gg.Generator(0)), data, s, run=run, save_every=0, progress=Killer(steps))
    for _ in range(2):
        other = Settled(gg.Generator(9))
        found = fit(other, data, s, run=run, resume=True)
        assert [row["loss"] for row in found] == loss
        for name, p in alone.state_dict().items():
            np.testing.assert_array_equal(p, other.state_dict()[name], name)


def test_training_lowers_the_loss_and_writes_its_folder(tmp_path):
    run = Run.create(tmp_path, "line")
    history = fit(Regression(gg.Generator(0)), problem(), settings(epochs=30), run=run)
    assert history[-1]["valid_loss"] < 0.3 * history[0]["valid_loss"]
    rows = (run.folder / "metrics.csv").read_text().splitlines()
    assert rows[0].split(",")[:2] == ["epoch", "loss"] and len(rows) == 31
    assert not [p for p in run.folder.iterdir() if p.name.startswith(".")]


class Counting(System):
    """Its weight is the number of epochs done; its validation figures are scripted."""

    def __init__(self, script, dtype=float):
        self.w = gg.tensor([0.0], requires_grad=True)
        self.script, self.dtype = list(script), dtype

    def objective(self, batch):
        return -self.w.sum()  # a step of SGD with lr 0.2 adds 0.2, five of them 1

    def evaluate(self, split, size=500):
        epoch = round(self.w.item())
        return {"score": self.dtype(self.script[epoch - 1] if epoch else 0.0)}


def counted(script, **changes):
    """(the weight that training leaves, its history)."""
    system = Counting(script, changes.pop("dtype", float))
    s = settings(epochs=len(script), lr=0.2, optimiser="sgd", schedule="constant", **changes)
    history = fit(system, problem(), s)
    return round(system.w.item(), 4), history


@pytest.mark.parametrize(
    "select, script, best",
    [
        ("score", (1.0, 0.5, 2.0), 2),
        ("+score", (1.0, 0.5, 2.0, 1.0), 3),
        ("+score", (1.0, 0.5, 0.25), 1),
        ("score", (0.5, 0.5), 1),  # the earliest of equals
        ("", (1.0, 0.5, 2.0), 3),  # no choice: the last
    ],
)
def test_the_best_epoch_by_validation_is_kept(select, script, best):
    assert counted(script, select=select)[0] == best


def test_the_best_weights_are_those_of_a_run_that_stops_there():
    """Bit for bit, with all that training has: dropout, batch norm, noise."""

    class Scripted(Regression):
        def evaluate(self, split, size=500):
            return {"score": self.score}

    class Script(Killer):
        def epoch(self, row):
            system.score = {1: 0.5, 2: 2.0}.get(row["epoch"], 0.0)

    system, two = Scripted(gg.Generator(1)), Scripted(gg.Generator(1))
    system.score = two.score = 1.0
    s = settings(epochs=3, select="score", schedule="constant", optimiser="sgd")
    assert [r["valid_score"] for r in fit(system, problem(), s, progress=Script(-1))] == [1, 0.5, 2]
    fit(two, problem(), s.changed(epochs=2, select=""))
    last = Scripted(gg.Generator(1))
    last.score = 1.0
    fit(last, problem(), s.changed(select=""))
    want, other = two.state_dict(), last.state_dict()
    for name, value in system.state_dict().items():
        assert np.array_equal(value, want[name]), name
    assert not np.array_equal(other["body.0.weight"], want["body.0.weight"])


def test_the_history_holds_plain_numbers(tmp_path):
    _, history = counted((1.0, 0.5), dtype=np.float32)
    assert {type(v) for row in history for k, v in row.items() if k != "epoch"} == {float}
    run = Run.create(tmp_path, "x")
    run.write_metrics(history)
    assert "np." not in (run.folder / "metrics.csv").read_text()
    json.dumps(history)


def test_a_nan_of_an_old_checkpoint_does_not_freeze_the_choice():
    trainer = TrainingState(Counting((1.0,)), problem(), settings(select="score"))
    trainer.best_value = float("nan")
    trainer.keep_if_best({"score": 7.0})
    assert trainer.best_value == 7.0 and trainer.best["w"].tolist() == [0.0]


@gg.differentiable(x=lambda g: g * float("inf"))
def cliff(x, /):
    """The identity, with a gradient that overflows."""
    return x


class Cliff(Regression):
    """Its loss is finite always; its gradient is not from the step `after` on."""

    after, steps = 0, 0

    def objective(self, batch):
        loss = super().objective(batch)
        self.steps += self.training
        return cliff(loss) if self.training and self.steps > self.after else loss


def test_the_cliff_has_a_finite_loss():
    system = Cliff(gg.Generator(0))
    trainer = TrainingState(system, problem(), settings())
    batch = next(system.batches(trainer.data, 8, 0, 0, 0))
    assert np.isfinite(system.objective(batch).item())


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_an_infinite_gradient_reaches_no_weight_and_no_file(tmp_path, clip):
    run, s = Run.create(tmp_path, "x"), settings(clip=clip, schedule="constant")
    system, good = Cliff(gg.Generator(0)), Regression(gg.Generator(0))
    system.after = 5  # the first epoch is good
    where = r"gradient.* at epoch 2, batch 1, though the loss, .*: cliff of body\.3\.weight makes"
    with pytest.raises(DivergedError, match=where):
        fit(system, problem(), s, run=run)
    after = run.checkpoint_path.read_bytes()
    fit(good, problem(), s.changed(epochs=1))
    for name, p in good.named_parameters():
        assert np.array_equal(p.numpy(), dict(system.named_parameters())[name].numpy()), name
    system.steps = 5
    with pytest.raises(DivergedError):
        fit(system, problem(), s, run=run, resume=True)
    assert run.checkpoint_path.read_bytes() == after
    arrays, progress = run.load()
    assert progress["epoch"] == 1 and all(np.isfinite(a).all() for a in arrays.values())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_validation_figure_that_is_no_number_is_not_saved(tmp_path, value):
    run = Run.create(tmp_path, "x")
    s = settings(epochs=2, lr=0.2, optimiser="sgd", schedule="constant")
    with pytest.raises(DivergedError, match=r"valid_score is (nan|inf) after epoch 2, batch 5"):
        fit(Counting((1.0, value)), problem(), s, run=run)
    assert run.load()[1]["epoch"] == 1
    assert len((run.folder / "metrics.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize("save_every", [0.0, 30.0])
def test_weights_that_overflow_in_the_last_step_are_not_saved(tmp_path, save_every):
    """A finite gradient times a huge rate; there is no validation to notice it."""
    whole = problem()
    data = DataSet("line", whole.train[:8])  # one step an epoch
    run = Run.create(tmp_path, "x")
    s = settings(epochs=1, lr=3e38, optimiser="sgd", schedule="constant")
    system = Regression(gg.Generator(0))
    system.body[0].weight.assign(system.body[0].weight.data * 100)
    with np.errstate(over="ignore"), pytest.raises(DivergedError, match=r"body\.\d\.\w+ is not"):
        fit(system, data, s, run=run, save_every=save_every)
    assert not run.checkpoint_path.exists()


def test_an_untrained_system_has_a_checkpoint_too(tmp_path):
    run, system = Run.create(tmp_path, "x"), Regression(gg.Generator(3))
    assert fit(system, problem(), settings(epochs=0), run=run) == []
    other = Regression(gg.Generator(4))
    fit(other, problem(), settings(epochs=0), run=run, resume=True)
    assert np.array_equal(other.state_dict()["body.0.weight"], system.state_dict()["body.0.weight"])


def test_nan_stops_the_training_and_leaves_the_weights(tmp_path):
    class Bad(Regression):
        def objective(self, batch):
            return super().objective(batch) * float("nan")

    system = Bad(gg.Generator(0))
    before = system.state_dict()
    with pytest.raises(DivergedError, match=r"loss is nan at epoch 1, batch 1"):
        fit(system, problem(), settings())
    for name, value in system.state_dict().items():
        if "weight" in name or "bias" in name:
            assert np.array_equal(value, before[name]), name


@pytest.mark.parametrize(
    "bad, message",
    [
        ({"select": "+acuracy"}, r"select='acuracy' .*\(loss\)"),
        ({"optimiser": "adm"}, "did you mean 'adam'"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"schedule": "exponential:1e300"}, "in epoch 3"),
        ({"lr": -1.0}, "'lr' must be at least 0"),
        ({"clip": -1.0}, "'clip' must be at least 0"),
        ({"weight_decay": -1.0}, "'weight_decay' must be at least 0"),
        ({"batch": 0}, "'batch' must be at least 1"),
    ],
)
def test_bad_settings_leave_no_run_folder(tmp_path, bad, message):
    with pytest.raises(SettingError, match=message):
        fit(
            Regression(gg.Generator(0)),
            problem(),
            settings(**bad),
            run=lambda: Run.create(tmp_path, "x"),
        )
    assert list(tmp_path.iterdir()) == []


def test_a_selection_without_a_validation_split_is_an_error():
    with pytest.raises(SettingError, match="there is no validation split"):
        fit(Regression(gg.Generator(0)), DataSet("x", problem().train), settings(select="loss"))


def test_looking_for_the_selected_figure_draws_no_random_number():
    system = Regression(gg.Generator(0))
    trainer = TrainingState(system, problem(), settings(select="loss"))
    before = [g.state for _, g in system.named_generators()]
    trainer.expect_selectable()
    assert [g.state for _, g in system.named_generators()] == before and system.training


def test_trainer_knows_how_far_it_is():
    t = TrainingState(Regression(gg.Generator(0)), problem(), settings(epochs=4))
    assert (t.batches, t.done) == (5, 0.0)
    t.epoch, t.batch = 2, 0
    assert t.done == 0.5
