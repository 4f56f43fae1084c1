"""Checkpoints that are well-formed but wrong: one error each, and nothing is set."""

import json
import random

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.checkpoint import CheckpointError, load_arrays, save_arrays
from glassgrad.core.training.loop import TrainingState, fit
from glassgrad.core.training.run_folder import Run, RunError
from glassgrad.core.training.settings import TrainingSettings
from glassgrad.core.training.system import System

SETTINGS = TrainingSettings(epochs=2, batch=4, select="loss")


class Line(System):
    def __init__(self, seed=0):
        rng = gg.Generator(seed)
        self.layer, self.drop = nn.Linear(2, 1, rng=rng), nn.Dropout(0.1, rng=rng.child("drop"))

    def objective(self, batch):
        d = self.drop(self.layer(gg.Tensor(batch.x)))[:, 0] - gg.Tensor(batch.y)
        return (d * d).mean()


def problem():
    x = np.random.default_rng(0).standard_normal((12, 2)).astype(np.float32)
    return DataSet("line", Split(x, x[:, 0]), Split(x, x[:, 1]))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """(arrays, progress) of a checkpoint after two epochs."""
    run = Run.create(tmp_path_factory.mktemp("runs"), "x")
    fit(Line(), problem(), SETTINGS, run=run)
    return run.load()


WRONG = [
    ("epoch", None), ("epoch", "2"), ("epoch", -1), ("epoch", 1.5), ("epoch", True), ("epoch", 9),
    ("batch", "0"), ("batch", 10**9), ("batch", -1), ("sums", []), ("sums", {"loss": "x"}),
    ("history", {}), ("history", [1, 2]), ("history", [{"loss": "x", "seconds": 1}] * 2),
    ("history", [{"loss": 1.0}] * 2), ("best_value", "x"), ("best_value", [1]), ("best_value", ...),
    ("generators", []), ("generators", {}), ("generators", {"drop.rng": [1]}),
    ("generators", {"drop.rng": ["1", 2]}), ("optimiser", 3), ("optimiser", {"lr": "x"}),
    ("optimiser", ...), ("optimiser", {"lr": -1.0, "group.0.lr": 1.0}),
]  # fmt: skip
HUGE, NAN = 10**400, float("nan")
ROW = {"epoch": 1, "loss": 1.0, "seconds": 1.0}
RANGES = [
    ("optimiser", {"lr": HUGE, "group.0.lr": 1.0}), ("optimiser", {"lr": NAN, "group.0.lr": 1.0}),
    ("optimiser", {"lr": 1.0, "group.0.lr": float("inf")}), ("sums", {"loss": HUGE}),
    ("sums", {"loss": NAN}), ("epoch", HUGE), ("batch", HUGE), ("best_value", -HUGE),
    ("best_value", NAN), ("generators", {"drop.rng": [HUGE, 0]}),
    ("generators", {"drop.rng": [0, 2**64]}), ("generators", {"drop.rng": [-1, 0]}),
    ("generators", {"drop.rng": [0, True]}), ("history", [ROW, ROW]),
    ("history", [ROW, {**ROW, "epoch": 2, "loss": HUGE}]),
    ("history", [ROW, {**ROW, "epoch": 2, "seconds": -1}]),
    ("history", [{"loss": 1.0, "seconds": 1.0}] * 2),
]  # fmt: skip


@pytest.mark.parametrize("key, value", WRONG + RANGES)
def test_wrong_progress_is_one_error_and_nothing_is_set(saved, key, value):
    arrays, progress = saved
    spoilt = {**progress, key: value}
    if value is ...:
        del spoilt[key]
    assert_refused(arrays, spoilt)


@pytest.mark.parametrize("progress", [None, 3, [], "text", {}])
def test_progress_of_another_kind(saved, progress):
    assert_refused(saved[0], progress)


