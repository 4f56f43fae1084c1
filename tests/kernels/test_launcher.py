"""A launch is checked before it runs; a file that cannot be compiled says where and why."""

import time

import numpy as np
import pytest

from glassgrad.kernels import BackendError, DTypeError, ShapeError, ValueRangeError
from glassgrad.kernels.emulator import compiler
from tests.kernels.emulating import HEAD, needs_compiler, source

pytestmark = needs_compiler


COPY = """
extern "C" __global__ void __launch_bounds__(128) k(const real* x, real* y, int n) {
  y[0] = x[0];
}
"""
X, Y = np.zeros(4, "float32"), np.zeros(4, "float32")


FIXED = np.zeros_like(Y)
FIXED.flags.writeable = False


@pytest.mark.parametrize(
    "error, says, grid, block, arguments, shared",
    [
        (ShapeError, "number of arguments; expected 3, got 2", 1, 1, (X, Y), 0),
        (DTypeError, "one dtype", 1, 1, (X, Y.astype("f8"), 1), 0),
        (DTypeError, "one dtype", 1, 1, (X.astype("i4"), Y, 1), 0),
        (DTypeError, "must be an array", 1, 1, (X, 3, 1), 0),
        (ShapeError, "C-contiguous", 1, 1, (X[::2], Y, 1), 0),
        (ShapeError, "must not share memory with x", 1, 1, (X, X, 1), 0),
        (ShapeError, "at most 128 threads", 1, 256, (X, Y, 1), 0),
        (ShapeError, "grid must fit", (1, 70000), 1, (X, Y, 1), 0),
        (ShapeError, "grid must fit", 0, 1, (X, Y, 1), 0),
        (ShapeError, "dynamic shared memory", 1, 1, (X, Y, 1), 1 << 20),
        (ValueRangeError, "n must fit int", 1, 1, (X, Y, 2**31), 0),
        (DTypeError, "n must be a number; expected int, got 1.5", 1, 1, (X, Y, 1.5), 0),
        (ValueRangeError, "y is written; expected a writable array", 1, 1, (X, FIXED, 1), 0),
    ],
)
def test_a_wrong_launch_is_refused(tmp_path, error, says, grid, block, arguments, shared):
    with pytest.raises(error, match=says):
        source(tmp_path, COPY).launch("k", grid, block, *arguments, shared=shared)


def test_an_unknown_kernel_names_the_nearest(tmp_path):
    with pytest.raises(BackendError, match="did you mean 'forward_v1'"):
        source(tmp_path, COPY.replace(" k(", " forward_v1(")).launch("forward_v2", 1, 1, X, Y, 1)


@pytest.mark.parametrize(
    "line, feature",
    [
        ("__activemask();", "__activemask"),
        ('asm("nop;");', "inline PTX"),
        ('printf("x");', "printf"),
        ("__shared__ int a, b;", "one `__shared__ type name"),
    ],
)
def test_an_unsupported_feature_is_named_with_its_line(tmp_path, line, feature):
    text = f'extern "C" __global__ void k(real* y) {{\n  {line}\n}}'
    with pytest.raises(compiler.CompileError, match=feature) as error:
        source(tmp_path, text).launch("k", 1, 1, Y)
    assert "planted.cu:3" in str(error.value)


def test_a_compile_error_has_our_path_and_line(tmp_path):
    with pytest.raises(compiler.CompileError, match=r"planted\.cu:3:.*nowhere"):
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
