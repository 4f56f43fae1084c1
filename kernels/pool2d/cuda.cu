#include "device.cuh"

// Pooling in CUDA C: the formula itself, version 1 of each pass. Letters as on the page of this
// family (kernels/pool2d/__init__.py). Planes are the N * C images of one channel, one after
// another; m counts planes, q outputs, p pixels. There is less than one operation per byte, so
// every rung after the first saves memory traffic: the files of rungs/ at the end of this one.

// What one pooling is; geometry.py fills it.
struct Geometry {
  int N, C, H, W, OH, OW, KH, KW, SH, SW, PH, PW;
};

constexpr int BLOCK = 256;  // threads of a block

__device__ __forceinline__ index_t planes(const Geometry& g) { return index_t(g.N) * g.C; }

// The window of output (i, j), cut to the image: the padding then costs no test per pixel.
struct Window {
  int r0, r1, s0, s1;
  __device__ __forceinline__ Window(const Geometry& g, int i, int j)
      : r0(max(i * g.SH - g.PH, 0)),
        r1(min(i * g.SH - g.PH + g.KH, g.H)),
        s0(max(j * g.SW - g.PW, 0)),
        s1(min(j * g.SW - g.PW + g.KW, g.W)) {}
};

// NaN <= best is false, so the first NaN wins; of equals the first one stays.
__device__ __forceinline__ bool beats(real value, real best) {
  return !(value <= best) && best == best;
}

// One thread an output; the running maximum is a register.
extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_max_forward_v1(const real* __restrict__ x, real* __restrict__ y,
                          long long* __restrict__ index, const Geometry g) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q >= planes(g) * g.OH * g.OW) return;
  const Window window(g, q / g.OW % g.OH, q % g.OW);
  const real* plane = x + q / g.OW / g.OH * g.H * g.W;
  int at = window.r0 * g.W + window.s0;
  real best = plane[at];
  for (int r = window.r0; r < window.r1; ++r)
    for (int s = window.s0; s < window.s1; ++s) {
      const real value = plane[r * g.W + s];
      if (beats(value, best)) best = value, at = r * g.W + s;
    }
  y[q] = best;
  index[q] = at;
}

// One thread a plane, which it walks in reading order: windows that overlap may have chosen the
// same pixel, and the index may come from anywhere.
extern "C" __global__ void __launch_bounds__(32)
    pool2d_max_backward_v1(const real* __restrict__ gy, const long long* __restrict__ index,
                           real* __restrict__ gx, int pixels, int outputs, int planes) {
  const int m = blockIdx.x * 32 + threadIdx.x;
  if (m >= planes) return;
  const index_t in = index_t(m) * pixels, out = index_t(m) * outputs;
  for (int p = 0; p < pixels; ++p) gx[in + p] = 0;
  for (int q = 0; q < outputs; ++q) gx[in + index[out + q]] += gy[out + q];
}

// One thread an output. 8 bytes of index bring 4 of x: no later version has anything to share.
extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_max_gather_v1(const real* __restrict__ x, const long long* __restrict__ index,
                         real* __restrict__ y, int pixels, int outputs, index_t n) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q < n) y[q] = x[q / outputs * pixels + index[q]];
}

// One thread an output; the running sum is a register.
extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_avg_forward_v1(const real* __restrict__ x, real* __restrict__ y, const Geometry g) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q >= planes(g) * g.OH * g.OW) return;
  const Window window(g, q / g.OW % g.OH, q % g.OW);
  const real* plane = x + q / g.OW / g.OH * g.H * g.W;
  real sum = 0;
  for (int r = window.r0; r < window.r1; ++r)
    for (int s = window.s0; s < window.s1; ++s) sum += plane[r * g.W + s];
  y[q] = sum / real(g.KH * g.KW);
}

// One thread a pixel, which adds up gy of the windows over it: a gather, so no two threads write to
// one place. Row r lies in window i when i SH - PH <= r < i SH - PH + KH.
extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_avg_backward_v1(const real* __restrict__ gy, real* __restrict__ gx, const Geometry g) {
  const index_t p = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (p >= planes(g) * g.H * g.W) return;
  const int r = p / g.W % g.H + g.PH, s = p % g.W + g.PW;
  const real* plane = gy + p / g.W / g.H * g.OH * g.OW;
  const int i0 = r < g.KH ? 0 : (r - g.KH) / g.SH + 1, i1 = min(r / g.SH, g.OH - 1);
  const int j0 = s < g.KW ? 0 : (s - g.KW) / g.SW + 1, j1 = min(s / g.SW, g.OW - 1);
  real sum = 0;
  for (int i = i0; i <= i1; ++i)
    for (int j = j0; j <= j1; ++j) sum += plane[i * g.OW + j];
  gx[p] = sum / real(g.KH * g.KW);
}

#include "rungs/cuda_v2_tiles.cuh"
#include "rungs/cuda_v3_pairs.cuh"
#include "rungs/cuda_v4_strips.cuh"

#include "rungs/cuda_v2_atomics.cuh"
#include "rungs/cuda_v3_claims.cuh"
#include "rungs/cuda_v4_planes.cuh"

#include "rungs/cuda_v2_pairs.cuh"
