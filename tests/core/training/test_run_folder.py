"""A run folder whose files cannot be read, are lost, or lie behind links: nothing is lost."""

import errno
import os

import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataError, download, files
from glassgrad.core.training.loop import fit
from glassgrad.core.training.run_folder import Run, RunError
from glassgrad.reproduction import Record

from .regression import Regression, problem, settings


@pytest.fixture
def trained(tmp_path):
    run = Run.create(tmp_path, "x")
    fit(Regression(gg.Generator(1)), problem(), settings(epochs=2), run=run)
    return run


def failing(monkeypatch, name: str, number: int):
    """Let os.stat fail for files of that name."""
    stat = os.stat

    def refuse(path, *args, **kwargs):
        if os.path.basename(str(path)) == name:
            raise OSError(number, os.strerror(number))
        return stat(path, *args, **kwargs)

    monkeypatch.setattr(os, "stat", refuse)


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.ESTALE])
def test_a_file_that_cannot_be_told_is_not_taken_for_a_missing_one(
    trained, monkeypatch, number, tmp_path
):
    before = trained.checkpoint_path.read_bytes()
    (tmp_path / "rows.json").write_text('{"rows": []}')
    (tmp_path / "iris").mkdir()
    file = files.File("iris", "iris.data", "0" * 64, 3)
    with monkeypatch.context() as m:
        failing(m, "checkpoint.safetensors", number)
        for call in (
            trained.has_checkpoint,
            trained.load,
            lambda: trained.save({}, {}),
            lambda: fit(Regression(gg.Generator(1)), problem(), settings(), run=trained),
        ):
            with pytest.raises(OSError, match=os.strerror(number)):
                call()
        failing(m, "iris.data", number)
        for call in (download.find, files.locate):
            with pytest.raises(DataError, match=os.strerror(number)):
                call(file, tmp_path)
        failing(m, "rows.json", number)
        with pytest.raises(RunError, match=os.strerror(number)):
            Record(tmp_path / "rows.json")
    assert trained.checkpoint_path.read_bytes() == before


def test_a_lost_checkpoint_is_not_one_that_was_never_written(trained):
    trained.checkpoint_path.unlink()
    with pytest.raises(RunError, match=r"safetensors is missing, though 2 epochs were recorded$"):
        trained.has_checkpoint()
    (trained.folder / "metrics.csv").write_text("epoch,loss\n1,0.5\n")
    with pytest.raises(RunError, match="though 1 epoch was recorded"):
        trained.has_checkpoint()
    (trained.folder / "metrics.csv").unlink()
    trained.write_json("result.json", {})
    with pytest.raises(RunError, match=r"though training is over: there is a result\.json"):
        trained.has_checkpoint()
    (trained.folder / "result.json").unlink()
    assert not trained.has_checkpoint()


def test_the_lock_is_there_before_the_configuration_and_until_the_result(tmp_path, monkeypatch):
    seen = {}

    def refused() -> bool:
        (folder,) = tmp_path.iterdir()
        with pytest.raises(RunError, match=f"is in use: process {os.getpid()}"):
            Run(folder).hold().__enter__()
        return True

    recipe = models.recipe("som")
    write, finished = Run.write_json, recipe.build

    def spied(self, name, value):
        seen[name] = refused()
        write(self, name, value)

    def build(*args):
        system = finished(*args)
        evaluate = system.evaluate_finished
        vars(system)["evaluate_finished"] = lambda split: (
            seen.update(test=refused()) or evaluate(split)
        )
        return system

    monkeypatch.setattr(Run, "write_json", spied)
    vars(recipe)["build"] = build
    try:
        training.train_and_write(recipe, "iris", overrides={"epochs": 1}, out=tmp_path)
    finally:
        vars(recipe)["build"] = finished
    assert list(seen) == ["config.json", "test", "result.json"]


def test_a_folder_that_another_process_holds_is_not_taken_back(tmp_path, monkeypatch):
    held = []
    create = Run.create.__func__

    def raced(cls, *args):
        run = create(cls, *args)
        other = Run(run.folder).hold()
        other.__enter__()
        held.append(other)
        (run.folder / "theirs").write_text("kept")
        return run

    monkeypatch.setattr(Run, "create", classmethod(raced))
    with pytest.raises(RunError, match="is in use"):
        training.train(models.recipe("som"), "iris", overrides={"epochs": 1}, out=tmp_path)
    (folder,) = tmp_path.iterdir()
    assert sorted(os.listdir(folder)) == [".lock", "theirs"]
    run = Run(folder)
    run.made = [folder]
    run.discard()  # without the lock
    assert (folder / "theirs").read_text() == "kept"
    held[0].__exit__(None, None, None)


@pytest.mark.parametrize("name", ["latest", "latest/", "up/run", "up/run/"])
def test_links_are_followed_once_wherever_they_are_in_the_path(tmp_path, name):
    for which in ("one", "two"):
        (tmp_path / which / "run").mkdir(parents=True)
        Run(tmp_path / which / "run").write_json("config.json", which)
    link = tmp_path / name.split("/")[0]

    def point(which):
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / which / ("run" if link.name == "latest" else ""))

    point("one")
    run = Run.open(f"{tmp_path}/{name}")
    point("two")
    assert run.read_json("config.json") == "one"
