// Local response normalisation, version 1: a thread a number. Letters as on the page of this family
// (kernels/lrn/__init__.py).
//
// What this wastes, and the version that does not: rungs/cuda_v2_walk.cuh.
#include "device.cuh"

constexpr int BLOCK = 256;

// N images of C channels of L places, a window of n channels; cuda.py fills it.
struct Sizes {
  int N, C, L, n;
};

// Neighbouring threads are neighbouring places, so that each read of the window is coalesced.
extern "C" __global__ void __launch_bounds__(BLOCK)
    lrn_forward_v1(const real* __restrict__ x, real* __restrict__ y, real* __restrict__ s, const Sizes z, const real k,
                   const real a, const real beta) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q >= index_t(z.N) * z.C * z.L) return;
  const int c = q / z.L % z.C;
  const int first = c > z.n / 2 ? c - z.n / 2 : 0;
  const int end = c + (z.n - 1) / 2 + 1 < z.C ? c + (z.n - 1) / 2 + 1 : z.C;
  real total = 0;
  for (int j = first; j < end; ++j) {
    const real v = x[q + index_t(j - c) * z.L];
    total += v * v;
  }
  s[q] = k + a * total;
  y[q] = x[q] * pow(k + a * total, -beta);
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    lrn_backward_v1(const real* __restrict__ g, const real* __restrict__ x, const real* __restrict__ s,
                    real* __restrict__ gx, const Sizes z, const real a, const real beta) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q >= index_t(z.N) * z.C * z.L) return;
  const int c = q / z.L % z.C;
  const int first = c > (z.n - 1) / 2 ? c - (z.n - 1) / 2 : 0;
  const int end = c + z.n / 2 + 1 < z.C ? c + z.n / 2 + 1 : z.C;
  real total = 0;
  for (int j = first; j < end; ++j) {
    const index_t p = q + index_t(j - c) * z.L;
    total += g[p] * x[p] * pow(s[p], -beta - real(1));
  }
  gx[q] = g[q] * pow(s[q], -beta) - 2 * a * beta * x[q] * total;
}

#include "rungs/cuda_v2_walk.cuh"
