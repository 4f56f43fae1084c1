"""What is printed: never folded in a pipe; on a terminal folded between figures and words only."""

import io
import re
from itertools import pairwise

import pytest

from glassgrad.core import terminal

PATH = "/a rather long/folder that/no terminal/of eighty columns/would take in/one line/" + 60 * "x"
ROWS = [("loss", 0.25, "the mean over a batch of what each of its samples costs"), (PATH, 3, "")]


def screen(width):
    """(console, what it writes) of so many columns."""
    written = io.StringIO()
    return terminal._Console(
        file=written, force_terminal=True, color_system=None, width=width
    ), written


def lines(width, *things):
    console, written = screen(width)
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
    out = terminal.console()
    out.print(terminal.table(ROWS, "name", "value", "what it is", numbers=("value",), title="T"))
    out.print(terminal.Flow([PATH, "loss 0.25", PATH]))
    out.print(terminal.Prose(f"one\n  two {PATH}"))
    out.print(f"written: {PATH}")
    text = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    title, head, rule, first, second, flow, one, two, written = text.splitlines()
    assert head.split() == ["name", "value", "what", "it", "is"] and set(rule) == {"─"}
    assert first.split() == ["loss", "0.25", *ROWS[0][2].split()]
    assert second == f"{PATH}      3"
    assert flow == f"{PATH}  loss 0.25  {PATH}"
    assert (title, one, two, written) == ("T", "one", f"  two {PATH}", f"written: {PATH}")
    assert not re.search(r"[ \t]$", text, re.M)


@pytest.mark.parametrize("width", range(22, 140, 7))
def test_a_figures_name_and_value_never_part(width):
    figures = [f"{n} {v}" for n, v in [("loss", 0.123), ("valid_accuracy", 0.905), ("kl", 12)] * 4]
    found = lines(width, terminal.Flow(["epoch 1/3", *figures]))
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
    made = terminal.table(rows, "kernel", "backend", "median", "idea", "ratio",
                        numbers=("median", "ratio"), whole=("kernel",))  # fmt: skip
    text = "\n".join(lines(width, made))
    for cell in rows[0]:
        assert all(text.count(word) >= 2 for word in str(cell).split()), cell
    assert text.count("1.25 ms") == 2


def test_a_table_that_does_not_fit_becomes_names_and_values():
    made = terminal.table([("lenet", "4.2 ms", "", "1.20")], "name", "median", "note", "torch",
                        numbers=("median", "torch"))  # fmt: skip
    assert lines(16, made) == ["lenet", "  median 4.2 ms", "  torch 1.20"]
    assert lines(25, made)[0] == "lenet  median 4.2 ms"
    assert lines(12, terminal.table([(2, "tiles", "1.25 ms")], "v", "idea", "median")) == [
        "v 2",
        "  idea tiles",
        "  median",
        "  1.25 ms",
    ]
    assert lines(26, made)[0].split() == ["name", "median", "note", "torch"]


def test_a_page_keeps_its_lines_where_they_fit_and_is_filled_elsewhere():
    page = "A paragraph\nof two lines, and one more word.\n\n    y = a x + b,   c = d\n\nThe end."
    assert lines(40, terminal.Prose(page)) == page.splitlines()
    assert lines(24, terminal.Prose(page)) == [
        "A paragraph of two", "lines, and one more", "word.", "",
        "    y = a x + b,   c = d", "", "The end.",
    ]  # fmt: skip
    assert lines(20, terminal.Prose(page))[-4:] == [
        "    y = a x + b,   c",
        "      = d",
        "",
        "The end.",
    ]
