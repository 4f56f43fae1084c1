// v4 of max_forward and avg_forward: 3x3 at stride 2, two outputs a thread, no tile.
//
// What v2 wastes: its tile costs a division for each pixel that it brings, and a barrier; its tiles
// of 16 x 16 leave a quarter of the threads of a 28 x 28 result idle. The first-level cache holds
// the pixels just as well. Here a thread takes two outputs, one below the other, which share a row:
// 15 loads, all on their way at once, for 18 pixels compared.
//
//     glassgrad lab pool2d.max_forward --version 4      its loads, line by line; v2 likewise
#pragma once

struct Strip {
  real pixel[5][3];
  bool row[5], column[3];  // is it inside the image?
  int r, s;                // the pixel at the corner
  index_t q;               // the upper output
  bool there, two;         // has this thread any output, and a lower one?

  __device__ __forceinline__ Strip(const Geometry& g, const real* x) {
    const index_t t = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    const int pairs = (g.OH + 1) / 2, j = t % g.OW, i = t / g.OW % pairs * 2;
    const index_t m = t / g.OW / pairs;
    there = m < planes(g);
    if (!there) return;
    r = i * 2 - g.PH, s = j * 2 - g.PW;
    q = (m * g.OH + i) * g.OW + j, two = i + 1 < g.OH;
#pragma unroll
    for (int u = 0; u < 5; ++u) row[u] = r + u >= 0 && r + u < g.H;
#pragma unroll
    for (int v = 0; v < 3; ++v) column[v] = s + v >= 0 && s + v < g.W;
    const real* corner = x + m * g.H * g.W + (r * g.W + s);
#pragma unroll
    for (int u = 0; u < 5; ++u)
#pragma unroll
      for (int v = 0; v < 3; ++v) pixel[u][v] = row[u] && column[v] ? corner[u * g.W + v] : real(0);
  }
};

extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_max_forward_v4(const real* __restrict__ x, real* __restrict__ y,
                          long long* __restrict__ index, const Geometry g) {
  const Strip strip(g, x);
  if (!strip.there) return;
#pragma unroll
  for (int lower = 0; lower < 2; ++lower) {
    if (lower && !strip.two) break;
    int at = -1;
    real best = 0;
#pragma unroll
    for (int u = 2 * lower; u < 2 * lower + 3; ++u)
#pragma unroll
      for (int v = 0; v < 3; ++v) {
        const real value = strip.pixel[u][v];
        if (strip.row[u] && strip.column[v] && (at < 0 || beats(value, best)))
          best = value, at = (strip.r + u) * g.W + strip.s + v;
      }
    y[strip.q + lower * g.OW] = best;
    index[strip.q + lower * g.OW] = at;
  }
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_avg_forward_v4(const real* __restrict__ x, real* __restrict__ y, const Geometry g) {
  const Strip strip(g, x);
  if (!strip.there) return;
#pragma unroll
  for (int lower = 0; lower < 2; ++lower) {
    if (lower && !strip.two) break;
    real sum = 0;
#pragma unroll
    for (int u = 2 * lower; u < 2 * lower + 3; ++u)
#pragma unroll
      for (int v = 0; v < 3; ++v) sum += strip.pixel[u][v];  // zeros outside the image
    y[strip.q + lower * g.OW] = sum / real(9);
  }
}
