"""What orders two accesses and what does not: fences and atomics, barriers, ends of arrays."""

import numpy as np
import pytest

from glassgrad.kernels import KernelError
from glassgrad.kernels.emulator import watching
from tests.kernels.emulating import marked, needs_compiler, numbers, source, unwritten

pytestmark = needs_compiler

LOCK = """
extern "C" __global__ void k(int* lock, int* y) {
  while (atomicCAS(lock, 0, 1) != 0) {
  }
  FENCE
  y[0] += 1;  // <-
  FENCE
  atomicExch(lock, 0);
}
"""
LAST_BLOCK = """
extern "C" __global__ void k(const real* x, real* partial, unsigned* count, real* y) {
  __shared__ bool last;
  const real sum = warp_sum(x[blockIdx.x * 32 + threadIdx.x]);
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = sum;
    FENCE
    last = atomicInc(count, gridDim.x) == gridDim.x - 1;
  }
  __syncthreads();
  if (last) {
    const real all = warp_sum(threadIdx.x < gridDim.x ? partial[threadIdx.x] : real(0));  // <-
    if (threadIdx.x == 0) y[0] = all;
  }
}
"""
EVERYBODY = """
extern "C" __global__ void k(real* y, unsigned* count) {
  __shared__ unsigned before;
  y[blockIdx.x * 64 + threadIdx.x] = 1;
  FENCE
  __syncthreads();
  if (threadIdx.x == 0) before = atomicAdd(count, 1);
  __syncthreads();
  if (before == gridDim.x - 1) y[192 + threadIdx.x] = y[threadIdx.x] + y[64 + threadIdx.x];  // <-
}
"""
FLAG = """
extern "C" __global__ void k(int* y, int* flag) {
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    y[0] = 7;
    FENCE
    *(volatile int*)flag = 1;
  }
  if (blockIdx.x == 1) {
    while (*(volatile int*)flag == 0) {
    }
    y[1 + threadIdx.x] = y[0];  // <-
  }
}
"""
PATTERNS = {
    "lock": (LOCK, 2, 64, lambda: (np.zeros(1, "i4"), np.zeros(1, "i4")), -1, 128),
    "last block": (
        LAST_BLOCK, 6, 32,
        lambda: (numbers(192), np.zeros(6, "f4"), np.zeros(1, "u4"), np.zeros(1, "f4")), -1, 18336,
    ),
    "flag": (FLAG, 2, 8, lambda: (np.zeros(9, "i4"), np.zeros(1, "i4")), 0, 7),
}  # fmt: skip


def run(tmp_path, text, fence, blocks, threads, arguments):
    made, args = source(tmp_path, text.replace("FENCE", fence)), arguments()
    with watching() as report:
        made.launch("k", blocks, threads, *args)
    return made, args, report.findings


@pytest.mark.parametrize("name", PATTERNS)
def test_fences_and_atomics_order(tmp_path, name):
    text, blocks, threads, arguments, out, wanted = PATTERNS[name]
    _, args, findings = run(tmp_path, text, "__threadfence();", blocks, threads, arguments)
    assert not findings, findings
    assert args[out][0] == wanted


@pytest.mark.parametrize("fence", ["", "__threadfence_block();"])
@pytest.mark.parametrize("name", PATTERNS)
def test_without_a_fence_it_is_a_race(tmp_path, name, fence):
    """And with one that holds within the block alone."""
    text, blocks, threads, arguments, *_ = PATTERNS[name]
    made, _, findings = run(tmp_path, text, fence, blocks, threads, arguments)
    assert {f.kind for f in findings} == {"race"}
    assert marked(made) in {f.line for f in findings}


def test_a_fence_of_the_block_orders_within_the_block(tmp_path):
    text, _, threads, arguments, out, _ = PATTERNS["lock"]
    _, args, findings = run(tmp_path, text, "__threadfence_block();", 1, threads, arguments)
    assert not findings and args[out][0] == threads


@pytest.mark.parametrize("fence", ["", "__threadfence_block();"])
def test_a_fence_holds_for_what_a_barrier_had_gathered(tmp_path, fence):
    """All threads write, all pass a fence, one counts after the barrier."""

    def arguments():
        return np.zeros(256, "f4"), np.zeros(1, "u4")

    assert not run(tmp_path, EVERYBODY, "__threadfence();", 3, 64, arguments)[2]
    made, _, races = run(tmp_path, EVERYBODY, fence, 3, 64, arguments)
    assert {f.kind for f in races} == {"race"} and {f.line for f in races} == {marked(made)}


def test_the_partner_of_a_race_is_named_as_cuda_does(tmp_path):
    text = """
extern "C" __global__ void k(real* y) {
  if (threadIdx.x == 2 && threadIdx.y == 1) y[0] = blockIdx.y;  // <-
}
"""
    made = source(tmp_path, text)
    with watching() as report:
        made.launch("k", (1, 2), (4, 2), np.zeros(1, "f4"))
    (race,) = report.findings
    assert race.message.startswith("block (0, 1, 0) thread (2, 1, 0) stores to y at byte 0, which")
    assert f"block (0, 0, 0) thread (2, 1, 0) stored to at line {marked(made)}" in race.message


