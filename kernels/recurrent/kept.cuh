// Products of v3: weights that stay in shared memory for all steps.
//
// A block of UNITS * ROWS threads keeps the weights of UNITS hidden units; only h travels. A thread
// has one unit of one sequence, the unit running fastest. Weights and h are read as Quads of four
// k.
#pragma once
#include "device.cuh"

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
