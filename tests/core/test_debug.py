"""GLASSGRAD_DEBUG: what each level prints, and that level 3 stops where the first NaN is made."""

import os
import subprocess
import sys

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import debug
from glassgrad.kernels.debug import switches
from glassgrad.kernels.errors import GlassgradError
from glassgrad.kernels.launcher import empty
from glassgrad.kernels.numba_here import default_on_cpu
from tests.kernels.checking import why_no_emulator
from tests.tools import without_compiling


def conv():
    return gg.relu(gg.conv2d(gg.ones((1, 1, 3, 3)), gg.ones((1, 1, 2, 2))))


def test_level_0_prints_nothing(capsys):
    conv()
    out, err = capsys.readouterr()
    assert (out, without_compiling(err)) == ("", "")


def test_level_1_names_the_backend_of_each_call(capsys):
    with gg.debugging(1):
        conv()
        with gg.backend("reference"):
            conv()
    lines = without_compiling(capsys.readouterr().err).splitlines()
    assert lines[0].startswith(f"[glassgrad] conv2d -> {default_on_cpu()} v")
    assert lines[1] == "[glassgrad] relu -> array library"
    assert lines[2] == "[glassgrad] conv2d -> reference v1"
    assert not any("GB/s" in line for line in lines)


def test_level_2_adds_time_and_bandwidth(capsys):
    with gg.debugging(2):
        gg.exp(gg.ones((100, 100)))
    (line,) = capsys.readouterr().err.splitlines()
    words = line.split()
    assert words[1:5] == ["exp", "->", "array", "library"]
    assert words[6] == "ms" and words[8] == "GB/s"
    milliseconds, rate = float(words[5]), float(words[7])
    assert milliseconds > 0 and rate > 0


def test_fused_backward_kernels_are_reported(capsys):
    x, h = gg.ones((2, 1, 2), requires_grad=True), gg.ones((1, 2))
    y = gg.lstm(x, h, h, gg.ones((8, 2)), gg.ones((8, 2)))[0]
    with gg.debugging(1):
        gg.grad(y, x, np.ones(y.shape))
    assert f"[glassgrad] lstm_backward -> {default_on_cpu()} v" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_level_3_stops_at_the_first_nan_and_shows_the_line():
    x = gg.tensor([1.0, -1.0])
    with gg.debugging(3), pytest.raises(gg.NonFiniteError) as error:
        y = gg.exp(x) + 1
        z = gg.log(x)  # the culprit
        y * z
    message = str(error.value)
    assert message.startswith("log: made the first NaN; all its inputs were finite (arg0=(2,) floa")
    where = message.splitlines()[1]
    assert __file__ in where and where.endswith("z = gg.log(x)  # the culprit")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_level_3_knows_inf_and_inputs_that_were_bad():
    with gg.debugging(3):
        with pytest.raises(
            gg.NonFiniteError, match=r"exp: made the first Inf; all its inputs were"
        ):
            gg.exp(gg.tensor([1000.0]))
        with pytest.raises(gg.NonFiniteError, match=r"add: .* an input already was not finite"):
            gg.tensor([np.nan]) + 1.0
    assert np.isinf(gg.exp(gg.tensor([1000.0])).item())  # level 0 lets it pass


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_level_3_names_the_line_that_asked_for_the_gradient():
    x = gg.tensor([0.0], requires_grad=True)
    with gg.debugging(3):
        y = gg.sqrt(x)
        with pytest.raises(gg.NonFiniteError) as error:
            y.backward()  # 1/(2√0)
    assert str(error.value).startswith("div: made the first Inf")
    assert str(error.value).endswith("y.backward()  # 1/(2√0)")


PROGRAM = """
import glassgrad as gg
x = gg.tensor([4.0, -4.0])
y = gg.tanh(x)
z = gg.sqrt(x)
print("not reached")
"""


def run(level, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    return subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "GLASSGRAD_DEBUG": level, "PYTHONWARNINGS": "ignore"},
    )


def test_the_environment_sets_the_level(tmp_path):
    done = run("3", tmp_path)
    assert done.returncode == 1 and "not reached" not in done.stdout
    assert "[glassgrad] tanh -> array library" in done.stderr
    assert "NonFiniteError: sqrt: made the first NaN" in done.stderr
    assert f"at {tmp_path / 'program.py'}:5: z = gg.sqrt(x)" in done.stderr


def test_a_level_that_does_not_exist(tmp_path):
    done = run("7", tmp_path)
    assert done.returncode == 1
    assert "GLASSGRAD_DEBUG must be one of 0, 1, 2, 3, 4; got '7'" in done.stderr
    with (
        pytest.raises(GlassgradError, match="level must be 0, 1, 2, 3 or 4; got 5"),
        gg.debugging(5),
    ):
        pass


def test_levels_nest_and_end_after_an_error():
    before = debug.level()
    with gg.debugging(1):
        with pytest.raises(KeyError), gg.debugging(2):
            assert debug.level() == 2
            raise KeyError
        assert debug.level() == 1
    assert debug.level() == before


def test_level_3_poisons_the_outputs_of_cuda_kernels():
    """A kernel that forgets to write must not show what the memory held before."""
    before = switches.poison
    with gg.debugging(3):
        assert np.isnan(empty(np.zeros(3, np.float32), (2, 5))).all()
        with gg.debugging(2):
            assert not switches.poison
    assert switches.poison == before


@pytest.mark.slow
@pytest.mark.skipif(bool(why_no_emulator()), reason=why_no_emulator() or "a compiler is there")
def test_level_4_prints_what_the_compiler_is_asked(capsys, monkeypatch, tmp_path):
    from glassgrad.kernels.emulator import compiler
    from glassgrad.kernels.emulator.launch import _library

    def said():
        _library.cache_clear()
        with gg.debugging(4), gg.kernels.backend("emulated"):
            gg.kernels.dropout.forward(np.ones(8, np.float32), 0.5, 1, 0)
        return capsys.readouterr().err

    compiler.cache_folder.cache_clear()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    try:
        first, second = said(), said()
    finally:
        monkeypatch.undo()
        compiler.cache_folder.cache_clear()
    assert "-c kernel.cpp -o kernel.o" in first and "in the cache" not in first
    assert second.count("is in the cache") == 2 and " -c " not in second
