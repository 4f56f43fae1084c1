"""Run folders that are well-formed but wrong, and disks that fill up: one message, nothing lost."""

import json
import os

import pytest

from glassgrad.core.training.checkpoint import load_arrays, save_arrays
from glassgrad.core.training.run_folder import Run
from tests.core.training.test_checkpoint import format_1
from tests.tools import call

NESTED = "[" * 100_000
NOBODY = 1 << 30  # above the numbers that Linux gives to processes


def files(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": "1"},
        {"history": 3},
        {"history": [[]]},
        {"generators": None},
        {"optimiser": []},
        {"settings": []},
    ],
)
@pytest.mark.parametrize("command", [["train", "--resume"], ["sample"], ["evaluate"]])
def test_wrong_progress_is_one_message(capsys, run, command, change):
    path, (key,) = run / "checkpoint.safetensors", change
    arrays, progress = Run(run).load()
    save_arrays(path, arrays, {"progress": json.dumps({**progress, **change})})
    before = files(run)
    code, out, err = call(capsys, *command, run)
    assert code == 1 and out == ""
    assert err.startswith("glassgrad: the checkpoint does not fit") and repr(key) in err
    assert files(run) == before


@pytest.mark.parametrize("progress", ["[]", "3", NESTED])
def test_progress_of_another_kind(capsys, run, progress):
    path = run / "checkpoint.safetensors"
    save_arrays(path, load_arrays(path)[0], {"progress": progress})
    code, _, err = call(capsys, "train", "--resume", run)
    assert code == 1 and "checkpoint" in err and err.count("\n") == 1


@pytest.mark.parametrize("content", ["[]", "{}", '{"test": 3}', '{"test": {"bound": []}}', NESTED])
def test_a_wrong_result_is_one_message(capsys, run, content):
    (run / "result.json").write_text(content)
    code, _, err = call(capsys, "sample", run)
    assert code == 1 and "result.json is damaged" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"hidden": ["a"]}}, {"settings": {"hidden": [[1]]}}, {"settings": {"lr": -1}},
        {"settings": {"epochs": 1.5}}, {"settings": {"optimiser": "adm"}}, {"backend": "foo"},
        {"device": "foo"}, {"data": "foo"}, {"settings": []}, {"settings": {"lr": [1]}},
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_one_message(capsys, run, change):
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, **change}))
    before = files(run)
    code, _, err = call(capsys, "train", "--resume", run)
    assert code == 1 and err.startswith("glassgrad: ") and files(run) == before


@pytest.mark.parametrize(
    "content", [NESTED, "[]", '{"rows": 3}', '{"rows": ["recipe target data"]}',
                '{"rows": [{"recipe": "a", "target": "b", "data": "c"}]}'],
)  # fmt: skip
def test_a_wrong_record_is_one_message(capsys, tmp_path, content):
    record = tmp_path / "r.json"
    record.write_text(content)
    code, _, err = call(capsys, "reproduce", "vae", "--json", record, "--out", tmp_path)
    assert code == 1 and "is damaged" in err and record.read_text() == content


def full_disk(*args):
    raise OSError(28, "No space left on device")


def test_a_disk_too_full_for_the_configuration_leaves_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_disk)
    code, _, err = call(capsys, "train", "vae", "--out", tmp_path / "a" / "runs")
    assert code == 1 and "config.json: No space left on device" in err
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_on_resumption_keeps_the_checkpoint(capsys, run, monkeypatch):
    config = json.loads((run / "config.json").read_text())
    config["settings"]["epochs"] = 2
    (run / "config.json").write_text(json.dumps(config))
    before = files(run)

    monkeypatch.setattr(os, "fsync", full_disk)
    code, _, err = call(capsys, "train", "--resume", run, "--quiet")
    assert code == 1 and "No space left on device; nothing was changed" in err
    assert files(run) == before
    monkeypatch.undo()
    assert call(capsys, "train", "--resume", run, "--quiet")[0] == 0
    assert Run(run).load()[1]["epoch"] == 2


