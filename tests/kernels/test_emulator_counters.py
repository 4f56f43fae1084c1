"""Counters of the emulator on textbook cases, whose truth is known."""

import numpy as np
import pytest

from glassgrad.kernels.emulator import watching
from tests.kernels.emulating import marked, needs_compiler, numbers, source

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
    (load,) = [s for s in report.sites if s.access == "load"]
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
    text = text.replace(
        "y[threadIdx.x] = x[threadIdx.x]",
        "((float4*)y)[threadIdx.x] = ((const float4*)x)[threadIdx.x]",
    )
    y = np.zeros(128, "float32")
    with watching() as report:
        source(tmp_path, text).launch("k", 1, 32, numbers(128), y)
    assert sorted((s.access, s.size, s.requests, s.units) for s in report.sites) == [
        ("load", 16, 1, 16),
        ("store", 16, 1, 16),
    ]
    assert np.array_equal(y, numbers(128))


def shared_load(tmp_path, index, type_="float", vectors=64):
    """The counters of a warp that loads `tile[index]` from shared vectors; i is its lane."""
    words = {"float": 1, "float2": 2, "float4": 4}[type_]
    text = f"""
extern "C" __global__ void k(float* y) {{
  __shared__ {type_} tile[{vectors}];
  const int i = threadIdx.x;
  for (int j = i; j < {vectors * words}; j += blockDim.x) ((float*)tile)[j] = j;
  __syncthreads();
  {type_} got = tile[{index}];  // <-
  y[i] = *(float*)&got;
}}
"""
    made = source(tmp_path, text)
    with watching() as report:
        made.launch("k", 1, 32, np.zeros(32, "float32"))
    (load,) = [
        s for s in report.sites if (s.space, s.access, s.line) == ("shared", "load", marked(made))
    ]
    assert not report.findings
    return load


@pytest.mark.parametrize(
    "type_, index, wavefronts, least, ways",
    [
        ("float", "0", 1, 1, 1),  # a broadcast
        ("float", "2 * i", 2, 1, 2),
        ("float2", "i", 2, 2, 1),  # 256 bytes take two
        ("float2", "0", 1, 1, 1),  # pairs want the same: the half warps go together
        ("float2", "i / 2", 1, 1, 1),
        ("float2", "i % 16", 2, 2, 1),  # the half warps want the same, neighbours do not
        ("float2", "2 * (i / 2)", 2, 1, 2),
        ("float4", "i", 4, 4, 1),
        ("float4", "0", 2, 2, 1),
        ("float4", "i / 4 * 2 + i % 2", 2, 2, 1),  # n and n^2 want the same
        ("float4", "i / 8", 2, 2, 1),
        ("float4", "i % 8 * 8", 32, 4, 8),
    ],
)
def test_wavefronts_of_vectors_in_shared_memory(tmp_path, type_, index, wavefronts, least, ways):
    load = shared_load(tmp_path, index, type_)
    assert (load.units, load.ideal, load.ways) == (wavefronts, least, ways)


@pytest.mark.parametrize(
    "offset, lanes, sectors, least",
    [(0, 32, 4, 4), (1, 32, 5, 4), (7, 32, 5, 4), (8, 32, 4, 4), (0, 20, 3, 3), (4, 20, 3, 3),
     (5, 20, 4, 3)],
)  # fmt: skip
def test_sectors_of_misaligned_loads_and_partial_warps(tmp_path, offset, lanes, sectors, least):
    text = """
extern "C" __global__ void k(const float* x, float* y, int offset, int lanes) {
  if (threadIdx.x < lanes) y[threadIdx.x] = x[threadIdx.x + offset];
}
"""
    with watching() as report:
        source(tmp_path, text).launch("k", 1, 32, numbers(64), numbers(64), offset, lanes)
    (load,) = [s for s in report.sites if s.access == "load"]
    assert (load.units, load.ideal, load.lanes, load.bytes) == (sectors, least, lanes, 4 * lanes)
    assert load.active == lanes / 32


def test_the_least_counts_a_byte_once(tmp_path):
    text = 'extern "C" __global__ void k(const float* x, float* y) { y[threadIdx.x] = x[0]; }'
    with watching() as report:
        source(tmp_path, text).launch("k", 1, 32, numbers(64), numbers(64))
    assert {s.access: (s.units, s.ideal) for s in report.sites} == {"load": (1, 1), "store": (4, 4)}


def test_an_atomic_is_neither_a_load_nor_a_store(tmp_path):
    text = """
extern "C" __global__ void k(int* y) {
  __shared__ int sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  atomicAdd(&sum, 1);
  atomicMax(&y[2 * threadIdx.x], 1);
}
"""
    with watching() as report:
        source(tmp_path, text).launch("k", 1, 32, np.zeros(64, "int32"))
    found = {(s.space, s.access): (s.requests, s.units) for s in report.sites}
    assert found == {
        ("shared", "store"): (1, 1),
        ("shared", "atomic"): (1, 1),
        ("global", "atomic"): (1, 8),
    }
    assert not report.findings and report.total("requests", "global", "store") == 0


def test_a_vector_of_three_is_moved_by_components_and_one_of_32_bytes_by_halves(tmp_path):
    text = """
extern "C" __global__ void k(const float* x, float* y, const double* u, double* v) {
  ((float3*)y)[threadIdx.x] = ((const float3*)x)[threadIdx.x];
  ((double4*)v)[threadIdx.x] = ((const double4*)u)[threadIdx.x];
}
"""
    x, y, u, v = numbers(96), np.zeros(96, "f4"), numbers(128, "f8"), np.zeros(128)
    with watching() as report:
        source(tmp_path, text).launch("k", 1, 32, x, y, u, v)
    assert np.array_equal(x, y) and np.array_equal(u, v) and not report.findings
    assert {(s.array, s.size, s.requests, s.units) for s in report.sites} == {
        (name, *cost) for names, cost in (("xy", (4, 3, 36)), ("uv", (16, 2, 64))) for name in names
    }
