// Skip-gram with negative sampling, version 1. Letters as on the page of this family (kernels/skip_gram/__init__.py).
//
// A warp takes a pair; lane l has the numbers l, l + 32, ... of every vector of it, in the tables as in shared memory,
// so that no lane waits for another but in the sum of a product. `step` is one warp, pair after pair: it shows what
// the order costs a GPU. In `racing` thousands of warps are at work and add by atomics, so that no addition is lost;
// what a warp reads may be half a step of another's.
#include "device.cuh"
#include "philox/philox.cuh"

constexpr int WARPS = 4;  // of a block, where there are many
constexpr int BLOCK = 256;

// N pairs with k negatives each, vectors of D numbers; cuda.py fills it.
struct Sizes {
  int N, k, D;
};

__device__ __forceinline__ real product(const real* a, const real* b, int D, int lane) {
  real sum = 0;
  for (int d = lane; d < D; d += 32) sum = fma(a[d], b[d], sum);
  return warp_sum(sum);
}

__device__ __forceinline__ real softplus(real f) {  // ln (1 + e^f)
  return (f > real(0) ? f : f == f ? real(0) : f) + log1p(exp(-fabs(f)));
}

// The word of target i of pair n: -1 is the context, others the negatives; does it count?
struct Target {
  long long word;
  bool counts;

  __device__ __forceinline__ Target(const long long* context, const long long* negative, int n, int i, int k)
      : word(i < 0 ? context[n] : negative[index_t(n) * k + i]),
        counts(i < 0 || (word >= 0 && word != context[n])) {}
};

extern "C" __global__ void __launch_bounds__(32 * WARPS)
    skip_gram_loss_v1(const real* w, const real* c, const long long* centre, const long long* context,
                      const long long* negative, real* loss, const Sizes s) {
  const int n = blockIdx.x * WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (n >= s.N) return;  // all 32 lanes or none
  const real* x = w + index_t(centre[n]) * s.D;
  real total = 0;
  for (int i = -1; i < s.k; ++i) {
    const Target t(context, negative, n, i, s.k);
    if (!t.counts) continue;
    const real f = product(x, c + index_t(t.word) * s.D, s.D, lane);
    total += softplus(i < 0 ? -f : f);
  }
  if (lane == 0) loss[n] = total;
}

// The step of pair n. x and e are this warp's own, in shared memory.
template <bool racing>
__device__ __forceinline__ void step(real* w, real* c, const long long* centre, const long long* context,
                                     const long long* negative, const real* rates, int n, const Sizes s, real* x,
                                     real* e, int lane) {
  real* own = w + index_t(centre[n]) * s.D;
  for (int d = lane; d < s.D; d += 32) x[d] = own[d], e[d] = 0;
  for (int i = -1; i < s.k; ++i) {
    const Target t(context, negative, n, i, s.k);
    if (!t.counts) continue;
    real* row = c + index_t(t.word) * s.D;
    const real f = product(x, row, s.D, lane);
    const real g = rates[n] * ((i < 0 ? real(1) : real(0)) - sigmoid(f));
    for (int d = lane; d < s.D; d += 32) {
      e[d] += g * row[d];
      if (racing)
        atomicAdd(row + d, g * x[d]);
      else
        row[d] += g * x[d];
    }
  }
  for (int d = lane; d < s.D; d += 32)
    if (racing)
      atomicAdd(own + d, e[d]);
    else
      own[d] += e[d];
}

extern "C" __global__ void __launch_bounds__(32)
    skip_gram_step_v1(real* w, real* c, const long long* centre, const long long* context, const long long* negative,
                      const real* rates, const Sizes s) {
  extern __shared__ real own[];  // [2][D]: x and e
  for (int n = 0; n < s.N; ++n)
    step<false>(w, c ? c : w, centre, context, negative, rates, n, s, own, own + s.D, threadIdx.x);
}

extern "C" __global__ void __launch_bounds__(32 * WARPS)
    skip_gram_racing_v1(real* w, real* c, const long long* centre, const long long* context,
                        const long long* negative, const real* rates, const Sizes s) {
  extern __shared__ real rooms[];  // [WARPS][2][D]: x and e of each warp
  const int warp = threadIdx.x / 32, n = blockIdx.x * WARPS + warp;
  if (n >= s.N) return;  // all 32 lanes or none
  real* mine = rooms + index_t(warp) * 2 * s.D;
  step<true>(w, c ? c : w, centre, context, negative, rates, n, s, mine, mine + s.D, threadIdx.x % 32);
}

// A thread a draw: words 2 i and 2 i + 1 of the stream are of one block of four.
extern "C" __global__ void __launch_bounds__(BLOCK)
    skip_gram_noise_v1(const long long* keep, const long long* other, long long* out, int V, index_t draws,
                       unsigned long long seed, unsigned long long offset) {
  const index_t i = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (i >= draws) return;
  const PhiloxWords b = philox_block(seed, offset + i / 2);
  const unsigned first = b.word[2 * (i % 2)], second = b.word[2 * (i % 2) + 1];
  const long long column = (unsigned long long)first * V >> 32;
  out[i] = second < keep[column] ? column : other[column];
}

// A thread a draw: the r-th number that is missing in the list of its centre, by bisection.
extern "C" __global__ void __launch_bounds__(BLOCK)
    skip_gram_outside_v1(const long long* first, const long long* words, const long long* centre, long long* out,
                         int V, int each, index_t draws, unsigned long long seed, unsigned long long offset) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q >= draws) return;
  const long long u = centre[q / each], start = first[u], missing = V - (first[u + 1] - start);
  const unsigned word = philox_block(seed, offset + q / 4).word[q % 4];
  const long long r = (unsigned long long)word * missing >> 32;
  long long low = start, high = first[u + 1];
  while (low < high) {
    const long long middle = low + (high - low) / 2;
    if (words[middle] - (middle - start) <= r)
      low = middle + 1;
    else
      high = middle;
  }
  out[q] = missing > 0 ? r + low - start : -1;
}
