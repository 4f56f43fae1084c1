"""`train --ranks N`: the weights of one process, killed ranks, Ctrl-C, what is printed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from glassgrad import cli, launching, models, training
from glassgrad.cli import train
from glassgrad.core import Generator, nn
from glassgrad.core.distributed import using
from glassgrad.core.training.checkpoint import load_arrays
from glassgrad.core.training.loop import fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.settings import SettingError
from glassgrad.dry_run import estimate
from glassgrad.sources import Source
from tests.core.distributed.starting import ROOT, why_no_mpi
from tests.core.distributed.threads import on_ranks
from tests.tools import call

needs_mpi = pytest.mark.skipif(bool(why_no_mpi()), reason=why_no_mpi() or "MPI is here")
SETTINGS = {"hidden": (8, 8), "batch": 400, "shards": 2}  # four steps an epoch
TINY = ["--set", "hidden=[8,8]", "batch=400", "shards=2"]


def command(*arguments):
    """The running process of a command."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "glassgrad", *map(str, arguments)], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip


def ended(process, seconds=60):
    """(exit code, output, errors) of a process that has to end by itself."""
    try:
        out, err = process.communicate(timeout=seconds)
    finally:
        process.kill()
    return process.returncode, out, err


def run_of(out: Path, epochs: int, seconds=60) -> Path:
    """The run folder below `out`, once it has rows of so many epochs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for metrics in out.glob("*/metrics.csv"):
            if len(metrics.read_text().splitlines()) > epochs:
                return metrics.parent
        time.sleep(0.05)
    raise AssertionError("the run does not get on")


def process_of(rank: int, launcher: int) -> int:
    """The number of the process that is this rank of a launcher."""
    wanted = f"{launching.LAUNCH}={launcher} ".encode()
    ranks = {f"{name}={rank}".encode() for name in ("PMI_RANK", "OMPI_COMM_WORLD_RANK")}
    for entry in Path("/proc").iterdir():
        try:
            lines = (entry / "environ").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if ranks & set(lines) and any(line.startswith(wanted) for line in lines):
            return int(entry.name)
    raise AssertionError(f"there is no rank {rank}")


def weights(run: Path) -> dict:
    """The arrays of a checkpoint."""
    return load_arrays(run / "checkpoint.safetensors")[0]


def in_one_process(out, epochs: int, **changes) -> dict:
    """The checkpoint of the same training without ranks."""
    overrides = {**SETTINGS, "epochs": epochs, **changes}
    done = training.train(models.recipe("vae"), overrides=overrides, out=out / "alone")
    return weights(done.run.folder)


def equal(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


@needs_mpi
def test_two_ranks_leave_one_run_with_the_weights_of_one_process(tmp_path):
    code, out, err = ended(
        command("train", "vae", "--ranks", 2, *TINY, "epochs=2", "--out", tmp_path)
    )
    assert code == 0 and err == "", err
    assert out.count("vae on digits, test split") == out.count("epoch 2/2") == 1
    (run,) = tmp_path.iterdir()
    assert {"config.json", "metrics.csv", "result.json", "index.html"} <= {
        p.name for p in run.iterdir()
    }
    assert equal(weights(run), in_one_process(tmp_path, 2))


@needs_mpi
@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_ends_all_and_the_run_goes_on_to_the_same_weights(tmp_path, rank):
    epochs = 40
    process = command("train", "vae", "--ranks", 2, *TINY, f"epochs={epochs}", "--out", tmp_path)
    run = run_of(tmp_path, 3)
    os.kill(process_of(rank, process.pid), signal.SIGKILL)
    code, _, err = ended(process, 20)
    assert code == 1 and len(err.splitlines()) == 1, err
    assert "a rank was ended by SIGKILL, and mpiexec ended the others" in err
    assert err.rstrip().endswith(f"go on with: glassgrad train --resume {run}")
    code, out, err = ended(command("train", "--resume", run, "--ranks", 2, "--quiet"))
    assert code == 0 and f"{epochs} epochs" in out, err
    assert equal(weights(run), in_one_process(tmp_path, epochs))


@needs_mpi
@pytest.mark.slow
def test_ctrl_c_stops_all_ranks_after_a_step_and_saves(tmp_path):
    process = command("train", "vae", "--ranks", 2, *TINY, "epochs=500", "--out", tmp_path)
    run = run_of(tmp_path, 2)
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process, 20)
    first, second = err.splitlines()
    assert code == 130 and first.startswith("glassgrad: stopping after this step")
    assert second.startswith("glassgrad: stopped; go on with: glassgrad train --resume ")
    assert weights(run)


@needs_mpi
def test_what_cannot_be_shared_out_is_one_message(tmp_path):
    """All ranks meet the same error; the first alone says it, and no folder is left."""
    code, _, err = ended(command("train", "som", "--ranks", 2, "--out", tmp_path / "runs"))
    assert code == 1 and len(err.splitlines()) == 1, err
    assert "SOM is trained with shards=1, in one process: samples come one by one" in err
    assert not (tmp_path / "runs").exists()


def test_one_rank_is_this_process(capsys, tmp_path):
    code, out, _ = call(
        capsys, "train", "vae", "--ranks", 1, "--set", "epochs=1", "hidden=[8,8]", "--out", tmp_path
    )
    assert code == 0 and "epoch 1/1" in out


@pytest.mark.parametrize("shards", [1, 2])
def test_more_ranks_than_shards_are_refused_from_python(shards):
    def work(world):
        with (
            using(world),
            pytest.raises(SettingError, match="3 ranks need at least as many shards"),
        ):
            training.train(models.recipe("vae"), overrides={"shards": shards, "epochs": 1})

    on_ranks(3, work)


def test_ranks_have_a_shard_each_before_settings_are_checked():
    """reduce has no effect with one shard: of two ranks nobody has to name their number."""

    def work(world):
        with using(world):
            changes = {"hidden": (8, 8), "batch": 400, "epochs": 1, "reduce": "fast"}
            done = training.train(models.recipe("vae"), overrides=changes)
            net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10, rng=Generator(0)))
            history = fit(net, "digits", epochs=1, batch=600, reduce="fast")
        return done.settings.shards, len(history)

    assert on_ranks(2, work) == [(2, 1)] * 2


def test_a_run_keeps_its_shards_and_more_ranks_are_refused(tmp_path):
    """Without a checkpoint nothing else would show that it goes on with other settings."""
    recipe, (_, data) = models.recipe("vae"), Source("digits").load(models.recipe("vae"))
    changes = {"hidden": (8, 8), "batch": 400, "epochs": 0}
    run = training.train(recipe, data, overrides=changes, out=tmp_path).run
    (run.folder / "checkpoint.safetensors").unlink()

    def work(world):
        with (
            using(world),
            pytest.raises(SettingError, match=r"^this run has 1 shard: at most 1 rank$"),
        ):
            training.train(recipe, data, overrides=changes, run=Run.open(run.folder))

    on_ranks(2, work)


def test_more_ranks_leave_the_number_of_epochs_of_a_run_as_it_is(tmp_path):
    changes = {"hidden": (8, 8), "batch": 400, "epochs": 1}
    run = training.train(models.recipe("vae"), overrides=changes, out=tmp_path).run

    def work(world):
        args = cli._parse(["train", "--resume", str(run.folder), "--set", "epochs=2"])
        with using(world), pytest.raises(SettingError, match="this run has 1 shard"):
            train._resumed(args)

    on_ranks(2, work)
    assert training.read_configuration(run)["settings"]["epochs"] == 1


def test_a_run_is_loaded_and_a_training_estimated_on_any_rank(tmp_path):
    """Nothing of either is shared out, whatever the number of shards."""
    recipe, changes = models.recipe("vae"), {"hidden": (8, 8), "batch": 400, "epochs": 1}
    run = training.train(recipe, overrides=changes, out=tmp_path).run

    def work(world):
        with using(world):
            _, loaded = training.load(run.folder)
            found = estimate(recipe, Source("digits"), overrides=changes)
        return len(loaded.history), found.steps

    assert on_ranks(2, work) == [(1, 4)] * 2


def test_without_mpiexec_the_message_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(launching.shutil, "which", lambda *args, **options: None)
    assert cli.main(["train", "vae", "--ranks", "2"]) == 1
    assert "pip install 'glassgrad[mpi]'" in capsys.readouterr().err


def test_the_noise_of_mpi_libraries_is_left_out_and_nothing_else():
    dashes = "-" * 74
    text = [
        "epoch 1/2", dashes, "prterun noticed that process rank 1 with PID 7", dashes, "figure",
        dashes, "a table of ours", dashes, "glassgrad: no", "Abort(1) on node 0", dashes, "the end",
    ]  # fmt: skip
    wanted = ["epoch 1/2", "figure", dashes, "a table of ours", dashes, "glassgrad: no", dashes,
              "the end"]  # fmt: skip
    assert list(launching.without_noise(text)) == wanted
