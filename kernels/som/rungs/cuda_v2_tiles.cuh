// v2 of distances, winners and update: tiles in shared memory.
//
// What v1 wastes: it loads two numbers from global memory for each difference or product, although
// a sample serves every node and a node every sample; and its warp reads rows that lie D apart, 32
// sectors a request. Here a block of 16 x 16 threads, one pair each, brings 16 features of 16
// samples and of 16 nodes into shared memory at a time: each number loaded serves 16 pairs, and
// neighbours of a row come next to each other. In `winners` a thread remembers the nearest node of
// its column, so that the N x M distances are never stored; in `update` the rows of K that the
// winners name are gathered next to their samples.
//
//     glassgrad lab som.winners --version 2      loads and sectors, line by line; v1 for comparison
#pragma once

// Column 17 is there to be skipped: 16 threads that read down a column of ws then find it in 16
// banks.
constexpr int TILE = 16;

// The squared distance of this thread's pair: sample n0 + row, node m0 + column.
__device__ __forceinline__ real tile_squared(real (*xs)[TILE + 1], real (*ws)[TILE + 1],
                                             const real* x, const real* w, int n0, int m0,
                                             const Sizes s) {
  const int row = threadIdx.x / TILE, column = threadIdx.x % TILE;
  // tails repeat the last row
  const index_t n = min(n0 + row, s.N - 1), m = min(m0 + row, s.M - 1);
  real d2 = 0;
  for (int j0 = 0; j0 < s.D; j0 += TILE) {
    if (j0 + column < s.D) {
      xs[row][column] = x[n * s.D + j0 + column];
      ws[row][column] = w[m * s.D + j0 + column];
    }
    __syncthreads();  // the tiles are there
    for (int j = 0; j < min(TILE, s.D - j0); ++j) {
      const real t = xs[row][j] - ws[column][j];
      d2 = fma(t, t, d2);
    }
    __syncthreads();  // everybody is done with them
  }
  return d2;
}

extern "C" __global__ void __launch_bounds__(256)
    som_distances_v2(const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ d2,
                     const Sizes s) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[TILE][TILE + 1];
  const int across = (s.M + TILE - 1) / TILE;  // tiles in a row of tiles
  const int n0 = blockIdx.x / across * TILE, m0 = blockIdx.x % across * TILE;
  const real pair = tile_squared(xs, ws, x, w, n0, m0, s);
  const int n = n0 + threadIdx.x / TILE, m = m0 + threadIdx.x % TILE;
  if (n < s.N && m < s.M) d2[index_t(n) * s.M + m] = pair;
}

extern "C" __global__ void __launch_bounds__(256)
    som_winners_v2(const real* __restrict__ x, const real* __restrict__ w,
                   long long* __restrict__ index, real* __restrict__ smallest, const Sizes s) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[TILE][TILE + 1];
  const int n0 = blockIdx.x * TILE, n = n0 + threadIdx.x / TILE, column = threadIdx.x % TILE;
  Nearest nearest;
  for (int m0 = 0; m0 < s.M; m0 += TILE) {
    const real d2 = tile_squared(xs, ws, x, w, n0, m0, s);
    if (m0 + column < s.M) nearest.meet(d2, m0 + column);
  }
  nearest.meet_lanes<TILE>();  // 16 threads have looked at all nodes of one sample
  if (n < s.N && column == 0) nearest.write(index + n, smallest + n);
}

extern "C" __global__ void __launch_bounds__(256)
    som_update_v2(const real* __restrict__ w, const real* __restrict__ x,
                  const long long* __restrict__ winner, const real* __restrict__ K,
                  real* __restrict__ moved, const Sizes s, real rate, int difference) {
  __shared__ real pulls[TILE][TILE];
  __shared__ real xs[TILE][TILE];
  const int row = threadIdx.x / TILE, column = threadIdx.x % TILE;
  const int across = (s.D + TILE - 1) / TILE;
  const int m0 = blockIdx.x / across * TILE, j0 = blockIdx.x % across * TILE;
  const int m = m0 + row, j = j0 + column;
  const index_t q = index_t(m) * s.D + j;
  const bool mine = m < s.M && j < s.D;
  const real from = mine && difference ? w[q] : real(0);
  real pull = 0;
  for (int n0 = 0; n0 < s.N; n0 += TILE) {
    // 16 samples: K of their winners to this block's nodes, and this block's features of x
    const int n = n0 + row;
    if (n < s.N) {
      pulls[row][column] = m0 + column < s.M ? K[winner[n] * s.M + m0 + column] : real(0);
      xs[row][column] = j < s.D ? x[index_t(n) * s.D + j] : real(0);
    }
    __syncthreads();
    for (int k = 0; k < min(TILE, s.N - n0); ++k)
      pull = fma(pulls[k][row], xs[k][column] - from, pull);
    __syncthreads();
  }
  if (mine) moved[q] = fma(rate, pull, w[q]);
}
