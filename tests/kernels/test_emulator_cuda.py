"""What CUDA C offers means the same in the emulator: warps, barriers, tensor cores, grids."""

import numpy as np
import pytest

from glassgrad.kernels import KernelError
from glassgrad.kernels.emulator import watching
from glassgrad.kernels.emulator.compiler import compiler
from glassgrad.kernels.errors import CompileError
from tests.kernels.emulating import marked, needs_compiler, numbers, source

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


STRUCTURES = """
struct Pair { float value; int index; };
struct Three { float a, b, c; };
extern "C" __global__ void smallest(const real* x, real* y) {
  __shared__ int first; __shared__ Pair best[64];  // 4 bytes from a multiple of 8
  const int t = threadIdx.x;
  if (t == 0) first = 1;
  best[t].value = x[t], best[t].index = t;
  __syncthreads();
  for (int s = 32; s > 0; s /= 2) {
    if (t < s && best[t + s].value < best[t].value) best[t] = best[t + s];
    __syncthreads();
  }
  if (t == 0) y[0] = best[0].index + first;
}
extern "C" __global__ void threes(const real* x, real* y) {
  ((Three*)y)[threadIdx.x] = ((const Three*)x)[threadIdx.x];
}
extern "C" __global__ void between(const real* x, real* y) {
  ((Pair*)y)[threadIdx.x] = *(const Pair*)((const char*)(x + threadIdx.x) + 2);
}
"""


def test_structures_are_moved_by_words(tmp_path):
    made, y = source(tmp_path, STRUCTURES), np.zeros(96, "float32")
    with watching() as report:
        made.launch("smallest", 1, 64, -numbers(64), y)
        assert y[0] == 64
        made.launch("threes", 1, 32, numbers(96), y)
    assert not report.findings and np.array_equal(y, numbers(96))
    sites = [s for s in report.sites if s.kernel == "threes"]
    assert {(s.access, s.size, s.requests, s.units) for s in sites} == {
        ("load", 4, 3, 36),
        ("store", 4, 3, 36),
    }
    if "clang" in compiler():
        return  # it does not look at the alignment of structures
    with watching() as report:
        made.launch("between", 1, 1, numbers(4), y)
    assert [f.kind for f in report.findings] == ["misaligned"]


def test_an_exchange_of_two_bytes_leaves_its_neighbours(tmp_path):
    text = """
extern "C" __global__ void k(int* y) {
  y[4] = atomicCAS((unsigned short*)y + 1, (unsigned short)2, (unsigned short)9);
}
"""
    y = np.array([1 | 2 << 16, 3, 4, 5, 6], "int32")
    source(tmp_path, text).launch("k", 1, 1, y)
    assert y.tolist() == [1 | 9 << 16, 3, 4, 5, 2]
    with pytest.raises(CompileError, match="atomicAdd is of 4 or 8 bytes"):
        made = source(tmp_path, text.replace("CAS", "Add").replace(", (unsigned short)9", ""))
        made.launch("k", 1, 1, y)


PIPELINE = """
extern "C" __global__ void k(const real* x, real* y, int tiles) {
  __shared__ real s[3][32];
  const int t = threadIdx.x;
  for (int i = 0; i < 2; ++i) {
    copy_async<4>(&s[i][t], &x[i * 32 + t]);
    copy_async_commit();
  }
  real sum = 0;
  for (int i = 0; i < tiles; ++i) {
    copy_async_wait<1>();
    __syncthreads();
    if (i + 2 < tiles) copy_async<4>(&s[(i + 2) % 3][t], &x[(i + 2) * 32 + t]);  // <-
    copy_async_commit();  // also where it is empty: it keeps the count of groups
    sum += s[i % 3][31 - t];
  }
  y[t] = sum;
}
"""


def test_empty_groups_of_copies_may_be_left(tmp_path):
    y = np.zeros(32, "float32")
    source(tmp_path, PIPELINE).launch("k", 1, 32, numbers(160), y, 5)
    assert np.array_equal(y, numbers(160).reshape(5, 32).sum(0)[::-1])


