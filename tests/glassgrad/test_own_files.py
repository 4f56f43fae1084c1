"""Errors in files of one's own name the line there, and show none of ours."""

import pytest

from glassgrad import cli
from glassgrad.cli import own_files
from tests.tools import call

NET = """
import glassgrad as gg


class Net(gg.nn.Module):
    def __init__(self, data, s, rng):
        self.a = gg.nn.Linear(64, 16, rng=rng.child("a"))
        self.b = gg.nn.Linear(16, 10, rng=rng.child("b"))

    def forward(self, x):
        return self.b(gg.tanh(self.a(x.reshape((len(x), -1)))))
"""


@pytest.fixture
def train(tmp_path, monkeypatch, capsys):
    """Trains NET with a change; returns the exit code and what is printed as an error."""
    monkeypatch.chdir(tmp_path)

    def trained(before, after):
        assert NET.count(before) == 1
        (tmp_path / "mine.py").write_text(NET.replace(before, after))
        code, _, err = call(capsys, "train", "mine.py")
        assert not (tmp_path / "runs").exists()
        return code, err

    return trained


def test_a_shape_that_does_not_fit(train):
    code, err = train("Linear(16, 10", "Linear(17, 10")
    line, place = err.splitlines()
    assert code == 1 and line.startswith("glassgrad: linear: x's last axis must equal")
    assert place == "  at mine.py:11: return self.b(gg.tanh(self.a(x.reshape((len(x), -1)))))"


@pytest.mark.parametrize(
    "before, after, error, number",
    [
        ("data, s, rng):", "data, s, rng):\n        s.hiden", "AttributeError", 7),
        ('rng.child("b"))', 'rng.child("b")) +', "SyntaxError", 8),
        ("gg.tanh", "tanh", "NameError", 11),
        ("import glassgrad as gg", "import glassgrad\nimport nowhere", "ModuleNotFoundError", 3),
    ],
)
def test_the_traceback_begins_in_the_own_file(train, before, after, error, number, monkeypatch):
    code, err = train(before, after)
    frames = [line for line in err.splitlines() if line.startswith("  File ")]
    assert code == 1 and f'mine.py", line {number}' in frames[0]
    assert all("mine.py" in line for line in frames)
    assert err.splitlines()[-1].startswith(error)
    monkeypatch.setenv("GLASSGRAD_DEBUG", "1")
    assert "cli/train.py" in train(before, after)[1]


def test_the_cause_of_an_error_is_shown(train):
    err = train(
        "        return self.b",
        "        try:\n            1 / 0\n        except ZeroDivisionError as e:\n"
        "            raise ValueError('x') from e\n        return self.b",
    )[1]
    assert "ZeroDivisionError: division by zero" in err and "ValueError: x" in err
    assert "cli/train.py" not in err


def test_a_file_that_the_own_file_opens(train):
    code, err = train("self.a = gg", "open('w.bin')\n        self.a = gg")
    assert code == 1 and err == (
        "glassgrad: w.bin: No such file or directory\n  at mine.py:7: open('w.bin')\n"
    )


@pytest.mark.parametrize(
    "before, after, says",
    [
        ("def forward", "def foward", "has no forward(self, x); did you mean 'foward'?"),
        ("nn.Module", "System", "has no objective(self, batch)"),
        ("        return self", "        self", "forward must return a tensor; got NoneType"),
        (
            "class Net(gg.nn.Module):\n",
            "class S(gg.TrainingSettings):\n    hidden = 3\n\n\n"
            "class Net(gg.nn.Module):\n    settings = S\n\n",
            "S.hidden is no setting without its type, hidden: int = 3",
        ),
    ],
)
def test_slips_in_a_class_are_a_line(train, before, after, says):
    code, err = train(before, after)
    assert code == 1 and says in err and len(err.splitlines()) == 1


def test_a_constructor_that_takes_nothing(train):
    code, err = train("(self, data, s, rng)", "(self)")
    assert code == 1 and err == (
        "glassgrad: Net must be made from the data, the settings and a generator,"
        " __init__(self, data, s, rng); it takes ()\n"
    )


def test_an_error_of_ours_keeps_its_whole_traceback(monkeypatch):
    def broken(args):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("glassgrad.cli.doctor.run", broken)
    with pytest.raises(ZeroDivisionError) as error:
        cli.main(["doctor"])
    assert own_files.told(error.value) == own_files.place(error.value) == ""


@pytest.mark.parametrize(
    "given, hint",
    [
        (("--epochs", "3"), "--set epochs=3"),
        (("--lr=0.1",), "--set lr=0.1"),
        (("--hidden", "64"), "--set hidden=64"),
        (("--epochs", "--quiet"), "--set epochs=…"),
        (("--resum", "x"), "did you mean '--resume'?"),
        (("--quite",), "did you mean '--quiet'?"),
    ],
)
def test_settings_are_no_options(given, hint, capsys):
    code, _, err = call(capsys, "train", "vae", *given)
    assert code == 2 and f"unknown argument '{given[0]}'; " in err and hint in err


@pytest.mark.parametrize("name", ["mine:Net", "mine"])
def test_a_file_is_named_with_its_ending(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(NET)
    err = call(capsys, "show", name)[2]
    assert f"did you mean the file {name.replace('mine', 'mine.py')}?" in err


def test_what_is_written_is_named_as_what_it_is(tmp_path, capsys):
    for command, ending in (("compare", ".html"), ("predict", ".csv")):
        given = ("a", "b") if command == "compare" else ("a",)
        code, _, err = call(capsys, command, *given, "--out", str(tmp_path / "said.txt"))
        assert code == 2 and f"let the name of the file end in {ending}" in err
