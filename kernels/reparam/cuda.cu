// The reparameterised sample, its divergence, and the gradients of both.
//
// v1: a thread an element for z; the divergence needs a sum over the row, so one thread walks each row once more:
// mu and logvar are read twice, and the warp of that second kernel strides by D: up to 32 sectors a request. Backward a
// thread an element makes its normal again.
#include "device.cuh"
#include "philox/philox.cuh"

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

#include "rungs/cuda_v2_rows.cuh"
#include "rungs/cuda_v3_vectors.cuh"
