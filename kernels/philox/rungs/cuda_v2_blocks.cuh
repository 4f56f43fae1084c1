// v2: a thread a block of four words.
//
// What v1 wastes: a thread computes a block and throws three of its words away (`glassgrad lab philox`). Here every word
// is used, and four stores become one of 16 bytes; float32 and words only, since four doubles are no vector. The last
// block of a stream may be cut off: its thread stores one by one.
#pragma once

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
