"""Files of CUDA C as people have them, not written for this package."""

import re
from collections import namedtuple

import numpy as np
import pytest

from glassgrad.kernels import BackendError, KernelError, Source, ValueRangeError
from glassgrad.kernels.arguments import POINTERS
from glassgrad.kernels.emulator import watching
from glassgrad.kernels.errors import CompileError
from glassgrad.kernels.source import Parameter, Text
from tests.kernels.emulating import needs_compiler

BODY = "{\n  if (threadIdx.x < n) y[n - 1] = 2;\n}"
WITHOUT_LINKAGE = {
    "as nvcc takes it": "#include <cuda_runtime.h>\n__global__ void k(float* y, size_t n) BODY",
    "with bounds": "__global__ void __launch_bounds__(64)\nk(float* y, uint64_t n) BODY",
    "in a block": 'extern "C" {\n  __global__ void k(float* y, unsigned long long n) BODY\n}',
    "after a list": "#include <cstdint>\n  __global__ void k(float* y, size_t n) BODY",
    "on two lines": 'extern "C"\n__global__ void k(float* y, size_t n) BODY',
}


@needs_compiler
@pytest.mark.parametrize("name", WITHOUT_LINKAGE)
def test_a_kernel_may_be_written_without_its_linkage(tmp_path, name):
    """The line of a finding stays that of the file."""
    path = tmp_path / "plain.cu"
    path.write_text(WITHOUT_LINKAGE[name].replace("BODY", BODY))
    y = np.zeros(4, "float32")
    source = Source(path)
    source.launch("k", 1, 4, y, 4)
    assert y.tolist() == [0, 0, 0, 2]
    number = path.read_text().splitlines().index("  if (threadIdx.x < n) y[n - 1] = 2;") + 1
    with pytest.raises(KernelError, match=f"plain.cu:{number}: out of bounds"):
        source.launch("k", 1, 4, y, 5)


def test_a_file_that_has_the_linkage_is_left_as_it_is(tmp_path):
    path = tmp_path / "ours.cu"
    path.write_text('// __global__\nextern "C" __global__ void k(float* y) {}\n')
    assert Text(path).flat == f'#line 1 "{path}"\n{path.read_text()}'


def test_every_name_of_an_integer_has_its_type(tmp_path):
    path = tmp_path / "types.cu"
    path.write_text(
        "__global__ void k(const int32_t* a, uint32_t* b, int64_t* c, uint64_t* d, size_t n) {}"
    )
    found = [p.type for p in Text(path).signature("k").parameters]
    path = tmp_path / "bytes.cu"
    path.write_text("__global__ void k(unsigned char* a, const uint8_t* b, unsigned  int c) {}")
    kinds = [p.type for p in Text(path).signature("k").parameters]
    assert kinds == ["unsigned char", "unsigned char", "unsigned"]
    assert found == ["int", "unsigned", "long long", "unsigned long long", "unsigned long long"]


PROGRAM = r"""#include <iostream>
template <int W>
__global__ void wide(float* y) { y[threadIdx.x] = W; }
__global__ void add(const float *a, volatile float *y) { y[threadIdx.x] = a[threadIdx.x] + 1; }

int main(int argc, char** argv) {
  if (argc > 1) { std::cout << "}{" << '}'; }  // }
  float* d = nullptr; /* } */
  add<<<1, 32>>>(d, d);
}
__global__ void after(float* y) { y[9] = 1; }  // <-
"""


@needs_compiler
def test_a_program_of_nvcc_is_taken_without_its_main(tmp_path):
    path = tmp_path / "program.cu"
    path.write_text(PROGRAM)
    source, y = Source(path), np.zeros(4, "float32")
    assert [*source.text.signatures] == ["add", "after"]
    source.launch("add", 1, 4, np.arange(4, dtype="float32"), y)
    assert y.tolist() == [1, 2, 3, 4]
    with pytest.raises(KernelError, match=r"program.cu:11: out of bounds"):
        source.launch("after", 1, 1, y)
    with pytest.raises(BackendError, match="no kernel 'wide', which is a template: call it from"):
        source.launch("wide", 1, 1, y)


def test_a_main_without_an_end_is_left_to_the_compiler(tmp_path):
    path = tmp_path / "open.cu"
    path.write_text("int main() { if (1) {\n")
    assert "int main" in Text(path).flat


BYTES = """
__global__ void k(const unsigned char* x, unsigned char* y, unsigned char shift, int n) {
  __shared__ unsigned char s[64];
  s[threadIdx.x] = x[threadIdx.x] + shift;
  BARRIER
  if (threadIdx.x < n) y[threadIdx.x] = s[n - 1 - threadIdx.x];
}
"""


@needs_compiler
@pytest.mark.parametrize("barrier", ["__syncthreads();", ""])
def test_images_of_bytes(tmp_path, barrier):
    """Neighbouring threads write bytes of one word: no race, but where there is no barrier."""
    path = tmp_path / "bytes.cu"
    path.write_text(BYTES.replace("BARRIER", barrier))
    x, y = np.arange(64, dtype="uint8"), np.zeros(61, "uint8")
    with watching() as report:
        Source(path).launch("k", 1, 64, x, y, 250, 61)
    if barrier:
        assert not report.findings
        assert np.array_equal(y, (x[:61] + np.uint8(250))[::-1])
    else:
        assert {f.kind for f in report.findings} == {"race", "uninitialised"}
    with pytest.raises(ValueRangeError, match="shift must fit unsigned char; expected 0 to 255"):
        Source(path).launch("k", 1, 64, x, y, 256, 61)


