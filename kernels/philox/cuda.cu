// The stream itself: words, uniforms and normals.
//
// v1: a thread an element. It computes a block of four words and keeps one of them: 4 x the arithmetic, in
// exchange for stores of a warp that lie side by side (4 sectors a request).
#include "device.cuh"
#include "philox/philox.cuh"

extern "C" __global__ void philox_bits_v1(unsigned* out, index_t n, unsigned long long seed,
                                          unsigned long long offset) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = philox_block(seed, offset + i / 4).word[i % 4];
}

extern "C" __global__ void philox_uniform_v1(real* out, index_t n, unsigned long long seed,
                                             unsigned long long offset) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = unit(philox_block(seed, offset + i / 4).word[i % 4]);
}

extern "C" __global__ void philox_normal_v1(real* out, index_t n, unsigned long long seed,
                                            unsigned long long offset) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  real normals[4];
  normal_block(seed, offset + i / 4, normals);
  const int lane = i % 4;
  out[i] = lane == 0 ? normals[0] : lane == 1 ? normals[1] : lane == 2 ? normals[2] : normals[3];
}

#include "rungs/cuda_v2_blocks.cuh"
