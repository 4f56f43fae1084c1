// What v1 wastes: neighbouring threads walk along different rows, so that the 32 loads of a warp fall into as many
// places of memory, and of each 32 bytes that arrive at first only 4 are used. Here a warp walks along one row, or one
// entry's two: lane k takes the numbers k, k + 32, ... With rows of 64 numbers `glassgrad lab spmm` counts 3 sectors a
// request where v1 has 17. The lanes' sums meet by `warp_sum`: another order than v1's, but always the same. In softmax
// a long row is no longer the work of one thread while the rest of the warp waits.
//
//     glassgrad bench spmm.values_grad --backend cuda
#pragma once

constexpr int WARPS = BLOCK / 32;  // of a block

extern "C" __global__ void __launch_bounds__(BLOCK)
    spmm_values_grad_v2(const long long* __restrict__ rows, const long long* __restrict__ indices,
                        const real* __restrict__ g, const real* __restrict__ x, real* __restrict__ out, const Sizes s) {
  const index_t e = index_t(blockIdx.x) * WARPS + threadIdx.x / 32;
  if (e >= s.rows) return;  // all lanes of a warp or none
  const real *left = g + index_t(rows[e]) * s.D, *right = x + index_t(indices[e]) * s.D;
  real sum = 0;
  for (int d = threadIdx.x % 32; d < s.D; d += 32) sum += left[d] * right[d];
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) out[e] = sum;
}

// The largest number over the 32 lanes, in every lane.
__device__ __forceinline__ real warp_max(real x) {
  for (int distance = 16; distance > 0; distance /= 2) {
    const real other = __shfl_xor_sync(FULL_WARP, x, distance);
    x = other > x ? other : x;
  }
  return x;
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    spmm_softmax_v2(const long long* __restrict__ indptr, const real* __restrict__ scores, real* __restrict__ a,
                    const int rows) {
  const index_t i = index_t(blockIdx.x) * WARPS + threadIdx.x / 32;
  if (i >= rows) return;
  const int lane = threadIdx.x % 32;
  const long long first = indptr[i], end = indptr[i + 1];
  real largest = -INFINITY, sum = 0;
  for (long long e = first + lane; e < end; e += 32) largest = scores[e] > largest ? scores[e] : largest;
  largest = warp_max(largest);
#pragma unroll 1  // four exponentials of doubles at a time would spill
  for (long long e = first + lane; e < end; e += 32) sum += exp(scores[e] - largest);
  sum = warp_sum(sum);
#pragma unroll 1
  for (long long e = first + lane; e < end; e += 32) a[e] = exp(scores[e] - largest) / sum;
}
