// The reparameterised sample, its divergence, and the gradients of both.
//
// v1: a thread an element for z; the divergence needs a sum over the row, so one thread walks each row once more:
// mu and logvar are read twice, and the warp of that second kernel strides by D: up to 32 sectors a request.
//
// v2: a block of 128 threads a row. Each thread takes the elements column, column + 128, ... in order, adds up their
// divergence in a register, and the sums meet in the warp and then in shared memory: every number is read once,
// neighbours by neighbours, and kl falls out of the same pass. The order of the sum is fixed.
//
// v3: v2 makes a normal from each Philox block and throws three away: four neighbours compute the same block, and with
// it four times the logarithms, roots, sines and cosines. That is more than a GPU computes while it moves 12 bytes.
// Here a thread takes the four elements of a block as vectors of 16 bytes; short rows get a warp each, not a block.
//
// backward v1: a thread an element makes its normal again; four neighbours compute the same Philox block. backward v2:
// a thread the four elements of one block, so nothing is computed twice. backward v3: v2 reads and writes its four one
// by one, so that a warp's requests stride by 16 bytes, 16 sectors each, and divides by D for each to find the row.
// Where D divides by four, the four are one vector of one row.
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

#ifdef REAL_IS_FLOAT

// `warps` of the four of a block share a row: 1 or 4. D divides by four.
extern "C" __global__ void __launch_bounds__(ROW_THREADS)
reparam_forward_v3(const float* __restrict__ mu, const float* __restrict__ logvar, float* __restrict__ z,
                   float* __restrict__ kl, int N, int D, int warps, unsigned long long seed,
                   unsigned long long offset) {
  __shared__ float partial[ROW_THREADS / 32];
  const int warp = threadIdx.x / 32, threads = 32 * warps;
  const int row = blockIdx.x * (ROW_THREADS / 32 / warps) + warp / warps;
  const index_t first = (index_t)row * (D / 4);
  float sum = 0;
  for (int k = threadIdx.x % threads; row < N && k < D / 4; k += threads) {
    const float4 m = ((const float4*)mu)[first + k], l = ((const float4*)logvar)[first + k];
    float eps[4];
    normal_block(seed, offset + first + k, eps);
    const float4 sigma = make_float4(exp(0.5f * l.x), exp(0.5f * l.y), exp(0.5f * l.z), exp(0.5f * l.w));
    ((float4*)z)[first + k] = make_float4(m.x + sigma.x * eps[0], m.y + sigma.y * eps[1], m.z + sigma.z * eps[2],
                                          m.w + sigma.w * eps[3]);
    sum += term(m.x, l.x, sigma.x);
    sum += term(m.y, l.y, sigma.y);
    sum += term(m.z, l.z, sigma.z);
    sum += term(m.w, l.w, sigma.w);
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) partial[warp] = sum;
  __syncthreads();
  if (row < N && threadIdx.x % threads == 0) {
    float total = 0;
    for (int k = 0; k < warps; ++k) total += partial[warp + k];
    kl[row] = -0.5f * total;
  }
}

extern "C" __global__ void __launch_bounds__(256)
reparam_backward_v3(const float* __restrict__ gz, const float* __restrict__ gkl, const float* __restrict__ mu,
                    const float* __restrict__ logvar, float* __restrict__ gmu, float* __restrict__ glogvar,
                    index_t blocks, int D, unsigned long long seed, unsigned long long offset) {
  const index_t block = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (block >= blocks) return;
  const float4 g = ((const float4*)gz)[block], m = ((const float4*)mu)[block], l = ((const float4*)logvar)[block];
  const float of_row = gkl[block / (D / 4)];
  float eps[4];
  normal_block(seed, offset + block, eps);
  float4 to_mu, to_logvar;
  gradients(g.x, of_row, m.x, l.x, eps[0], &to_mu.x, &to_logvar.x);
  gradients(g.y, of_row, m.y, l.y, eps[1], &to_mu.y, &to_logvar.y);
  gradients(g.z, of_row, m.z, l.z, eps[2], &to_mu.z, &to_logvar.z);
  gradients(g.w, of_row, m.w, l.w, eps[3], &to_mu.w, &to_logvar.w);
  ((float4*)gmu)[block] = to_mu;
  ((float4*)glogvar)[block] = to_logvar;
}

#endif
