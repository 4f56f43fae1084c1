"""Faults around a run: a damaged checkpoint, a full disk, a folder that cannot be."""

import os

import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.core.training.checkpoint import CheckpointError
from glassgrad.core.training.loop import fit
from glassgrad.core.training.run_folder import Run, RunError, write_atomic
from tests.core.training.regression import Regression, problem, settings


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


def test_resuming_on_a_full_disk_keeps_the_old_checkpoint(tmp_path, monkeypatch):
    run = Run.create(tmp_path, "x")
    fit(Regression(gg.Generator(1)), problem(), settings(epochs=1), run=run)
    before = {p.name: p.read_bytes() for p in run.folder.iterdir()}

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left on device; nothing was changed"):
        fit(Regression(gg.Generator(1)), problem(), settings(), run=run, resume=True)
    assert {p.name: p.read_bytes() for p in run.folder.iterdir()} == before
    monkeypatch.undo()
    assert len(fit(Regression(gg.Generator(1)), problem(), settings(), run=run, resume=True)) == 4


def test_a_run_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file"):
        Run.create(tmp_path / "file", "x")
    with pytest.raises(RunError, match=r"no config\.json"):
        Run.open(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(RunError, match="damaged"):
        Run.open(tmp_path).read_json("config.json")
