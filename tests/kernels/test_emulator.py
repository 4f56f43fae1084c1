"""The emulator catches what it says it catches.

Every bug here is planted on purpose, with the line it stands on marked `// <-`.
"""

import re

import numpy as np
import pytest

from glassgrad.kernels import KernelError
from glassgrad.kernels.emulator import watching
from tests.kernels.emulating import marked, needs_compiler, numbers, source, unwritten

pytestmark = needs_compiler


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
        "no thread stores anything into y",
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
    y = unwritten(60) if "nothing" in name else np.zeros(60, "float32")
    with watching() as report:
        made.launch("k", blocks, 64, numbers(60), y, 60)
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
    y = unwritten(4)
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
        (DEADLOCK, "16 wait for the warp at line 7"),
        (
            'extern "C" __global__ void k(int* y) { while (atomicCAS(y, 1, 2) != 1) {} }',
            "in 0.5 s of a processor: 32 run, one of them at line 2",
        ),
    ],
)
def test_a_deadlock_ends_with_who_waits_where(tmp_path, monkeypatch, text, says):
    monkeypatch.setenv("GLASSGRAD_EMULATOR_SECONDS", "0.5")
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


SHARED_TWICE = """
template <int I>
__device__ real held(real value) {
  __shared__ real cell[64];
  cell[threadIdx.x] = value;
  __syncthreads();
  return cell[63 - threadIdx.x] + I;
}
extern "C" __global__ void twice(const real* x, real* y) {
  __shared__ real a[64]; __shared__ real b[64];
  a[threadIdx.x] = x[threadIdx.x];  // (kept)
  b[threadIdx.x] = -1;
  __syncthreads();
  y[threadIdx.x] = a[63 - threadIdx.x] + held<0>(b[threadIdx.x]) + held<1>(0);
}
"""


def test_every_shared_array_has_its_own_memory(tmp_path):
    """Two on one line, and one in each instance of a template."""
    made, y = source(tmp_path, SHARED_TWICE), numbers(64)
    with watching() as report:
        made.launch("twice", 1, 64, numbers(64), y)
    assert not report.findings and np.array_equal(y, numbers(64)[::-1])


def test_a_division_by_zero_is_named_and_ends_the_launch(tmp_path):
    text = 'extern "C" __global__ void d(int* y, int n) {\n  y[0] = 7 / n;  // <-\n}\n'
    made = source(tmp_path, text)
    with pytest.raises(KernelError, match=rf":{marked(made)}: overflow: .*division by zero"):
        made.launch("d", 1, 1, numbers(1, "int32"), 0)


def test_a_reader_of_another_warp_is_not_forgotten(tmp_path):
    """Warp 0 reads a word, warp 1 reads it after and then writes it: no barrier between."""
    text = """
    extern "C" __global__ void late(const real* x, real* y) {
      __shared__ real cell[1];
      if (threadIdx.x == 0) cell[0] = x[0];
      __syncthreads();
      real seen = cell[0];
      __syncwarp();
      if (threadIdx.x == 33) cell[0] = 2;
      y[threadIdx.x] = seen;
    }"""
    with watching() as report:
        source(tmp_path, text).launch("late", 1, 64, numbers(64), numbers(64))
    assert [f.kind for f in report.findings] == ["race"]