def test_a_finding_in_a_wrapper_names_the_line_that_calls_it(tmp_path):
    text = """
extern "C" __global__ void k(real* y) {
  if (threadIdx.x == 7) return;
  y[threadIdx.x] = warp_sum(real(1));  // <-
}
"""
    made = source(tmp_path, text)
    with pytest.raises(KernelError, match=rf"planted\.cu:{marked(made)}: warp: .* lane 7, named"):
        made.launch("k", 1, 32, np.zeros(32, "f4"))
    with watching() as report:
        made.launch("k", 1, 32, np.zeros(32, "f4"))
    assert {(f.kind, f.file, f.line) for f in report.findings} == {
        ("warp", str(made.path), marked(made))
    }


def test_a_wrapper_that_waits_is_named_by_the_line_that_calls_it(tmp_path):
    text = """
extern "C" __global__ void k(real* y) {
  if (threadIdx.x < 16) __syncthreads();
  else y[threadIdx.x] = warp_sum(real(1));  // <-
}
"""
    made = source(tmp_path, text)
    with pytest.raises(KernelError, match=f"16 wait for the warp at line {marked(made)} "):
        made.launch("k", 1, 32, np.zeros(32, "f4"))


# ---- barriers


def test_two_barriers_of_one_line_are_two(tmp_path):
    text = """
extern "C" __global__ void k(real* y) {
  if (threadIdx.x < 32) { y[threadIdx.x] = 1; __syncthreads(); } else { __syncthreads(); }  // <-
}
"""
    made = source(tmp_path, text)
    with pytest.raises(KernelError, match="at another one of this line") as error:
        made.launch("k", 1, 64, np.zeros(64, "f4"))
    assert f"planted.cu:{marked(made)}: divergent barrier" in str(error.value)


def test_threads_that_have_ended_count_as_arrived(tmp_path):
    """So it is on a GPU since Volta; a watched launch says what readers trip over."""
    text = """
extern "C" __global__ void k(int* y, int n) {
  if (threadIdx.x >= n) return;
  y[threadIdx.x] = __syncthreads_count(1);  // <-
}
"""
    made, y = source(tmp_path, text), np.zeros(64, "i4")
    made.launch("k", 1, 64, y, 40)
    assert (y[:40] == 40).all() and not y[40:].any()
    with watching() as report:
        made.launch("k", 1, 64, y, 40)
    assert [(f.kind, f.line) for f in report.findings] == [("divergent barrier", marked(made))]


# ---- ends of shared arrays, and what nobody has written


@pytest.mark.parametrize(
    "index, shared, says",
    [
        ("dynamic[n]", 20, "0 bytes past the end of dynamic shared memory"),
        ("dynamic[n + 3]", 20, "12 bytes past the end of dynamic shared memory"),
        ("((float*)first)[n + 11]", 20, "0 bytes past the end of first"),
        ("((float*)second)[-2]", 20, "8 bytes before the start of second"),
    ],
)
def test_an_overrun_of_one_shared_array_does_not_end_in_the_next(tmp_path, index, shared, says):
    text = f"""
extern "C" __global__ void k(float* y, int n) {{
  extern __shared__ float dynamic[];
  __shared__ float first[16];
  __shared__ float second[16];
  for (int i = 0; i < 16; ++i) first[i] = second[i] = 1;
  for (int i = 0; i < n; ++i) dynamic[i] = 1;
  y[0] = {index};  // <-
}}
"""
    made = source(tmp_path, text)
    with watching() as report:
        made.launch("k", 1, 1, np.zeros(1, "f4"), shared // 4, shared=shared)
    (found,) = report.findings
    assert (found.kind, found.line) == ("out of bounds", marked(made)) and says in found.message


def test_each_output_that_held_nothing_must_be_written(tmp_path):
    text = """
extern "C" __global__ void k(const float* x, float* y, float* sometimes) {
  y[threadIdx.x] = x[threadIdx.x];
  if (x[threadIdx.x] < 0) sometimes[threadIdx.x] = 1;
}
"""
    made = source(tmp_path, text)
    with watching() as report:
        made.launch("k", 1, 8, numbers(8), unwritten(8), unwritten(8))
    assert [f.message for f in report.findings] == [
        "no thread stores anything into sometimes, which holds nothing yet"
    ]
    with watching() as report:
        made.launch("k", 1, 8, numbers(8), unwritten(8), numbers(8))
    assert not report.findings, "what holds something may be left as it is"
    sometimes = unwritten(8)
    with watching() as report:
        made.launch("k", 1, 8, numbers(8), unwritten(8), sometimes)
        made.launch("k", 1, 8, -1 - numbers(8), unwritten(8), sometimes)
    assert not report.findings, "the second launch fills what the first has left"
