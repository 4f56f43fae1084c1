"""`glassgrad list`: what it names, at several widths."""

import re
import sys

import pytest
from rich.cells import cell_len

from glassgrad import models
from tests.tools import call


def as_terminal(monkeypatch, width):
    """Standard output takes itself for a terminal of so many columns, without colours."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    for name, value in {"COLUMNS": str(width), "TERM": "xterm", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)


def test_list_names_all_systems_and_data(capsys, monkeypatch):
    code, out, _ = call(capsys, "list")
    assert code == 0 and len(out.splitlines()) <= 40 and "\x1b" not in out
    for family, names in models.FAMILIES.items():
        assert re.search(rf"^{family} +{len(names)}  \w+", out, re.M), family
    assert re.search(r"^images  .*\bmnist\b", out, re.M)
    code, everything, _ = call(capsys, "list", "models")
    assert code == 0 and "(MiniSom)" in everything
    for family, names in models.FAMILIES.items():
        code, out, _ = call(capsys, "list", family)
        listed = [line.split()[0] for line in out.splitlines() if line and line[0].islower()]
        assert code == 0 and [n for n in listed if n != "name"] == list(names)
        assert all(re.search(rf"^{name} ", everything, re.M) for name in names)
    _, out, _ = call(capsys, "list", "data")
    for name in ("digits", "mnist", "adding"):
        assert re.search(rf"^{name} ", out, re.M), name
    assert "scikit-learn" in out and "generated" in out


def test_list_breaks_no_word_at_80_columns(capsys, monkeypatch):
    as_terminal(monkeypatch, 80)
    code, out, _ = call(capsys, "list", "models")
    assert code == 0
    for name in models.names():
        assert set(models.recipe(name).title.split()) <= set(out.split()), name
    assert len(out.splitlines()) <= 4 * len(models.names())
    as_terminal(monkeypatch, 140)
    assert "(MiniSom)" in call(capsys, "list", "models")[1]


@pytest.mark.parametrize("width", [80, 140])
def test_list_gives_the_terms_of_each_data_set(capsys, monkeypatch, width):
    from glassgrad.core.data import entry, names

    as_terminal(monkeypatch, width)
    words = set(re.split(r"[\s;]+", call(capsys, "list", "data")[1]))
    assert {"LDC99T42", "BSD-3-Clause", "Apache-2.0"} <= words
    for name in names():
        assert set(re.split(r"[\s;]+", entry(name).terms)) <= words, name


def test_list_says_where_missing_data_belong(capsys, monkeypatch, tmp_path):
    from glassgrad.core.data import files

    monkeypatch.setattr(files, "REPOSITORY", tmp_path / "repository")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GLASSGRAD_DATA", raising=False)
    code, out, _ = call(capsys, "list", "data")
    assert code == 0 and "Systems" not in out
    assert f"missing: put it in {tmp_path}/cache/glassgrad/mnist" in out


@pytest.mark.parametrize("width", [80, 120])
def test_list_says_which_kinds_a_system_takes(capsys, monkeypatch, width):
    as_terminal(monkeypatch, width)
    for family in models.FAMILIES:
        out = re.sub(r"\x1b\[\d*m", "", call(capsys, "list", family)[1])
        assert max(map(cell_len, out.splitlines())) <= width
        head = next(line for line in out.splitlines() if line.startswith("name "))
        at, end = head.index("takes"), head.index("data")
        for name in models.FAMILIES[family]:
            takes = set(models.recipe(name).takes)
            takes -= {"binary"} if "table" in takes else set()
            lines = out.splitlines()
            first = next(i for i, line in enumerate(lines) if line.startswith(f"{name} "))
            below = [lines[first]]
            for line in lines[first + 1 :]:
                if not line.startswith(" "):
                    break
                below.append(line)
            cell = " ".join(line[at:end] for line in below)
            assert set(re.findall(r"\w+", cell)) == takes, name
