// Rows of a table, version 1: a thread a number. Letters as on the page of this family (kernels/embedding/__init__.py).
//
// What this wastes of scatter_add, and the version that does not: rungs/cuda_v2_pieces.cuh.
#include "device.cuh"

constexpr int BLOCK = 256;

// V rows of D numbers, N places; cuda.py fills it.
struct Sizes {
  int V, D, N;
};

extern "C" __global__ void __launch_bounds__(BLOCK)
    embedding_gather_v1(const real* __restrict__ w, const long long* __restrict__ index, real* __restrict__ y,
                        const Sizes s) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q < index_t(s.N) * s.D) y[q] = w[index_t(index[q / s.D]) * s.D + q % s.D];
}

// `order` lists the places row after row, those of row v from first[v] to first[v + 1], in the order of n. Neighbouring
// threads are neighbouring columns, and read neighbouring numbers of g.
extern "C" __global__ void __launch_bounds__(BLOCK)
    embedding_scatter_add_v1(const real* __restrict__ g, const long long* __restrict__ order,
                             const long long* __restrict__ first, real* __restrict__ sums, const Sizes s) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q >= index_t(s.V) * s.D) return;
  const int v = q / s.D, d = q % s.D;
  real sum = 0;
  for (long long p = first[v]; p < first[v + 1]; ++p) sum += g[index_t(order[p]) * s.D + d];
  sums[q] = sum;
}

#include "rungs/cuda_v2_pieces.cuh"
