"""The tool kills mutants that are wrong, lets the others pass, and its list is whole."""

import ast
import doctest
import shlex
import signal
from collections import Counter

import pytest

from tests.mutants import __main__, operators, results, running
from tests.mutants.child import ROOT
from tests.mutants.operators import apply, mutants
from tests.mutants.table import TESTS

REDUCTIONS, ELU = "core/functions/reductions.py", "core/functions/activations.py"


def planted(file, function, before, after):
    source = (ROOT / file).read_text(encoding="utf-8")
    found = [
        m
        for m in mutants(file, source)
        if (m.function, m.before, m.after) == (function, before, after)
    ]
    assert len(found) == 1
    return found[0]


def test_a_mutant_that_is_wrong_is_killed_by_the_test_that_notices(monkeypatch):
    mutant = planted(REDUCTIONS, "mean", "n > 0", "n <= 0")
    monkeypatch.setitem(TESTS, REDUCTIONS, ["tests/core/test_functions.py -k mean_of_equal"])
    killer = running.judge(mutant).by
    assert killer == "tests/core/test_functions.py::test_the_mean_of_equal_values_is_that_value[3]"
    assert running.wrong_killers(REDUCTIONS, [killer]) == ""


def test_a_mutant_that_changes_nothing_survives(monkeypatch):
    """At 0 both branches give 0."""
    mutant = planted(ELU, "elu", "x > 0", "x >= 0")
    monkeypatch.setitem(TESTS, ELU, ["tests/core/test_functions.py -k elu"])
    assert running.judge(mutant).by is None


@pytest.mark.parametrize(
    "source, verdict",
    [("while True:\n    pass", "time"), ("import os\nos.abort()", "SIGABRT"), ("1 / 0", "tests/")],
)
def test_hanging_dying_and_failing_to_import_are_noticed(source, verdict, monkeypatch):
    mutant = planted(REDUCTIONS, "mean", "n > 0", "n <= 0")
    monkeypatch.setattr(running, "apply", lambda text, mutant: source)
    monkeypatch.setitem(TESTS, REDUCTIONS, ["tests/core/test_functions.py -k mean_of_equal"])
    assert running.judge(mutant, limit=2).by.startswith(verdict)


def test_a_killer_that_fails_without_a_mutant_is_no_killer(tmp_path):
    test = tmp_path / "test_always.py"
    test.write_text(
        "import os\ndef test_fails():\n    assert False\ndef test_dies():\n    os._exit(0 - 9)\n"
        "def test_aborts():\n    os.abort()\n",
        encoding="utf-8",
    )
    for name, status in (("fails", 1), ("dies", 247), ("aborts", -signal.SIGABRT)):
        said = running.wrong_killers(REDUCTIONS, [f"{test}::test_{name}"])
        assert f"{REDUCTIONS} ended with {status}" in said


def test_killers_that_are_no_tests_are_confirmed_by_all_the_tests(tmp_path, monkeypatch):
    test = tmp_path / "test_file.py"
    monkeypatch.setitem(TESTS, REDUCTIONS, [str(test)])
    killers = ["time", "SIGABRT", "tests/core/test_functions.py"]
    test.write_text("def test_passes():\n    pass\n", encoding="utf-8")
    assert running.wrong_killers(REDUCTIONS, killers) == ""
    test.write_text("1 / 0\n", encoding="utf-8")
    for killer in killers:
        assert "ZeroDivisionError" in running.wrong_killers(REDUCTIONS, [killer])
    test.write_text("while True:\n    pass\n", encoding="utf-8")
    assert "ended with -24" in running.wrong_killers(REDUCTIONS, ["time"], limit=1)


