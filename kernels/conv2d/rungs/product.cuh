// From v2 on, each pass is a matrix product whose large factor is never written down:
//
//     result[row, col] = sum over k of  A[row, k] * B[k, col]
//
// where A is w or gy as it lies in memory, and B is an image seen through taps: B[k, col] is the
// pixel that a tap reads from where a position of the window puts it. Here: where the factors lie
// (Product), what row, col and k are in each pass (forward, input_grad, weight_grad), and how
// tiles of the factors are brought to shared memory (Loader). Struct Geometry is that of cuda.cu.
#pragma once

#include "device.cuh"

constexpr int DEPTH = 16;  // values of k that lie in shared memory at a time

// ---- Where things lie ---------------------------------------------------------------------------

// An index in three digits: a tap (channel, u, v), or a window (image, i, j).
struct Digits {
  int a, b, c;
};

// Element `at` of an array, in row h and column w of its plane. Places add: tap + window = pixel.
struct Place {
  index_t at;
  int h, w;
};

// Places that are linear in three digits, b < B and c < C; the first has no limit.
struct Lattice {
  int B, C;
  index_t step_a, step_b, step_c;  // distance in memory
  int rows_b = 0, columns_c = 0;   // distance in the plane
  Place start = {0, 0, 0};

  __device__ __forceinline__ Digits split(index_t i) const {
    return {int(i / C / B), int(i / C % B), int(i % C)};
  }

  // Addition with carry: no division, and so cheap enough for the inner loop.
  __device__ __forceinline__ Digits add(Digits x, Digits y) const {
    Digits sum = {x.a + y.a, x.b + y.b, x.c + y.c};
    if (sum.c >= C) sum.c -= C, ++sum.b;
    if (sum.b >= B) sum.b -= B, ++sum.a;
    return sum;
  }

  __device__ __forceinline__ Place place(Digits d) const {
    return {start.at + d.a * step_a + d.b * step_b + d.c * step_c, start.h + d.b * rows_b,
            start.w + d.c * columns_c};
  }
};

// What one block has to do.
struct Product {
  int row, rows;            // its first row, and the number of all rows
  index_t col, cols;        // its first column, and the number of all columns
  index_t first, last;      // it sums over first <= k < last
  const real* a;            // A[row, k] = a[row * a_row + a_k(k)]
  index_t a_row;
  Lattice a_k;
  const real* b;            // B[k, col] = b[b_k(k) + b_col(col)], 0 outside the H x W plane
  Lattice b_k, b_col;
  int H, W;
  real* result;             // result[row, col] goes to result[row * result_row + result_col(col)]
  index_t result_row;
  Lattice result_col;

  // Values of one column, for rows row + i * distance.
  template <int COUNT>
  __device__ __forceinline__ void store(int in_tile, int col_in_tile, const real (&values)[COUNT],
                                        int distance) const {
    if (col + col_in_tile >= cols) return;
    const index_t at = result_col.place(result_col.split(col + col_in_tile)).at;
#pragma unroll
    for (int i = 0; i < COUNT; ++i) {
      const int r = row + in_tile + i * distance;
      if (r < rows) result[r * result_row + at] = values[i];
    }
  }
};

// ---- The passes as products ---------------------------------------------------------------------

// A block's share of the result: a tile of rows and columns in one group. Blocks that read the same
// columns of B, the large factor, follow each other: the second finds them in the L2 cache.
struct Share {
  int group, row;
  index_t col;
};

template <int SIZE>
__device__ __forceinline__ Share share_of_block(int rows, int groups) {
  const unsigned tiles = (rows + SIZE - 1) / SIZE, block = blockIdx.x;
  return {int(block / tiles % groups), int(block % tiles) * SIZE,
          index_t(block / tiles / groups) * SIZE};
}

// As a product: rows are output channels, columns windows (n, i, j), k taps (c, u, v).
template <int SIZE>
__device__ __forceinline__ Product forward(const Geometry& g, const real* x, const real* w,
                                           real* y) {
  const int Cg = g.C / g.G, Og = g.O / g.G, taps = g.KH * g.KW;
  const index_t in = index_t(g.H) * g.W, out = index_t(g.OH) * g.OW, depth = index_t(Cg) * taps;
  const Share mine = share_of_block<SIZE>(Og, g.G);
  Product p;
  p.row = mine.row, p.rows = Og;
  p.col = mine.col, p.cols = g.N * out;
  p.first = 0, p.last = depth;
  p.a = w + mine.group * Og * depth;
  p.a_row = depth;
  p.a_k = {g.KH, g.KW, taps, g.KW, 1};
  p.b = x + mine.group * Cg * in;
  p.b_k = {g.KH, g.KW, in, index_t(g.DH) * g.W, g.DW, g.DH, g.DW};
  p.b_col = {g.OH, g.OW, g.C * in, index_t(g.SH) * g.W, g.SW, g.SH, g.SW,
             {-index_t(g.PH) * g.W - g.PW, -g.PH, -g.PW}};
  p.H = g.H, p.W = g.W;
  p.result = y + mine.group * Og * out;
  p.result_row = out;
  p.result_col = {g.OH, g.OW, g.O * out, g.OW, 1};
  return p;
}

