// The stream itself: words, uniforms and normals.
//
// v1: a thread an element. It computes a block of four words and keeps one of them: 4 x the arithmetic, in
// exchange for stores of a warp that lie side by side (4 sectors a request).
//
// v2: a thread a block. Every word is used, and four stores become one of 16 bytes; float32 and words only, since
// four doubles are no vector. The last block of a stream may be cut off: its thread stores one by one.
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

extern "C" __global__ void philox_bits_v2(unsigned* out, index_t n, unsigned long long seed,
                                          unsigned long long offset) {
  const index_t block = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (block >= (n + 3) / 4) return;
  const PhiloxWords b = philox_block(seed, offset + block);
  const index_t first = 4 * block;
  if (first + 4 <= n)
    *(uint4*)(out + first) = make_uint4(b.word[0], b.word[1], b.word[2], b.word[3]);
  else
    for (int lane = 0; lane < n - first; ++lane) out[first + lane] = b.word[lane];
}

#ifdef REAL_IS_FLOAT

__device__ __forceinline__ void store_block(float* out, index_t n, index_t block, const float v[4]) {
  const index_t first = 4 * block;
  if (first + 4 <= n)
    *(float4*)(out + first) = make_float4(v[0], v[1], v[2], v[3]);
  else
    for (int lane = 0; lane < n - first; ++lane) out[first + lane] = v[lane];
}

extern "C" __global__ void philox_uniform_v2(float* out, index_t n, unsigned long long seed,
                                             unsigned long long offset) {
  const index_t block = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (block >= (n + 3) / 4) return;
  const PhiloxWords b = philox_block(seed, offset + block);
  const float v[4] = {unit(b.word[0]), unit(b.word[1]), unit(b.word[2]), unit(b.word[3])};
  store_block(out, n, block, v);
}

extern "C" __global__ void philox_normal_v2(float* out, index_t n, unsigned long long seed,
                                            unsigned long long offset) {
  const index_t block = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (block >= (n + 3) / 4) return;
  float v[4];
  normal_block(seed, offset + block, v);
  store_block(out, n, block, v);
}

#endif
