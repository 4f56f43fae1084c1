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

// v3's products.
struct Staged {
  Quad (*tile)[DEPTH / 4 + 1];

  template <int COUNT>
  __device__ __forceinline__ void add(real* sum, const real* x, int stride, int rows, int K,
                                      const Quad* kept) const {
    add_kept<COUNT>(sum, x, stride, rows, K, kept, tile);
  }
};

// ---- v4: the next piece of h on its way, four rows a thread --------------------------------------

constexpr int PITCH = DEPTH / 4 + 1;   // Quads of a staged row; the odd one spreads rows over banks
constexpr int BUFFER = ROWS * PITCH;  // Quads of a stage; there are two

// Starts to copy DEPTH numbers of each row, from k = start on; zeros where there are none.
__device__ __forceinline__ void stage_rows(Quad* tile, const real* x, int stride, int rows, int start,
                                           int K) {
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

// add_kept with four rows and SPAN units a thread. 8 / SPAN threads across and 8 down make a team;
// each team takes its slice of the k that are staged, and the sums of the teams meet in the end, in
// the memory of the stages. Lanes n and n^1 want the same weights, n and n^2 the same rows: so a
// request for Quads takes two cycles, where eight lanes that differ each take one of four.
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
