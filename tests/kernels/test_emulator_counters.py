"""Counters of the emulator on textbook cases, whose truth is known."""

import numpy as np
import pytest

from glassgrad.kernels.emulator import watching
from tests.kernels.emulating import needs_compiler, numbers, source

pytestmark = needs_compiler


STRIDED = """
extern "C" __global__ void k(const real* x, real* y, int s) {
  y[threadIdx.x] = x[s * threadIdx.x];
}
"""


@pytest.mark.parametrize("stride, sectors", [(1, 4), (2, 8), (32, 32)])
def test_sectors_of_a_strided_load(tmp_path, stride, sectors):
    with watching() as report:
        source(tmp_path, STRIDED).launch("k", 1, 32, numbers(1024), numbers(32), stride)
    (load,) = [s for s in report.sites if not s.store]
    assert (load.requests, load.per_request, load.bytes, load.array) == (1, sectors, 128, "x")
    assert load.sample == [4 * stride * lane for lane in range(32)]


@pytest.mark.parametrize("dtype, sectors", [("float32", 4), ("float64", 8)])
def test_sectors_follow_the_dtype(tmp_path, dtype, sectors):
    with watching() as report:
        source(tmp_path, STRIDED).launch("k", 1, 32, numbers(32, dtype), numbers(32, dtype), 1)
    assert {s.per_request for s in report.sites} == {sectors}


@pytest.mark.parametrize("columns, ways", [(32, 32), (33, 1)])
def test_bank_conflicts_of_a_transpose(tmp_path, columns, ways):
    text = f"""
extern "C" __global__ void k(const real* x, real* y) {{
  __shared__ real tile[32][{columns}];
  tile[threadIdx.y][threadIdx.x] = x[32 * threadIdx.y + threadIdx.x];
  __syncthreads();
  y[32 * threadIdx.y + threadIdx.x] = tile[threadIdx.x][threadIdx.y];
}}
"""
    x, y = numbers(1024).reshape(32, 32), np.zeros((32, 32), "float32")
    with watching() as report:
        source(tmp_path, text).launch("k", 1, (32, 32), x, y)
    store, load = sorted((s for s in report.sites if s.space == "shared"), key=lambda s: s.line)
    assert (store.ways, load.ways) == (1, ways) and load.units == 32 * ways
    assert np.array_equal(y, x.T) and not report.findings


def test_a_vector_is_one_request(tmp_path):
    text = """
extern "C" __global__ void k(const float4* x, float4* y) { y[threadIdx.x] = x[threadIdx.x]; }
"""
    text = text.replace("const float4* x, float4* y", "const float* x, float* y")
    text = text.replace("y[threadIdx.x] = x[threadIdx.x]",
                        "((float4*)y)[threadIdx.x] = ((const float4*)x)[threadIdx.x]")  # fmt: skip
    y = np.zeros(128, "float32")
    with watching() as report:
        source(tmp_path, text).launch("k", 1, 32, numbers(128), y)
    assert sorted((s.store, s.size, s.requests, s.units) for s in report.sites) == [
        (False, 16, 1, 16),
        (True, 16, 1, 16),
    ]
    assert np.array_equal(y, numbers(128))
