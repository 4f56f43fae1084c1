"""`train` and `sample`: run folders, killed and stopped runs, damaged files."""

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest

from glassgrad import cli, models, training
from glassgrad.core.training.checkpoint import load_arrays
from glassgrad.core.training.loop import Interrupted, Silent
from glassgrad.core.training.run_folder import Run, RunError
from glassgrad.kernels.errors import ShapeError
from glassgrad.kernels.registry import watching
from glassgrad.models.variational.vae import VAE
from tests.tools import call

TINY = ["--set", "epochs=2", "hidden=[8,8]"]


def only(folder):
    """The one folder in a folder."""
    (inside,) = folder.iterdir()
    return inside


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished tiny run; tests must not change it."""
    out = tmp_path_factory.mktemp("runs")
    assert cli.main(["train", "vae", *TINY, "--out", str(out), "--quiet"]) == 0
    return only(out)


def copied(run, to):
    to.mkdir()
    for path in run.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    return to


def test_a_run_folder_holds_everything(finished):
    names = {p.name for p in finished.iterdir()}
    assert {"config.json", "metrics.csv", "checkpoint.safetensors", "result.json", "curves.png",
            "samples.png", "reconstructions.png"} <= names  # fmt: skip
    config = json.loads((finished / "config.json").read_text())
    assert config["recipe"] == "vae" and config["data"] == "digits" and config["device"] == "cpu"
    assert config["settings"]["hidden"] == [8, 8] and config["versions"]["numpy"] == np.__version__
    result = json.loads((finished / "result.json").read_text())
    assert result["split"] == "test" and 15 < result["value"] == result["test"]["bound"] < 60
    rows = (finished / "metrics.csv").read_text().splitlines()
    assert len(rows) == 3 and rows[0].startswith("epoch,loss,kl,valid_bound")
    assert (finished / "samples.png").read_bytes().startswith(b"\x89PNG")


def test_train_prints_epochs_and_a_result_without_control_codes(capsys, tmp_path):
    code, out, err = call(capsys, "train", "vae", *TINY, "--out", tmp_path)
    assert code == 0 and err == ""
    assert "epoch 1/2  loss" in out and "epoch 2/2" in out and "bound" in out
    assert str(only(tmp_path)) in out and "\x1b" not in out and "\r" not in out


def test_epochs_zero_is_an_untrained_system(capsys, tmp_path):
    code, out, _ = call(capsys, "train", "vae", "--set", "epochs=0", "--out", tmp_path)
    assert code == 0 and "bound" in out


def test_the_reference_backend_trains_to_the_same_figures(capsys, tmp_path, finished):
    code, _, _ = call(
        capsys, "train", "vae", *TINY, "--backend", "reference", "--out", tmp_path, "--quiet"
    )
    ours = json.loads((only(tmp_path) / "result.json").read_text())["value"]
    want = json.loads((finished / "result.json").read_text())["value"]
    assert code == 0 and ours == pytest.approx(want, rel=1e-3)
    assert json.loads((only(tmp_path) / "config.json").read_text())["backend"] == "reference"


def test_a_backend_holds_for_the_figures_too(capsys, tmp_path):
    ran = set()

    def watch(record, args):
        ran.add((record.op, record.backend))
        return record.function(*args)

    small = ["--set", "epochs=0", "channels=[2,2]", "hidden=[4]"]
    with watching(watch):
        code, _, err = call(
            capsys, "train", "lenet", *small, "--backend", "reference", "--out", tmp_path
        )
    assert code == 0, err
    assert (only(tmp_path) / "reasons.png").exists()
    assert ("conv2d", "reference") in ran and {backend for _, backend in ran} == {"reference"}


def test_resuming_a_finished_run_changes_no_weight(capsys, tmp_path, finished):
    run = copied(finished, tmp_path / "run")
    before = {p.name: p.read_bytes() for p in run.iterdir()}
    (run / "result.json").unlink()
    (run / "curves.png").unlink()
    code, _, _ = call(capsys, "train", "--resume", run)
    assert code == 0
    after = {p.name: p.read_bytes() for p in run.iterdir()}
    assert after.keys() == before.keys()
    for name in ("checkpoint.safetensors", "result.json", "metrics.csv"):
        assert after[name] == before[name], name


def test_resume_takes_everything_from_the_run(capsys, finished):
    for more in (["--data", "digits"], ["--backend", "numba"], ["--out", "x"],
                 ["--device", "cpu"],
                 ["--label", "x"], ["--read", "seed=1"]):  # fmt: skip
        code, _, err = call(capsys, "train", "--resume", finished, *more)
        assert code == 2 and "leave out" in err
    code, _, err = call(capsys, "train", "lstm", "--resume", finished)
    assert code == 2 and "is a run of vae, not of lstm" in err


SLOW = """
import sys, time
from glassgrad.cli import main
from glassgrad.models.variational.vae import VAE
step = VAE.train_step
def slow(self, batch, trainer):
    time.sleep(0.04)
    return step(self, batch, trainer)
