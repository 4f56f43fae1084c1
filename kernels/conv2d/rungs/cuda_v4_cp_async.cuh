// v4: two buffers, copied asynchronously.
//
// What v3 wastes: it computes nothing while it waits for global memory, hundreds of cycles per
// tile, and every number passes through a register on its way: `glassgrad lab conv2d.forward` shows
// its loads and stores of tiles, which are copies from v4 on. cp.async copies from global to shared
// memory while the block computes: the next tile lands in one pair of buffers as the other is used.
// One barrier per tile, where v3 has two, says both that the new tile is there and that the old one
// is free.
#pragma once

#include "cuda_v3_registers.cuh"

template <class Sum, bool WINDOWS_SUMMED>
__device__ __forceinline__ void multiply_pipelined(const Product& p) {
  __shared__ Four a[2][FOURS];
  __shared__ Four b[2][FOURS];
  Loader<TILE, THREADS, PITCH, WINDOWS_SUMMED> loader(p);
  Sum sum;
  int now = 0;
  loader.template load<true>(a[now]->v, b[now]->v);  // the first pair; nothing to compute yet
  for (index_t k = p.first; k < p.last; k += DEPTH, now ^= 1) {
    copy_async_commit();
    copy_async_wait<0>();
    __syncthreads();  // the new tiles of all threads are there, and nobody reads the old ones
    if (k + DEPTH < p.last) loader.template load<true>(a[now ^ 1]->v, b[now ^ 1]->v);
    sum.add(a[now]->v, b[now]->v);
  }
  sum.store(p);
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_forward_v4(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y,
    const Geometry g) {
  multiply_pipelined<Registers, false>(forward<TILE>(g, x, w, y));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_input_grad_v4(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx,
    const Geometry g) {
  multiply_pipelined<Registers, false>(input_grad<TILE>(g, gy, w, gx));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_weight_grad_v4(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ parts,
    const Geometry g, index_t piece) {
  multiply_pipelined<Registers, true>(weight_grad<TILE>(g, gy, x, parts, piece));
}
