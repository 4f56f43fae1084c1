// What v4 and v5 of winners share: tensor cores screen, differences decide.
//
//     score_m = |w_m - centre|^2 - 2 (x - centre)(w_m - centre)      |x - w_m|^2 less a constant
//
// With x and w rounded to 11 bits for the tensor cores a score is wrong by less than bound_n / 2.
// So a node whose score lies more than bound_n above the least one so far cannot be the nearest;
// every other is admitted, and settled by its direct distance. The winner is v1's, to the last bit.
#pragma once
#include "cuda_v3_registers.cuh"

constexpr int SCREEN = 128;             // threads: 2 x 2 warps, each 32 samples x 32 nodes
constexpr int VECTORS = CHUNK / 4 + 1;  // float4 per staged row: 8 rows x 4 features in 32 banks

// moved = rows - centre, rounded for tensor cores and filled with zeros to whole chunks; squares =
// |row - centre|^2. One warp per row.
extern "C" __global__ void __launch_bounds__(256)
    som_centre_v4(const float* __restrict__ a, const float* __restrict__ centre,
                  float* __restrict__ moved, float* __restrict__ squares, int rows, int D,
                  int padded) {
  const int row = blockIdx.x * (BLOCK / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (row >= rows) return;  // all 32 lanes or none
  float sum = 0;
  for (int j = lane; j < padded; j += 32) {
    const float t = j < D ? a[index_t(row) * D + j] - centre[j] : 0;
    moved[index_t(row) * padded + j] = to_tf32(t);
    sum = fma(t, t, sum);
  }
  sum = warp_sum(sum);
  if (lane == 0) squares[row] = sum;
}

// What all blocks are given.
struct Given {
  const float *x, *w;              // as they came
  const float *x_moved, *w_moved;  // about the centre, rows of `padded` features
  const float *squares, *bound;    // |w_m - centre|^2 [M]; how far above the least is too far [N]
  unsigned long long* keys;        // the word of each sample in which the blocks meet (word.cuh)
  Sizes s;
  int padded, tiles;  // a block takes `tiles` times 64 nodes
  bool vectors;       // may the direct distance read x and w by four?
};

// Where this thread's results of a product stand in a tile of 64 samples x 64 nodes. Element e of
// fragment (i, k) is of row g + 8 (e / 2), column 2 t + e % 2 (device.cuh).
struct Place {
  int g, t, down, across;

  __device__ __forceinline__ Place() {
    const int warp = threadIdx.x / 32;
    g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    down = warp / 2 * 32, across = warp % 2 * 32;
  }
  __device__ __forceinline__ int row(int i, int e) const { return down + 16 * i + 8 * (e / 2) + g; }
  __device__ __forceinline__ int column(int k, int e) const {
    return across + 8 * k + 2 * t + e % 2;
  }
};

// Start to copy features j0 ... j0 + 15 of 64 rows.
__device__ __forceinline__ void stage_screen(float4 (*tile)[VECTORS], const float* a, int row0,
                                             int rows, int j0, int padded) {
  for (int e = threadIdx.x; e < WIDE * CHUNK / 4; e += SCREEN) {
    const int r = e / (CHUNK / 4), v = e % (CHUNK / 4);
    const index_t row = min(row0 + r, rows - 1);  // tails repeat the last row
    copy_async<16>(&tile[r][v], a + row * padded + j0 + 4 * v);
  }
  copy_async_commit();
}

// product += 32 samples x 32 nodes of this warp, over one chunk.
__device__ __forceinline__ void multiply(float product[2][4][4], const float4 (*xs)[VECTORS],
                                         const float4 (*ws)[VECTORS], const Place& at) {
  const float* x = reinterpret_cast<const float*>(xs);
  const float* w = reinterpret_cast<const float*>(ws);
  constexpr int pitch = 4 * VECTORS;
#pragma unroll
  for (int j = 0; j < CHUNK; j += 8) {  // a product of the tensor cores takes 8 features
    float a[2][4], b[4][2];
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        a[i][e] = x[(16 * i + 8 * (e % 2) + at.g) * pitch + j + 4 * (e / 2) + at.t];
#pragma unroll
    for (int k = 0; k < 4; ++k)
#pragma unroll
      for (int e = 0; e < 2; ++e) b[k][e] = w[(8 * k + at.g) * pitch + j + 4 * e + at.t];
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
      for (int k = 0; k < 4; ++k) mma_tf32(product[i][k], a[i], b[k]);
  }
}

// Products become scores, in place; `lowest` holds the least of each of this thread's rows, over
// all tiles so far.
__device__ __forceinline__ void score(float product[2][4][4], float lowest[2][2],
                                      const float* squares, int m0, int M, const Place& at) {
#pragma unroll
  for (int i = 0; i < 2; ++i)
#pragma unroll
    for (int k = 0; k < 4; ++k)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int m = m0 + at.column(k, e);
        float& mine = product[i][k][e];
        mine = m < M ? squares[m] - 2 * mine : INFINITY;
        if (mine < lowest[i][e / 2]) lowest[i][e / 2] = mine;  // never a NaN
      }
}