@pytest.mark.parametrize("part", ["model", "best", "optimiser"])
@pytest.mark.parametrize("change", ["shape", "dtype", "name", "missing"])
def test_arrays_that_do_not_fit(saved, part, change):
    arrays, progress = dict(saved[0]), saved[1]
    name = next(n for n in arrays if n.startswith(f"{part}/") and arrays[n].ndim == 2)
    a = arrays.pop(name)
    if change != "missing":
        arrays[f"{name}x" if change == "name" else name] = {
            "shape": a[0],
            "dtype": a.astype("float64"),
            "name": a,
        }[change]
    assert_refused(arrays, progress)


@pytest.mark.parametrize("part", ["model", "best"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_no_number(saved, part, value):
    arrays = dict(saved[0])
    arrays[f"{part}/layer.weight"] = np.full_like(arrays[f"{part}/layer.weight"], value)
    assert_refused(arrays, saved[1])


@pytest.mark.parametrize("step", [0, -1, HUGE, 2**63, 1.5, True])
def test_a_step_count_that_cannot_be(saved, step):
    arrays, progress = saved
    assert_refused(arrays, {**progress, "optimiser": {**progress["optimiser"], "0.step": step}})


def test_no_flipped_bit_and_no_truncation_changes_a_training(tmp_path):
    """2000 bits over the whole file, half of them in its header; every 7th length."""
    run, rng = Run(tmp_path), random.Random(0)
    fit(Line(), problem(), SETTINGS, run=run)
    whole = run.checkpoint_path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    trainer = TrainingState(Line(seed=7), problem(), SETTINGS)

    def state():
        arrays, progress = trainer.state()
        return {k: a.tobytes() for k, a in arrays.items()}, json.dumps(progress)

    before = state()
    flips = [rng.randrange(8 * (header if i % 2 else len(whole))) for i in range(2000)]
    spoilt = [whole[:n] for n in range(0, len(whole), 7)]
    for n in flips:
        at = n // 8
        spoilt.append(whole[:at] + bytes([whole[at] ^ 1 << n % 8]) + whole[at + 1 :])
    for content in spoilt:
        run.checkpoint_path.write_bytes(content)
        with pytest.raises(CheckpointError):
            trainer.restore(*run.load())
    assert state() == before


def assert_refused(arrays, progress):
    trainer = TrainingState(Line(seed=7), problem(), SETTINGS)
    before, optimiser = trainer.state()[0], trainer.optimiser.state_dict()
    before_progress = json.dumps(trainer.state()[1])
    with pytest.raises(CheckpointError, match="the checkpoint does not fit this system"):
        trainer.restore(arrays, progress)
    after = trainer.state()
    assert json.dumps(after[1]) == before_progress and after[0].keys() == before.keys()
    assert all(np.array_equal(after[0][k], before[k]) for k in before)
    assert trainer.optimiser.state_dict() == optimiser


def test_the_unspoilt_one_is_taken(saved):
    trainer = TrainingState(Line(seed=7), problem(), SETTINGS)
    trainer.restore(*saved)
    assert trainer.epoch == 2 and len(trainer.history) == 2
    assert np.array_equal(trainer.system.layer.weight.numpy(), saved[0]["model/layer.weight"])


NESTED = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize("text", [NESTED, "{", "1" * 5000, '{"a": NaN', ""])
def test_progress_that_is_no_json(tmp_path, text):
    run = Run(tmp_path)
    save_arrays(run.checkpoint_path, {"w": np.ones(1)}, {"progress": text})
    with pytest.raises(CheckpointError, match="is not a training checkpoint"):
        run.load()


@pytest.mark.parametrize("header", [NESTED, '{"a":' * 50_000 + "1" + "}" * 50_000, "[1]", "3"])
def test_a_nested_header_is_corrupt(tmp_path, header):
    path = tmp_path / "c.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode())
    with pytest.raises(CheckpointError, match=r"c\.safetensors: is"):
        load_arrays(path)


@pytest.mark.parametrize("text", [NESTED, "{", "1" * 5000, b"\xff"])
def test_json_of_a_run_that_is_none(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RunError, match="is damaged"):
        Run(tmp_path).read_json("a.json")
    (tmp_path / "b.json").mkdir()
    with pytest.raises(RunError, match="cannot be read"):
        Run(tmp_path).read_json("b.json")
