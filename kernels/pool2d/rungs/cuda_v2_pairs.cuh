// v2 of avg_backward: 2x2 at stride 2 in float32, the pixels of two outputs a thread.
//
// What v1 wastes: four of its threads load the same gy, and each does two divisions of integers to
// find it. Here a thread loads two gy and writes the 4 x 2 pixels under them, 16 bytes a store.
//
//     glassgrad lab pool2d.avg_backward      what a request brings in v1 and in v2
#pragma once

#include "pair.cuh"

#ifdef REAL_IS_FLOAT

extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_avg_backward_v2(const float* __restrict__ gy, float* __restrict__ gx, const Geometry g) {
  const Pair pair(g);
  if (!pair.there) return;
  const float2 given = *reinterpret_cast<const float2*>(gy + pair.q);
  const float4 row = make_float4(given.x / 4, given.x / 4, given.y / 4, given.y / 4);
  float* pixel = gx + pair.m * g.H * g.W + pair.corner;
  *reinterpret_cast<float4*>(pixel) = row;
  *reinterpret_cast<float4*>(pixel + g.W) = row;
}

#endif
