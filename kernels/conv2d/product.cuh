// A convolution is a matrix product whose large factor is never written down: every pass is
//
//     result[row, col] = sum over k of  A[row, k] * B[k, col]
//
// where A is w or gy as it lies in memory, and B is an image seen through taps: B[k, col] is the
// pixel that a tap reads from where a position of the window puts it. This file knows how to
// multiply (v2 to v4; v5 to v7 in tensor.cuh); cuda.cu says for each pass what row, col and k
// stand for.
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

template <bool ASYNC>
__device__ __forceinline__ void fetch(real* shared, const real* from, index_t at, bool there) {
  if (!there)
    *shared = 0;
  else if (ASYNC)
    copy_async<sizeof(real)>(shared, from + at);
  else
    *shared = from[at];
}

// Copies the next DEPTH x TILE numbers of A and of B to shared memory, both as [k][line], STRIDE
// apart. Neighbouring threads take neighbours in memory: along k in A; in B along the windows,
// which are its columns, or k itself in the weight gradient (WINDOWS_SUMMED).
template <int TILE, int THREADS, int STRIDE, bool WINDOWS_SUMMED>
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
        fetch<ASYNC>(&a[d * STRIDE + line], p.a, row * p.a_row + at, there);
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
        fetch<ASYNC>(&b[d * STRIDE + b_line + i * B_LINES], p.b, at.at, there);
      }
      b_k = p.b_k.add(b_k, b_step);
    }
    k += DEPTH;
  }
};

// ---- v2: tiles in shared memory -----------------------------------------------------------------
//
// v1 loads two numbers from global memory for every multiply-add, although a weight serves every
// pixel and a pixel every output channel. A block of 16 x 16 threads, one result each, loads
// 16 x 16 of A and of B together and uses each of them 16 times: 1/8 load per multiply-add.

constexpr int V2_TILE = 16;

template <bool WINDOWS_SUMMED>
__device__ __forceinline__ void multiply_v2(const Product& p) {
  constexpr int STRIDE = V2_TILE + 1;  // odd: a column of the tile lies in 16 different banks
  __shared__ real a[DEPTH][STRIDE];
  __shared__ real b[DEPTH][STRIDE];
  Loader<V2_TILE, V2_TILE * V2_TILE, STRIDE, WINDOWS_SUMMED> loader(p);
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

// ---- v3: a tile of results in registers ---------------------------------------------------------
//
// v2 takes two loads from shared memory for every multiply-add: two instructions in three only
// fetch. Here a thread owns 4 x 8 results: per k it reads 4 + 8 numbers, three loads of four, for
// 32 multiply-adds. The tile of a block grows to 64 x 64: global loads per multiply-add fall
// from 1/8 to 1/32.

constexpr int TILE = 64, THREADS = 128;
constexpr int STRIDE = TILE + 8;  // = 8 (mod 32) banks: what v5 needs, and a multiple of four

struct alignas(16) Four {  // one load of 16 bytes, or two in double
  real v[4];
};

constexpr int FOURS = DEPTH * STRIDE / 4;

// Lanes n and n^1 want the same columns, n and n^2 the same rows: a request for Fours, of which eight
// lanes that differ take a cycle to themselves, then takes two cycles and not four.
struct Registers {
  real sum[8][4] = {};  // [column][row]
  int t = threadIdx.x;
  int row = ((t & 1) | (t >> 1 & 2) | t / 32 << 2) * 4;
  int col = ((t >> 1 & 1) | (t >> 3 & 3) << 1) * 4;  // and columns col + 32 ...

  __device__ __forceinline__ void add(const real* a, const real* b) {
#pragma unroll
    for (int d = 0; d < DEPTH; ++d, a += STRIDE, b += STRIDE) {
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
  Loader<TILE, THREADS, STRIDE, WINDOWS_SUMMED> loader(p);
  Registers sum;
  for (index_t k = p.first; k < p.last; k += DEPTH) {
    loader.template load<false>(a->v, b->v);
    __syncthreads();
    sum.add(a->v, b->v);
    __syncthreads();
  }
  sum.store(p);
}

// ---- v4: two buffers, copied asynchronously -----------------------------------------------------
//
// v3 computes nothing while it waits for global memory, hundreds of cycles per tile, and every
// number passes through a register on its way. cp.async copies from global to shared memory while
// the block computes: the next tile lands in one pair of buffers as the other is used. One barrier
// per tile, where v3 has two, says both that the new tile is there and that the old one is free.

template <class Sum, bool WINDOWS_SUMMED>
__device__ __forceinline__ void multiply_pipelined(const Product& p) {
  __shared__ Four a[2][FOURS];
  __shared__ Four b[2][FOURS];
  Loader<TILE, THREADS, STRIDE, WINDOWS_SUMMED> loader(p);
  Sum sum;
  int now = 0;
  loader.template load<true>(a[now]->v, b[now]->v);
  for (index_t k = p.first; k < p.last; k += DEPTH, now ^= 1) {
    copy_async_commit();
    copy_async_wait<0>();
    __syncthreads();
    if (k + DEPTH < p.last) loader.template load<true>(a[now ^ 1]->v, b[now ^ 1]->v);
    sum.add(a[now]->v, b[now]->v);
  }
  sum.store(p);
}
