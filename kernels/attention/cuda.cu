// Attention, version 1: a warp a query, and backward also a warp a key. Letters as on the page of this family
// (kernels/attention/__init__.py).
//
// The lanes share the numbers of a vector: a score is D/32 products of each and a sum over the warp; of a result each
// lane owns one number in 32, and a result wider than that is made 32 numbers at a time, the scores again for each.
//
// What this wastes, and the version that does not: rungs/cuda_v2_tiles.cuh.
#include "device.cuh"

constexpr int WARPS = 8;  // of a block

// B examples of M queries and N keys, of D and E numbers; cuda.py fills it.
struct Sizes {
  int B, M, N, D, E, causal;
};

// <a, b> of n numbers, in every lane.
__device__ __forceinline__ real dot(const real* a, const real* b, const int n, const int lane) {
  real sum = 0;
  for (int d = lane; d < n; d += 32) sum += a[d] * b[d];
  return warp_sum(sum);
}

// The number of keys that query m of an example with `length` keys may read.
__device__ __forceinline__ int keys_of(const long long length, const int m, const Sizes z) {
  return z.causal && m + 1 < length ? m + 1 : int(length);
}

extern "C" __global__ void __launch_bounds__(32 * WARPS)
    attention_forward_v1(const real* __restrict__ q, const real* __restrict__ k, const real* __restrict__ v,
                         const long long* __restrict__ lengths, real* __restrict__ o, real* __restrict__ lse,
                         const Sizes z, const real scale) {
  const int w = blockIdx.x * WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (w >= z.B * z.M) return;  // a whole warp: the others do not wait for it
  const int b = w / z.M, end = keys_of(lengths[b], w % z.M, z);
  const real *query = q + index_t(w) * z.D, *keys = k + index_t(b) * z.N * z.D, *values = v + index_t(b) * z.N * z.E;
  int e = lane;
  do {  // once even where E is 0: lse is wanted
    real top = -INFINITY, total = 0, own = 0;
    for (int n = 0; n < end; ++n) {
      const real s = scale * dot(query, keys + index_t(n) * z.D, z.D, lane);
      if (s == -INFINITY) continue;
      const real larger = s > top ? s : top, old = exp(top - larger), weight = exp(s - larger);
      total = total * old + weight;
      if (e < z.E) own = own * old + weight * values[index_t(n) * z.E + e];
      top = larger;
    }
    if (e < z.E) o[index_t(w) * z.E + e] = total == 0 ? real(0) : own / total;
    if (e == 0) lse[w] = total == 0 ? real(-INFINITY) : log(total) + top;
    e += 32;
  } while (e - lane < z.E);
}

// delta[m] = <go_m, o_m>, made before.
extern "C" __global__ void __launch_bounds__(32 * WARPS)
    attention_queries_v1(const real* __restrict__ go, const real* __restrict__ q, const real* __restrict__ k,
                         const real* __restrict__ v, const real* __restrict__ delta, const real* __restrict__ lse,
                         const long long* __restrict__ lengths, real* __restrict__ gq, const Sizes z,
                         const real scale) {
  const int w = blockIdx.x * WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (w >= z.B * z.M) return;
  const int b = w / z.M, end = lse[w] == -INFINITY ? 0 : keys_of(lengths[b], w % z.M, z);
  const real *query = q + index_t(w) * z.D, *keys = k + index_t(b) * z.N * z.D, *values = v + index_t(b) * z.N * z.E;
  for (int first = 0; first < z.D; first += 32) {
    const int d = first + lane;
    real sum = 0;
    for (int n = 0; n < end; ++n) {
      const real* key = keys + index_t(n) * z.D;
      const real p = exp(scale * dot(query, key, z.D, lane) - lse[w]);
      const real gs = p * (dot(go + index_t(w) * z.E, values + index_t(n) * z.E, z.E, lane) - delta[w]);
      if (d < z.D) sum += scale * gs * key[d];
    }
    if (d < z.D) gq[index_t(w) * z.D + d] = sum;
  }
}

// The first query that may read key n of an example with `length` keys; none may where it is M.
__device__ __forceinline__ int first_query(const long long length, const int n, const Sizes z) {
  return n < length ? (z.causal ? n : 0) : z.M;
}

extern "C" __global__ void __launch_bounds__(32 * WARPS)
    attention_keys_v1(const real* __restrict__ go, const real* __restrict__ q, const real* __restrict__ k,
                      const real* __restrict__ v, const real* __restrict__ delta, const real* __restrict__ lse,
                      const long long* __restrict__ lengths, real* __restrict__ gk, const Sizes z, const real scale) {
  const int w = blockIdx.x * WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (w >= z.B * z.N) return;
  const int b = w / z.N, start = first_query(lengths[b], w % z.N, z);
  for (int first = 0; first < z.D; first += 32) {
    const int d = first + lane;
    real sum = 0;
    for (index_t row = index_t(b) * z.M + start; row < index_t(b + 1) * z.M; ++row) {
      if (lse[row] == -INFINITY) continue;
      const real* query = q + row * z.D;
      const real p = exp(scale * dot(query, k + index_t(w) * z.D, z.D, lane) - lse[row]);
      const real gs = p * (dot(go + row * z.E, v + index_t(w) * z.E, z.E, lane) - delta[row]);
      if (d < z.D) sum += scale * gs * query[d];
    }
    if (d < z.D) gk[index_t(w) * z.D + d] = sum;
  }
}

extern "C" __global__ void __launch_bounds__(32 * WARPS)
    attention_values_v1(const real* __restrict__ go, const real* __restrict__ q, const real* __restrict__ k,
                        const real* __restrict__ lse, const long long* __restrict__ lengths, real* __restrict__ gv,
                        const Sizes z, const real scale) {
  const int w = blockIdx.x * WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (w >= z.B * z.N) return;
  const int b = w / z.N, start = first_query(lengths[b], w % z.N, z);
  for (int first = 0; first < z.E; first += 32) {
    const int e = first + lane;
    real sum = 0;
    for (index_t row = index_t(b) * z.M + start; row < index_t(b + 1) * z.M; ++row) {
      if (lse[row] == -INFINITY) continue;
      const real p = exp(scale * dot(q + row * z.D, k + index_t(w) * z.D, z.D, lane) - lse[row]);
      if (e < z.E) sum += p * go[row * z.E + e];
    }
    if (e < z.E) gv[index_t(w) * z.E + e] = sum;
  }
}

#include "rungs/cuda_v2_tiles.cuh"
