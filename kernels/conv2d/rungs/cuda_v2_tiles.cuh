// v2: tiles in shared memory.
//
// What v1 wastes: it loads two numbers from global memory for every multiply-add, although a weight
// serves every pixel and a pixel every output channel (`glassgrad lab conv2d.forward`: requests and
// sectors of v1 and v2). Here a block of 16 x 16 threads, one result each, loads 16 x 16 of A and
// of B together and uses each of them 16 times: 1/8 load per multiply-add.
#pragma once

#include "product.cuh"

constexpr int V2_TILE = 16;

template <bool WINDOWS_SUMMED>
__device__ __forceinline__ void multiply_v2(const Product& p) {
  constexpr int PITCH = V2_TILE + 1;  // odd: a column of the tile lies in 16 different banks
  __shared__ real a[DEPTH][PITCH];
  __shared__ real b[DEPTH][PITCH];
  Loader<V2_TILE, V2_TILE * V2_TILE, PITCH, WINDOWS_SUMMED> loader(p);
  const int row = threadIdx.x / V2_TILE, col = threadIdx.x % V2_TILE;
  real sum[1] = {0};
  for (index_t k = p.first; k < p.last; k += DEPTH) {
    loader.template load<false>(a[0], b[0]);
    __syncthreads();  // the tiles are there
#pragma unroll
    for (int d = 0; d < DEPTH; ++d) sum[0] += a[d][row] * b[d][col];
    __syncthreads();  // everybody is done with them
  }
  p.store(row, col, sum, 1);
}

extern "C" __global__ void __launch_bounds__(256) conv2d_forward_v2(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y,
    const Geometry g) {
  multiply_v2<false>(forward<V2_TILE>(g, x, w, y));
}

extern "C" __global__ void __launch_bounds__(256) conv2d_input_grad_v2(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx,
    const Geometry g) {
  multiply_v2<false>(input_grad<V2_TILE>(g, gy, w, gx));
}

extern "C" __global__ void __launch_bounds__(256) conv2d_weight_grad_v2(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ parts,
    const Geometry g, index_t piece) {
  multiply_v2<true>(weight_grad<V2_TILE>(g, gy, x, parts, piece));
}
