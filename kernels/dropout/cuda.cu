// Dropout: one pass, the mask made where it is used.
//
// v1: a thread an element; four neighbours compute the same block of words, each keeps one: 4 x the arithmetic.
#include "device.cuh"
#include "philox/philox.cuh"

extern "C" __global__ void dropout_forward_v1(const real* x, real* y, index_t n, real scale, unsigned first_kept,
                                              unsigned long long seed, unsigned long long offset) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const unsigned word = philox_block(seed, offset + i / 4).word[i % 4];
  y[i] = word >> 8 >= first_kept ? x[i] * scale : real(0);
}

#include "rungs/cuda_v2_vectors.cuh"