def test_resumption_removes_what_the_killed_writer_left(capsys, run):
    for name in (
        f".checkpoint.safetensors.{NOBODY}-0123abcd.tmp",
        f".result.json.{NOBODY}-89abcdef.tmp",
    ):
        (run / name).write_bytes(b"half")
    assert call(capsys, "train", "--resume", run, "--quiet")[0] == 0
    assert not [n for n in os.listdir(run) if n.startswith(".")]


def test_an_untrained_system_can_be_sampled_and_resumed(capsys, tmp_path):
    settings = ["epochs=0", "hidden=[4,4]", "schedule=cosine"]
    assert call(capsys, "train", "vae", "--set", *settings, "--out", tmp_path)[0] == 0
    (run,) = tmp_path.iterdir()
    assert call(capsys, "sample", run, "-n", 4)[0] == 0
    assert call(capsys, "train", "--resume", run)[0] == 0


def test_a_test_figure_that_is_no_number_is_an_error(capsys, tmp_path, monkeypatch):
    from glassgrad.models.variational.vae import VAE

    monkeypatch.setattr(VAE, "evaluate", lambda self, split, size=500: {"bound": float("nan")})
    settings = ["epochs=0", "hidden=[4,4]"]
    code, _, err = call(capsys, "train", "vae", "--set", *settings, "--out", tmp_path)
    (run,) = tmp_path.iterdir()
    assert code == 1 and "bound on the held-out data is nan" in err
    assert not (run / "result.json").exists()


def test_samples_of_a_run_of_format_1_but_no_training_from_it(capsys, run):
    path = run / "checkpoint.safetensors"
    arrays, metadata = load_arrays(path)
    path.write_bytes(format_1(arrays, metadata))
    code, out, _ = call(capsys, "sample", run, "-n", "2")
    assert code == 0 and "sample.png" in out
    before = files(run)
    code, out, err = call(capsys, "train", "--resume", run)
    assert code == 1 and out == "" and err.count("\n") == 1
    assert (
        "has format 1, without a checksum of the progress; training continues from format 2" in err
    )
    assert files(run) == before


@pytest.mark.parametrize("command", [["train", "--resume"], ["sample"], ["evaluate"]])
def test_settings_that_were_changed_since_the_checkpoint(capsys, run, command):
    """config.json has no checksum of its own; the checkpoint knows what it was trained with."""
    config = Run(run).read_json("config.json")
    config["settings"] |= {"lr": 0.5, "seed": 7, "epochs": 2}
    Run(run).write_json("config.json", config)
    before = files(run)
    code, out, err = call(capsys, *command, run)
    assert code == 1 and out == "" and err.count("\n") == 1 and files(run) == before
    assert "was trained with other settings: lr=0.002 (now 0.5), seed=0 (now 7)\n" in err


@pytest.mark.parametrize("known", [{}, {"lr": 0.002}])
def test_a_setting_that_the_checkpoint_does_not_know_is_new_in_this_version(capsys, run, known):
    arrays, progress = Run(run).load()
    Run(run).save(arrays, progress | {"settings": known})
    assert call(capsys, "train", "--resume", run, "--quiet")[0] == 0
    del progress["settings"]  # as before there were any
    Run(run).save(arrays, progress)
    assert call(capsys, "train", "--resume", run, "--quiet")[0] == 0


def test_more_epochs_are_no_other_settings(capsys, run):
    config = Run(run).read_json("config.json")
    config["settings"]["epochs"] = 2
    Run(run).write_json("config.json", config)
    assert call(capsys, "train", "--resume", run, "--quiet")[0] == 0
    assert Run(run).load()[1]["epoch"] == 2


def test_a_lost_checkpoint_is_not_trained_over(capsys, run):
    (run / "checkpoint.safetensors").unlink()
    before = files(run)
    code, out, err = call(capsys, "train", "--resume", run)
    assert code == 1 and out == "" and files(run) == before
    assert err.endswith("checkpoint.safetensors is missing, though 1 epoch was recorded\n")
