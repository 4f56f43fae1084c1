"""A kernel's library: compiled once, and again where it is damaged; errors say where and why."""

import time

import numpy as np
import pytest

from glassgrad.kernels import BackendError
from glassgrad.kernels.emulator import compiler, watching
from glassgrad.kernels.errors import CompileError
from tests.kernels.emulating import HEAD, needs_compiler, source

pytestmark = needs_compiler

COPY = """
extern "C" __global__ void k(const real* x, real* y, int n) {
  y[0] = x[0];
}
"""
X, Y = np.zeros(4, "float32"), np.zeros(4, "float32")


def test_a_compile_error_has_our_path_and_line(tmp_path):
    with pytest.raises(CompileError, match=r"planted\.cu:3:.*nowhere"):
        source(tmp_path, 'extern "C" __global__ void k(real* y) {\n  y[0] = nowhere;\n}').launch(
            "k", 1, 1, Y
        )


def test_without_a_compiler_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    compiler.compiler.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    try:
        with pytest.raises(BackendError, match="install g\\+\\+"):
            source(tmp_path, COPY + "// not in any cache").launch("k", 1, 1, X, Y, 1)
    finally:
        compiler.compiler.cache_clear()


def test_compiled_once_for_the_same_content(tmp_path):
    made = source(tmp_path, COPY + f"// {time.time_ns()}")
    first = compiler.library(made.text, "float", "int", False)
    before = first.stat().st_ino
    again = source(tmp_path, made.path.read_text().removeprefix(HEAD))
    assert compiler.library(again.text, "float", "int", False).stat().st_ino == before


@pytest.mark.parametrize("harm", ["cut", "changed", "empty", "gone"])
def test_a_library_that_was_damaged_is_compiled_again(tmp_path, harm):
    """Each time in a process of its own: this one has the library in its memory."""
    made = source(tmp_path, COPY + f"// {time.time_ns()}")
    path = compiler.library(made.text, "float", "int", False)
    whole = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        middle = len(whole) // 2
        changed = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        path.write_bytes({"cut": whole[:middle], "empty": b"", "changed": changed}[harm])
    x, y = np.ones(4, "float32"), np.zeros(4, "float32")
    made.launch("k", 1, 1, x, y, 1)
    assert y[0] == 1 and path.stat().st_size == len(whole)


def test_a_library_that_was_removed_in_use_still_names_lines(tmp_path):
    text = 'extern "C" __global__ void k(real* y, int n) { y[n] = 1; }'
    made = source(tmp_path, text + f"// {time.time_ns()}")
    for _ in range(2):
        with watching() as report:
            made.launch("k", 1, 1, np.zeros(4, "float32"), 4)
        assert [(f.kind, f.line) for f in report.findings] == [("out of bounds", 2)]
        compiler.library(made.text, "float", "int", True).unlink()


def program(tmp_path, script):
    path = tmp_path / "g++"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    "script, says",
    [
        ("echo 'fatal error: cstdint: No such file' >&2; exit 1", "cannot compile .* cstdint"),
        ("exit 3", "cannot compile .* nothing, and ends with code 3"),
        (None, "cannot be run: No such file"),
    ],
)
def test_a_compiler_that_cannot_compile_says_what_failed(tmp_path, script, says):
    path = program(tmp_path, script) if script else str(tmp_path / "none")
    with pytest.raises(BackendError, match=says):
        compiler.trial(path)


def test_the_doctor_tries_the_compiler(tmp_path, monkeypatch):
    from glassgrad.core import machine

    works, said = machine.emulator()
    assert works and said.startswith(compiler.compiler())
    monkeypatch.setenv("CXX", program(tmp_path, "echo 'error: no linker' >&2; exit 1"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    compiler.compiler.cache_clear()
    try:
        works, said = machine.emulator()
        assert not works and "no linker" in said
        assert "no linker" in machine.compilers()["g++"]
    finally:
        compiler.compiler.cache_clear()
