// v3 of max_forward and avg_forward: 2x2 at stride 2 in float32, two outputs a thread.
//
// What v1 and v2 waste: these windows share no pixel, so v2's tile is a detour, and v1 reads each
// row with gaps, twice: 4 requests of 8 sectors for 4 x 128 useful bytes. Here a thread takes 4
// pixels of both rows in one load each, for two outputs, and no byte that it asked for is thrown
// away.
//
//     glassgrad lab pool2d.max_forward --case halves      requests and sectors of v1 and v3
#pragma once

#include "pair.cuh"

#ifdef REAL_IS_FLOAT

__device__ __forceinline__ void first_of_four(float a, float b, float c, float d, int corner, int W,
                                              float& best, int& at) {
  best = a, at = corner;
  if (beats(b, best)) best = b, at = corner + 1;
  if (beats(c, best)) best = c, at = corner + W;
  if (beats(d, best)) best = d, at = corner + W + 1;
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_max_forward_v3(const float* __restrict__ x, float* __restrict__ y,
                          long long* __restrict__ index, const Geometry g) {
  const Pair pair(g);
  if (!pair.there) return;
  const float* pixel = x + pair.m * g.H * g.W + pair.corner;
  const float4 above = *reinterpret_cast<const float4*>(pixel);
  const float4 below = *reinterpret_cast<const float4*>(pixel + g.W);
  float2 best;
  int4 at = make_int4(0, 0, 0, 0);  // two int64 below 2^31: low word, then zero
  first_of_four(above.x, above.y, below.x, below.y, pair.corner, g.W, best.x, at.x);
  first_of_four(above.z, above.w, below.z, below.w, pair.corner + 2, g.W, best.y, at.z);
  *reinterpret_cast<float2*>(y + pair.q) = best;
  *reinterpret_cast<int4*>(index + pair.q) = at;
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_avg_forward_v3(const float* __restrict__ x, float* __restrict__ y, const Geometry g) {
  const Pair pair(g);
  if (!pair.there) return;
  const float* pixel = x + pair.m * g.H * g.W + pair.corner;
  const float4 above = *reinterpret_cast<const float4*>(pixel);
  const float4 below = *reinterpret_cast<const float4*>(pixel + g.W);
  *reinterpret_cast<float2*>(y + pair.q) = make_float2((above.x + above.y + below.x + below.y) / 4,
                                                       (above.z + above.w + below.z + below.w) / 4);
}

#endif
