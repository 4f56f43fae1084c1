// What the recurrent families (lstm, gru) share: the products of h with their weights. Their cuda.cu
// tell why the versions are as they are.
#pragma once
#include "device.cuh"

// ---- v2: tiles in shared memory, block (TILE, TILE), a thread for unit x of sequence y -----------

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

// ---- v3: weights that stay in shared memory, block UNITS * ROWS ----------------------------------

constexpr int UNITS = 8;   // hidden units of a block,
constexpr int ROWS = 32;   // of as many sequences
constexpr int DEPTH = 64;  // numbers of each row of h that are staged at a time

#ifdef REAL_IS_FLOAT
typedef float4 Quad;
#else
struct alignas(16) Quad {
  double x, y, z, w;
};
#endif

// The weights of a block's units, w[u * unit + k * step] for k < K, as Quads of four k. As the
// unit runs fastest, neighbouring threads, which have neighbouring units, read neighbouring Quads.
__device__ __forceinline__ void keep(Quad* kept, const real* w, int K, int unit, int step,
                                     int left) {
  real* to = reinterpret_cast<real*>(kept);
  for (int i = threadIdx.x; i < (K + 3) / 4 * 4 * UNITS; i += UNITS * ROWS) {
    int u = i / 4 % UNITS, k = i / (4 * UNITS) * 4 + i % 4;
    to[i] = u < left && k < K ? w[index_t(u) * unit + index_t(k) * step] : real(0);
  }
}

// sum[g] += x[r, :K] . kept weights g of this thread's unit, r its row of the `rows` that x has, a
// stride apart. All threads of the block must call.
template <int COUNT>
__device__ __forceinline__ void add_kept(real* sum, const real* x, int stride, int rows, int K,
                                         const Quad* kept, Quad (*tile)[DEPTH / 4 + 1]) {
  int u = threadIdx.x % UNITS, r = threadIdx.x / UNITS, quads = (K + 3) / 4;
  for (int start = 0; start < K; start += DEPTH) {
#pragma unroll
    for (int pass = 0; pass < DEPTH / UNITS; ++pass) {
      int i = pass * UNITS * ROWS + threadIdx.x, row = i / DEPTH, k = i % DEPTH;
      real value = row < rows && start + k < K ? x[index_t(row) * stride + start + k] : real(0);
      reinterpret_cast<real*>(tile[row])[k] = value;
    }
    __syncthreads();
    for (int q = start / 4; q < min(quads, (start + DEPTH) / 4); ++q) {
      Quad a = tile[r][q - start / 4];
      for (int g = 0; g < COUNT; ++g) {
        Quad b = kept[(g * quads + q) * UNITS + u];
        sum[g] += a.x * b.x;
        sum[g] += a.y * b.y;
        sum[g] += a.z * b.z;
        sum[g] += a.w * b.w;
      }
    }
    __syncthreads();
  }
}
