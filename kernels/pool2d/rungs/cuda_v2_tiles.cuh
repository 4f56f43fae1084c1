// v2 of max_forward and avg_forward: overlapping windows share a tile in shared memory.
//
// What v1 wastes: it asks for each pixel KH KW / (SH SW) times (3x3, stride 2: 2.25), and
// neighbouring threads ask SW pixels apart: 8 sectors a request instead of 4. Here the pixels under
// 16 x 16 outputs come once, side by side, into shared memory, and are compared there (where stride
// 2 costs two cycles a request, not eight sectors).
//
//     glassgrad lab pool2d.max_forward      bytes and sectors of v1 and v2
#pragma once

constexpr int TILE = 16;  // rows and columns of a block's outputs

// The pixels under a tile, brought into shared memory row by row. Pixels of the padding are not
// written: no window, being cut, looks at them.
struct Patch {
  int m, i, j;                     // this thread's output
  int row, column, rows, columns;  // the pixel at the tile's corner, and the size

  __device__ __forceinline__ Patch(const Geometry& g) {
    const int across = (g.OW + TILE - 1) / TILE, down = (g.OH + TILE - 1) / TILE;
    const int i0 = blockIdx.x / across % down * TILE, j0 = blockIdx.x % across * TILE;
    m = blockIdx.x / across / down;
    i = i0 + threadIdx.x / TILE, j = j0 + threadIdx.x % TILE;
    row = i0 * g.SH - g.PH, column = j0 * g.SW - g.PW;
    rows = (TILE - 1) * g.SH + g.KH, columns = (TILE - 1) * g.SW + g.KW;
  }

  __device__ __forceinline__ void load(const Geometry& g, real* tile, const real* x) const {
    const real* plane = x + index_t(m) * g.H * g.W;
    for (int e = threadIdx.x; e < rows * columns; e += BLOCK) {
      const int r = row + e / columns, s = column + e % columns;
      if (r >= 0 && r < g.H && s >= 0 && s < g.W) tile[e] = plane[r * g.W + s];
    }
    __syncthreads();
  }

  __device__ __forceinline__ bool inside(const Geometry& g) const { return i < g.OH && j < g.OW; }

  __device__ __forceinline__ index_t output(const Geometry& g) const {
    return (index_t(m) * g.OH + i) * g.OW + j;
  }

  // Where the tile has pixel (r, s) of the image.
  __device__ __forceinline__ int at(int r, int s) const {
    return (r - row) * columns + (s - column);
  }
};

extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_max_forward_v2(const real* __restrict__ x, real* __restrict__ y,
                          long long* __restrict__ index, const Geometry g) {
  extern __shared__ real tile[];
  const Patch patch(g);
  patch.load(g, tile, x);
  if (!patch.inside(g)) return;
  const Window window(g, patch.i, patch.j);
  int at = window.r0 * g.W + window.s0;
  real best = tile[patch.at(window.r0, window.s0)];
  for (int r = window.r0; r < window.r1; ++r)
    for (int s = window.s0; s < window.s1; ++s) {
      const real value = tile[patch.at(r, s)];
      if (beats(value, best)) best = value, at = r * g.W + s;
    }
  y[patch.output(g)] = best;
  index[patch.output(g)] = at;
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    pool2d_avg_forward_v2(const real* __restrict__ x, real* __restrict__ y, const Geometry g) {
  extern __shared__ real tile[];
  const Patch patch(g);
  patch.load(g, tile, x);
  if (!patch.inside(g)) return;
  const Window window(g, patch.i, patch.j);
  real sum = 0;
  for (int r = window.r0; r < window.r1; ++r)
    for (int s = window.s0; s < window.s1; ++s) sum += tile[patch.at(r, s)];
  y[patch.output(g)] = sum / real(g.KH * g.KW);
}
