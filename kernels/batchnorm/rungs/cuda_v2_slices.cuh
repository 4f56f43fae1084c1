// v2: channels cut into slices.
//
// What v1 wastes: sixteen channels are sixteen blocks, and a GPU has more than a hundred multiprocessors; each thread of
// them waits for a number at a time, and divides twice for its place (`glassgrad lab batchnorm`: blocks and requests of
// v1 and v2). Here a channel is cut into slices of 4096 numbers, a block each; a thread asks for its 16 at once and keeps
// them, so that the mean of the slice and the squares about it cost one reading. A second kernel joins the slices of its
// channel, every block the same sums in the same order, and walks over its slice again. Means and squares of slices join
// without cancellation:
//
//     mean = sum n_s mean_s / n      squares = sum (squares_s + n_s (mean_s - mean)^2)             (Chan et al. 1979)
#pragma once

constexpr int ITEMS = 16, SLICE = ITEMS * CHANNEL_THREADS;

// The numbers first, first + 256, ... of a channel: their places, without a division after the first.
struct Walk {
  index_t n;
  int l, c, C, L, rows, rest;

  __device__ __forceinline__ Walk(index_t first, int c, int C, int L)
      : n(first / L), l(first % L), c(c), C(C), L(L), rows(CHANNEL_THREADS / L), rest(CHANNEL_THREADS % L) {}

  __device__ __forceinline__ index_t next() {
    const index_t place = (n * C + c) * L + l;
    n += rows, l += rest;
    if (l >= L) l -= L, ++n;
    return place;
  }
};

// means, squares [C, slices]
extern "C" __global__ void __launch_bounds__(CHANNEL_THREADS)
batchnorm_slices_v2(const real* __restrict__ x, real* __restrict__ means, real* __restrict__ squares, int N, int C,
                    int L) {
  __shared__ real partial[CHANNEL_THREADS / 32];
  const int c = blockIdx.x, slices = gridDim.y;
  const index_t n = (index_t)N * L, first = (index_t)blockIdx.y * SLICE + threadIdx.x;
  Walk walk(first, c, C, L);
  real kept[ITEMS], sum = 0;
#pragma unroll
  for (int k = 0; k < ITEMS; ++k) {
    const index_t place = walk.next();
    kept[k] = first + k * CHANNEL_THREADS < n ? x[place] : real(0);
  }
#pragma unroll
  for (int k = 0; k < ITEMS; ++k) sum += kept[k];
  const index_t count = min((index_t)SLICE, n - (index_t)blockIdx.y * SLICE);
  const real mu = block_sum(sum, partial) / count;
  sum = 0;
#pragma unroll
  for (int k = 0; k < ITEMS; ++k) {
    const real d = kept[k] - mu;
    if (first + k * CHANNEL_THREADS < n) sum += d * d;
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) {
    means[c * slices + blockIdx.y] = mu;
    squares[c * slices + blockIdx.y] = sum;
  }
}

extern "C" __global__ void __launch_bounds__(CHANNEL_THREADS)
batchnorm_forward_v2(const real* __restrict__ x, const real* __restrict__ gamma, const real* __restrict__ beta,
                     const real* __restrict__ means, const real* __restrict__ squares, real* __restrict__ y,
                     real* __restrict__ mean, real* __restrict__ variance, int N, int C, int L, real eps) {
  __shared__ real partial[CHANNEL_THREADS / 32];
  const int c = blockIdx.x, slices = gridDim.y;
  const index_t n = (index_t)N * L, first = (index_t)blockIdx.y * SLICE + threadIdx.x;
  real sum = 0;
  for (int s = threadIdx.x; s < slices; s += CHANNEL_THREADS)
    sum += means[c * slices + s] * min((index_t)SLICE, n - (index_t)s * SLICE);
  const real mu = block_sum(sum, partial) / n;
  sum = 0;
  for (int s = threadIdx.x; s < slices; s += CHANNEL_THREADS) {
    const real d = means[c * slices + s] - mu;
    sum += squares[c * slices + s] + d * d * min((index_t)SLICE, n - (index_t)s * SLICE);
  }
  const real var = block_sum(sum, partial) / n, factor = gamma[c] / sqrt(var + eps), shift = beta[c];
  Walk walk(first, c, C, L);
#pragma unroll
  for (int k = 0; k < ITEMS; ++k) {
    const index_t place = walk.next();
    if (first + k * CHANNEL_THREADS < n) y[place] = (x[place] - mu) * factor + shift;
  }
  if (blockIdx.y == 0 && threadIdx.x == 0) {
    mean[c] = mu;
    variance[c] = var;
  }
}

// sums_g, sums_gx [C, slices]
extern "C" __global__ void __launch_bounds__(CHANNEL_THREADS)
batchnorm_gradients_v2(const real* __restrict__ g, const real* __restrict__ x, const real* __restrict__ mean,
                       real* __restrict__ sums_g, real* __restrict__ sums_gx, int N, int C, int L) {
  __shared__ real partial[CHANNEL_THREADS / 32];
  const int c = blockIdx.x, slices = gridDim.y;
  const index_t n = (index_t)N * L, first = (index_t)blockIdx.y * SLICE + threadIdx.x;
  const real mu = mean[c];
  Walk walk(first, c, C, L);
  real sum_g = 0, sum_gx = 0;
#pragma unroll
  for (int k = 0; k < ITEMS; ++k) {
    const index_t place = walk.next();
    const bool there = first + k * CHANNEL_THREADS < n;
    const real of_y = there ? g[place] : real(0), at_x = there ? x[place] : mu;
    sum_g += of_y;
    sum_gx += of_y * (at_x - mu);
  }
  sum_g = block_sum(sum_g, partial);
  sum_gx = block_sum(sum_gx, partial);
  if (threadIdx.x == 0) {
    sums_g[c * slices + blockIdx.y] = sum_g;
    sums_gx[c * slices + blockIdx.y] = sum_gx;
  }
}

extern "C" __global__ void __launch_bounds__(CHANNEL_THREADS)
batchnorm_backward_v2(const real* __restrict__ g, const real* __restrict__ x, const real* __restrict__ gamma,
                      const real* __restrict__ mean, const real* __restrict__ variance,
                      const real* __restrict__ sums_g, const real* __restrict__ sums_gx, real* __restrict__ gx,
                      real* __restrict__ ggamma, real* __restrict__ gbeta, int N, int C, int L, real eps) {
  __shared__ real partial[CHANNEL_THREADS / 32];
  const int c = blockIdx.x, slices = gridDim.y;
  const index_t n = (index_t)N * L, first = (index_t)blockIdx.y * SLICE + threadIdx.x;
  real sum_g = 0, sum_gx = 0;
  for (int s = threadIdx.x; s < slices; s += CHANNEL_THREADS) {
    sum_g += sums_g[c * slices + s];
    sum_gx += sums_gx[c * slices + s];
  }
  sum_g = block_sum(sum_g, partial);
  sum_gx = block_sum(sum_gx, partial);
  const real mu = mean[c], over = real(1) / sqrt(variance[c] + eps);
  const real mean_g = sum_g / n, slope = sum_gx / n * over * over, factor = gamma[c] * over;
  Walk walk(first, c, C, L);
#pragma unroll
  for (int k = 0; k < ITEMS; ++k) {
    const index_t place = walk.next();
    if (first + k * CHANNEL_THREADS < n) gx[place] = factor * (g[place] - mean_g - (x[place] - mu) * slope);
  }
  if (blockIdx.y == 0 && threadIdx.x == 0) {
    ggamma[c] = sum_gx * over;
    gbeta[c] = sum_g;
  }
}
