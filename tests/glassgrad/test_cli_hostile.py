"""Hostile run folders: pipes, devices, links, huge files, escape sequences. One line, no harm."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from glassgrad import checkout, training
from glassgrad.core.training.checkpoint import load_arrays, save_arrays
from glassgrad.core.training.run_folder import Run, RunError
from glassgrad.kernels import notice
from tests.tools import call

FILES = ["config.json", "metrics.csv", "checkpoint.safetensors", "result.json", "samples.png"]


@pytest.fixture
def alarm():
    """A test that waits for ever on a pipe fails after a minute."""

    def rise(*args):
        raise TimeoutError("it waits for ever")

    before = signal.signal(signal.SIGALRM, rise)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def spoil(path, thing, outside):
    """Put something that is no file in the place of one; `outside` is what links lead to."""
    if path.exists():
        outside.write_bytes(path.read_bytes())
        path.unlink()
    else:
        outside.write_bytes(b"kept")
    makers = {
        "pipe": os.mkfifo,
        "folder": os.mkdir,
        "link": lambda p: p.symlink_to(outside),
        "dangling link": lambda p: p.symlink_to(outside.with_name("nothing")),
        "device": lambda p: p.symlink_to("/dev/zero"),
        "loop": lambda p: p.symlink_to(p.name),
    }
    makers[thing](path)


def tree(folder):
    return {
        p.name: p.read_bytes() if p.is_file() and not p.is_symlink() else os.lstat(p).st_mode
        for p in folder.iterdir()
    }


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("thing", ["pipe", "folder", "link", "dangling link", "device", "loop"])
def test_what_is_no_file_is_one_line_and_nothing_is_touched(
    capsys, tmp_path, run, alarm, name, thing
):
    outside = tmp_path / "outside"
    spoil(run / name, thing, outside)
    before, kept = tree(run), outside.read_bytes()
    commands = [["train", "--resume", run]]
    if name in ("config.json", "checkpoint.safetensors", "result.json"):
        commands += [["sample", run, "-n", "1", "--out", tmp_path / "s.png"]]
    for command in commands:
        code, _, err = call(capsys, *command)
        assert code == 1 and err.count("\n") == 1 and str(run / name) in err, err
        assert "not a regular file" in err
    assert tree(run) == before and outside.read_bytes() == kept
    assert not (tmp_path / "nothing").exists() and not (tmp_path / "s.png").exists()


def test_samples_are_not_written_through_a_link(capsys, tmp_path, run):
    spoil(run / "sample.png", "link", tmp_path / "outside")
    code, _, err = call(capsys, "sample", run, "-n", "1")
    assert code == 1 and "sample.png: it is a link, not a regular file" in err
    assert (tmp_path / "outside").read_bytes() == b"kept"


@pytest.mark.parametrize("name", ["config.json", "result.json", "checkpoint.safetensors"])
def test_a_huge_file_is_one_line_and_is_not_read(capsys, tmp_path, run, name):
    with open(run / name, "r+b") as file:
        file.truncate(1 << 40)  # sparse: it takes no room on the disk
    started = time.process_time()
    code, _, err = call(capsys, "sample", run, "-n", "1", "--out", tmp_path / "s.png")
    assert code == 1 and "1,099,511,627,776 bytes; the limit is" in err and err.count("\n") == 1
    assert time.process_time() - started < 1


def test_a_checkpoint_whose_header_alone_is_huge(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    with open(path, "wb") as file:
        file.truncate(8 << 30)
    with pytest.raises(OSError, match=r"is not a safetensors|header cannot be read"):
        load_arrays(path)  # its header has length 0
    with open(path, "r+b") as file:
        file.write((4 << 30).to_bytes(8, "little") + b"{")
    with pytest.raises(OSError, match="is not a safetensors file"):
        load_arrays(path)


def test_samples_follow_the_link_of_the_user(capsys, tmp_path, run):
    """Outside a run folder, as --json does."""
    (tmp_path / "link.png").symlink_to(tmp_path / "target.png")
    assert call(capsys, "sample", run, "-n", "1", "--out", tmp_path / "link.png")[0] == 0
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "target.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_folder_may_be_named_through_a_link_that_is_followed_once(capsys, tmp_path, run):
    link = tmp_path / "latest"
    link.symlink_to(run)
    code, out, _ = call(capsys, "train", "--resume", link, "--quiet")
    assert code == 0 and f"written: {run}" in out
    opened = Run.open(link)
    link.unlink()
    link.symlink_to(tmp_path)
    assert opened.read_json("config.json")["recipe"] == "vae" and link.is_symlink()


def test_a_lab_page_is_not_written_into_a_pipe(capsys, tmp_path, alarm):
    os.mkfifo(tmp_path / "page.html")
    code, _, err = call(capsys, "lab", "gemm", "--out", tmp_path / "page.html")
    assert code == 1 and "page.html: it is a named pipe, not a regular file; nothing was" in err


def test_devices_are_not_replaced(capsys, tmp_path):
    """As root a file was put in the place of /dev/null."""
    code, _, err = call(capsys, "show", "som", "--data", "iris", "--dot", "/dev/null")
    assert code == 1 and "cannot write /dev/null: it is a device, not a regular file" in err


@pytest.mark.parametrize("thing", ["pipe", "folder", "dangling link", "device", "loop"])
def test_a_record_that_is_no_file(capsys, tmp_path, alarm, thing):
    record = tmp_path / "r.json"
    spoil(record, thing, tmp_path / "outside")
    page = tmp_path / "page.md"
    page.write_text("<!-- reproduce -->\n<!-- /reproduce -->\n")
    code, _, err = call(capsys, "reproduce", "--json", record, "--table", page)
    assert code == 1 and "r.json cannot be read" in err and err.count("\n") == 1


GOOD = {
    "recipe": "vae", "target": "t", "data": "mnist", "published": "1", "better": "lower",
    "status": "reached", "bound": 1.0, "ours": 1.0, "seconds": 1.0, "machine": {},
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"ours": float("nan")}, {"ours": 10**400}, {"seconds": float("inf")}, {"bound": True},
        {"bound": None}, {"spread": "x"}, {"cpu_seconds": 10**400}, {"machine": {"cpu": "x"}},
        {"machine": None}, {"better": 3},
    ],
)  # fmt: skip
def test_a_record_of_nonsense(capsys, tmp_path, change):
    record, page = tmp_path / "r.json", tmp_path / "page.md"
    page.write_text("<!-- reproduce -->\n<!-- /reproduce -->\n")
    for row, expected in ((GOOD, 0), ({**GOOD, **change}, 1)):
        record.write_text(json.dumps({"rows": [row]}))
        code, _, err = call(capsys, "reproduce", "--json", record, "--table", page)
        assert code == expected and ("is damaged" in err) == bool(expected)


ESCAPE = "a\x1b[31m\x07\x9bb\u202e"


def assert_clean(*texts):
    for text in texts:
        assert not [c for c in text if not c.isprintable() and c != "\n"], repr(text)


def test_escape_sequences_are_never_printed_raw(capsys, tmp_path, run, monkeypatch):
    odd = tmp_path / ESCAPE
    with monkeypatch.context() as elsewhere:
        for root in odd, None:
            elsewhere.setattr(checkout, "ROOT", root)
            elsewhere.setattr(checkout, "HERE", odd)
            code, out, err = call(capsys, "--version")
            assert code == 0 and "\\x1b[31m\\x07\\x9b" in out
            assert_clean(out, err)
    notice.once(f"others can write to {odd}")
    err = capsys.readouterr().err
    assert "\\x1b[31m\\x07\\x9b" in err
    assert_clean(err)
    for command in (
        ["train", "--resume", odd], ["sample", odd], ["show", ESCAPE], ["train", ESCAPE],
        ["train", "vae", "--data", ESCAPE], ["train", "vae", "--set", f"{ESCAPE}=1"],
        ["train", "vae", "--set", f"lr={ESCAPE}"],
        ["train", "vae", "--data", "mnist", "--data-dir", odd],
        ["list", "data", "--data-dir", odd], [ESCAPE], ["train", f"--{ESCAPE}"],
        ["reproduce", "--json", odd, "--table", odd], ["show", "som", "--dot", odd / "x"],
    ):  # fmt: skip
        code, out, err = call(capsys, *command)
        assert code in (1, 2) and "\\x1b[31m\\x07\\x9b" in err, (command, err)
        assert_clean(out, err)
    odd.mkdir()
    for path in run.iterdir():
        (odd / path.name).write_bytes(path.read_bytes())
    for command in (["train", "--resume", odd, "--quiet"], ["sample", odd, "-n", "1"]):
        code, out, err = call(capsys, *command)
        assert code == 0 and "\\x1b[31m" in out
        assert_clean(out, err)


@pytest.mark.parametrize("key", ["recipe", "data", "data_dir", "device", "backend", "settings"])
def test_escape_sequences_in_a_configuration(capsys, run, key):
    config = json.loads((run / "config.json").read_text())
    for settings in ({ESCAPE: 1}, {"lr": ESCAPE}, {"optimiser": ESCAPE}, {"select": ESCAPE}):
        change = {key: settings if key == "settings" else ESCAPE}
        change |= {"data": "mnist"} if key == "data_dir" else {}
        (run / "config.json").write_text(json.dumps({**config, **change}))
        code, out, err = call(capsys, "train", "--resume", run)
        assert code == 1 and "x1b[31m" in err
        assert_clean(out, err)


@pytest.mark.parametrize(
    "change",
    [
        {"data": "mnist", "data_dir": "a\0b"}, {"data": "mnist", "data_dir": "~nobody-here/x"},
        {"settings": {"lr": 1e999}},
        {"settings": {"lr": 10**400}}, {"settings": {"batch": 10**400}},
        {"settings": {"epochs": 10**400}}, {"settings": {"seed": 10**400}},
        {"settings": {"seed": -1}}, {"settings": {"hidden": [10**400]}},
        {"settings": {"hidden": [2**62, 2**62]}}, {"settings": {"latent": 2**40}},
        {"settings": {"lr": None}}, {"settings": {"lr": {}}}, {"recipe": "v" * 10**6},
        {"settings": {"x" * 10**6: 1}}, {"data": ""}, {"settings": {"sigma": float("nan")}},
    ],
)  # fmt: skip
def test_a_configuration_of_nonsense(capsys, run, change):
    config = json.loads((run / "config.json").read_text())
    if "settings" in change:
        change = {"settings": {**config["settings"], **change["settings"]}}
    (run / "config.json").write_text(json.dumps({**config, **change}))
    started = time.process_time()
    code, _, err = call(capsys, "train", "--resume", run)
    assert code == 1 and err.startswith("glassgrad: ") and "Traceback" not in err
    assert len(err) < 1000 and "does not fit this system" not in err
    assert time.process_time() - started < 2


def test_a_checkpoint_of_nonsense_with_a_right_checksum(capsys, run):
    """What another program may write: lr = 10**400, a step of 2**64, an epoch that is not there."""
    path, (arrays, progress) = run / "checkpoint.safetensors", Run(run).load()
    rates, names = progress["optimiser"], progress["generators"]
    for change in (
        {"optimiser": {**rates, "lr": 10**400}}, {"optimiser": {**rates, "lr": float("nan")}},
        {"epoch": 10**400}, {"batch": 10**400}, {"best_value": 10**400},
        {"sums": {"loss": 10**400}}, {"generators": {n: [1e9] for n in names}},
        {"generators": {n: [2**64, 0] for n in names}}, {"history": []},
        {"history": [{**progress["history"][0], "loss": 10**400}]},
    ):  # fmt: skip
        save_arrays(path, arrays, {"progress": json.dumps({**progress, **change})})
        before = tree(run)
        for command in (["train", "--resume", run], ["sample", run]):
            code, out, err = call(capsys, *command)
            assert code == 1 and err.startswith("glassgrad: the checkpoint does not fit"), change
            assert out == "" and tree(run) == before
    spoilt = {
        k: np.full_like(a, np.nan) if k.startswith("model/") else a for k, a in arrays.items()
    }
    save_arrays(path, spoilt, {"progress": json.dumps(progress)})
    assert call(capsys, "train", "--resume", run)[0] == 1


def test_a_held_run_is_one_line(capsys, run):
    with Run(run).hold():
        before = tree(run)
        code, out, err = call(capsys, "train", "--resume", run)
        assert code == 1 and out == "" and err.count("\n") == 1
        assert f"{run} is in use: process {os.getpid()} trains there" in err
        assert tree(run) == before
        assert call(capsys, "sample", run, "-n", "1", "--out", run / "s.png")[0] == 0  # only reads
        with pytest.raises(RunError, match="is in use"):
            recipe, trained = training.load(run)
            training.write_result(trained.run, recipe, trained)
    assert call(capsys, "train", "--resume", run, "--quiet")[0] == 0


@pytest.mark.slow
def test_eight_staggered_resumptions_of_a_killed_run(tmp_path):
    """One goes on, the others say that it does; before, six died of each other's files."""
    command = [sys.executable, "-m", "glassgrad", "train"]
    new = [*command, "vae", "--set", "epochs=20", "batch=50", "--out", tmp_path, "--quiet"]
    first = subprocess.Popen([*map(str, new), "--save-every", "0"], cwd=tmp_path)
    while not (found := list(tmp_path.glob("vae-*/checkpoint.safetensors"))):
        assert first.poll() is None
        time.sleep(0.01)
    first.kill()
    first.wait()
    run = found[0].parent
    assert (run / ".lock").exists()  # the killed one's: held by nobody
    started = []
    for _ in range(8):
        resume = [*command, "--resume", str(run), "--quiet", "--save-every", "0"]
        started.append(subprocess.Popen(resume, stderr=subprocess.PIPE, text=True, cwd=tmp_path))
        time.sleep(0.3)
    said = [p.communicate()[1] for p in started]
    codes = [p.returncode for p in started]
    assert set(codes) == {0, 1}, said
    for code, text in zip(codes, said):
        if code:
            assert text.startswith(f"glassgrad: {run} is in use: process "), text
            assert text.count("\n") == 1
    assert Run(run).load()[1]["epoch"] == 20 and (run / "result.json").is_file()
    assert not [n for n in os.listdir(run) if n.startswith(".")]
