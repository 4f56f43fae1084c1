"""The emulator catches what it says it catches, and counts what is known.

Every bug here is planted on purpose, with the line it stands on marked `// <-`.
"""

import re
import time

import numpy as np
import pytest

from glassgrad.kernels import BackendError, DTypeError, KernelError, ShapeError, ValueRangeError
from glassgrad.kernels.emulator import compiler, watching
from glassgrad.kernels.launcher import UNWRITTEN, Source
from tests.kernels.checking import why_no_emulator

NONE = why_no_emulator()
pytestmark = pytest.mark.skipif(bool(NONE), reason=NONE or "a compiler is there")
HEAD = '#include "device.cuh"\n'


def source(tmp_path, text, name="planted.cu"):
    path = tmp_path / name
    path.write_text(HEAD + text)
    return Source(path)


def marked(made) -> int:
    """The number of the line marked `// <-`."""
    lines = made.path.read_text().splitlines()
    return next(i for i, line in enumerate(lines, 1) if "// <-" in line)


def numbers(n, dtype="float32"):
    return np.arange(n, dtype=dtype)


REVERSE = """
extern "C" __global__ void reverse(const real* x, real* y) {{
  __shared__ real tile[64];
  tile[threadIdx.x] = x[threadIdx.x];
  {barrier}
  y[threadIdx.x] = tile[63 - threadIdx.x];{mark}
}}
"""


@pytest.mark.parametrize("watched", [False, True])
def test_a_right_kernel_gives_its_result_and_no_finding(tmp_path, watched):
    made, y = source(tmp_path, REVERSE.format(barrier="__syncthreads();", mark="")), numbers(64) * 0
    if watched:
        with watching() as report:
            made.launch("reverse", 1, 64, numbers(64), y)
        assert not report.findings
    else:
        made.launch("reverse", 1, 64, numbers(64), y)
    assert np.array_equal(y, numbers(64)[::-1])


