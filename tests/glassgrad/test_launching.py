"""The launcher of `--ranks`, with a script in the place of mpiexec: signals, pipes, hosts."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from glassgrad import launching
from tests.core.distributed.starting import ROOT

STUBBORN = "trap '' INT TERM; echo begun; while true; do sleep 0.1; done"
ENDLESS = "while true; do echo line; done"
WILLING = "trap 'exit 0' TERM; echo begun; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1; done"


def launcher(folder, script, grace=1.0):
    """A running launcher of that script; it prints the exit code that it returns."""
    starter = folder / "mpiexec"
    starter.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exit 0\n{script}\n')
    starter.chmod(0o755)
    program = (
        "import sys; from glassgrad import launching\n"
        f"launching.mpiexec = lambda: {str(starter)!r}; launching.GRACE = {grace}\n"
        "try: sys.exit(launching.launch(2, ['train']))\n"
        "except BrokenPipeError: print('broken', file=sys.stderr); import os; os._exit(141)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def ended(process):
    """(exit code, errors) of a launcher that has to end by itself."""
    try:
        err = process.communicate(timeout=20)[1]
    finally:
        process.kill()
    return process.returncode, err


def test_ranks_that_do_not_end_are_killed_after_the_second_ctrl_c(tmp_path):
    process = launcher(tmp_path, STUBBORN)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline().startswith("glassgrad: stopping after this step")
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    assert ended(process) == (130, "")
    assert time.monotonic() - started > 0.9


def test_a_training_that_ends_well_after_ctrl_c_has_ended_well(tmp_path):
    process = launcher(tmp_path, WILLING)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    code, err = ended(process)
    assert code == 0 and err.count("\n") == 1


def test_a_closed_pipe_ends_the_ranks_and_hangs_nothing(tmp_path):
    process = launcher(tmp_path, ENDLESS)
    assert process.stdout.readline() == "line\n"
    process.stdout.close()
    assert ended(process) == (141, "broken\n")


@pytest.mark.parametrize("host", [socket.gethostname(), "another-host"])
def test_the_folder_of_the_launcher_is_looked_up_on_its_host_alone(host, tmp_path, monkeypatch):
    monkeypatch.setenv(launching.LAUNCH, f"{os.getpid()} {host} {tmp_path}")
    launching.note("said")
    (tmp_path / "stop").touch()
    here = host == socket.gethostname()
    assert (tmp_path / "said").exists() == here
    assert launching.stop_asked(every=0)() == here
