// v2: a block of 128 threads a row.
//
// What v1 wastes: forward it reads mu and logvar twice, the second time with a stride (`glassgrad lab reparam`: sectors a
// request). Here each thread takes the elements column, column + 128, ... in order, adds up their divergence in a
// register, and the sums meet in the warp and then in shared memory: every number is read once, neighbours by neighbours,
// and kl falls out of the same pass. The order of the sum is fixed.
//
// Backward four neighbours of v1 compute the same Philox block: here a thread takes the four elements of one block.
#pragma once

constexpr int ROW_THREADS = 128;

extern "C" __global__ void __launch_bounds__(ROW_THREADS)
reparam_forward_v2(const real* mu, const real* logvar, real* z, real* kl, int D, unsigned long long seed,
                   unsigned long long offset) {
  __shared__ real partial[ROW_THREADS / 32];
  const index_t start = (index_t)blockIdx.x * D;
  real sum = 0;
  for (int column = threadIdx.x; column < D; column += ROW_THREADS) {
    const index_t i = start + column;
    const real m = mu[i], l = logvar[i], sigma = exp(real(0.5) * l);
    z[i] = m + sigma * normal_at(seed, offset, i);
    sum += term(m, l, sigma);
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    real total = 0;
    for (int warp = 0; warp < ROW_THREADS / 32; ++warp) total += partial[warp];
    kl[blockIdx.x] = real(-0.5) * total;
  }
}

extern "C" __global__ void reparam_backward_v2(const real* gz, const real* gkl, const real* mu, const real* logvar,
                                               real* gmu, real* glogvar, index_t n, int D, unsigned long long seed,
                                               unsigned long long offset) {
  const index_t block = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (block >= (n + 3) / 4) return;
  real eps[4];
  normal_block(seed, offset + block, eps);
  for (int lane = 0; lane < 4; ++lane) {
    const index_t i = 4 * block + lane;
    if (i < n) gradients(gz[i], gkl[i / D], mu[i], logvar[i], eps[lane], gmu + i, glogvar + i);
  }
}
