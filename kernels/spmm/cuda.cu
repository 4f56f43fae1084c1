// Products with a sparse matrix, version 1: a thread a number of the result. Letters as on the page of this family
// (kernels/spmm/__init__.py).
//
// What this wastes, and the versions that do not: rungs/cuda_v2_quads.cuh, rungs/cuda_v2_warps.cuh.
#include "device.cuh"

constexpr int BLOCK = 256;

// Rows of the result (or entries) and numbers of a row; cuda.py fills it.
struct Sizes {
  int rows, D;
};

// Row q / D of the result, column q % D: a sum over the row's stretch of entries, in their order. Neighbouring threads are
// neighbouring columns, and read neighbouring numbers of x. Without `place` the values are in the order of the entries.
template <bool placed>
__device__ __forceinline__ void product(const long long* indptr, const long long* indices, const long long* place,
                                        const real* values, const real* x, real* y, const Sizes s) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q >= index_t(s.rows) * s.D) return;
  const int i = q / s.D, d = q % s.D;
  real sum = 0;
  for (long long p = indptr[i]; p < indptr[i + 1]; ++p)
    sum += values[placed ? place[p] : p] * x[index_t(indices[p]) * s.D + d];
  y[q] = sum;
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    spmm_forward_v1(const long long* __restrict__ indptr, const long long* __restrict__ indices,
                    const real* __restrict__ values, const real* __restrict__ x, real* __restrict__ y, const Sizes s) {
  product<false>(indptr, indices, nullptr, values, x, y, s);
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    spmm_transposed_v1(const long long* __restrict__ indptr, const long long* __restrict__ rows,
                       const long long* __restrict__ place, const real* __restrict__ values,
                       const real* __restrict__ g, real* __restrict__ y, const Sizes s) {
  product<true>(indptr, rows, place, values, g, y, s);
}

// A thread an entry: s.rows counts them here.
extern "C" __global__ void __launch_bounds__(BLOCK)
    spmm_values_grad_v1(const long long* __restrict__ rows, const long long* __restrict__ indices,
                        const real* __restrict__ g, const real* __restrict__ x, real* __restrict__ out, const Sizes s) {
  const index_t e = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (e >= s.rows) return;
  const real *left = g + index_t(rows[e]) * s.D, *right = x + index_t(indices[e]) * s.D;
  real sum = 0;
  for (int d = 0; d < s.D; ++d) sum += left[d] * right[d];
  out[e] = sum;
}

// A thread a row, which reads its scores three times.
extern "C" __global__ void __launch_bounds__(BLOCK)
    spmm_softmax_v1(const long long* __restrict__ indptr, const real* __restrict__ scores, real* __restrict__ a,
                    const int rows) {
  const index_t i = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (i >= rows) return;
  const long long first = indptr[i], end = indptr[i + 1];
  if (first == end) return;
  real largest = scores[first], sum = 0;
  for (long long e = first + 1; e < end; ++e) largest = scores[e] > largest ? scores[e] : largest;
  for (long long e = first; e < end; ++e) sum += exp(scores[e] - largest);
  for (long long e = first; e < end; ++e) a[e] = exp(scores[e] - largest) / sum;
}

#include "rungs/cuda_v2_quads.cuh"
#include "rungs/cuda_v2_warps.cuh"
