// Where a thread's unit lies, and its gates, one or four units at a time.
//
// A row of pre-activations holds [G, H]: the gates of one unit lie H apart. `Gates` is a family's
// struct of G reals, in that order.
#pragma once
#include "recurrent/kept.cuh"
#include "recurrent/tiles.cuh"

// Unit j of a sequence: number `cell` of [N, H]; its first gate is number `row` of [N, G H].
struct Unit {
  index_t cell, row;
  int j;
  bool inside;
};

// v1 and v2 of the cells: the first of the `each` neighbouring units that a thread takes.
template <class Gates>
__device__ __forceinline__ Unit unit_of_thread(int each, index_t cells, int H) {
  constexpr int G = sizeof(Gates) / sizeof(real);
  const index_t cell = (index_t(blockIdx.x) * blockDim.x + threadIdx.x) * each;
  const int j = cell % H;
  return {cell, cell / H * G * H + j, j, cell < cells};
}

// v2 of the sequences: unit x of sequence y in the tile of the block.
template <class Gates>
__device__ __forceinline__ Unit unit_of_tile(int N, int H) {
  constexpr int G = sizeof(Gates) / sizeof(real);
  const int n = blockIdx.x * TILE + threadIdx.y, j = blockIdx.y * TILE + threadIdx.x;
  return {index_t(n) * H + j, index_t(n) * G * H + j, j, n < N && j < H};
}

// v3 and v4: which units and sequences a block has, and which one its thread has. A thread stays at
// its post for all steps.
struct Post {
  int unit, first;  // the block's first unit and first sequence
  int rows;         // how many sequences the block has
  int j, n;         // this thread's unit and sequence
  bool inside;      // false past the last unit or the last sequence
  index_t cell;     // number of (n, j) in [N, H]
  index_t start;    // number of (first, 0) in [N, H]
  index_t layer;    // numbers in one step: N H
};

__device__ __forceinline__ Post post(int N, int H) {
  Post at;
  at.unit = blockIdx.x * UNITS;
  at.first = blockIdx.y * ROWS;
  at.rows = min(ROWS, N - at.first);
  at.j = at.unit + threadIdx.x % UNITS;
  at.n = at.first + threadIdx.x / UNITS;
  at.inside = at.n < N && at.j < H;
  at.cell = index_t(at.n) * H + at.j;
  at.start = index_t(at.first) * H;
  at.layer = index_t(N) * H;
  return at;
}

// The gates of one unit; `row` points at the first.
template <class Gates>
__device__ __forceinline__ Gates load(const real* row, int H) {
  Gates unit;
  real* gate = reinterpret_cast<real*>(&unit);
#pragma unroll
  for (int g = 0; g < int(sizeof(Gates) / sizeof(real)); ++g) gate[g] = row[g * H];
  return unit;
}

template <class Gates>
__device__ __forceinline__ void store(real* row, int H, const Gates& unit) {
  const real* gate = reinterpret_cast<const real*>(&unit);
#pragma unroll
  for (int g = 0; g < int(sizeof(Gates) / sizeof(real)); ++g) row[g * H] = gate[g];
}

#ifdef REAL_IS_FLOAT

// The gates of four neighbouring units: one request of 16 bytes for each gate. Addresses are
// multiples of 16 because H is one of 4.
template <class Gates>
__device__ __forceinline__ void load4(Gates unit[4], const float* row, int H) {
  float* gate = reinterpret_cast<float*>(unit);
  constexpr int G = sizeof(Gates) / sizeof(float);
#pragma unroll
  for (int g = 0; g < G; ++g) {
    const float4 four = *(const float4*)(row + g * H);
    gate[g] = four.x;
    gate[G + g] = four.y;
    gate[2 * G + g] = four.z;
    gate[3 * G + g] = four.w;
  }
}

template <class Gates>
__device__ __forceinline__ void store4(float* row, int H, const Gates unit[4]) {
  const float* gate = reinterpret_cast<const float*>(unit);
  constexpr int G = sizeof(Gates) / sizeof(float);
#pragma unroll
  for (int g = 0; g < G; ++g)
    *(float4*)(row + g * H) = make_float4(gate[g], gate[G + g], gate[2 * G + g], gate[3 * G + g]);
}

#endif
