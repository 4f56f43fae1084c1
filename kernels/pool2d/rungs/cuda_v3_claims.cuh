// v3 of max_backward: a block adds to a band of pixels in shared memory, in a fixed order.
//
// What v2 wastes: it needs gx cleared beforehand, each addition is a round trip to L2, and its last
// bits differ from run to run. Here a block owns BAND pixels in shared memory and walks the plane's
// outputs, 256 at a time. Threads that want the same pixel claim it: the lowest goes first, the
// others in later rounds. Each pixel receives its terms in reading order, and gx is written once.
// Pooling without overlap needs one round, 3x3 at stride 2 at most four.
//
//     glassgrad lab pool2d.max_backward      v1 to v3; it does not count the clearing of gx in v2
#pragma once

constexpr int BAND = 2048;  // pixels

// Adds g to sum[at] where at >= 0, for all threads of the block, the lowest thread first.
__device__ __forceinline__ void add_by_claims(real* sum, int* claim, int at, real g) {
  const int thread = threadIdx.x;
  while (__syncthreads_or(at >= 0)) {
    if (at >= 0) atomicMin(&claim[at], thread);
    __syncthreads();
    const bool mine = at >= 0 && claim[at] == thread;
    __syncthreads();  // all have read the claims before one is given up
    if (mine) {
      sum[at] += g;
      claim[at] = BLOCK;  // nobody's
      at = -1;
    }
  }
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_max_backward_v3(const real* __restrict__ gy, const long long* __restrict__ index,
                           real* __restrict__ gx, int pixels, int outputs, int bands) {
  __shared__ real sum[BAND];
  __shared__ int claim[BAND];
  const int first = blockIdx.x % bands * BAND, size = min(BAND, pixels - first);
  const index_t m = blockIdx.x / bands;
  const int thread = threadIdx.x;
  for (int p = thread; p < size; p += BLOCK) sum[p] = 0, claim[p] = BLOCK;

  for (int q0 = 0; q0 < outputs; q0 += BLOCK) {
    int at = -1;
    real g = 0;
    if (q0 + thread < outputs) {
      const index_t q = m * outputs + q0 + thread;
      at = int(index[q]) - first;
      if (at < 0 || at >= size)
        at = -1;  // another block's pixel
      else
        g = gy[q];
    }
    add_by_claims(sum, claim, at, g);
  }
  __syncthreads();
  for (int p = thread; p < size; p += BLOCK) gx[m * pixels + first + p] = sum[p];
}
