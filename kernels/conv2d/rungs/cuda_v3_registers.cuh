// v3: a tile of results in registers.
//
// What v2 wastes: it takes two loads from shared memory for every multiply-add, so that two
// instructions in three only fetch (`glassgrad lab conv2d.forward --version 2` counts the shared
// loads of its inner line). Here a thread owns 4 x 8 results: per k it reads 4 + 8 numbers, three
// loads of four, for 32 multiply-adds. The tile of a block grows to 64 x 64: global loads per
// multiply-add fall from 1/8 to 1/32.
#pragma once

#include "product.cuh"

constexpr int TILE = 64, THREADS = 128;
// Words from one k of a tile to the next: 8 more than a multiple of 32, the banks, for v5; a
// multiple of four, for Fours.
constexpr int PITCH = TILE + 8;

struct alignas(16) Four {  // one load of 16 bytes, or two in double
  real v[4];
};

constexpr int FOURS = DEPTH * PITCH / 4;

// Shared memory serves eight lanes of a request for Fours in a cycle, four cycles a warp, and lanes
// that read the same Four as one. So lanes n and n^1 read the same columns, lanes n and n^2 the same
// rows: a request takes two cycles.
struct Registers {
  real sum[8][4] = {};  // [column][row]
  int t = threadIdx.x;
  int row = ((t & 1) | (t >> 1 & 2) | t / 32 << 2) * 4;
  int col = ((t >> 1 & 1) | (t >> 3 & 3) << 1) * 4;  // and columns col + 32 ...

  // Unrolled, all of `sum` has fixed places in registers; the 32 products of one d hide the three
  // loads of the next.
  __device__ __forceinline__ void add(const real* a, const real* b) {
#pragma unroll
    for (int d = 0; d < DEPTH; ++d, a += PITCH, b += PITCH) {
      const Four left = *reinterpret_cast<const Four*>(a + row);
      const Four right[2] = {*reinterpret_cast<const Four*>(b + col),
                             *reinterpret_cast<const Four*>(b + col + 32)};
#pragma unroll
      for (int j = 0; j < 8; ++j)
#pragma unroll
        for (int i = 0; i < 4; ++i) sum[j][i] += left.v[i] * right[j / 4].v[j % 4];
    }
  }

  __device__ __forceinline__ void store(const Product& p) const {
#pragma unroll
    for (int j = 0; j < 8; ++j) p.store(row, col + j / 4 * 32 + j % 4, sum[j], 1);
  }
};

template <bool WINDOWS_SUMMED>
__device__ __forceinline__ void multiply_v3(const Product& p) {
  __shared__ Four a[FOURS];
  __shared__ Four b[FOURS];
  Loader<TILE, THREADS, PITCH, WINDOWS_SUMMED> loader(p);
  Registers sum;
  for (index_t k = p.first; k < p.last; k += DEPTH) {
    loader.template load<false>(a->v, b->v);
    __syncthreads();  // the tiles are there
    sum.add(a->v, b->v);
    __syncthreads();  // everybody is done with them
  }
  sum.store(p);
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_forward_v3(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y,
    const Geometry g) {
  multiply_v3<false>(forward<TILE>(g, x, w, y));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_input_grad_v3(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx,
    const Geometry g) {
  multiply_v3<false>(input_grad<TILE>(g, gy, w, gx));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_weight_grad_v3(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ parts,
    const Geometry g, index_t piece) {
  multiply_v3<true>(weight_grad<TILE>(g, gy, x, parts, piece));
}
