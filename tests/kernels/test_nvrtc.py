"""Every CUDA C kernel through NVIDIA's own compiler, for two kinds of chips; no GPU needed."""

from pathlib import Path

import pytest

from glassgrad.kernels import OPERATIONS, BackendError, nvrtc
from glassgrad.kernels.errors import CompileError
from glassgrad.kernels.launcher import SHARED_ALWAYS, Source
from glassgrad.kernels.source import Text


def why_not() -> str:
    try:
        nvrtc.library()
    except BackendError as error:
        return str(error)
    return ""


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "NVRTC is installed")
REGISTERS = 65536  # of a multiprocessor: a block must fit


def text(op):
    return Source(Path(nvrtc.__file__).parent / op / "cuda.cu").text


KINDS = [
    pytest.param("sm_90", "float", "int"),
    *(
        pytest.param(*kind, marks=pytest.mark.slow)
        for kind in (
            ("sm_80", "float", "int"),
            ("sm_80", "double", "int"),
            ("sm_80", "float", "long long"),
            ("sm_90", "double", "int"),
        )
    ),
]


@pytest.mark.parametrize("chip, real, index", KINDS)
@pytest.mark.parametrize("op", OPERATIONS)
def test_it_compiles_and_fits(op, chip, real, index):
    source = text(op)
    found = nvrtc.compile(source, chip, real, index)
    assert set(found) <= set(source.signatures)
    if real == "float":
        assert set(found) == set(source.signatures), "a kernel of the file was not compiled"
    assert any(k.endswith("_v1") for k in found)
    for kernel, used in found.items():
        most = source.signature(kernel).bounds or 1024
        assert used.spilled == 0 or index != "int", f"{kernel} spills {used.spilled} bytes"
        assert used.registers * most <= REGISTERS, f"{kernel}: {used.registers} registers x {most}"
        assert used.shared <= SHARED_ALWAYS, f"{kernel}: {used.shared} bytes of shared memory"


def test_an_error_has_our_path_and_line(tmp_path):
    path = tmp_path / "cuda.cu"
    path.write_text(
        '#include "device.cuh"\n\nextern "C" __global__ void k(real* y) {\n  y[0] = nothing;\n}\n'
    )
    with pytest.raises(CompileError, match=rf"{path}\(4\).*nothing"):
        nvrtc.compile(Text(path), "sm_90")


def test_spills_are_seen(tmp_path):
    """A thread that keeps 300 numbers and may have 32 registers must put some elsewhere."""
    path = tmp_path / "cuda.cu"
    body = """
    extern "C" __global__ void __launch_bounds__(1024, 2) k(float* y) {
      float a[64];
      for (int i = 0; i < 64; ++i) a[i] = y[i * 1024 + threadIdx.x];
      __syncthreads();
      for (int i = 0; i < 64; ++i)
        for (int j = 0; j < 64; ++j) a[i] += a[j] * a[(i + j) % 64];
      for (int i = 0; i < 64; ++i) y[i * 1024 + threadIdx.x] = a[i];
    }"""
    path.write_text(body.replace("for (int", "#pragma unroll\nfor (int"))
    assert nvrtc.compile(Text(path), "sm_80")["k"].spilled > 0
