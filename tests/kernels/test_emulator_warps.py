"""Meetings of a warp: lanes that have ended, partial masks, different ways to one meeting."""

import numpy as np
import pytest

from glassgrad.kernels import KernelError
from glassgrad.kernels.emulator import watching
from tests.kernels.emulating import needs_compiler, numbers, source, unwritten

pytestmark = needs_compiler

KERNELS = """
extern "C" __global__ void ended(const real* x, real* y, unsigned* votes, int n) {
  __shared__ real s[32];
  if (threadIdx.x >= n) return;
  s[threadIdx.x] = x[threadIdx.x];
  __syncwarp();
  y[threadIdx.x] = s[n - 1 - threadIdx.x];
  votes[threadIdx.x] = __ballot_sync(FULL_WARP, x[threadIdx.x] > 3);
}
extern "C" __global__ void two_ways(const real* x, real* y) {
  __shared__ real s[32];
  const int t = threadIdx.x;
  if (t < 16) {
    s[t] = x[t];
    __syncwarp();
  } else {
    s[t] = 2 * x[t];
    __syncwarp();
  }
  y[t] = s[31 - t];
}
extern "C" __global__ void thrown_away(const real* x, real* y) {
  real v = x[threadIdx.x];
  if (threadIdx.x < 16) {
    for (int d = 8; d; d /= 2) v += __shfl_down_sync(0xffffu, v, d);  // thrown_away
    y[threadIdx.x] = v;
  }
}
extern "C" __global__ void reads_ended(const real* x, real* y) {
  if (threadIdx.x == 7) return;
  y[threadIdx.x] = __shfl_xor_sync(FULL_WARP, x[threadIdx.x], 1);  // reads_ended
}
extern "C" __global__ void shuffled(real* y, int distance, int width) {
  y[threadIdx.x] = __shfl_down_sync(FULL_WARP, y[threadIdx.x], distance, width);  // shuffled
}
extern "C" __global__ void fragments(float* y, const float* x) {
  mma_tf32(y + 4 * threadIdx.x + 4, x + 4 * threadIdx.x, x + 2 * threadIdx.x);  // fragments
}
extern "C" __global__ void reduced(const int* x, int* y, int n) {
  if (threadIdx.x >= n) return;
  y[threadIdx.x] = __reduce_add_sync(FULL_WARP, x[threadIdx.x]);
  y[32 + threadIdx.x] = __reduce_max_sync(FULL_WARP, x[threadIdx.x]);
  y[64 + threadIdx.x] = __shfl_sync(FULL_WARP, (short)x[threadIdx.x], 2);
  y[96 + threadIdx.x] = __shfl_sync(FULL_WARP, x[threadIdx.x] > 2, 1);
}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return source(tmp_path_factory.mktemp("warps"), KERNELS)


def both(made, kernel, *arguments, threads=32):
    """Run in both modes, which must find nothing; the arguments then hold the last results."""
    made.launch(kernel, 1, threads, *arguments)
    with watching() as report:
        made.launch(kernel, 1, threads, *arguments)
    assert not report.findings


def line_of(made, kernel):
    lines = made.path.read_text().splitlines()
    return next(i for i, line in enumerate(lines, 1) if line.endswith(f"// {kernel}"))


def test_lanes_that_have_ended_need_not_come(made):
    y, votes = numbers(32), np.zeros(32, "uint32")
    both(made, "ended", numbers(32), y, votes, 20)
    assert np.array_equal(y[:20], numbers(32)[19::-1]) and (votes[:20] == 0xFFFF0).all()


def test_lanes_may_meet_by_different_ways(made):
    y = numbers(32)
    both(made, "two_ways", numbers(32), y)
    assert np.array_equal(y, (numbers(32) * np.repeat([1, 2], 16))[::-1])


def test_a_value_that_nobody_gave_is_no_number(made):
    """It may be thrown away; watched, the line is named all the same."""
    y = np.zeros(32, "float32")
    made.launch("thrown_away", 1, 32, numbers(32), y)
    assert y[0] == 120 and np.isnan(y[1:16]).all()
    with watching() as report:
        made.launch("thrown_away", 1, 32, numbers(32), y)
    assert [(f.kind, f.line) for f in report.findings] == [("warp", line_of(made, "thrown_away"))]


def test_the_value_of_an_ended_lane_may_not_be_read(made):
    says = rf"{line_of(made, 'reads_ended')}: warp: .*\(6, 0, 0\): takes the value of lane 7, .*ed"
    with pytest.raises(KernelError, match=says):
        made.launch("reads_ended", 1, 32, numbers(32), numbers(32))


@pytest.mark.parametrize(
    "distance, width, says",
    [(-3, 32, "over -3 lanes"), (-(10**8), 32, "over -100000000"), (32, 32, "over 32 lanes"),
     (1, 0, "within 0 lanes"), (1, 64, "within 64"), (1, 24, "within 24"), (1, 1 << 30, "within")],
)  # fmt: skip
def test_a_shuffle_that_no_warp_can_do_is_named(made, distance, width, says):
    where = rf":{line_of(made, 'shuffled')}: warp: .* thread \(0, 0, 0\): a shuffle {says}"
    with pytest.raises(KernelError, match=where):
        made.launch("shuffled", 1, 32, numbers(32), distance, width)


def test_fragments_of_a_matrix_product_are_watched(made):
    with watching() as report:
        made.launch("fragments", 1, 32, numbers(128), numbers(128))
    (found,) = report.findings
    assert (found.kind, found.line) == ("out of bounds", line_of(made, "fragments"))
    assert "thread (31, 0, 0) loads 4 bytes 0 bytes past the end of y" in found.message
    with watching() as report:
        made.launch("fragments", 1, 32, unwritten(132), numbers(128))
    assert {f.kind for f in report.findings} == {"uninitialised"}


def test_fragments_where_no_memory_is_end_as_an_error(tmp_path):
    text = """
extern "C" __global__ void k(float* y, int n) {
  mma_tf32(y - (long long)n * n, y, y);  // k
}
"""
    made = source(tmp_path, text)
    with pytest.raises(KernelError, match=rf":{line_of(made, 'k')}: out of bounds: .* touches"):
        made.launch("k", 1, 32, numbers(32), 100000)


def test_a_warp_reduces_over_those_that_are_there(made):
    x, y = np.arange(32, dtype="int32"), np.zeros((4, 32), "int32")
    both(made, "reduced", x, y, 20)
    assert np.array_equal(y[:, :20], np.repeat([[190], [19], [2], [0]], 20, axis=1))
