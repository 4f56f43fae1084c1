"""What compiles kernels for the emulator, where they are kept, and processes that share them."""

import ctypes
import os
import shutil
import sys
import threading
import time

import numpy as np
import pytest

from glassgrad.kernels import BackendError, notice
from glassgrad.kernels.emulator import compiler, watching
from tests.kernels.emulating import marked, needs_compiler, numbers, source

pytestmark = needs_compiler
ONE = 'extern "C" __global__ void k(float* y) { y[threadIdx.x] = 1; }'


@pytest.fixture
def command(monkeypatch):
    """Sets the compiler's command for one test."""

    def set_command(words):
        monkeypatch.setenv("CXX", words)
        compiler.compiler.cache_clear()

    yield set_command
    compiler.compiler.cache_clear()


@pytest.mark.skipif(not shutil.which("clang++"), reason="clang++ is not installed")
def test_clang_builds_both_modes(tmp_path, command):
    text = """
struct Three { float a, b, c; };
extern "C" __global__ void k(float* y, const float* x, int* count) {
  __shared__ float s[32];
  s[threadIdx.x] = x[threadIdx.x];
  atomicAdd(count, 1);
  __syncthreads();
  y[threadIdx.x] += s[31 - threadIdx.x];
  ((Three*)y)[16 + threadIdx.x] = ((const Three*)x)[threadIdx.x];
  if (blockIdx.x == 1) y[0] = 1;  // <-
}
"""
    command("clang++")
    compiler.trial(compiler.compiler())
    made = source(tmp_path, text)
    for blocks in 1, 2:
        with watching() as report:
            made.launch("k", blocks, 32, numbers(144), numbers(96), np.zeros(1, "int32"))
        assert {f.kind for f in report.findings} == ({"race"} if blocks == 2 else set())
    assert marked(made) in {f.line for f in report.findings}
    loads = {(s.array, s.size, s.requests) for s in report.sites if s.access == "load"}
    assert {("y", 4, 2), ("x", 4, 2), ("x", 4, 6)} <= loads, "also what `+=` reads, and structures"
    made.launch("k", 1, 32, numbers(144), numbers(96), np.zeros(1, "int32"))


def test_the_command_may_have_options(tmp_path, command):
    program = compiler.compiler()
    command(f"{program} -fno-common '-DTWO WORDS'")
    assert compiler.compiler() == f"{program} -fno-common '-DTWO WORDS'"
    command("no-such-program -O3")
    with pytest.raises(BackendError, match="CXX is 'no-such-program -O3', not a program"):
        compiler.compiler()
    command("g++ 'open")
    with pytest.raises(BackendError, match="not a program"):
        compiler.compiler()


def test_the_trial_builds_both_modes(monkeypatch):
    said = []
    monkeypatch.setattr(compiler, "_run", lambda command, *options, cwd: said.append(options))
    monkeypatch.setattr(compiler, "_runtime", lambda instrumented, command: "runtime.o")
    compiler.trial.__wrapped__(compiler.compiler())
    compiled = [o for o in said if "kernel.cpp" in o]
    assert ["-DGLASSGRAD_INSTRUMENTED" in o for o in compiled] == [False, True]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own, which knows a runtime already."""
    runtimes = [compiler._runtime(w, compiler.compiler()) for w in (False, True)]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    compiler.cache_folder.cache_clear()
    folder = compiler.cache_folder()
    for runtime in runtimes:
        shutil.copy(runtime, folder)
    yield folder
    compiler.cache_folder.cache_clear()


def test_the_cache_may_go_while_the_process_lives(tmp_path, cache, monkeypatch):
    made, y = source(tmp_path, ONE), np.zeros(4, "float32")
    made.launch("k", 1, 4, y)
    kept = shutil.copytree(cache, tmp_path / "kept")
    shutil.rmtree(cache.parent)
    with monkeypatch.context() as none:
        none.setattr(compiler, "_run", None)
        made.launch("k", 1, 4, y)  # nothing is compiled
    assert (y == 1).all() and not cache.exists()
    assert compiler._kept("k", ".o", ("text",), lambda _, path: path.touch(), "c++").is_file()
    shutil.copytree(kept, cache, dirs_exist_ok=True)
    source(tmp_path, ONE.replace("= 1", "= 2")).launch("k", 1, 4, y)
    assert (y == 2).all()


def test_a_folder_in_a_library_s_place_is_replaced_or_named(tmp_path, cache, monkeypatch, capfd):
    monkeypatch.setattr(notice, "_said", set())
    made, y = source(tmp_path, ONE), numbers(1)
    path = compiler.library(made.text, "float", "int", False)
    path.unlink()
    path.mkdir()
    with monkeypatch.context() as busy:
        busy.setattr(shutil, "rmtree", lambda path: os.rmdir(path / "not there"))
        with pytest.raises(BackendError, match=rf"{path.name}: No such file.* remove it"):
            made.launch("k", 1, 1, y)
    made.launch("k", 1, 1, y)
    assert y[0] == 1 and path.is_file()
    assert f"{path} is not an ordinary file: removed, and" in capfd.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_library_that_was_checked_is_loaded(tmp_path, cache, monkeypatch):
    """Not the one that its path leads to a moment later; and never one loaded before."""
    real, before = ctypes.CDLL, len(os.listdir("/proc/self/fd"))
    for number in 1, 2, 3:
        made = source(tmp_path, ONE.replace("= 1", f"= {number}"))
        path = compiler.library(made.text, "float", "int", False)
        other = source(tmp_path, ONE.replace("= 1", f"= {10 + number}"))
        wrong = compiler.library(other.text, "float", "int", False)

        def load(name, path=path, wrong=wrong, **options):
            os.replace(wrong, path)
            return real(name, **options)

        monkeypatch.setattr(ctypes, "CDLL", load)
        y = numbers(1)
        made.launch("k", 1, 1, y)
        assert y[0] == number
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_waits_for_a_launch(tmp_path):
    text = """