# name: (kind, text, what the message says); each runs with 64 threads on x[60], y[60] and n = 60
PLANTED = {
    "missing __syncthreads": (
        "race",
        """
extern "C" __global__ void k(const real* x, real* y, int n) {
  __shared__ real tile[64];
  tile[threadIdx.x] = x[threadIdx.x % n];
  if (threadIdx.x < n) y[threadIdx.x] = tile[63 - threadIdx.x];  // <-
}
""",
        "no barrier between",
    ),
    "off-by-one tail": (
        "out of bounds",
        """
extern "C" __global__ void k(const real* x, real* y, int n) {
  const int i = threadIdx.x;
  if (i <= n) y[i] = 1;  // <-
}
""",
        "0 bytes past the end of y",
    ),
    "uninitialised shared memory": (
        "uninitialised",
        """
extern "C" __global__ void k(const real* x, real* y, int n) {
  __shared__ real tile[64];
  if (threadIdx.x < 32) tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  if (threadIdx.x < n) y[threadIdx.x] = tile[threadIdx.x];  // <-
}
""",
        "nobody has written",
    ),
    "divergent barrier": (
        "divergent barrier",
        """
extern "C" __global__ void k(const real* x, real* y, int n) {
  if (threadIdx.x >= n) return;
  __syncthreads();  // <-
  y[threadIdx.x] = x[threadIdx.x];
}
""",
        "4 of 64 threads of block (0, 0, 0) have ended",
    ),
    "kernel that writes nothing": (
        "writes nothing",
        """
extern "C" __global__ void k(const real* x, real* y, int n) {
  if (threadIdx.x > 1000) y[threadIdx.x] = x[threadIdx.x];
}
""",
        "y",
    ),
    "int32 overflow": (
        "overflow",
        """
extern "C" __global__ void k(const real* x, real* y, int n) {
  const int far = (threadIdx.x + 1) * 70000u;
  const int wraps = far * 70000;  // <-
  if (threadIdx.x < n) y[threadIdx.x] = wraps;
}
""",
        "the product does not fit",
    ),
    "row overrun inside an array": (
        "overflow",
        """
extern "C" __global__ void k(const real* x, real* y, int n) {
  __shared__ real tile[2][64];
  tile[0][threadIdx.x] = tile[1][threadIdx.x] = 0;
  __syncthreads();
  if (threadIdx.x < n) y[threadIdx.x] = tile[0][threadIdx.x + 8];  // <-
}
""",
        "outside of the array's declared size",
    ),
    "race between blocks": (
        "race",
        """
extern "C" __global__ void k(const real* x, real* y, int n) {
  if (threadIdx.x == 0) y[0] += x[blockIdx.x];  // <-
}
""",
        "no barrier between",
    ),
    "copy read before it has landed": (
        "uninitialised",
        """
extern "C" __global__ void k(const real* x, real* y, int n) {
  __shared__ real tile[64];
  if (threadIdx.x < n) copy_async<4>(&tile[threadIdx.x], &x[threadIdx.x]);
  copy_async_commit();
  if (threadIdx.x < n) y[threadIdx.x] = tile[threadIdx.x];  // <-
  copy_async_wait<0>();
}
""",
        "nobody has written",
    ),
    "misaligned vector": (
        "misaligned",
        """
extern "C" __global__ void k(const real* x, real* y, int n) {
  if (threadIdx.x == 0) *(float4*)y = *(const float4*)(x + 1);  // <-
}
""",
        "16 bytes at x at byte 4",
    ),
    "store to a const argument": (
        "constant",
        """
extern "C" __global__ void k(const real* x, real* y, int n) {
  if (threadIdx.x < n) ((real*)x)[threadIdx.x] = y[threadIdx.x] = 0;  // <-
}
""",
        "a const argument",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_named_with_its_line(tmp_path, name):
    kind, text, says = PLANTED[name]
    made = source(tmp_path, text)
    blocks = 2 if "blocks" in name else 1
    with watching() as report:
        made.launch("k", blocks, 64, numbers(60), np.zeros(60, "float32"), 60)
    found = [f for f in report.findings if f.kind == kind]
    assert found, [str(f) for f in report.findings]
    assert says in found[0].message and found[0].kernel == "k"
    if "// <-" in text:
        places = {
            found[0].line,
            *map(int, re.findall(r"line (\d+)", found[0].message)),
        }  # both of a race
        assert found[0].file == str(made.path) and marked(made) in places


def test_atomics_and_syncwarp_order_what_they_order(tmp_path):
    text = """
extern "C" __global__ void k(const real* x, real* y, int n) {
  __shared__ real tile[64];
  tile[threadIdx.x] = x[threadIdx.x % n];
  __syncwarp();
  atomicAdd(y, tile[threadIdx.x ^ 1]);
}
"""
    y = np.zeros(60, "float32")
    with watching() as report:
        source(tmp_path, text).launch("k", 2, 64, numbers(64), y, 64)
    assert not report.findings and y[0] == 2 * numbers(64).sum()


def test_an_output_that_nobody_wrote_may_not_be_read(tmp_path):
    text = 'extern "C" __global__ void k(real* y) { y[threadIdx.x] += 1; }'
    y = np.full(4, UNWRITTEN, "uint32").view("float32")
    with watching() as report:
        source(tmp_path, text).launch("k", 1, 4, y)
    assert [f.kind for f in report.findings] == ["uninitialised"]


DEADLOCK = """
extern "C" __global__ void k(real* y) {
  if (threadIdx.x < 16)
    __syncthreads();
  else
    __shfl_sync(0xffffffffu, y[0], 0);
  y[threadIdx.x] = 1;
}
"""


@pytest.mark.parametrize(
    "text, says",
    [
        (DEADLOCK, "16 wait at the barrier at line 5"),
        (DEADLOCK, "16 wait for its warp at line 7"),
        (
            'extern "C" __global__ void k(int* y) { while (atomicCAS(y, 1, 2) != 1) {} }',
            "atomics without meeting a barrier",
        ),
    ],
)
def test_a_deadlock_ends_with_who_waits_where(tmp_path, text, says):
    y = np.zeros(32, "int32" if "int*" in text else "float32")
    with pytest.raises(KernelError, match="deadlock") as error:
        source(tmp_path, text).launch("k", 1, 32, y)
    assert says in str(error.value)


def test_a_lock_taken_in_turns_is_no_deadlock(tmp_path):
    text = """
extern "C" __global__ void k(int* lock, int* y) {
  while (atomicCAS(lock, 0, 1) != 0) {
  }
  y[0] += 1;
  atomicExch(lock, 0);
}
"""
    lock, y = np.zeros(1, "int32"), np.zeros(1, "int32")
    source(tmp_path, text).launch("k", 1, 64, lock, y)
    assert y[0] == 64


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


COPY = """
extern "C" __global__ void __launch_bounds__(128) k(const real* x, real* y, int n) {
  y[0] = x[0];
}
"""
X, Y = np.zeros(4, "float32"), np.zeros(4, "float32")


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