@needs_compiler
def test_a_file_that_forgets_its_include_is_told(tmp_path):
    path = tmp_path / "real.cu"
    path.write_text("__global__ void k(real* y) { y[0] = 1; }")
    with pytest.raises(CompileError, match=r'are declared by #include "device.cuh"') as error:
        Source(path).launch("k", 1, 1, np.zeros(1, "float32"))
    assert f"{path}:1:" in str(error.value)
    path.write_text("__global__ void k(float* y) { y[0] = missing; }")
    with pytest.raises(CompileError) as error:
        Source(path).launch("k", 1, 1, np.zeros(1, "float32"))
    assert "device.cuh" not in str(error.value)


SPELLINGS = {
    "int const* x": ("int", True, True),
    "float* const x": ("float", True, False),
    "const float* const x": ("float", True, True),
    "float x[]": ("float", True, False),
    "const double x[16]": ("double", True, True),
    "const float* __restrict x": ("float", True, True),
    "volatile float *__restrict__ const x": ("float", True, False),
    "int volatile const * x": ("int", True, True),
    "signed int x": ("int", False, False),
    "signed x": ("int", False, False),
    "long long int x": ("long long", False, False),
    "long long unsigned* x": ("unsigned long long", True, False),
    "int long signed long const x": ("long long", False, True),
    "unsigned int const x": ("unsigned", False, True),
    "unsigned long long int x": ("unsigned long long", False, False),
    "char unsigned x": ("unsigned char", False, False),
}


@needs_compiler
def test_a_type_may_be_spelled_in_every_way_of_c(tmp_path):
    """Each is read, launched by the emulator, and as wide there as we pass it."""
    long = "long long" if np.dtype("long").itemsize == 8 else "int"
    ways = {**SPELLINGS, "long x": (long, False, False), "const long int* x": (long, True, True)}
    kernels = [
        f"__global__ void k{i}({p}, double* y) {{ y[0] = x{'[0]' if pointer else ''}; }}"
        for i, (p, (_, pointer, _)) in enumerate(ways.items())
    ]
    (tmp_path / "ways.cu").write_text("\n".join(kernels))
    source = Source(tmp_path / "ways.cu")
    for i, (type_, pointer, constant) in enumerate(ways.values()):
        first = source.text.signature(f"k{i}").parameters[0]
        assert first == Parameter("x", type_, pointer, constant), kernels[i]
        value, y = 201 if "unsigned" in type_ else 7, np.zeros(1)
        x = np.full(16, value, POINTERS[type_]) if pointer else value
        source.launch(f"k{i}", 1, 1, x, y)
        assert y == value, kernels[i]


@needs_compiler
def test_fields_may_be_spelled_so_too(tmp_path):
    text = """struct S { unsigned char a; signed int b, c; long long int d; double unsigned_; };
__global__ void k(double* y, struct S const z) { y[0] = z.a + z.b * z.c + z.d + z.unsigned_; }
"""
    (tmp_path / "fields.cu").write_text(text)
    z, y = namedtuple("S", "a b c d unsigned_")(200, -2, 3, 2**40, 0.5), np.zeros(1)
    source = Source(tmp_path / "fields.cu")
    source.launch("k", 1, 1, y, z)
    assert y == 200 - 6 + 2**40 + 0.5
    assert [f.type for f in source.text.signature("k").parameters[1].fields] == [
        "unsigned char", "int", "int", "long long", "double"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "parameter, says",
    [
        ("bool b", "'bool b': bool cannot be passed; expected a number or a pointer"),
        ("short int n", "short cannot"),
        ("uint16_t* n", "pointers to unsigned short cannot"),
        ("char* s", "'char* s': pointers to char cannot be passed"),
        ("signed char c", "signed char cannot"),
        ("const half* __restrict__ x", "pointers to half cannot"),
        ("float** x", "pointers to pointers to float cannot"),
        ("float* x[3]", "pointers to pointers to float cannot"),
        ("void* x", "pointers to void cannot"),
        ("S* s", "pointers to S cannot"),
        ("long double x", "long double cannot"),
        ("float& x", "'float& x'; expected a number"),
        ("float x[2][3]", "; expected a number"),
        ("float", "'float'; expected a number"),
        ("float* float2::*x", "; expected a number"),
    ],
)
def test_a_type_that_cannot_be_passed_is_named(tmp_path, parameter, says):
    path = tmp_path / "types.cu"
    path.write_text(f"struct S {{ int n; }};\n__global__ void k({parameter}) {{}}")
    with pytest.raises(CompileError, match=re.escape(says)) as error:
        Text(path).signature("k")
    assert f"{path}:2: k: cannot read its parameter" in str(error.value)


def test_a_kernel_that_cannot_be_launched_is_no_matter_of_others(tmp_path):
    path = tmp_path / "two.cu"
    path.write_text("__global__ void a(int2* x) {}\n__global__ void b(float* x) {}")
    text = Text(path)
    assert [*text.signatures] == ["a", "b"] and text.signature("b").parameters[0].name == "x"
    with pytest.raises(CompileError, match="pointers to int2 cannot"):
        text.signature("a")
