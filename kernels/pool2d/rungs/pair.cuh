// Windows of 2x2 at stride 2 by pairs: forward (v3) and back (v2 of avg_backward).
#pragma once

// Two outputs side by side, and the 4 x 2 pixels under them.
struct Pair {
  bool there;  // or is the thread beyond the last one?
  index_t q;   // the left output
  index_t m;   // its plane
  int corner;  // the first pixel, in its plane

  __device__ __forceinline__ Pair(const Geometry& g) {
    const index_t pair = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    const int across = g.OW / 2;
    there = pair < planes(g) * g.OH * across;
    q = 2 * pair, m = pair / across / g.OH;
    corner = pair / across % g.OH * 2 * g.W + pair % across * 4;
  }
};