def test_no_verdict_is_kept_of_a_file_whose_killers_are_unfair(monkeypatch):
    mutant = planted(REDUCTIONS, "mean", "n > 0", "n <= 0")
    monkeypatch.setattr(__main__, "judge", lambda mutant: running.Verdict("SIGABRT", 0.0))
    monkeypatch.setattr(__main__, "wrong_killers", lambda file, killers: "they fail")
    with pytest.raises(running.TableError, match="they fail"):
        next(__main__._judged([mutant]))
    monkeypatch.setattr(__main__, "wrong_killers", lambda file, killers: "")
    assert [m for m, _ in __main__._judged([mutant, mutant])] == [mutant, mutant]


def test_tests_that_do_not_exist_are_an_error_of_the_table(monkeypatch):
    mutant = planted(REDUCTIONS, "mean", "n > 0", "n <= 0")
    monkeypatch.setitem(TESTS, REDUCTIONS, ["tests/core/test_functions.py -k no_such_test"])
    with pytest.raises(running.TableError, match="ended with 5"):
        running.judge(mutant)


@pytest.mark.slow
def test_a_compiled_mutant_is_compiled_and_not_taken_from_the_cache(monkeypatch):
    file = "kernels/dropout/cpu.py"
    mutant = planted(file, "_keep", "x[i] * scale", "scale")
    assert running.judge(mutant).by.startswith("tests/mutants/contract.py::")


def test_every_mutant_differs_from_the_source_and_is_python():
    file = "core/functions/softmax.py"
    source = (ROOT / file).read_text(encoding="utf-8")
    found = mutants(file, source)
    assert len({m.key for m in found}) == len(found) > 100
    texts = [apply(source, m) for m in found[::5]]
    assert ast.unparse(ast.parse(source)) not in texts and all(map(ast.parse, texts))


@pytest.mark.parametrize(
    "source",
    [
        '"""x > 0"""',
        "import numpy as np",
        "def f(x: int = None) -> 'a': ...",
        "raise_ = f'{1 + 1}'",
        "@njit(fastmath=True)\ndef f(x): ...",
    ],
)
def test_what_no_value_depends_on_is_left_alone(source):
    assert not mutants("f.py", source)


def test_of_a_check_only_the_condition_is_changed():
    found = mutants("f.py", 'expect(n > 0, "f", "at least one", "> 0", n + 1)')
    assert Counter(m.operator for m in found) == {
        "comparison": 2,
        "constant": 2,
        "removed statement": 1,
    }


def test_the_examples_of_the_operators_run():
    done = doctest.testmod(operators)
    assert done.attempted and not done.failed


def test_the_table_names_the_tests_of_every_file():
    files = {
        path.relative_to(ROOT).as_posix()
        for glob in (
            *("core/functions/*.py", "kernels/*/reference.py", "kernels/*/cpu.py"),
            "kernels/*/rungs/*.py",
        )
        for path in ROOT.glob(glob)
        if path.name != "__init__.py"
    }
    assert files <= set(TESTS)
    for stages in TESTS.values():
        for stage in stages:
            paths = [word for word in shlex.split(stage) if word.endswith(".py")]
            assert paths and all((ROOT / path).is_file() for path in paths), stage


def test_the_list_has_no_survivor_without_a_reason():
    kept = results.load()
    assert results.unexplained(kept) == []
    assert len({results.key(r) for r in kept["mutants"]}) == len(kept["mutants"])
    for number, run in enumerate(kept["runs"], 1):
        assert run["ran"] == sum(r["run"] == number for r in kept["mutants"]) > 0
        assert run["commit"] and run["ran"] == run["count"]
    for row in kept["mutants"]:
        assert (ROOT / row["file"]).is_file()
        ends = [row["killed by"], *map(row.get, results.REASONS)]
        assert sum(map(bool, ends)) == 1, row


def test_what_the_list_excuses_is_in_the_source():
    """A reason says why a line of today's code cannot be tested."""
    excused = [r for r in results.load()["mutants"] if results.excused(r)]
    assert __main__.gone(excused) == []
    assert __main__.gone([{**excused[0], "line": "no such line"}])