VAE.train_step = slow
sys.exit(main(sys.argv[1:]))
"""


def started(tmp_path, out):
    """A training in a process of its own, slow enough to be hit after its first checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, "train", "vae", *TINY, "--out", str(out), "--save-every", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    deadline = time.monotonic() + 60
    while not list(out.glob("*/checkpoint.safetensors")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.3)  # into the middle of an epoch
    return process


def weights(run):
    return load_arrays(run / "checkpoint.safetensors")[0]


def assert_same_run(run, finished, least=31):
    """Weights, optimiser and metrics equal to those of the run that was never interrupted."""
    got, want = weights(run), weights(finished)
    assert got.keys() == want.keys() and len(want) >= least
    for name, a in want.items():
        assert np.array_equal(got[name], a), name
    for file in (run, finished):
        assert (file / "result.json").is_file()
    results = [json.loads((r / "result.json").read_text())["test"] for r in (run, finished)]
    assert results[0] == results[1]
    rows = [
        [line.rpartition(",")[0] for line in (r / "metrics.csv").read_text().splitlines()]
        for r in (run, finished)
    ]  # without the last column, the seconds
    assert rows[0] == rows[1]


def test_a_killed_run_goes_on_bit_for_bit(capsys, tmp_path, finished):
    out = tmp_path / "runs"
    process = started(tmp_path, out)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    run = only(out)
    progress = Run(run).load()[1]
    assert 0 < progress["epoch"] * 26 + progress["batch"] < 52  # in the middle
    assert not (run / "result.json").exists()
    assert call(capsys, "train", "--resume", run, "--quiet")[0] == 0
    assert_same_run(run, finished)


