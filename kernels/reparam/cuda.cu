// The reparameterised sample, its divergence, and the gradients of both.
//
// v1: a thread an element for z; the divergence needs a sum over the row, so one thread walks each row once more:
// mu and logvar are read twice, and the warp of that second kernel strides by D: up to 32 sectors a request.
//
// v2: a block of 128 threads a row. Each thread takes the elements column, column + 128, ... in order, adds up their
// divergence in a register, and the sums meet in the warp and then in shared memory: every number is read once,
// neighbours by neighbours, and kl falls out of the same pass. The order of the sum is fixed.
//
// backward v1: a thread an element makes its normal again; four neighbours compute the same Philox block. backward v2:
// a thread the four elements of one block, so nothing is computed twice.
#include "device.cuh"
#include "philox/philox.cuh"

constexpr int ROW_THREADS = 128;

// Normal i of the stream.
__device__ __forceinline__ real normal_at(unsigned long long seed, unsigned long long offset, index_t i) {
  real normals[4];
  normal_block(seed, offset + i / 4, normals);
  const int lane = i % 4;
  return lane == 0 ? normals[0] : lane == 1 ? normals[1] : lane == 2 ? normals[2] : normals[3];
}

// -2 x what one element adds to the divergence.
__device__ __forceinline__ real term(real mu, real logvar, real sigma) {
  return real(1) + logvar - mu * mu - sigma * sigma;
}

extern "C" __global__ void reparam_sample_v1(const real* mu, const real* logvar, real* z, index_t n,
                                             unsigned long long seed, unsigned long long offset) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) z[i] = mu[i] + exp(real(0.5) * logvar[i]) * normal_at(seed, offset, i);
}

extern "C" __global__ void reparam_divergence_v1(const real* mu, const real* logvar, real* kl, int N, int D) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= N) return;
  real sum = 0;
  for (index_t i = (index_t)row * D; i < (index_t)(row + 1) * D; ++i)
    sum += term(mu[i], logvar[i], exp(real(0.5) * logvar[i]));
  kl[row] = real(-0.5) * sum;
}

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

__device__ __forceinline__ void gradients(real gz, real gkl, real mu, real logvar, real eps, real* gmu,
                                          real* glogvar) {
  const real sigma = exp(real(0.5) * logvar);
  *gmu = gz + gkl * mu;
  *glogvar = real(0.5) * (gz * sigma * eps + gkl * (sigma * sigma - real(1)));
}

extern "C" __global__ void reparam_backward_v1(const real* gz, const real* gkl, const real* mu, const real* logvar,
                                               real* gmu, real* glogvar, index_t n, int D, unsigned long long seed,
                                               unsigned long long offset) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  gradients(gz[i], gkl[i / D], mu[i], logvar[i], normal_at(seed, offset, i), gmu + i, glogvar + i);
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
