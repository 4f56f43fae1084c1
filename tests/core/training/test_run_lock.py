"""One process at a time in a run folder: real processes, killed holders, systems without locks."""

import errno
import os
import signal
import subprocess
import sys
import threading

import pytest

from glassgrad.core import lock
from glassgrad.core.training.run_folder import Run, RunError

HOLD = """
import sys
from glassgrad.core.training.run_folder import Run
with Run(sys.argv[1]).hold():
    print("held", flush=True)
    sys.stdin.read()
"""
TRAIN = """
import os, sys, time
sys.path.insert(0, sys.argv[2])
from regression import Regression, problem, settings
import glassgrad as gg
from glassgrad.core.training.loop import Silent, fit
from glassgrad.core.training.run_folder import Run, RunError
class Slow(Silent):
    def step(self, epoch, batch, figures):
        time.sleep(0.02)
def train():
    run = Run(sys.argv[1])
    try:
        with gg.backend("reference"):
            fit(Regression(gg.Generator(1)), problem(), settings(), run=run,
                resume=run.has_checkpoint(), progress=Slow(), save_every=0.0)
    except RunError as error:
        os.write(2, f"{error}\\n".encode())  # in one piece
        return 1
    return 0
def child():
    code = 9
    try:
        code = train()
    finally:
        os._exit(code)
children = [os.fork() or child() for _ in range(8)]
print(*(os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) for p in children))
"""


def process(script, *args):
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def holder(folder):
    found = process(HOLD, folder)
    assert found.stdout.readline() == "held\n", found.communicate()[1]
    return found


def test_a_held_folder_is_one_line_that_names_the_holder(tmp_path):
    other = holder(tmp_path)
    with pytest.raises(RunError, match=f"is in use: process {other.pid} trains there$"):
        Run(tmp_path).hold().__enter__()
    assert os.listdir(tmp_path) == [lock.NAME]  # it was not taken away from its holder
    other.communicate()
    assert other.returncode == 0 and os.listdir(tmp_path) == []
    with Run(tmp_path).hold():
        pass


def test_a_killed_holder_does_not_block(tmp_path):
    other = holder(tmp_path)
    other.send_signal(signal.SIGKILL)
    other.communicate()
    assert os.listdir(tmp_path) == [lock.NAME]
    with Run(tmp_path).hold():
        assert (tmp_path / lock.NAME).read_text() == str(os.getpid())
    assert os.listdir(tmp_path) == []


def test_eight_processes_in_one_folder(tmp_path):
    """Whoever finds another one there says so and changes nothing; the checkpoint is whole."""
    folder = tmp_path / "run"
    folder.mkdir()
    out, err = process(TRAIN, folder, os.path.dirname(__file__)).communicate()
    codes = list(map(int, out.split()))
    assert len(codes) == 8 and 0 in codes and set(codes) <= {0, 1}, err
    lines = err.splitlines()
    assert len(lines) == codes.count(1)
    assert all(line.startswith(f"{folder} is in use: ") for line in lines), err
    assert Run(folder).load()[1]["epoch"] == 4
    assert sorted(os.listdir(folder)) == ["checkpoint.safetensors", "metrics.csv"]


def test_blocks_may_be_nested_and_another_run_of_this_process_is_another_one(tmp_path):
    run = Run(tmp_path)
    with run.hold():
        with run.hold(), pytest.raises(RunError, match=f"process {os.getpid()} trains"):
            Run(tmp_path).hold().__enter__()
        assert os.listdir(tmp_path) == [lock.NAME]
    assert os.listdir(tmp_path) == []
    with pytest.raises(ZeroDivisionError), run.hold():
        raise ZeroDivisionError
    assert run.holds == 0 and os.listdir(tmp_path) == []


def test_never_two_holders_while_others_let_go(tmp_path):
    """The file is removed by its holder: one that was opened just before must not count."""
    inside, most, turns = 0, 0, 0

    def work():
        nonlocal inside, most, turns
        for _ in range(300):
            try:
                with lock.locked(tmp_path):
                    inside += 1
                    most, turns = max(most, inside), turns + 1
                    os.listdir(tmp_path)  # time for another thread
                    inside -= 1
            except lock.Held:
                pass

    threads = [threading.Thread(target=work) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert most == 1 and turns > 10


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOLCK, errno.EBADF])
def test_a_file_system_without_locks_is_one_line_and_no_obstacle(
    tmp_path, monkeypatch, capsys, number
):
    def refuse(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    for _ in range(3):  # one line all the same
        with Run(tmp_path).hold():
            assert os.listdir(tmp_path) == []
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and f"{tmp_path} cannot be locked ({os.strerror(number)})" in err


def test_a_system_without_locks(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lock, "fcntl", None)
    with Run(tmp_path).hold():
        pass
    assert "cannot be locked (this system has no flock)" in capsys.readouterr().err


@pytest.mark.parametrize("thing", ["link", "pipe", "folder"])
def test_something_else_in_the_place_of_the_lock(tmp_path, thing):
    path, victim = tmp_path / lock.NAME, tmp_path / "victim"
    victim.write_text("kept")
    {
        "link": lambda: path.symlink_to(victim),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
    }[thing]()
    for block in (Run(tmp_path).hold, lambda: lock.locked(tmp_path)):
        with pytest.raises(OSError):
            block().__enter__()
    assert victim.read_text() == "kept" and os.path.lexists(path)


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(lock.os, "open", refuse)
    with pytest.raises(RunError, match=f"cannot lock {tmp_path}: Read-only file system"):
        Run(tmp_path).hold().__enter__()
    monkeypatch.undo()
    with pytest.raises(RunError, match=r"cannot read .*gone: No such file"):
        Run(tmp_path / "gone").hold().__enter__()


def test_a_renamed_folder_does_not_take_the_lock_of_the_one_that_has_its_name(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    first, second = Run(folder).hold(), Run(folder).hold()
    first.__enter__()
    folder.rename(tmp_path / "moved")
    folder.mkdir()
    second.__enter__()
    first.__exit__(None, None, None)
    assert os.listdir(folder) == [lock.NAME]
    with pytest.raises(RunError, match="is in use"):
        Run(folder).hold().__enter__()
    second.__exit__(None, None, None)
    assert os.listdir(folder) == []


def test_the_lock_file_of_another_user_is_locked_all_the_same(tmp_path, monkeypatch):
    (tmp_path / lock.NAME).write_text("12")
    opened = os.open

    def refuse(path, flags, *args, **kwargs):  # as for a file of mode 0644: root may do anything
        if str(path).endswith(lock.NAME) and flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(path, flags, *args, **kwargs)

    monkeypatch.setattr(lock.os, "open", refuse)
    with Run(tmp_path).hold(), pytest.raises(RunError, match="is in use"):
        Run(tmp_path).hold().__enter__()
    monkeypatch.undo()
    other = holder(tmp_path)
    monkeypatch.setattr(lock.os, "open", refuse)
    with pytest.raises(RunError, match=f"process {other.pid} trains"):
        Run(tmp_path).hold().__enter__()
    other.communicate()