KILLED = """
import importlib, os, signal, sys
from glassgrad.cli import main
fit = importlib.import_module("glassgrad.core.training.loop")
step, left = fit._step, int(sys.argv[1])
def killed(*args):
    global left
    step(*args)
    left -= 1
    if left < 0:  # after the step, before its checkpoint
        os.kill(os.getpid(), signal.SIGKILL)
fit._step = killed
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("name", "settings", "least"),
    [
        ("som", ["epochs=2", "batch=100", "rows=4", "columns=4"], 1),
        ("vae", ["epochs=2", "batch=100", "hidden=[8,8]", "binarise=sampled"], 31),
        pytest.param("lenet", ["epochs=2", "batch=100", "channels=[2,3]", "hidden=[8]",
                               "dropout=0.3", "batch_norm=true", "shift=1"], 20,
                     marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_killed_runs_of_other_systems_go_on_bit_for_bit(
    capsys, tmp_path, monkeypatch, name, settings, least
):
    """Noise, running statistics and the order of the batches go on too."""
    undrawn = replace(models.recipe(name), figures=None)  # they would take most of the time
    monkeypatch.setattr(models, "recipe", lambda name: undrawn)
    train = ["train", name, "--set", *settings, "--quiet", "--out"]
    assert call(capsys, *train, tmp_path / "whole")[0] == 0
    whole = only(tmp_path / "whole")
    command = [sys.executable, "-c", KILLED, "19", *train, str(tmp_path / "killed")]
    done = subprocess.run([*command, "--save-every", "0"], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    run = only(tmp_path / "killed")
    progress = Run(run).load()[1]
    assert progress["epoch"] == 1 and 0 < progress["batch"] < 13  # in the middle
    assert call(capsys, "train", "--resume", run, "--quiet")[0] == 0
    assert_same_run(run, whole, least)


def test_ctrl_c_saves_and_says_how_to_go_on(capsys, tmp_path, finished):
    out = tmp_path / "runs"
    process = started(tmp_path, out)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    run = only(out)
    assert process.returncode == 130 and "Traceback" not in err
    assert f"go on with: glassgrad train --resume {run}" in err
    assert call(capsys, "train", "--resume", run)[0] == 0
    assert_same_run(run, finished)


def test_ctrl_c_ends_after_a_whole_step(tmp_path):
    class Impatient(Silent):
        def __init__(self):
            self.steps = 0

        def step(self, epoch, batch, figures):
            self.steps += 1
            if self.steps == 5:
                os.kill(os.getpid(), signal.SIGINT)

    run = Run(tmp_path)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted):
        training.train(
            models.recipe("vae"), overrides={"hidden": [4, 4]}, run=run, progress=Impatient()
        )
    assert run.load()[1]["batch"] == 5
    assert signal.getsignal(signal.SIGINT) is before


def test_train_takes_one_run_folder(tmp_path):
    for wrong in ({"run": Run(tmp_path), "out": tmp_path}, {"out": tmp_path, "resume": True}):
        with pytest.raises(RunError, match="resume needs run"):
            training.train(models.recipe("vae"), **wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_run_killed_before_its_first_checkpoint_starts_again(capsys, tmp_path, finished):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_bytes((finished / "config.json").read_bytes())
    code, out, _ = call(capsys, "train", "--resume", run)
    assert code == 0 and "starting from the beginning" in out
    assert_same_run(run, finished)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "foreign"])
@pytest.mark.parametrize("command", [["train", "--resume"], ["sample"]])
def test_a_corrupt_checkpoint_is_named(capsys, tmp_path, finished, damage, command):
    run = copied(finished, tmp_path / "run")
    path = run / "checkpoint.safetensors"
    content = bytearray(path.read_bytes())
    middle = len(content) * 2 // 3
    content[middle] ^= 0x40
    spoilt = {"truncated": content[:middle], "flipped": content, "empty": b"", "foreign": b"x" * 99}
    path.write_bytes(spoilt[damage])
    before = {p.name: p.read_bytes() for p in run.iterdir()}
    code, out, err = call(capsys, *command, run)
    assert code == 1 and out == "" and err.startswith(f"glassgrad: {path}: ")
    assert {p.name: p.read_bytes() for p in run.iterdir()} == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"recipe": "vae", "da', "is damaged"),
        ("[]", "'recipe' is missing or wrong"),
        ('{"recipe": 3}', "'recipe' is missing or wrong"),
        ('{"recipe": "vae", "data": "digits"}', "'data_dir' is missing or wrong"),
        ('{"recipe": "vaee", "data": "digits", "data_dir": null, "device": "cpu", "backend": null,'
         ' "settings": {}}', "did you mean 'vae'"),
        ('{"recipe": "vae", "data": "digits", "data_dir": null, "device": "cpu", "backend": null,'
         ' "settings": {"epochs": "x"}}', "must be an int of at most 64 bits"),
        (b"\xff\xfe", "is damaged"),
    ],
)  # fmt: skip
def test_a_damaged_config_is_named(capsys, tmp_path, content, said):
    (tmp_path / "config.json").write_bytes(content if type(content) is bytes else content.encode())
    code, _, err = call(capsys, "train", "--resume", tmp_path)
    assert code == 1 and said in err and "Traceback" not in err
    assert [p.name for p in tmp_path.iterdir()] == ["config.json"]


def test_a_file_in_place_of_the_out_folder(capsys, tmp_path):
    (tmp_path / "runs").write_text("in the way")
    code, _, err = call(capsys, "train", "vae", *TINY, "--out", tmp_path / "runs")
    assert code == 1 and err.startswith("glassgrad: cannot make") and "runs" in err
    assert (tmp_path / "runs").read_text() == "in the way"


def test_a_read_only_out_folder(capsys, tmp_path):
    tmp_path.chmod(0o555)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("this user may write anywhere")
    code, _, err = call(capsys, "train", "vae", *TINY, "--out", tmp_path / "runs")
    tmp_path.chmod(0o755)
    assert code == 1 and "cannot make" in err


def test_a_diverging_run_is_reported_and_keeps_its_checkpoint(capsys, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # one message of ours, none of NumPy's
        code, _, err = call(
            capsys, "train", "vae", *TINY, "lr=1e30", "optimiser=sgd", "--out", tmp_path
        )
    assert code == 1 and "training diverged" in err and err.count("\n") == 1
    assert not (only(tmp_path) / "result.json").exists()


def failing(error, at):
    """A train_step that raises in step number `at`, counted from 1."""
    step, count = VAE.train_step, iter(range(1, 99))

    def train_step(self, batch, trainer):
        if next(count) == at:
            raise error
        return step(self, batch, trainer)

    return train_step


@pytest.mark.parametrize("error", [ShapeError("refused"), KeyboardInterrupt("refused")])
@pytest.mark.parametrize("at", [1, 2])
def test_a_folder_is_kept_once_a_step_was_made(capsys, tmp_path, monkeypatch, error, at):
    monkeypatch.setattr(VAE, "train_step", failing(error, at))
    code, _, err = call(capsys, "train", "vae", *TINY, "--out", tmp_path / "a" / "runs")
    assert code in (1, 130) and "refused" in err
    left = [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")]
    assert (left == []) if at == 1 else ("config.json" in left[-1])


def test_a_resumed_run_stays_whatever_its_first_step_does(capsys, tmp_path, finished, monkeypatch):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_bytes((finished / "config.json").read_bytes())
    monkeypatch.setattr(VAE, "train_step", failing(ShapeError("refused"), 1))
    assert call(capsys, "train", "--resume", run)[0] == 1
    assert [p.name for p in run.iterdir()] == ["config.json"]


def test_sample(capsys, tmp_path, finished):
    pictures = []
    for i, seed in enumerate((1, 1, 2)):
        path = tmp_path / f"{i}.png"
        code, out, _ = call(capsys, "sample", finished, "-n", 6, "--seed", seed, "--out", path)
        assert code == 0 and str(path) in out
        pictures.append(path.read_bytes())
    assert pictures[0] == pictures[1] != pictures[2] and pictures[0].startswith(b"\x89PNG")
    code, _, err = call(capsys, "sample", finished, "--out", tmp_path / "a.jpg")
    assert code == 2 and "end in .png" in err
    code, _, err = call(capsys, "sample", finished, "--out", tmp_path / "none" / "a.png")
    assert code == 1 and "cannot write" in err


def test_sample_of_a_system_that_cannot_generate(capsys, tmp_path):
    code, _, _ = call(capsys, "train", "som", "--set", "epochs=1", "--out", tmp_path, "--quiet")
    assert code == 0
    code, _, err = call(capsys, "sample", only(tmp_path))
    assert code == 1 and "som cannot generate" in err and "vae" in err
