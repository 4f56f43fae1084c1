// v2 of online: the map stays on the chip.
//
// What v1 wastes: it uses one of a hundred multiprocessors, and reads the map from memory twice for
// each sample. Here every block keeps `nodes` nodes in shared memory from the first sample to the
// last, a warp each; all that blocks tell each other is the least word of the arg-min: one meeting
// a sample.
//
//     glassgrad bench som.online      on a GPU: both versions (`--version 2`: this one alone)
#pragma once
#include "word.cuh"

extern "C" __global__ void __launch_bounds__(256)
    som_online_v2(float* __restrict__ w, const float* __restrict__ x,
                  const float* __restrict__ table, const long long* __restrict__ schedule,
                  const float* __restrict__ rates, unsigned long long* keys, unsigned* counter,
                  const Sizes s, int nodes, int difference, int normalise) {
  extern __shared__ float own[];
  __shared__ unsigned long long least[BLOCK / 32];
  const int first = blockIdx.x * nodes, count = min(nodes, s.M - first);
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  for (int e = threadIdx.x; e < count * s.D; e += BLOCK) own[e] = w[index_t(first) * s.D + e];
  __syncthreads();

  for (int n = 0; n < s.N; ++n) {
    const float* x_n = x + index_t(n) * s.D;
    // a warp a node; the block's least word, then the least of all blocks
    unsigned long long mine = NOBODY;
    for (int k = warp; k < count; k += BLOCK / 32) {
      float d2 = 0;
      for (int j = lane; j < s.D; j += 32) {
        const float t = x_n[j] - own[k * s.D + j];
        d2 = fma(t, t, d2);
      }
      mine = min(mine, key(warp_sum(d2), first + k));
    }
    if (lane == 0) least[warp] = mine;
    __syncthreads();
    if (threadIdx.x == 0) {
      for (int k = 1; k < BLOCK / 32; ++k) mine = min(mine, least[k]);
      atomicMin(keys + n, mine);
    }
    grid_barrier(counter);

    const unsigned long long winner = *(volatile unsigned long long*)(keys + n);  // not from L1
    const index_t c = winner == NOBODY ? 0 : winner & 0xffffffff;
    // every block knows the winner now, and moves its own nodes; a lane owns features j, j + 32,
    // ...
    const float* K = table + (schedule[n] * s.M + c) * s.M + first;
    for (int k = warp; k < count; k += BLOCK / 32) {
      float* w_k = own + k * s.D;
      const float h = rates[n] * K[k];
      float squares = 0;
      for (int j = lane; j < s.D; j += 32) {
        if (K[k] != 0) w_k[j] += h * (difference ? x_n[j] - w_k[j] : x_n[j]);
        squares = fma(w_k[j], w_k[j], squares);
      }
      const float norm = normalise ? sqrt(warp_sum(squares)) : 0;
      if (norm != 0)
        for (int j = lane; j < s.D; j += 32) w_k[j] /= norm;
    }
  }
  __syncthreads();
  for (int e = threadIdx.x; e < count * s.D; e += BLOCK) w[index_t(first) * s.D + e] = own[e];
}
