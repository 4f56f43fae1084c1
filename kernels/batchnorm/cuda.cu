// Batch normalisation: a block of 256 threads a channel.
//
// v1: the threads take the numbers of the channel in turn, neighbours by neighbours along a run of L places, and their
// sums meet in the warp and then in shared memory, in a fixed order. A channel is read three times forward (mean,
// variance about it, result) and twice backward; what it leaves in the second-level cache comes from there.
#include "device.cuh"

constexpr int CHANNEL_THREADS = 256;

// The sum of v over the block, in every thread; `partial` is shared scratch.
__device__ __forceinline__ real block_sum(real v, real* partial) {
  v = warp_sum(v);
  __syncthreads();  // the sum before may still be read
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = v;
  __syncthreads();
  real total = 0;
  for (int warp = 0; warp < CHANNEL_THREADS / 32; ++warp) total += partial[warp];
  return total;
}

// Place of number i of channel c.
__device__ __forceinline__ index_t at(index_t i, int c, int C, int L) {
  return ((i / L) * C + c) * (index_t)L + i % L;
}

extern "C" __global__ void __launch_bounds__(CHANNEL_THREADS)
batchnorm_forward_v1(const real* x, const real* gamma, const real* beta, real* y, real* mean, real* variance, int N,
                     int C, int L, real eps) {
  __shared__ real partial[CHANNEL_THREADS / 32];
  const int c = blockIdx.x;
  const index_t n = (index_t)N * L;
  real sum = 0;
  for (index_t i = threadIdx.x; i < n; i += CHANNEL_THREADS) sum += x[at(i, c, C, L)];
  const real mu = block_sum(sum, partial) / n;
  sum = 0;
  for (index_t i = threadIdx.x; i < n; i += CHANNEL_THREADS) {
    const real d = x[at(i, c, C, L)] - mu;
    sum += d * d;
  }
  const real var = block_sum(sum, partial) / n, factor = gamma[c] / sqrt(var + eps), shift = beta[c];
  for (index_t i = threadIdx.x; i < n; i += CHANNEL_THREADS) {
    const index_t k = at(i, c, C, L);
    y[k] = (x[k] - mu) * factor + shift;
  }
  if (threadIdx.x == 0) {
    mean[c] = mu;
    variance[c] = var;
  }
}

extern "C" __global__ void __launch_bounds__(CHANNEL_THREADS)
batchnorm_backward_v1(const real* g, const real* x, const real* gamma, const real* mean, const real* variance,
                      real* gx, real* ggamma, real* gbeta, int N, int C, int L, real eps) {
  __shared__ real partial[CHANNEL_THREADS / 32];
  const int c = blockIdx.x;
  const index_t n = (index_t)N * L;
  const real mu = mean[c], over = real(1) / sqrt(variance[c] + eps);
  real sum_g = 0, sum_gx = 0;
  for (index_t i = threadIdx.x; i < n; i += CHANNEL_THREADS) {
    const index_t k = at(i, c, C, L);
    sum_g += g[k];
    sum_gx += g[k] * (x[k] - mu);
  }
  sum_g = block_sum(sum_g, partial);
  sum_gx = block_sum(sum_gx, partial);
  const real mean_g = sum_g / n, slope = sum_gx / n * over * over, factor = gamma[c] * over;
  for (index_t i = threadIdx.x; i < n; i += CHANNEL_THREADS) {
    const index_t k = at(i, c, C, L);
    gx[k] = factor * (g[k] - mean_g - (x[k] - mu) * slope);
  }
  if (threadIdx.x == 0) {
    ggamma[c] = sum_gx * over;
    gbeta[c] = sum_g;
  }
}

#include "rungs/cuda_v2_slices.cuh"
