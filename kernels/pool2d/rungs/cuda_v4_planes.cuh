// v4 of max_backward: a band is the whole plane wherever it fits.
//
// What v3 wastes: it gives each block 2048 pixels, a third of what shared memory would hold. On a
// plane of 56 x 56 two blocks walk all outputs, each for half of the pixels, and wait for the next
// index after each round. Here shared memory is filled, and the next index and gradient are on
// their way during the rounds.
//
//     glassgrad lab pool2d.max_backward --version 4      its loads, line by line; v3 likewise
#pragma once

#include "cuda_v3_claims.cuh"

extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_max_backward_v4(const real* __restrict__ gy, const long long* __restrict__ index,
                           real* __restrict__ gx, int pixels, int outputs, int band, int bands) {
  extern __shared__ real sums[];  // [band], then as many claims
  int* const claim = reinterpret_cast<int*>(sums + band);
  const int first = blockIdx.x % bands * band, size = min(band, pixels - first);
  const index_t m = blockIdx.x / bands;
  const int thread = threadIdx.x;
  for (int p = thread; p < size; p += BLOCK) sums[p] = 0, claim[p] = BLOCK;

  const long long* chosen = index + m * outputs;
  const real* given = gy + m * outputs;
  long long next = thread < outputs ? chosen[thread] : -1;
  real g_next = thread < outputs ? given[thread] : real(0);
  for (int q0 = 0; q0 < outputs; q0 += BLOCK) {
    int at = int(next) - first;
    if (at < 0 || at >= size) at = -1;  // another block's pixel, or beyond the last output
    const real g = g_next;
    const int q = q0 + BLOCK + thread;
    next = q < outputs ? chosen[q] : -1;
    g_next = q < outputs ? given[q] : real(0);
    add_by_claims(sums, claim, at, g);
  }
  __syncthreads();
  for (int p = thread; p < size; p += BLOCK) gx[m * pixels + first + p] = sums[p];
}
