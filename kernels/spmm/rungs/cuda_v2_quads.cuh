// What v1 wastes: for one multiplication a thread loads three numbers, the entry's column, its value, and one of x; the
// first two are the same in all D threads of a row. Here a thread has four columns: it loads an entry once for four
// multiplications, and x by vectors of 16 bytes. `glassgrad lab spmm` counts the requests: fewer than half of v1's.
// Each number of the result is still one sum in the order of the entries, to the bits of v1. D divides by four.
//
//     glassgrad bench spmm.forward --backend cuda
#pragma once

#ifdef REAL_IS_FLOAT

template <bool placed>
__device__ __forceinline__ void quads(const long long* indptr, const long long* indices, const long long* place,
                                      const float* values, const float* x, float* y, const Sizes s) {
  const int across = s.D / 4;  // quads of a row
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q >= index_t(s.rows) * across) return;
  const int i = q / across, d = q % across * 4;
  float4 sum = make_float4(0, 0, 0, 0);
  for (long long p = indptr[i]; p < indptr[i + 1]; ++p) {
    const float v = values[placed ? place[p] : p];
    const float4 u = *(const float4*)(x + index_t(indices[p]) * s.D + d);
    sum.x += v * u.x;
    sum.y += v * u.y;
    sum.z += v * u.z;
    sum.w += v * u.w;
  }
  *(float4*)(y + 4 * q) = sum;
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    spmm_forward_v2(const long long* __restrict__ indptr, const long long* __restrict__ indices,
                    const float* __restrict__ values, const float* __restrict__ x, float* __restrict__ y,
                    const Sizes s) {
  quads<false>(indptr, indices, nullptr, values, x, y, s);
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    spmm_transposed_v2(const long long* __restrict__ indptr, const long long* __restrict__ rows,
                       const long long* __restrict__ place, const float* __restrict__ values,
                       const float* __restrict__ g, float* __restrict__ y, const Sizes s) {
  quads<true>(indptr, rows, place, values, g, y, s);
}

#endif
