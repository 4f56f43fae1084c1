"""What is printed: never folded in a pipe; on a terminal folded between figures and words only."""

import io
import os
import pty
import re
import struct
import subprocess
import sys
from itertools import pairwise

import pytest

from glassgrad.cli import main, output
from tests.tools import without_compiling

PATH = "/a rather long/folder that/no terminal/of eighty columns/would take in/one line/" + 60 * "x"
ROWS = [("loss", 0.25, "the mean over a batch of what each of its samples costs"), (PATH, 3, "")]


def terminal(width):
    """(console, what it writes) of so many columns."""
    written = io.StringIO()
    return output._Console(
        file=written, force_terminal=True, color_system=None, width=width
    ), written


def lines(width, *things):
    console, written = terminal(width)
    console.print(*things)
    found = written.getvalue().splitlines()
    assert all(len(line) <= width for line in found)
    return found


@pytest.fixture(params=["", "20", "60", "80", "200"])
def columns(request, monkeypatch):
    """COLUMNS in the environment; none where empty."""
    monkeypatch.setenv("COLUMNS", request.param)
    if not request.param:
        monkeypatch.delenv("COLUMNS")


@pytest.mark.parametrize("colour", ["", "1"])
def test_a_pipe_gets_whole_lines_without_blanks_at_their_ends(capsys, monkeypatch, columns, colour):
    monkeypatch.setenv("FORCE_COLOR", colour)
    out = output.console()
    out.print(output.table(ROWS, "name", "value", "what it is", numbers=("value",), title="T"))
    out.print(output.Flow([PATH, "loss 0.25", PATH]))
    out.print(output.Prose(f"one\n  two {PATH}"))
    out.print(f"written: {PATH}")
    text = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    title, head, rule, first, second, flow, one, two, written = text.splitlines()
    assert head.split() == ["name", "value", "what", "it", "is"] and set(rule) == {"─"}
    assert first.split() == ["loss", "0.25", *ROWS[0][2].split()]
    assert second == f"{PATH}      3"
    assert flow == f"{PATH}  loss 0.25  {PATH}"
    assert (title, one, two, written) == ("T", "one", f"  two {PATH}", f"written: {PATH}")
    assert not re.search(r"[ \t]$", text, re.M)


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


@pytest.mark.parametrize("width", range(22, 140, 7))
def test_a_figures_name_and_value_never_part(width):
    figures = [f"{n} {v}" for n, v in [("loss", 0.123), ("valid_accuracy", 0.905), ("kl", 12)] * 4]
    found = lines(width, output.Flow(["epoch 1/3", *figures]))
    for figure in {"epoch 1/3", *figures}:
        assert sum(line.count(figure) for line in found) == (1 if "/" in figure else 4)
    assert all(line.startswith("  ") for line in found[1:])
    for line, following in pairwise(found):
        assert len(line) + 2 + len(following.split("  ")[1]) > width, "lines are filled"


@pytest.mark.parametrize("width", range(16, 140, 7))
def test_a_table_on_a_terminal_breaks_no_word_and_loses_none(width):
    rows = [
        ("conv2d.forward", "numba", "1.25 ms", "tiles of four rows in registers, padded", 0.5)
    ] * 2
    made = output.table(rows, "kernel", "backend", "median", "idea", "ratio",
                        numbers=("median", "ratio"), whole=("kernel",))  # fmt: skip
    text = "\n".join(lines(width, made))
    for cell in rows[0]:
        assert all(text.count(word) >= 2 for word in str(cell).split()), cell
    assert text.count("1.25 ms") == 2


def test_a_table_that_does_not_fit_becomes_names_and_values():
    made = output.table([("lenet", "4.2 ms", "", "1.20")], "name", "median", "note", "torch",
                        numbers=("median", "torch"))  # fmt: skip
    assert lines(16, made) == ["lenet", "  median 4.2 ms", "  torch 1.20"]
    assert lines(25, made)[0] == "lenet  median 4.2 ms"
    assert lines(12, output.table([(2, "tiles", "1.25 ms")], "v", "idea", "median")) == [
        "v 2", "  idea tiles", "  median", "  1.25 ms"
    ]  # fmt: skip
    assert lines(26, made)[0].split() == ["name", "median", "note", "torch"]


def test_a_page_keeps_its_lines_where_they_fit_and_is_filled_anew_elsewhere():
    page = "A paragraph\nof two lines, and one more word.\n\n    y = a x + b,   c = d\n\nThe end."
    assert lines(40, output.Prose(page)) == page.splitlines()
    assert lines(24, output.Prose(page)) == [
        "A paragraph of two", "lines, and one more", "word.", "",
        "    y = a x + b,   c = d", "", "The end.",
    ]  # fmt: skip
    assert lines(20, output.Prose(page))[-4:] == [
        "    y = a x + b,   c",
        "      = d",
        "",
        "The end.",
    ]


def on_terminal(width, *argv, **environment):
    """What a command writes to a terminal of so many columns, without colours."""
    import fcntl
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "glassgrad", *argv], stdin=slave, stdout=slave,
        stderr=subprocess.DEVNULL, env={**env, "TERM": "xterm", **environment},
    )  # fmt: skip
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
