// Products of v4: the next piece of h is on its way while this one is used, and a thread takes four
// rows, so that every Quad of weights that it reads serves four products.
#pragma once
#include "recurrent/kept.cuh"

constexpr int PITCH = DEPTH / 4 + 1;   // Quads of a staged row; the odd one spreads rows over banks
constexpr int BUFFER = ROWS * PITCH;  // Quads of a stage; there are two

// Starts to copy DEPTH numbers of each row, from k = start on; zeros where there are none.
__device__ __forceinline__ void stage_rows(Quad* tile, const real* x, int stride, int rows,
                                           int start, int K) {
  constexpr int VECTOR = 16 / sizeof(real);
  const bool vectors = stride % VECTOR == 0 && K % VECTOR == 0 && (unsigned long long)x % 16 == 0;
  if (vectors) {
    for (int i = threadIdx.x; i < ROWS * DEPTH / VECTOR; i += UNITS * ROWS) {
      const int row = i / (DEPTH / VECTOR), k = i % (DEPTH / VECTOR) * VECTOR;
      real* to = reinterpret_cast<real*>(tile + row * PITCH) + k;
      if (row < rows && start + k < K)
        copy_async<16>(to, x + index_t(row) * stride + start + k);
      else
        for (int e = 0; e < VECTOR; ++e) to[e] = 0;
    }
  } else {
    for (int i = threadIdx.x; i < ROWS * DEPTH; i += UNITS * ROWS) {
      const int row = i / DEPTH, k = i % DEPTH;
      real* to = reinterpret_cast<real*>(tile + row * PITCH) + k;
      if (row < rows && start + k < K)
        copy_async<sizeof(real)>(to, x + index_t(row) * stride + start + k);
      else
        *to = 0;
    }
  }
  copy_async_commit();
}

// add_kept where a thread takes four rows and SPAN units, so that 8 / SPAN threads across and 8 down
// cover all units and rows of the block: a team. The block has several teams. Each sums over its own
// slice of the k that are staged; the sums of the teams are added up in the end, through the memory
// of the stages.
//
// Shared memory serves eight lanes of a request for Quads in a cycle, four cycles a warp, and lanes
// that read the same Quad as one. So lanes n and n^1 read the same weights, lanes n and n^2 the same
// rows: a request takes two cycles.
template <int COUNT, int SPAN>
__device__ __forceinline__ void add_ahead(real* sum, const real* x, int stride, int rows, int K,
                                          const Quad* kept, Quad* stage) {
  constexpr int ACROSS = UNITS / SPAN, TEAM = ACROSS * 8, TEAMS = UNITS * ROWS / TEAM;
  constexpr int EACH = DEPTH / 4 / TEAMS;
  const int team = threadIdx.x / TEAM, t = threadIdx.x % TEAM, quads = (K + 3) / 4;
  const int unit = (t >> 1 & 1) | (t >> 3 & (ACROSS / 2 - 1)) << 1;
  const int down = (t & 1) | (t >> 1 & 2) | t / (TEAM / 2) << 2;
  real part[4][SPAN][COUNT] = {};
  stage_rows(stage, x, stride, rows, 0, K);
  for (int start = 0, now = 0; start < K; start += DEPTH, now ^= 1) {
    copy_async_wait<0>();
    __syncthreads();  // this piece is there, and the one before has been used by all
    if (start + DEPTH < K)
      stage_rows(stage + (now ^ 1) * BUFFER, x, stride, rows, start + DEPTH, K);
    const Quad* tile = stage + now * BUFFER + down * PITCH + team * EACH;
    const int first = start / 4 + team * EACH, count = min(EACH, quads - first);
#pragma unroll 2
    for (int q = 0; q < count; ++q) {
      Quad a[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) a[i] = tile[8 * i * PITCH + q];
#pragma unroll
      for (int gate = 0; gate < COUNT; ++gate)
#pragma unroll
        for (int s = 0; s < SPAN; ++s) {
          const Quad b = kept[(gate * quads + first + q) * UNITS + unit + s * ACROSS];
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            part[i][s][gate] += a[i].x * b.x;
            part[i][s][gate] += a[i].y * b.y;
            part[i][s][gate] += a[i].z * b.z;
            part[i][s][gate] += a[i].w * b.w;
          }
        }
    }
  }
  __syncthreads();
  real* parts = reinterpret_cast<real*>(stage);  // [TEAMS][COUNT][ROWS][UNITS]
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int s = 0; s < SPAN; ++s)
#pragma unroll
      for (int gate = 0; gate < COUNT; ++gate)
        parts[((team * COUNT + gate) * ROWS + down + 8 * i) * UNITS + unit + s * ACROSS] =
            part[i][s][gate];
  __syncthreads();
#pragma unroll
  for (int gate = 0; gate < COUNT; ++gate)
#pragma unroll
    for (int k = 0; k < TEAMS; ++k)
      sum[gate] += parts[(k * COUNT + gate) * ROWS * UNITS + threadIdx.x];
  __syncthreads();  // before the stages are filled again
}

// v4's products. A single gate leaves a thread room for two units.
struct Ahead {
  Quad* stage;  // [2][BUFFER]

  template <int COUNT>
  __device__ __forceinline__ void add(real* sum, const real* x, int stride, int rows, int K,
                                      const Quad* kept) const {
    add_ahead<COUNT, COUNT == 1 ? 2 : 1>(sum, x, stride, rows, K, kept, stage);
  }
};
