"""What commands print: nothing folded in a pipe, lines that fit on a terminal."""

import os
import pty
import re
import struct
import subprocess
import sys

import pytest

from glassgrad import cli
from glassgrad.cli import main
from tests.tools import call, without_compiling


def test_a_pipe_gets_no_live_display(capsys, monkeypatch):
    from glassgrad.progress import Live

    monkeypatch.setenv("FORCE_COLOR", "1")
    display = Live()
    display.start("VAE", epochs=2, batches=5)
    display.step(0, 1, {"loss": 0.5})
    display.epoch({"epoch": 1, "loss": 0.5, "seconds": 1.0})
    display.finish()
    assert capsys.readouterr().out == "epoch 1/2  loss 0.5  1.0 s\n"
    assert main(["gradcheck", "tanh", "--order", "1"]) == 0
    assert without_compiling(capsys.readouterr().err) == ""


@pytest.mark.parametrize("command", [(), *((name,) for name in cli.COMMANDS)], ids=" ".join)
def test_help_in_a_pipe_is_the_same_whatever_columns_says(capsys, monkeypatch, command):
    """The same bytes at any COLUMNS, and the usage, which is the longest line, in one."""
    monkeypatch.delenv("COLUMNS", raising=False)
    code, plain, err = call(capsys, *command, "--help")
    assert (code, err) == (0, "") and plain.count("usage: ") == 1
    for columns in ("20", "60", "500"):
        monkeypatch.setenv("COLUMNS", columns)
        assert call(capsys, *command, "--help")[1] == plain
    usage = plain.partition("\n\n")[0]
    assert usage.startswith(" ".join(["usage: glassgrad", *command])) and "\n" not in usage


def test_help_on_a_terminal_fits(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    usage = call(capsys, "train", "--help")[1].partition("\n\n")[0].splitlines()
    assert len(usage) > 3 and max(map(len, usage)) <= 80


def on_terminal(width, *argv, **environment):
    """What a command writes to a terminal of so many columns, without colours."""
    import fcntl
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "glassgrad", *argv],
        stdin=slave,
        stdout=slave,
        stderr=subprocess.DEVNULL,
        env={**env, "TERM": "xterm", **environment},
    )
    os.close(slave)
    written = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(master)
    assert process.wait() == 0, written
    return re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", written.decode())


def test_on_a_terminal_a_training_fits_and_its_figures_stay_whole(tmp_path):
    argv = ["train", "vae", "--set", "epochs=1", "hidden=[4]", "--out", str(tmp_path / "runs")]
    text = on_terminal(40, *argv)
    drawn = [line for line in re.split(r"[\r\n]+", text) if not line.startswith("written")]
    assert any("batches/s" in line for line in drawn), "the bar is live"
    assert max(map(len, drawn)) <= 40
    rows = re.search(r"epoch 1/1  loss .*?\d s$", "\n".join(drawn), re.S | re.M)[0]
    figures = re.findall(r"(\w+) [\d.]+(?:  |$)", rows, re.M)
    assert figures == ["loss", "kl", "valid_bound", "valid_kl"], rows


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize(
    "argv",
    [("list", "models"), ("list", "data"), ("kernels", "som"), ("reproduce", "--list")],
    ids=" ".join,
)
def test_on_a_terminal_a_command_fits(capsys, monkeypatch, width, argv):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(list(argv)) == 0
    text = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert text.count("\n") > 4 and max(map(len, text.splitlines())) <= width