// The least score of each row of this warp, to where the other warp of the row can read it.
__device__ __forceinline__ void share(float lowest[2][2], float* low, const Place& at) {
#pragma unroll
  for (int r = 0; r < 4; ++r) {
    float& least = lowest[r / 2][r % 2];
    // the four threads of a row are neighbours
    least = min(least, __shfl_xor_sync(FULL_WARP, least, 1));
    least = min(least, __shfl_xor_sync(FULL_WARP, least, 2));
    if (at.t == 0) low[at.down + 8 * r + at.g] = least;
  }
}

// The squared distance of one admitted pair: with vectors a quarter of the requests, the same sum.
__device__ __forceinline__ float settled(const float* x_n, const float* w_m, int D, bool vectors) {
  if (!vectors) return squared(x_n, w_m, D);
  float d2 = 0;
#pragma unroll 4
  for (int j = 0; j + 3 < D; j += 4) {  // with `j < D` 126 registers, not 96
    const float4 a = *(const float4*)(x_n + j), b = *(const float4*)(w_m + j);
    const float t[4] = {a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w};
#pragma unroll
    for (int e = 0; e < 4; ++e) d2 = fma(t[e], t[e], d2);
  }
  return d2;
}

// A block's 64 samples meet its nodes. Admitted pairs wait until there are LEAST of them, or the
// nodes are at an end.
template <int LEAST>
__device__ __forceinline__ void screen(const Given given) {
  __shared__ float4 xs[2][WIDE][VECTORS];
  __shared__ float4 ws[2][WIDE][VECTORS];
  __shared__ float low[2][WIDE];                     // least score of a sample, by column of warps
  __shared__ int admitted[WIDE * WIDE + LEAST - 1];  // pairs to settle: 64 nodes + sample
  __shared__ int count;
  const Sizes s = given.s;
  const Place at;
  const int n0 = blockIdx.x * WIDE, first = blockIdx.y * given.tiles * WIDE;
  const int chunks = given.padded / CHUNK;
  const int steps = min(given.tiles, (s.M - first + WIDE - 1) / WIDE) * chunks;
  float product[2][4][4], lowest[2][2];
  for (int i = 0; i < 4; ++i) lowest[i / 2][i % 2] = INFINITY;
  if (threadIdx.x == 0) count = 0;

  for (int step = -1; step < steps; ++step) {  // chunk after chunk, through all tiles
    const int next = step + 1, chunk = step % chunks, m0 = first + step / chunks * WIDE;
    copy_async_wait<0>();
    __syncthreads();  // this chunk is there, and the one before has been used by all
    if (next < steps) {
      const int j0 = next % chunks * CHUNK, next_m0 = first + next / chunks * WIDE;
      stage_screen(xs[next % 2], given.x_moved, n0, s.N, j0, given.padded);
      stage_screen(ws[next % 2], given.w_moved, next_m0, s.M, j0, given.padded);
    }
    if (step < 0) continue;
    if (chunk == 0)
      for (int e = 0; e < 32; ++e) product[e / 16][e / 4 % 4][e % 4] = 0;
    multiply(product, xs[step % 2] + at.down, ws[step % 2] + at.across, at);
    if (chunk < chunks - 1) continue;

    // the products of this tile are complete: who may be the nearest?
    score(product, lowest, given.squares, m0, s.M, at);
    share(lowest, low[at.across / 32], at);
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
      for (int k = 0; k < 4; ++k)
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const int row = at.row(i, e), column = at.column(k, e);
          if (n0 + row >= s.N || m0 + column >= s.M) continue;
          const float limit = min(low[0][row], low[1][row]) + given.bound[n0 + row];
          if (!(product[i][k][e] > limit))  // a NaN on either side admits
            admitted[atomicAdd(&count, 1)] = (m0 - first + column) * WIDE + row;
        }
    __syncthreads();
    if (count < LEAST && step + 1 < steps) continue;

    // the admitted pairs, one a thread, in whatever order: words meet in a minimum
    for (int i = threadIdx.x; i < count; i += SCREEN) {
      const int n = n0 + admitted[i] % WIDE, m = first + admitted[i] / WIDE;
      const float* x_n = given.x + index_t(n) * s.D;
      const float* w_m = given.w + index_t(m) * s.D;
      atomicMin(given.keys + n, key(settled(x_n, w_m, s.D, given.vectors), m));
    }
    __syncthreads();
    if (threadIdx.x == 0) count = 0;
  }
}