// Along one axis, of the input positions phase + stride * i: which taps meet an output, and where.
// Tap `tap + m * every`, for m < taps, meets output i + out - m * step.
struct Phase {
  int size, tap, every, taps, out, step;
};

__device__ __forceinline__ Phase phase_of(int phase, int size, int kernel, int stride, int pad,
                                          int dilation) {
  int tap = 0, every = 1;
  while (tap < kernel && (phase + pad - tap * dilation) % stride) ++tap;
  while (every * dilation % stride) ++every;
  const int positions = (size - phase + stride - 1) / stride;
  const int taps = (kernel - tap + every - 1) / every;
  const int out = (phase + pad - tap * dilation) / stride;
  return {positions, tap, every, taps, out, every * dilation / stride};
}

// As a product: rows are input channels, columns pixels of gx, k taps (o, u, v). All pixels with
// one remainder modulo the stride meet the same taps, and for them the pass is a convolution of gy
// with stride 1. So each remainder is a product of its own (blockIdx.y, blockIdx.z), and a stride
// of 2 takes a quarter of the multiply-adds that it would take with zeros put between the gy.
template <int SIZE>
__device__ __forceinline__ Product input_grad(const Geometry& g, const real* gy, const real* w,
                                              real* gx) {
  const int Cg = g.C / g.G, Og = g.O / g.G, taps = g.KH * g.KW, a = blockIdx.y, b = blockIdx.z;
  const index_t in = index_t(g.H) * g.W, out = index_t(g.OH) * g.OW;
  const Phase h = phase_of(a, g.H, g.KH, g.SH, g.PH, g.DH);
  const Phase w_ = phase_of(b, g.W, g.KW, g.SW, g.PW, g.DW);
  const int TH = max(1, h.taps), TW = max(1, w_.taps);  // none: the sum below is empty
  const Share mine = share_of_block<SIZE>(Cg, g.G);
  Product p;
  p.row = mine.row, p.rows = Cg;
  p.col = mine.col, p.cols = index_t(g.N) * h.size * w_.size;
  p.first = 0, p.last = index_t(Og) * h.taps * w_.taps;
  p.a = w + mine.group * Og * (index_t(Cg) * taps) + h.tap * g.KW + w_.tap;
  p.a_row = taps;
  p.a_k = {TH, TW, index_t(Cg) * taps, h.every * g.KW, w_.every};
  p.b = gy + mine.group * Og * out;
  p.b_k = {TH, TW, out, -index_t(h.step) * g.OW, -w_.step, -h.step, -w_.step};
  p.b_col = {h.size, w_.size, g.O * out, g.OW, 1, 1, 1,
             {index_t(h.out) * g.OW + w_.out, h.out, w_.out}};
  p.H = g.OH, p.W = g.OW;
  p.result = gx + mine.group * Cg * in + index_t(a) * g.W + b;
  p.result_row = in;
  p.result_col = {h.size, w_.size, g.C * in, index_t(g.SH) * g.W, g.SW};
  return p;
}

// As a product: rows are output channels, columns taps (c, u, v), k windows (n, i, j). The result
// is small and the sum long; so it is cut into gridDim.y pieces of `piece` windows, each with a
// result of its own in `parts`. conv2d_weight_grad_sum adds these up, always in the same order.
template <int SIZE>
__device__ __forceinline__ Product weight_grad(const Geometry& g, const real* gy, const real* x,
                                               real* parts, index_t piece) {
  const int Cg = g.C / g.G, Og = g.O / g.G, taps = g.KH * g.KW;
  const index_t in = index_t(g.H) * g.W, out = index_t(g.OH) * g.OW, cols = index_t(Cg) * taps;
  const Share mine = share_of_block<SIZE>(Og, g.G);
  Product p;
  p.row = mine.row, p.rows = Og;
  p.col = mine.col, p.cols = cols;
  p.first = blockIdx.y * piece, p.last = min(p.first + piece, g.N * out);
  p.a = gy + mine.group * Og * out;
  p.a_row = out;
  p.a_k = {g.OH, g.OW, g.O * out, g.OW, 1};
  p.b = x + mine.group * Cg * in;
  p.b_k = {g.OH, g.OW, g.C * in, index_t(g.SH) * g.W, g.SW, g.SH, g.SW,
           {-index_t(g.PH) * g.W - g.PW, -g.PH, -g.PW}};
  p.b_col = {g.KH, g.KW, in, index_t(g.DH) * g.W, g.DW, g.DH, g.DW};
  p.H = g.H, p.W = g.W;
  p.result = parts + (index_t(blockIdx.y) * g.O + mine.group * Og) * cols;
  p.result_row = cols;
  p.result_col = {g.KH, g.KW, taps, g.KW, 1};
  return p;
}

