"""The training loop: resumption bit for bit, divergence, selection, run folders."""

import json
import os

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.core.data import DataSet, Split
from glassgrad.core.fit import DivergedError, Trainer, fit
from glassgrad.core.recipe import COMMON, Recipe, SettingError, Target
from glassgrad.core.run import Run, RunError, write_atomic
from glassgrad.core.state import CheckpointError
from glassgrad.core.system import System


class Regression(System):
    """Dropout, batch norm and noise: everything whose state a checkpoint must hold."""

    def __init__(self, rng):
        self.body = nn.Sequential(
            nn.Linear(3, 8, rng=rng.child(1)), nn.BatchNorm(8), nn.Dropout(0.3, rng=rng.child(2)),
            nn.Linear(8, 1, rng=rng.child(3)),
        )  # fmt: skip
        self.noise = rng.child("noise")

    def objective(self, batch):
        y = self.body(gg.gaussian_noise(gg.Tensor(batch.x), 0.1, self.noise))
        d = y[:, 0] - gg.Tensor(batch.y)
        return (d * d).mean()


def problem(n=50):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 3)).astype(np.float32)
    y = (x @ [1.0, -2.0, 0.5]).astype(np.float32)
    return DataSet("line", Split(x[:40], y[:40]), Split(x[40:], y[40:]), Split(x[40:], y[40:]))


def settings(**changes):
    return {**COMMON, "epochs": 4, "batch": 8, "lr": 0.01, "schedule": "cosine", **changes}


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


def test_training_lowers_the_loss_and_writes_its_folder(tmp_path):
    run = Run.create(tmp_path, "line")
    history = fit(Regression(gg.Generator(0)), problem(), settings(epochs=30), run=run)
    assert history[-1]["valid_loss"] < 0.3 * history[0]["valid_loss"]
    rows = (run.folder / "metrics.csv").read_text().splitlines()
    assert rows[0].split(",")[:2] == ["epoch", "loss"] and len(rows) == 31
    assert not [p for p in run.folder.iterdir() if p.name.startswith(".")]


def test_the_best_epoch_by_validation_is_kept():
    s = settings(epochs=6, lr=0.5, select="loss", optimiser="sgd", clip=1.0)
    system = Regression(gg.Generator(0))
    history = fit(system, problem(), s)
    best = min(row["valid_loss"] for row in history)
    noise = system.evaluate(problem().valid)["loss"]  # the noise differs, the weights are the best
    assert noise < 2 * best + 0.1


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


def test_an_unknown_selection_is_an_error():
    with pytest.raises(gg.GlassgradError, match="select='acuracy'"):
        fit(Regression(gg.Generator(0)), problem(), settings(select="+acuracy"))


def test_a_checkpoint_of_another_system_is_refused(tmp_path):
    run = Run.create(tmp_path, "x")
    fit(Regression(gg.Generator(0)), problem(), settings(epochs=1), run=run)

    class Other(Regression):
        def __init__(self, rng):
            super().__init__(rng)
            self.extra = nn.Linear(2, 2, rng=rng)

    with pytest.raises(gg.GlassgradError, match="missing: extra"):
        fit(Other(gg.Generator(0)), problem(), settings(), run=run, resume=True)


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "missing"])
def test_a_damaged_checkpoint_is_one_clear_error(tmp_path, damage):
    run = Run.create(tmp_path, "x")
    fit(Regression(gg.Generator(0)), problem(), settings(epochs=1), run=run)
    path = run.checkpoint_path
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"truncated": data[:-50], "empty": b"", "text": b"hello" * 30}[damage])
    with pytest.raises(CheckpointError, match=r"checkpoint\.safetensors"):
        fit(Regression(gg.Generator(0)), problem(), settings(), run=run, resume=True)


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "f.json"
    write_atomic(path, "old")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left"):
        write_atomic(path, "new")
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_run_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file"):
        Run.create(tmp_path / "file", "x")
    with pytest.raises(RunError, match=r"no config\.json"):
        Run.open(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(RunError, match="damaged"):
        Run.open(tmp_path).read_json("config.json")


def test_trainer_knows_how_far_it_is():
    t = Trainer(Regression(gg.Generator(0)), problem(), settings(epochs=4))
    assert (t.batches, t.done) == (5, 0.0)
    t.epoch, t.batch = 2, 0
    assert t.done == 0.5


RECIPE = Recipe(
    "line", "A line", "none", (0,), lambda *a: None, {"width": 3, "flag": True, "sizes": (1, 2)},
    "loss", presets={"mnist": {"lr": 0.5}},
)  # fmt: skip


def test_settings_come_from_four_places_in_order():
    assert RECIPE.resolve()["lr"] == COMMON["lr"]
    assert RECIPE.resolve("mnist")["lr"] == 0.5
    s = RECIPE.resolve("mnist", {"lr": "1", "flag": "false", "sizes": "[3]", "width": 7})
    assert (s["lr"], s["flag"], s["sizes"], s["width"]) == (1.0, False, (3,), 7)
    json.dumps(s)


@pytest.mark.parametrize(
    "key, value, message",
    [
        ("widht", 3, "did you mean 'width'"),
        ("width", "wide", "must be like 3"),
        ("width", 2.5, "must be like 3"),
        ("flag", 1, "must be like True"),
        ("optimiser", 3, "must be like 'adam'"),
    ],
)
def test_bad_settings(key, value, message):
    with pytest.raises(SettingError, match=message):
        RECIPE.resolve(None, {key: value})


def test_a_target_is_not_reached_by_nan():
    low = Target("t", "d", "m", "1", 2.0)
    high = Target("t", "d", "m", "1", 2.0, better="higher")
    assert low.reached(2.0) and not low.reached(2.1) and not low.reached(float("nan"))
    assert high.reached(2.0) and not high.reached(1.9) and not high.reached(float("nan"))
