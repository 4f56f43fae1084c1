// What v1 wastes: the stretch of a common word is long, "the" is one in sixteen, and one thread a column walks it alone
// while the rest of the chip has nothing to do. Here stretches are cut in pieces of 32 places, which are summed side
// by side; then the sums of a row's pieces are added in their order. Pieces are counted from the beginning of their own
// row, so that the order of a row's additions does not depend on the other rows.
//
//     glassgrad bench embedding.scatter_add --backend cuda
#pragma once

constexpr int PIECE = 32;

// The row of a piece: the last v with piece_first[v] <= piece.
__device__ __forceinline__ int row_of(const long long* piece_first, int V, long long piece) {
  int low = 0, high = V;  // piece_first[low] <= piece < piece_first[high]
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    if (piece_first[middle] <= piece)
      low = middle;
    else
      high = middle;
  }
  return low;
}

// The sum of each piece, [pieces, D]; there may be fewer pieces than the arrays have room for.
extern "C" __global__ void __launch_bounds__(BLOCK)
    embedding_pieces_v2(const real* __restrict__ g, const long long* __restrict__ order,
                        const long long* __restrict__ first, const long long* __restrict__ piece_first,
                        real* __restrict__ partial, int most, const Sizes s) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  const index_t piece = q / s.D;
  if (piece >= most || piece >= piece_first[s.V]) return;
  const int v = row_of(piece_first, s.V, piece), d = q % s.D;
  const long long start = first[v] + (piece - piece_first[v]) * PIECE;
  const long long end = start + PIECE < first[v + 1] ? start + PIECE : first[v + 1];
  real sum = 0;
  for (long long p = start; p < end; ++p) sum += g[index_t(order[p]) * s.D + d];
  partial[q] = sum;
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    embedding_scatter_add_v2(const real* __restrict__ partial, const long long* __restrict__ piece_first,
                             real* __restrict__ sums, const Sizes s) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q >= index_t(s.V) * s.D) return;
  const int v = q / s.D, d = q % s.D;
  real sum = 0;
  for (long long p = piece_first[v]; p < piece_first[v + 1]; ++p) sum += partial[index_t(p) * s.D + d];
  sums[q] = sum;
}