extern "C" __global__ void __launch_bounds__(256) conv2d_weight_grad_sum(
    const real* __restrict__ parts, real* __restrict__ gw, int pieces, index_t size) {
  const index_t i = blockIdx.x * index_t(256) + threadIdx.x;
  if (i >= size) return;
  real sum = 0;
  for (int piece = 0; piece < pieces; ++piece) sum += parts[piece * size + i];
  gw[i] = sum;
}

// ---- Tiles in shared memory ---------------------------------------------------------------------

template <bool ASYNC>
__device__ __forceinline__ void fetch(real* shared, const real* from, index_t at, bool there) {
  if (!there)
    *shared = 0;
  else if (ASYNC)
    copy_async<sizeof(real)>(shared, from + at);
  else
    *shared = from[at];
}

// Copies the next DEPTH x TILE numbers of A and of B to shared memory, both as [k][line], PITCH
// words from one k to the next. Neighbouring threads take neighbours in memory: along k in A; in B along the windows,
// which are its columns, or k itself in the weight gradient (WINDOWS_SUMMED).
template <int TILE, int THREADS, int PITCH, bool WINDOWS_SUMMED>
struct Loader {
  static constexpr int A_DEPTH = THREADS / TILE > 8 ? THREADS / TILE : 8;  // threads along k
  static constexpr int B_DEPTH = WINDOWS_SUMMED ? A_DEPTH : THREADS / (TILE < 32 ? TILE : 32);
  static constexpr int A_LINES = THREADS / A_DEPTH, B_LINES = THREADS / B_DEPTH;

  const Product& p;
  int a_depth, a_line, b_depth, b_line;  // this thread's first element in each tile
  Digits a_k, b_k, a_step, b_step;
  index_t k;
  Place column[TILE / B_LINES];  // decoded once: its columns never change

  __device__ __forceinline__ Loader(const Product& p) : p(p), k(p.first) {
    const int t = threadIdx.x;
    a_depth = t % A_DEPTH, a_line = t / A_DEPTH;
    b_depth = WINDOWS_SUMMED ? t % B_DEPTH : t / B_LINES;
    b_line = WINDOWS_SUMMED ? t / B_DEPTH : t % B_LINES;
    a_k = p.a_k.split(k + a_depth), b_k = p.b_k.split(k + b_depth);
    a_step = p.a_k.split(A_DEPTH), b_step = p.b_k.split(B_DEPTH);
#pragma unroll
    for (int i = 0; i < TILE / B_LINES; ++i) {
      const index_t col = p.col + b_line + i * B_LINES;
      column[i] = p.b_col.place(p.b_col.split(col));
      if (col >= p.cols) column[i].h = -(1 << 30);  // outside, whatever the tap
    }
  }

  template <bool ASYNC>
  __device__ __forceinline__ void load(real* a, real* b) {
#pragma unroll
    for (int d = a_depth; d < DEPTH; d += A_DEPTH) {
      const index_t at = p.a_k.place(a_k).at;
#pragma unroll
      for (int line = a_line; line < TILE; line += A_LINES) {
        const int row = p.row + line;
        const bool there = k + d < p.last && row < p.rows;
        fetch<ASYNC>(&a[d * PITCH + line], p.a, row * p.a_row + at, there);
      }
      a_k = p.a_k.add(a_k, a_step);
    }
#pragma unroll
    for (int d = b_depth; d < DEPTH; d += B_DEPTH) {
      const Place tap = p.b_k.place(b_k);
#pragma unroll
      for (int i = 0; i < TILE / B_LINES; ++i) {
        const Place at = {tap.at + column[i].at, tap.h + column[i].h, tap.w + column[i].w};
        const bool inside = unsigned(at.h) < unsigned(p.H) && unsigned(at.w) < unsigned(p.W);
        const bool there = k + d < p.last && inside;
        fetch<ASYNC>(&b[d * PITCH + b_line + i * B_LINES], p.b, at.at, there);
      }
      b_k = p.b_k.add(b_k, b_step);
    }
    k += DEPTH;
  }
};
