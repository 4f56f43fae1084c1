"""Which races are found and which orders are respected: one file of kernels, compiled once."""

import numpy as np
import pytest

from glassgrad.kernels.emulator import watching
from tests.kernels.emulating import needs_compiler, numbers, source

pytestmark = needs_compiler

KERNELS = """
extern "C" __global__ void half_warp(const real* x, real* y) {
  __shared__ real s[32];
  s[threadIdx.x] = x[threadIdx.x];
  if (threadIdx.x < 16) {
    __syncwarp(0xffffu);
    y[threadIdx.x] = s[threadIdx.x ^ 1];
    y[threadIdx.x] = s[threadIdx.x + 16];  // half_warp
  }
}
extern "C" __global__ void whole_warp(const real* x, real* y) {
  __shared__ real s[32];
  s[threadIdx.x] = x[threadIdx.x];
  __syncwarp();
  y[threadIdx.x] = s[threadIdx.x ^ 16];
}
extern "C" __global__ void chained(const real* x, real* y) {  // 0, then 1, then 2
  __shared__ real s[32];
  if (threadIdx.x == 0) s[0] = x[0];
  if (threadIdx.x < 2) __syncwarp(3u);
  if (threadIdx.x == 1 || threadIdx.x == 2) __syncwarp(6u);
  if (threadIdx.x == 2) y[0] = s[0];
}
extern "C" __global__ void histogram(const real* x, int* sums, unsigned* count, int* y) {
  __shared__ bool last;
  atomicAdd(&sums[threadIdx.x], 1);
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(count, 1u) == gridDim.x - 1;
  __syncthreads();
  if (last) y[threadIdx.x] = sums[threadIdx.x];  // histogram
}
extern "C" __global__ void read_elsewhere(real* w, real* y) {
  y[blockIdx.x * 32 + threadIdx.x] = w[0];
  __syncthreads();
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x == 0) w[0] = 5;  // read_elsewhere
}
extern "C" __global__ void by_bytes(const real* x, real* y) {
  __shared__ bool flag[32];
  flag[threadIdx.x] = x[threadIdx.x] > 3;
  if (threadIdx.x > 3) y[threadIdx.x] = flag[0];  // by_bytes
}
extern "C" __global__ void own_bytes(const real* x, real* y) {
  __shared__ bool flag[32];
  flag[threadIdx.x] = x[threadIdx.x] > 3;
  y[threadIdx.x] = flag[threadIdx.x];
}
extern "C" __global__ void two_fences(int* y, int* flag) {
  if (blockIdx.x == 0) {
    y[0] = 7;
    __threadfence();
    __threadfence_block();
    atomicExch(flag, 1);
  } else {
    while (atomicAdd(flag, 0) == 0) {
    }
    y[1] = y[0];
  }
}
extern "C" __global__ void failed_exchange(int* y, int* flag) {
  if (blockIdx.x == 0) {
    y[0] = 7;
    __threadfence();
    atomicCAS(flag, 5, 6);
  } else if (atomicAdd(flag, 0) == 0) {
    y[1] = y[0];  // failed_exchange
  }
}
extern "C" __global__ void overwritten(int* y, int* flag) {
  volatile int* seen = flag;
  if (blockIdx.x == 0) {
    y[0] = 7;
    __threadfence();
    *seen = 1;
  }
  if (blockIdx.x == 1) *seen = 2;
  if (blockIdx.x == 2 && *seen == 2) y[1] = y[0];  // overwritten
}
extern "C" __global__ void late_acquisition(int* y, int* a, int* b) {
  if (blockIdx.x == 0) {
    y[0] = 7;
    __threadfence();
    atomicExch(a, 1);
  } else if (blockIdx.x == 1) {
    __threadfence();  // before it knows of y
    while (atomicAdd(a, 0) == 0) {
    }
    atomicExch(b, 1);
  } else {
    while (atomicAdd(b, 0) == 0) {
    }
    y[1] = y[0];  // late_acquisition
  }
}
"""


def ints(n):
    return np.zeros(n, "int32")


CASES = {  # kernel: blocks, threads, arguments
    "half_warp": (1, 32, lambda: (numbers(32), numbers(32))),
    "whole_warp": (1, 32, lambda: (numbers(32), numbers(32))),
    "chained": (1, 32, lambda: (numbers(32), numbers(32))),
    "histogram": (3, 32, lambda: (numbers(32), ints(32), np.zeros(1, "uint32"), ints(32))),
    "read_elsewhere": (3, 32, lambda: (numbers(1), numbers(96))),
    "by_bytes": (1, 32, lambda: (numbers(32), numbers(32))),
    "own_bytes": (1, 32, lambda: (numbers(32), numbers(32))),
    "two_fences": (2, 1, lambda: (ints(2), ints(1))),
    "failed_exchange": (2, 1, lambda: (ints(2), ints(1))),
    "overwritten": (3, 1, lambda: (ints(2), ints(1))),
    "late_acquisition": (3, 1, lambda: (ints(2), ints(1), ints(1))),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return source(tmp_path_factory.mktemp("races"), KERNELS)


@pytest.mark.parametrize("name", CASES)
def test_races_and_nothing_else_are_found(made, name):
    """A kernel with a race has its name on the line."""
    blocks, threads, arguments = CASES[name]
    with watching() as report:
        made.launch(name, blocks, threads, *arguments())
    lines = made.path.read_text().splitlines()
    racing = {i for i, line in enumerate(lines, 1) if line.endswith(f"// {name}")}
    assert {(f.kind, f.line) for f in report.findings} == {("race", line) for line in racing}
