"""glassgrad lab FILE.cu: the signature is read from the file, a finding ends with 1."""

import re

import numpy as np
import pytest

from glassgrad.kernels import ValueRangeError
from glassgrad.kernels.source import signatures
from glassgrad.lab import given, run
from tests.kernels.checking import why_no_emulator
from tests.tools import call

NONE = why_no_emulator()
needs_compiler = pytest.mark.skipif(bool(NONE), reason=NONE or "a compiler is there")
PLANTED = {
    "race": "__shared__ float s[64]; s[threadIdx.x] = x[i]; y[i] = s[63 - threadIdx.x];",
    "out of bounds": "y[i] = x[i + 1];",
    "uninitialised": "y[i] = x[i] + y[i];",
    "divergent barrier": "if (i >= 32) return; __syncthreads(); y[i] = x[i];",
    "writes nothing": "if (n < 0) y[i] = x[i];",
    "": "y[i] = x[i] + n;",
}
FILE = """#include <cuda_runtime.h>

__global__ void k(const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  BODY
}
"""
ARGUMENTS = ["--arg", "x=random:64", "--arg", "y=empty:64", "--arg", "n=64"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@needs_compiler
@pytest.mark.parametrize("kind", PLANTED)
def test_what_is_planted_is_found(here, capsys, kind):
    (here / "mine.cu").write_text(FILE.replace("BODY", PLANTED[kind]))
    code, out, err = call(capsys, "lab", "mine.cu", *ARGUMENTS, "--grid", "1", "--block", "64")
    page = (here / "glassgrad-lab-mine.html").read_text()
    assert out.startswith("k(const float* x, float* y, int n)\nk: 1 block of 64 threads\n"), err
    assert "k(const float* x, float* y, int n)" in page
    command = "glassgrad lab mine.cu --arg x=random:64 --arg y=empty:64 --arg n=64 --grid 1"
    assert f"{command} --block 64" in page
    if kind:
        where = "" if kind == "writes nothing" else "mine.cu:5: "
        assert code == 1 and f"k: {where}{kind}: " in " ".join(out.split())
        assert re.search(r"[1-9] findings?\.", page)
    else:
        assert code == 0 and "no race, nothing out of bounds" in out
        assert re.search(r"mine.cu:5 +x +load +4 +2 +4 +4 +100 %", out)
        assert '<b class="fine">No race, nothing out of bounds' in page


@needs_compiler
def test_grid_and_block_have_defaults(here, capsys):
    (here / "mine.cu").write_text(FILE.replace("BODY", "if (i < n) y[i] = x[i];"))
    words = ["--arg", "x=ones:1000", "--arg", "y=empty:1000", "--arg", "n=1000"]
    code, out, _ = call(capsys, "lab", "mine.cu", *words)
    assert code == 0 and "k: 4 blocks of 256 threads" in out
    code, out, _ = call(capsys, "lab", "mine.cu", *words, "--block", "10x20", "--grid", "5,1")
    assert code == 1 and "k: 5 blocks of 10 x 20 threads" in out  # 10 threads of a block write


@needs_compiler
def test_a_field_may_be_called_what_python_reserves(here, capsys):
    (here / "mine.cu").write_text(
        "struct lambda { int in, _n; float a; };\n"
        "__global__ void k(float* y, lambda z) { y[threadIdx.x] = z.in + z._n * z.a; }\n"
    )
    words = ["--arg", "y=empty:32", "--arg", "z=1,2,0.5", "--block", "32"]
    code, out, err = call(capsys, "lab", "mine.cu", *words)
    assert code == 0 and "no race, nothing out of bounds" in out, err
    with pytest.raises(ValueRangeError, match=r"lab: block must have sizes of at least 1"):
        run("mine.cu", "k", {"y": "empty:32", "z": "1,2,3"}, block=(0,))


@needs_compiler
def test_one_kernel_of_several_and_what_they_share(here, capsys):
    text = """#include "device.cuh"
struct Sizes { int N; real a; };
__global__ void fill(real* y, Sizes z) { if (threadIdx.x < z.N) y[threadIdx.x] = z.a; }
__global__ void twice(int* y) {
  extern __shared__ int s[];
  s[threadIdx.x] = y[threadIdx.x];
  y[threadIdx.x] = 2 * s[threadIdx.x];
}
"""
    (here / "two.cu").write_text(text)
    code, _, err = call(capsys, "lab", "two.cu")
    assert (
        code == 1 and "has the kernels fill, twice: say which, as glassgrad lab two.cu fill" in err
    )
    words = ["--arg", "y=empty:64", "--arg", "z=64,0.5", "--real", "float64"]
    code, out, _ = call(capsys, "lab", "two.cu", "fill", *words)
    assert code == 0 and re.search("two.cu:3 +y +store +8 ", out)
    words = ["--arg", "y=arange:32", "--block", "32", "--shared", "128", "--out", "p.html"]
    code, out, _ = call(capsys, "lab", "two.cu", "twice", *words)
    assert code == 0 and (here / "p.html").is_file()
    code, _, err = call(capsys, "lab", "two.cu", "twise")
    assert code == 1 and "no kernel 'twise'; did you mean 'twice'" in err


@pytest.mark.parametrize(
    "words, code, says",
    [
        (ARGUMENTS[:2], 1, "needs y, n, such as --arg y=empty:1024 --arg n=1024"),
        ([*ARGUMENTS, "--arg", "m=3"], 1, "no argument 'm'; did you mean 'n'|no argument 'm' in k"),
        ([*ARGUMENTS[:4], "--arg", "n=many"], 1, "n=many; expected a whole number, as n is of ty"),
        ([*ARGUMENTS[:4], "--arg", "n=3000000000"], 1, "n=3000000000; expected -2147483648 to"),
        ([*ARGUMENTS[2:], "--arg", "x=some:3"], 1, "x=some:3; expected random, zeros, ones"),
        ([*ARGUMENTS[2:], "--arg", "x=zeros:9999999999"], 1, "at most 268435456 numbers"),
        ([*ARGUMENTS[2:], "--arg", "x=no.npy"], 1, "x=no.npy; expected a file that NumPy has wri"),
        ([*ARGUMENTS[2:], "--arg", "x"], 2, "--arg takes key=value; got 'x'"),
        ([*ARGUMENTS, "--grid", "a"], 2, "--grid takes up to three sizes"),
        ([*ARGUMENTS, "--block", "0"], 2, "--block takes sizes of at least 1; got '0'"),
        ([*ARGUMENTS, "--grid", "4x0"], 2, "--grid takes sizes of at least 1; got '4x0'"),
        ([*ARGUMENTS, "--block", "2048"], 1, "the block is too large"),
        ([*ARGUMENTS, "--version", "1"], 2, "--version is for registered kernels, not for mine.cu"),
    ],
)
@needs_compiler
def test_what_is_not_understood_is_said(here, capsys, words, code, says):
    (here / "mine.cu").write_text(FILE.replace("BODY", ""))
    found, _, err = call(capsys, "lab", "mine.cu", *words)
    assert found == code and re.search(says, err), err
    assert not (here / "glassgrad-lab-mine.html").exists()


@needs_compiler
def test_options_of_a_file_need_one(capsys):
    for words in (["--grid", "4"], ["--arg", "n=3"], ["k"], ["--real", "float64"]):
        code, _, err = call(capsys, "lab", "philox", *words)
        assert code == 2 and "is for a file: glassgrad lab FILE.cu" in err
    code, _, err = call(capsys, "lab", "none.cu")
    assert code == 1 and "none.cu: cannot be read" in err


def parameters(text):
    return signatures(
        f'struct S {{ int N; float a; }};\nextern "C" __global__ void k({text}) {{}}'
    )["k"]


def test_arrays_are_made_as_they_are_said(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    k = parameters(
        "const float* x, double* y, int* n, real* r, unsigned long long* u, float* o, S z"
    )
    texts = {"x": "random:2x3", "y": "zeros:2", "n": "random:100", "r": "ones:4", "u": "arange:3",
             "o": "null", "z": "3, 0.5"}  # fmt: skip
    x, y, n, r, u, o, z = given.values(k, texts, "float64")
    assert x.shape == (2, 3) and x.dtype == "float32" and abs(x).max() < 5 and x.std() > 0
    assert y.tolist() == [0, 0] and y.dtype == "float64"
    assert n.dtype == "int32" and {*n.tolist()} <= {*range(10)} and len({*n.tolist()}) == 10
    assert r.tolist() == [1] * 4 and r.dtype == "float64"
    assert u.tolist() == [0, 1, 2] and u.dtype == "uint64"
    assert o is None and z == (3, 0.5) and z._fields == ("N", "a")
    again = given.values(k, texts, "float64")
    assert np.array_equal(again[0], x)
    (some,) = given.values(parameters("unsigned char* a"), {"a": "empty:7"})
    assert some.dtype == "uint8" and some.tolist() == [0xA5, 0xA5, 0xF5, 0x7F, 0xA5, 0xA5, 0xF5]
    loaded = given.values(parameters("double* a"), {"a": str(tmp_path / "a.npy")})
    assert loaded[0].dtype == "float64" and loaded[0].tolist() == [0, 1, 2]


def test_structs_and_files_are_looked_at(tmp_path):
    np.save(tmp_path / "words.npy", np.array(["a"]))
    (tmp_path / "objects.npy").write_bytes(b"\x93NUMPY\x01\x00no header")
    for text, value, says in (
        ("S z", "3", "expected 2 numbers for N, a"),
        ("S z", "3,x", "a=x; expected a number"),
        ("float* x", str(tmp_path / "words.npy"), "a file with one array of numbers"),
        ("float* x", str(tmp_path / "objects.npy"), "a file that NumPy has written"),
        ("unsigned u", "-1", "expected 0 to 4294967295"),
        ("unsigned char u", "256", "expected 0 to 255"),
    ):
        signature = parameters(text)
        with pytest.raises(ValueRangeError, match=says):
            given.values(signature, {signature.parameters[0].name: value})
