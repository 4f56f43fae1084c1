// v3 of distances and winners: 4 x 4 pairs a thread, copies ahead.
//
// What v2 wastes: it reads shared memory twice for each difference, stands still while a tile
// arrives, and has few blocks where there are few samples. Here a thread owns 4 x 4 pairs: two
// reads of float4 serve 16 differences, and cp.async copies the next chunk meanwhile. In `winners`
// the blocks of one column share out the nodes, `tiles` times 64 each, and meet in an atomic
// minimum, whose result does not depend on their order (word.cuh).
//
//     glassgrad lab som.winners --version 3      loads of shared memory, line by line; v2 likewise
#pragma once
#include "word.cuh"

// Features are the rows in shared memory, so that a thread's four samples, and its four nodes, are
// one float4 each.
constexpr int WIDE = 64;
constexpr int CHUNK = 16;            // features in shared memory at a time
constexpr int PITCH = WIDE / 4 + 1;  // in float4; the odd one spreads the stores over the banks

// Start to copy features j0 ... j0 + 15 of 64 rows, turned.
__device__ __forceinline__ void stage(float4 (*tile)[PITCH], const float* a, int row0, int rows,
                                      int j0, int D) {
  for (int e = threadIdx.x; e < WIDE * CHUNK; e += BLOCK) {
    const int r = e / CHUNK, j = e % CHUNK;
    const index_t row = min(row0 + r, rows - 1);  // tails repeat the last row
    if (j0 + j < D) copy_async<4>(reinterpret_cast<float*>(tile[j]) + r, a + row * D + j0 + j);
  }
  copy_async_commit();
}

// d2 += the squared differences of this thread's 4 x 4 pairs, over one chunk.
__device__ __forceinline__ void add_squares(float d2[4][4], const float4 (*xs)[PITCH],
                                            const float4 (*ws)[PITCH], int features) {
  const int down = threadIdx.x / 16, across = threadIdx.x % 16;
#pragma unroll 4
  for (int j = 0; j < features; ++j) {
    const float4 a = xs[j][down], b = ws[j][across];
    const float x4[4] = {a.x, a.y, a.z, a.w}, w4[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const float t = x4[i] - w4[k];
        d2[i][k] = fma(t, t, d2[i][k]);
      }
  }
}

extern "C" __global__ void __launch_bounds__(256)
    som_distances_v3(const float* __restrict__ x, const float* __restrict__ w,
                     float* __restrict__ d2, const Sizes s) {
  __shared__ float4 xs[2][CHUNK][PITCH];
  __shared__ float4 ws[2][CHUNK][PITCH];
  const int across = (s.M + WIDE - 1) / WIDE;  // tiles in a row of tiles
  const int n0 = blockIdx.x / across * WIDE, m0 = blockIdx.x % across * WIDE;
  float pairs[4][4] = {};
  const int chunks = (s.D + CHUNK - 1) / CHUNK;
  for (int chunk = -1; chunk < chunks; ++chunk) {  // -1: nothing is there yet, only copies start
    const int next = chunk + 1;
    copy_async_wait<0>();
    __syncthreads();  // this chunk is there, and the one before has been used by all
    if (next < chunks) {
      stage(xs[next % 2], x, n0, s.N, next * CHUNK, s.D);
      stage(ws[next % 2], w, m0, s.M, next * CHUNK, s.D);
    }
    if (chunk >= 0)
      add_squares(pairs, xs[chunk % 2], ws[chunk % 2], min(CHUNK, s.D - chunk * CHUNK));
  }
  const int n = n0 + threadIdx.x / 16 * 4, m = m0 + threadIdx.x % 16 * 4;
  for (int i = 0; i < 4; ++i)
    for (int k = 0; k < 4; ++k)
      if (n + i < s.N && m + k < s.M) d2[index_t(n + i) * s.M + m + k] = pairs[i][k];
}

// A block takes `tiles` tiles of nodes from blockIdx.y * tiles on; chunks follow each other through
// all of them, so that the copies never pause between two tiles.
extern "C" __global__ void __launch_bounds__(256)
    som_winners_v3(const float* __restrict__ x, const float* __restrict__ w,
                   unsigned long long* __restrict__ keys, const Sizes s, int tiles) {
  __shared__ float4 xs[2][CHUNK][PITCH];
  __shared__ float4 ws[2][CHUNK][PITCH];
  const int n0 = blockIdx.x * WIDE, m0 = blockIdx.y * tiles * WIDE;
  const int chunks = max(1, (s.D + CHUNK - 1) / CHUNK);
  const int steps = min(tiles, (s.M - m0 + WIDE - 1) / WIDE) * chunks;  // tile by tile
  Nearest nearest[4];
  float pairs[4][4];
  for (int step = -1; step < steps; ++step) {
    const int next = step + 1;
    copy_async_wait<0>();
    __syncthreads();  // as in distances_v3
    if (next < steps) {
      stage(xs[next % 2], x, n0, s.N, next % chunks * CHUNK, s.D);
      stage(ws[next % 2], w, m0 + next / chunks * WIDE, s.M, next % chunks * CHUNK, s.D);
    }
    if (step < 0) continue;
    // a tile begins with zeros, and ends by meeting the nearest so far
    const int chunk = step % chunks, m = m0 + step / chunks * WIDE + threadIdx.x % 16 * 4;
    if (chunk == 0)
      for (int i = 0; i < 16; ++i) pairs[i / 4][i % 4] = 0;
    add_squares(pairs, xs[step % 2], ws[step % 2], min(CHUNK, s.D - chunk * CHUNK));
    if (chunk == chunks - 1)
      for (int i = 0; i < 16; ++i)
        if (m + i % 4 < s.M) nearest[i / 4].meet(pairs[i / 4][i % 4], m + i % 4);
  }
  // 16 threads have looked at this block's nodes for the same four samples
  for (int i = 0; i < 4; ++i) {
    const int n = n0 + threadIdx.x / 16 * 4 + i;
    nearest[i].meet_lanes<16>();
    if (n < s.N && threadIdx.x % 16 == 0 && nearest[i].node != NONE)
      atomicMin(keys + n, key(nearest[i].d2, nearest[i].node));
  }
}