extern "C" __global__ void k(double* y, int n) {
  double x = 0;
  for (int i = 0; i < n; ++i) x = x * 0.5 + 1;
  y[threadIdx.x] = x;
}
"""
    made = source(tmp_path, text)
    made.launch("k", 1, 1, np.zeros(1), 10)
    other = threading.Thread(target=made.launch, args=("k", 1, 1, np.zeros(1), 200_000_000))
    other.start()
    time.sleep(0.05)
    child = os.fork()
    if child == 0:
        y = np.zeros(1)
        made.launch("k", 1, 1, y, 100)
        os._exit(0 if np.allclose(y, 2) else 1)
    other.join()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        time.sleep(0.02)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        pytest.fail("the child hangs")
    assert status == 0


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_what_a_watched_launch_needs_is_given_back(tmp_path):
    """Neither the shadow of what is not touched nor all requests of a long loop are kept."""

    def peak():
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) >> 10 for line in file if line.startswith("VmHWM"))

    text = """
extern "C" __global__ void k(const float* x, float* y, int n) {
  float s = 0;
  for (int i = 0; i < n; ++i) s += x[(i + threadIdx.x) & 1023];
  y[threadIdx.x] = s;
}
"""
    made, large = source(tmp_path, text), np.zeros(4 << 20, "float32")
    with watching():
        made.launch("k", 1, 32, numbers(1024), numbers(32), 10)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak starts again
    before = peak()
    with watching() as report:
        made.launch("k", 1, 32, large, numbers(32), 200_000)
    (load,) = [s for s in report.sites if s.access == "load"]
    assert (load.requests, load.lanes) == (200_000, 6_400_000) and not report.findings
    assert peak() - before < 60, "MiB; 16 of them are the copy of the array"


@pytest.mark.parametrize("damage", ["emptied", "cut", "bit", "written by others"])
def test_a_damaged_library_is_made_again(tmp_path, cache, damage, capfd, monkeypatch):
    monkeypatch.setattr(notice, "_said", set())
    made, y = source(tmp_path, ONE), np.zeros(4, "float32")
    path = compiler.library(made.text, "float", "int", False)
    whole = bytearray(path.read_bytes())
    if damage == "written by others":
        path.chmod(0o722)
    else:
        whole[len(whole) // 2] ^= damage == "bit"
        path.write_bytes({"emptied": b"", "cut": whole[: len(whole) // 2], "bit": whole}[damage])
    made.launch("k", 1, 4, y)
    assert (y == 1).all()
    said = capfd.readouterr().err
    why = "can be written by others (mode 722)" if "others" in damage else "is damaged"
    assert f"{path} {why}: removed, and compiled again\n" in said
    assert compiler.stored(path) is not None
