// Self-organising maps in CUDA C: the formulas themselves, version 1 of each pass. Letters as on
// the page of this family (kernels/som/__init__.py). The faster versions are the files of rungs/ at
// the end of this one.
//
// Every direct version adds the squares of differences in the order of the features with one fma
// each, so that all of them, and equal nodes within each, agree to the last bit.
#include "device.cuh"

constexpr int BLOCK = 256;
constexpr int NONE = 0x7fffffff;  // no node yet: higher than any index

// N samples of D features, M nodes; cuda.py fills it.
struct Sizes {
  int N, M, D;
};

// |x_n - w_m|^2, feature after feature.
__device__ __forceinline__ real squared(const real* x_n, const real* w_m, int D) {
  real d2 = 0;
  for (int j = 0; j < D; ++j) {
    const real t = x_n[j] - w_m[j];
    d2 = fma(t, t, d2);
  }
  return d2;
}

// The least distance seen and whose it is: of equals the lowest index; a NaN never is.
struct Nearest {
  real d2 = INFINITY;
  int node = NONE;

  __device__ __forceinline__ void meet(real other, int m) {
    if (other < d2 || (other == d2 && m < node)) d2 = other, node = m;
  }
  // Over the 2^k lanes of a group; which lane holds what does not change the result.
  template <int lanes>
  __device__ __forceinline__ void meet_lanes() {
    for (int distance = lanes / 2; distance > 0; distance /= 2) {
      const real other = __shfl_xor_sync(FULL_WARP, d2, distance);
      meet(other, __shfl_xor_sync(FULL_WARP, node, distance));
    }
  }
  // Where all distances are NaN: node 0, and inf - inf.
  __device__ __forceinline__ void write(long long* index, real* smallest) const {
    *index = node == NONE ? 0 : node;
    *smallest = node == NONE ? d2 - d2 : d2;
  }
};

// Distances: one thread a pair. Two loads from memory for each difference; of neighbouring threads
// one reads the row of w after the other's, D numbers apart.
extern "C" __global__ void __launch_bounds__(256)
    som_distances_v1(const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ d2,
                     const Sizes s) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q < index_t(s.N) * s.M) d2[q] = squared(x + q / s.M * s.D, w + q % s.M * s.D, s.D);
}

// Winners: one thread a sample looks at all nodes in turn. Few samples leave most of the chip idle.
extern "C" __global__ void __launch_bounds__(256)
    som_winners_v1(const real* __restrict__ x, const real* __restrict__ w,
                   long long* __restrict__ index, real* __restrict__ smallest, const Sizes s) {
  const int n = blockIdx.x * BLOCK + threadIdx.x;
  if (n >= s.N) return;
  Nearest nearest;
  for (int m = 0; m < s.M; ++m)
    nearest.meet(squared(x + index_t(n) * s.D, w + index_t(m) * s.D, s.D), m);
  nearest.write(index + n, smallest + n);
}

// Update: one thread a weight adds up the pull of every sample, as the formula says.
extern "C" __global__ void __launch_bounds__(256)
    som_update_v1(const real* __restrict__ w, const real* __restrict__ x,
                  const long long* __restrict__ winner, const real* __restrict__ K,
                  real* __restrict__ moved, const Sizes s, real rate, int difference) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q >= index_t(s.M) * s.D) return;
  const int m = q / s.D, j = q % s.D;
  const real from = difference ? w[q] : real(0);
  real pull = 0;
  for (int n = 0; n < s.N; ++n)
    pull = fma(K[winner[n] * s.M + m], x[index_t(n) * s.D + j] - from, pull);
  moved[q] = fma(rate, pull, w[q]);
}

// Each row divided by its norm, in place; a row of zeros stays. One warp per row.
extern "C" __global__ void __launch_bounds__(256)
    som_normalise_v1(real* __restrict__ w, int M, int D) {
  const int m = blockIdx.x * (BLOCK / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (m >= M) return;  // all 32 lanes or none
  real* row = w + index_t(m) * D;
  real squares = 0;
  for (int j = lane; j < D; j += 32) squares = fma(row[j], row[j], squares);
  const real norm = sqrt(warp_sum(squares));
  if (norm != 0)
    for (int j = lane; j < D; j += 32) row[j] /= norm;
}

// Online: a sample needs the weights that the sample before left, so one block does them all. A
// thread owns the nodes m, m + 256, ...: it alone reads and moves them; the block meets only for
// the arg-min.
extern "C" __global__ void __launch_bounds__(256)
    som_online_v1(real* __restrict__ w, const real* __restrict__ x, const real* __restrict__ table,
                  const long long* __restrict__ schedule, const real* __restrict__ rates,
                  long long* __restrict__ index, real* __restrict__ smallest, const Sizes s,
                  int difference, int normalise) {
  __shared__ real least[BLOCK / 32];
  __shared__ int whose[BLOCK / 32];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  for (int n = 0; n < s.N; ++n) {
    const real* x_n = x + index_t(n) * s.D;
    Nearest nearest;
    for (int m = threadIdx.x; m < s.M; m += BLOCK)
      nearest.meet(squared(x_n, w + index_t(m) * s.D, s.D), m);
    nearest.meet_lanes<32>();
    // from the least of each warp to the least of all, in every thread
    if (lane == 0) least[warp] = nearest.d2, whose[warp] = nearest.node;
    __syncthreads();
    for (int k = 0; k < BLOCK / 32; ++k) nearest.meet(least[k], whose[k]);
    __syncthreads();  // all have read before the next sample writes
    if (threadIdx.x == 0) nearest.write(index + n, smallest + n);

    // the step: no other thread reads these nodes
    const index_t c = nearest.node == NONE ? 0 : nearest.node;
    const real* K = table + (schedule[n] * s.M + c) * s.M;
    for (int m = threadIdx.x; m < s.M; m += BLOCK) {
      real* w_m = w + index_t(m) * s.D;
      const real h = rates[n] * K[m];
      if (K[m] != 0)
        for (int j = 0; j < s.D; ++j) w_m[j] += h * (difference ? x_n[j] - w_m[j] : x_n[j]);
      if (!normalise) continue;
      real squares = 0;
      for (int j = 0; j < s.D; ++j) squares = fma(w_m[j], w_m[j], squares);
      const real norm = sqrt(squares);
      if (norm != 0)
        for (int j = 0; j < s.D; ++j) w_m[j] /= norm;
    }
  }
}

#include "rungs/cuda_v2_tiles.cuh"
#include "rungs/cuda_v3_per_winner.cuh"
#ifdef REAL_IS_FLOAT
#include "rungs/cuda_v2_on_chip.cuh"
#include "rungs/cuda_v3_registers.cuh"
#include "rungs/cuda_v4_screened.cuh"
#include "rungs/cuda_v5_waiting.cuh"
#endif
