// Softmax and cross-entropy: a warp a row.
//
// v1: the 32 lanes take the logits of the row in turn, neighbours by neighbours: once for the largest, once for the
// sum, both of which meet in the warp in a fixed order. Few classes leave lanes idle, many are still read coalesced,
// and the second reading comes from the cache. The derivative needs no sum: a thread a logit.
#include "device.cuh"

constexpr int ROWS = 8;  // warps of a block

extern "C" __global__ void __launch_bounds__(32 * ROWS)
cross_entropy_forward_v1(const real* z, const long long* label, real* loss, real* lse, int N, int K) {
  const int n = blockIdx.x * ROWS + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (n >= N) return;  // a whole warp: the others do not wait for it
  const real* row = z + (index_t)n * K;
  real top = -INFINITY;
  for (int k = lane; k < K; k += 32) top = row[k] > top ? row[k] : top;
  for (int step = 16; step > 0; step /= 2) {
    const real other = __shfl_xor_sync(FULL_WARP, top, step);
    top = other > top ? other : top;
  }
  if (!(top > -INFINITY && top < INFINITY)) top = 0;
  real sum = 0;
  for (int k = lane; k < K; k += 32) sum += exp(row[k] - top);
  sum = warp_sum(sum);
  if (lane == 0) {
    const real total = log(sum) + top;
    lse[n] = total;
    loss[n] = label[n] < 0 ? real(0) : total - row[label[n]];
  }
}

extern "C" __global__ void cross_entropy_backward_v1(const real* g, const real* z, const long long* label,
                                                     const real* lse, real* gz, int K, index_t size) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= size) return;
  const int n = i / K, k = i % K;
  gz[i] = label[n] < 0 ? real(0) : g[n] * (exp(z[i] - lse[n]) - (label[n] == k ? real(1) : real(0)));
}