def test_a_copy_that_nobody_waits_for_is_named(tmp_path):
    made = source(tmp_path, PIPELINE.replace("if (i + 2 < tiles) copy", "copy"))
    with pytest.raises(KernelError, match=rf":{marked(made)}: copy: .* this copy had landed"):
        made.launch("k", 1, 32, numbers(224), numbers(32), 5)


def test_the_counter_of_a_grid_must_be_zero(tmp_path):
    text = 'extern "C" __global__ void k(unsigned* c) {\n  grid_barrier(c);  // <-\n}\n'
    made, counter = source(tmp_path, text), np.zeros(1, "uint32")
    for _ in range(2):
        made.launch("k", 2, 32, counter, cooperative=True)
    assert counter == 4, "as on a GPU, where the next launch may go on with it"
    where = rf":{marked(made)}: "
    with pytest.raises(KernelError, match=where + "grid barrier: .* the counter holds 77"):
        made.launch("k", 2, 32, counter + 73, cooperative=True)
    with pytest.raises(KernelError, match=where + "out of bounds: .* touches address 0,"):
        made.launch("k", 2, 32, None, cooperative=True)


def test_what_nvrtc_takes_the_emulator_takes(tmp_path):
    text = """
#define THREADS 32
extern "C" __global__ void __launch_bounds__(THREADS) k(const float* x, int* y, int n) {
  __shared__ int first, odd[3]; __align__(16) __shared__ float wide[4];
  __shared__ __align__(16) float wider[4];
  const dim3 size(1, 2);
  if (threadIdx.x == 0) {
    first = 1, odd[0] = (long long)wide % 16 + (long long)wider % 16 + 4 * size.z;
    *(float4*)wide = *(const float4*)x, *(float4*)wider = *(float4*)wide;
    y[2] = wider[3];
    printf("a new max. free(%d)\\n", n);
  }
  __syncthreads();
  if (threadIdx.x == 5) {
    y[0] = min(threadIdx.x, n) + max(n, threadIdx.x), y[1] = odd[0] + first;
    y[3] = __float2int_rn(2.5f) + __float2int_rd(-0.5f), y[4] = __float2int_rz(1e10f);
    y[5] = __fmaf_rn(__ldcg(x + 3), 2.f, 1.f);
  }
}
"""
    y = np.zeros(6, "int32")
    made = source(tmp_path, text)
    with watching() as report:
        made.launch("k", 1, 32, numbers(4), y, 7)
    assert not report.findings and y.tolist() == [12, 5, 3, 1, 2**31 - 1, 7]
    assert made.text.signature("k").bounds == 32


@pytest.mark.parametrize(
    "declared",
    ["__device__\nint counter;", "__device__ __align__(16) float counter[4];",
     "volatile __device__ int counter;", "static __device__ int counter[4];"],
)  # fmt: skip
def test_variables_of_the_device_are_refused(tmp_path, declared):
    kernel = 'extern "C" __global__ void k(int* y) { y[0] = counter; }'
    with pytest.raises(CompileError, match=r"planted\.cu:[34]: .* support variables of the device"):
        source(tmp_path, f"\n{declared}\n{kernel}\n").launch("k", 1, 1, np.zeros(1, "int32"))


def test_a_block_has_so_much_shared_memory(tmp_path):
    text = """
extern "C" __global__ void k(float* y) {
  extern __shared__ float dynamic[];
  __shared__ float held[12 * 1024];  // <-
  dynamic[0] = held[0] = 1;
}
"""
    made = source(tmp_path, text)
    made.launch("k", 1, 1, numbers(1), shared=51 << 10)
    where = rf":{marked(made)}: shared memory: with held the block's arrays take 49152 bytes"
    with pytest.raises(KernelError, match=where):
        made.launch("k", 1, 1, numbers(1), shared=52 << 10)
