"""A line says what compiles; `compile` does it ahead; the doctor compiles nothing."""

import gc
import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from rich.console import Console

from glassgrad import progress
from glassgrad.cli import compiling as cli_compiling
from glassgrad.cli import main
from glassgrad.kernels import compiled, compiling, dropout, notice

FRESH = """
import numpy as np
from glassgrad.kernels import dropout, philox
dropout.forward(np.ones(64, "float32"), 0.5, 1, 0)
philox.bits(1, 0, 8)
"""


def python(code: str, cache) -> subprocess.CompletedProcess:
    env = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    env["XDG_CACHE_HOME"] = str(cache)
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)


@pytest.mark.slow
def test_one_line_where_something_is_compiled_and_none_where_nothing_is(tmp_path):
    cold, warm = python(FRESH, tmp_path), python(FRESH, tmp_path)
    assert (cold.returncode, warm.returncode, warm.stderr) == (0, 0, ""), warm.stderr
    (line,) = cold.stderr.splitlines()
    assert line.startswith("glassgrad: compiling CPU kernels, beginning with dropout.cpu._")
    assert "once on this machine" in line and "glassgrad compile" in line


def test_the_line_says_so_where_nothing_is_kept(capsys, monkeypatch):
    monkeypatch.setattr(notice, "_said", set())
    for name in "a", "b":
        compiling.begin(name, kept=False)
        compiling.begin("inside", kept=False)
        compiling.end()
        compiling.end()
    (line,) = capsys.readouterr().err.splitlines()
    assert "beginning with a: " in line and "in every process, as no folder can keep them" in line


def test_garbage_is_not_looked_for_while_numba_compiles():
    """And the program's own settings stay, also those that it makes meanwhile."""
    before = gc.get_threshold()
    compiling.begin("a", backend="emulated")  # another process does the work
    assert gc.get_threshold() == before
    compiling.begin("b")
    compiling.end()
    compiling.end()
    compiling.begin("a")
    compiling.begin("b")
    compiling.end()
    assert gc.get_threshold()[0] == compiling.NEVER
    with ThreadPoolExecutor(1) as other:
        other.submit(compiling.begin, "c").result()
        compiling.end()
        assert gc.get_threshold()[0] == compiling.NEVER
        other.submit(compiling.end).result()
    assert gc.isenabled() and gc.get_threshold() == before
    compiling.begin("a")
    gc.disable()
    compiling.end()
    try:
        assert not gc.isenabled() and gc.get_threshold() == before
        compiling.begin("a")
        gc.enable()
        compiling.end()
        assert gc.isenabled() and gc.get_threshold() == before
        compiling.begin("a")
        gc.set_threshold(123, 4, 5)
        compiling.end()
        assert gc.get_threshold() == (123, 4, 5)
    finally:
        gc.enable()
        gc.set_threshold(*before)


@pytest.mark.parametrize("backend", ["numba", "emulated"])
def test_the_line_of_compile_does_not_send_to_itself(capsys, monkeypatch, backend):
    def job():
        compiling.begin("a", backend=backend)
        compiling.end()

    monkeypatch.setattr(notice, "_said", set())
    monkeypatch.setattr(cli_compiling, "_jobs", lambda *_: [("a", job)])
    assert main(["compile", "--backend", backend]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("beginning with a: a few minutes for all, once on this machine")
    notice._said.clear()
    job()
    assert "glassgrad compile" in capsys.readouterr().err


def test_the_bar_of_a_training_counts_what_is_compiled(monkeypatch):
    written = io.StringIO()
    shown = Console(
        file=written, force_terminal=True, force_interactive=True, width=120, legacy_windows=False
    )
    monkeypatch.setattr(progress, "console", lambda: shown)
    display = progress.Live()
    display.start("GRU", epochs=2, batches=10)
    for name in "gru.cpu._forward", "gru.cpu._backward":
        compiling.begin(name)
        compiling.end()
    assert display.bar.tasks[0].description == "compiling gru.cpu._backward, no. 2"
    display.step(0, 1, {"loss": 1.0})
    assert display.bar.tasks[0].description == "epoch 1/2"
    display.finish()
    assert display.compiling not in compiling._watchers


def test_nothing_is_compiled_where_that_is_forbidden(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "cache_folder", lambda: None)

    @compiled.njit
    def double(x):
        return 2 * x

    with compiling.nothing_compiled(), pytest.raises(compiling.NotCompiled, match="double is not"):
        double(1)
    assert double(1) == 2
    with compiling.nothing_compiled():
        assert double(1) == 2


@pytest.mark.slow
def test_the_doctor_compiles_nothing(tmp_path):
    code = "import sys; from glassgrad.cli import main; sys.exit(main(['doctor']))"
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "compiling" not in done.stderr and not list(tmp_path.rglob("*.code"))
    assert not list(tmp_path.rglob("*.so")) and "not tried" in done.stdout


def test_compile_says_what_it_did(capsys):
    """Dropout is compiled already or is now; what a run calls then is there."""
    assert main(["compile", "dropout"]) == 0
    assert "compiled in" in capsys.readouterr().out
    with compiling.nothing_compiled():
        dropout.forward(np.ones(8, "float32"), 0.5, 1, 0)
    assert main(["compile", "dropout"]) == 0
    assert capsys.readouterr().out.startswith("0 functions compiled")


def test_compile_knows_its_operations(capsys):
    assert main(["compile", "dropuot"]) == 1
    assert "did you mean 'dropout'" in capsys.readouterr().err
