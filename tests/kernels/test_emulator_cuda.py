"""What CUDA C offers means the same in the emulator: warps, barriers, tensor cores, grids."""

import numpy as np
import pytest

from glassgrad.kernels import KernelError
from glassgrad.kernels.emulator import watching
from tests.kernels.emulating import needs_compiler, numbers, source

pytestmark = needs_compiler


def test_warp_operations_equal_their_definitions(tmp_path):
    text = """
extern "C" __global__ void k(const real* x, real* y, unsigned* votes) {
  const int i = threadIdx.x;
  const real v = x[i];
  y[i] = __shfl_sync(FULL_WARP, v, 5);
  y[32 + i] = __shfl_up_sync(FULL_WARP, v, 3);
  y[64 + i] = __shfl_down_sync(FULL_WARP, v, 3);
  y[96 + i] = __shfl_xor_sync(FULL_WARP, v, 7);
  y[128 + i] = __shfl_sync(FULL_WARP, v, 1, 8);
  y[160 + i] = warp_sum(v);
  votes[i] = __ballot_sync(FULL_WARP, v > 20) + __any_sync(FULL_WARP, v > 30);
  votes[i] += __all_sync(FULL_WARP, v > 1);
}
"""
    x, lane = numbers(32) + 1, np.arange(32)
    y, votes = np.zeros((6, 32), "float32"), np.zeros(32, "uint32")
    source(tmp_path, text).launch("k", 1, 32, x, y, votes)
    wanted = [
        lane * 0 + 5,
        np.maximum(lane - 3, 0),
        np.where(lane + 3 < 32, lane + 3, lane),
        lane ^ 7,
    ]
    wanted[1] = np.where(lane >= 3, lane - 3, lane)
    assert np.array_equal(y[:4], x[np.array(wanted)])
    assert np.array_equal(y[4], x[lane // 8 * 8 + 1]) and (y[5] == x.sum()).all()
    assert (votes == sum(1 << i for i in range(20, 32)) + 1).all()


def test_barriers_that_count(tmp_path):
    text = """
extern "C" __global__ void k(int* y) {
  y[3 * threadIdx.x] = __syncthreads_count(threadIdx.x < 5);
  y[3 * threadIdx.x + 1] = __syncthreads_or(threadIdx.x == 7);
  y[3 * threadIdx.x + 2] = __syncthreads_and(threadIdx.x != 7);
}
"""
    y = np.zeros((64, 3), "int32")
    source(tmp_path, text).launch("k", 1, 64, y)
    assert (y == [5, 1, 0]).all()


@pytest.mark.parametrize("kind", ["tf32", "bf16"])
def test_matrix_products_of_a_warp(tmp_path, kind):
    depth = 8 if kind == "tf32" else 16
    text = """
extern "C" __global__ void k(const float* a, const float* b, float* d) {
  const int g = threadIdx.x / 4, t = threadIdx.x % 4;
  float sum[4] = {1, 1, 1, 1};
#if TF32
  const float x[4] = {a[g * 8 + t], a[(g + 8) * 8 + t], a[g * 8 + t + 4], a[(g + 8) * 8 + t + 4]};
  const float w[2] = {b[t * 8 + g], b[(t + 4) * 8 + g]};
  mma_tf32(sum, x, w);
#else
  unsigned x[4], w[2];
  for (int i = 0; i < 4; ++i) {
    const float* from = a + (g + 8 * (i % 2)) * 16 + 2 * t + 8 * (i / 2);
    x[i] = pack_bf16(from[0], from[1]);
  }
  for (int i = 0; i < 2; ++i) {
    const float* from = b + (2 * t + 8 * i) * 8 + g;
    w[i] = pack_bf16(from[0], from[8]);
  }
  mma_bf16(sum, x, w);
#endif
  for (int i = 0; i < 4; ++i) d[(g + 8 * (i / 2)) * 8 + 2 * t + i % 2] = sum[i];
}
"""
    text = text.replace("#if TF32", f"#if {int(kind == 'tf32')}")
    rng = np.random.default_rng(0)
    a, b = rng.integers(-9, 9, (16, depth)), rng.integers(-9, 9, (depth, 8))
    d = np.zeros((16, 8), "float32")
    source(tmp_path, text).launch("k", 1, 32, a.astype("f4"), b.astype("f4"), d)
    assert np.array_equal(d, a @ b + 1)


def test_blocks_of_a_cooperative_launch_meet(tmp_path):
    text = """
extern "C" __global__ void k(real* y, unsigned* counter) {
  y[blockIdx.x * 32 + threadIdx.x] = blockIdx.x + 1;
  grid_barrier(counter);
  real sum = 0;
  for (int b = 0; b < gridDim.x; ++b) sum += y[b * 32 + threadIdx.x];
  grid_barrier(counter);
  y[blockIdx.x * 32 + threadIdx.x] = sum;
}
"""
    made, y = source(tmp_path, text), np.zeros((5, 32), "float32")
    with watching() as report:
        made.launch("k", 5, 32, y, np.zeros(1, "uint32"), cooperative=True)
    assert (y == 15).all() and not report.findings
    with pytest.raises(KernelError, match="not cooperative"):
        made.launch("k", 5, 32, y, np.zeros(1, "uint32"))


def test_dynamic_shared_memory_and_three_axes(tmp_path):
    text = """
extern "C" __global__ void k(int* y) {
  extern __shared__ int scratch[];
  const int i = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  scratch[i] = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  __syncthreads();
  y[scratch[i] * 24 + i] = scratch[23 - i] * 100 + i;
}
"""
    y = np.zeros((6, 24), "int32")
    with watching() as report:
        source(tmp_path, text).launch("k", (1, 2, 3), (2, 3, 4), y, shared=24 * 4)
    assert np.array_equal(y, np.arange(6)[:, None] * 100 + np.arange(24)) and not report.findings


def test_every_atomic_gives_what_was_there(tmp_path):
    text = """
extern "C" __global__ void k(unsigned* y, unsigned* before) {
  before[0] = atomicAdd(&y[0], 7), before[1] = atomicSub(&y[1], 7);
  before[2] = atomicMin(&y[2], 7), before[3] = atomicMax(&y[3], 7);
  before[4] = atomicAnd(&y[4], 7), before[5] = atomicOr(&y[5], 7), before[6] = atomicXor(&y[6], 7);
  before[7] = atomicExch(&y[7], 7), before[8] = atomicCAS(&y[8], 12, 7);
  before[9] = atomicInc(&y[9], 12), before[10] = atomicInc(&y[10], 13);
  before[11] = atomicDec(&y[11], 13), before[12] = atomicDec(&y[12], 11);
}
"""
    y, before = np.full(13, 12, "uint32"), np.zeros(13, "uint32")
    source(tmp_path, text).launch("k", 1, 1, y, before)
    assert (before == 12).all()
    assert y.tolist() == [19, 5, 7, 12, 4, 15, 11, 7, 7, 0, 13, 11, 11]


def test_counting_bits_and_high_halves(tmp_path):
    text = """
extern "C" __global__ void k(const long long* x, long long* y) {
  const unsigned long long u = x[0];
  y[0] = __popcll(u), y[1] = __clzll(u), y[2] = __ffsll(u), y[3] = __brevll(u);
  const unsigned v = (unsigned)u;
  y[4] = __popc(v), y[5] = __clz((int)v), y[6] = __ffs((int)v), y[7] = __brev(v);
  y[8] = __umul64hi(u, u), y[9] = __mul64hi(-x[0], x[0]), y[10] = __mulhi((int)u, -(int)u);
  y[11] = __clzll(0), y[12] = __ffsll(0);
}
"""
    x, y = 0x0123456700ABCDE8, np.zeros(13, "int64")
    source(tmp_path, text).launch("k", 1, 1, np.array([x]), y)
    low = x & 0xFFFFFFFF
    bits = [f"{x:064b}", f"{low:032b}"]
    found = [[b.count("1"), b.index("1"), len(b) - b.rindex("1"), int(b[::-1], 2)] for b in bits]
    wanted = [*found[0], *found[1], x * x >> 64, -x * x >> 64, -low * low >> 32, 64, 0]
    assert [v % 2**64 for v in y.tolist()] == [v % 2**64 for v in wanted]
