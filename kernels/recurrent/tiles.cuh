// Products of v2: tiles in shared memory.
//
// A block (TILE, TILE) has a thread for unit x of sequence y. It loads a tile of h and one of each
// gate's weights; every number then serves TILE threads. All threads of the block must call, those
// beyond the edge too: they load for the others.
#pragma once
#include "device.cuh"

constexpr int TILE = 16;

// sum[g] += x[n, :] . w[g H + j, :], n and j this thread's; all threads of the block must call.
template <int COUNT>
__device__ __forceinline__ void add_rows(real* sum, const real* x, const real* w, int N, int H,
                                         real (*xs)[TILE + 1], real (*ws)[TILE][TILE + 1]) {
  int n = blockIdx.x * TILE + threadIdx.y, first = blockIdx.y * TILE;
  for (int start = 0; start < H; start += TILE) {
    int k = start + threadIdx.x, row = first + threadIdx.y;
    xs[threadIdx.y][threadIdx.x] = n < N && k < H ? x[index_t(n) * H + k] : real(0);
    for (int gate = 0; gate < COUNT; ++gate)
      ws[gate][threadIdx.y][threadIdx.x] =
          row < H && k < H ? w[(index_t(gate) * H + row) * H + k] : real(0);
    __syncthreads();
    for (int i = 0; i < TILE; ++i)
      for (int gate = 0; gate < COUNT; ++gate)
        sum[gate] += xs[threadIdx.y][i] * ws[gate][threadIdx.x][i];
    __syncthreads();
  }
}

// x[n, :K] . w[:K, j]; the rows of x stand a stride apart.
__device__ __forceinline__ real column(const real* x, int stride, const real* w, int K, int N,
                                       int H, real (*xs)[TILE + 1], real (*ws)[TILE + 1]) {
  int n = blockIdx.x * TILE + threadIdx.y, j = blockIdx.y * TILE + threadIdx.x;
  real sum = 0;
  for (int start = 0; start < K; start += TILE) {
    int k = start + threadIdx.x, row = start + threadIdx.y;
    xs[threadIdx.y][threadIdx.x] = n < N && k < K ? x[index_t(n) * stride + k] : real(0);
    ws[threadIdx.y][threadIdx.x] = row < K && j < H ? w[index_t(row) * H + j] : real(0);
    __syncthreads();
    for (int i = 0; i < TILE; ++i) sum += xs[threadIdx.y][i] * ws[i][threadIdx.x];
    __syncthreads();
  }
  return sum;
}
