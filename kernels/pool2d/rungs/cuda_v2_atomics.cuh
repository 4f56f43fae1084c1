// v2 of max_backward: one thread an output, and atomics.
//
// What v1 wastes: it keeps N C threads busy, and neighbours are a plane apart: up to 32 sectors a
// request. Here one thread an output fills the GPU. Where two of them want one pixel, an atomic
// addition settles it, in an order that nobody knows: the last bits differ from run to run.
//
//     glassgrad lab pool2d.max_backward      sectors and idle lanes of v1 and v2
#pragma once

extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_max_backward_v2(const real* __restrict__ gy, const long long* __restrict__ index,
                           real* __restrict__ gx, int pixels, int outputs, index_t n) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q < n) atomicAdd(gx + q / outputs * pixels + index[q], gy[q]);
}
