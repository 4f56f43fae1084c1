// Attention on the GPU, version 2: keys and values in shared memory, for eight queries together.
//
// In version 1 every warp reads every key and value of its example, and a score costs five steps of a sum over the
// warp. `glassgrad lab attention` counts the sectors: 8 warps of a block ask for the same ones 8 times.
//
// Here a block takes eight queries of one example, a warp each. TILE keys and values are read once for all of them into
// shared memory. A lane makes the score of one key by itself, without a sum over lanes; the warp meets once a tile for
// the largest score and the sum, instead of five times a key. Then a lane owns the numbers e = lane and lane + 32 of o,
// and adds up TILE weighted values, whose weights it gets from the other lanes. A row of the keys in shared memory is
// one number longer than D, so that 32 lanes that read the same number of 32 keys meet 32 banks.

constexpr int TILE = 32;   // keys: one a lane
constexpr int WIDTH = 64;  // of a key and of a value, at most

extern "C" __global__ void __launch_bounds__(32 * WARPS)
    attention_forward_v2(const real* __restrict__ q, const real* __restrict__ k, const real* __restrict__ v,
                         const long long* __restrict__ lengths, real* __restrict__ o, real* __restrict__ lse,
                         const Sizes z, const real scale) {
  __shared__ real queries[WARPS][WIDTH], keys[TILE][WIDTH + 1], values[TILE][WIDTH];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, b = blockIdx.y;
  const int m = blockIdx.x * WARPS + warp, last = blockIdx.x * WARPS + WARPS - 1;
  const bool real_query = m < z.M;
  const index_t row = index_t(b) * z.M + m;
  for (int d = lane; d < z.D; d += 32) queries[warp][d] = real_query ? q[row * z.D + d] : real(0);
  const int end = keys_of(lengths[b], m, z), most = keys_of(lengths[b], last, z);  // of this query, of any in the block
  real top = -INFINITY, total = 0, own[2] = {0, 0};
  for (int first = 0; first < most; first += TILE) {
    __syncthreads();  // the tile before is no longer read; queries are written
    const int count = most - first < TILE ? most - first : TILE;
    const real *from_k = k + (index_t(b) * z.N + first) * z.D, *from_v = v + (index_t(b) * z.N + first) * z.E;
    for (int i = threadIdx.x; i < count * z.D; i += 32 * WARPS) keys[i / z.D][i % z.D] = from_k[i];
    for (int i = threadIdx.x; i < count * z.E; i += 32 * WARPS) values[i / z.E][i % z.E] = from_v[i];
    __syncthreads();
    real s = -INFINITY;
    if (first + lane < end) {
      s = 0;
      for (int d = 0; d < z.D; ++d) s += queries[warp][d] * keys[lane][d];
      s *= scale;
    }
    real larger = s > top ? s : top;
    for (int step = 16; step > 0; step /= 2) {
      const real other = __shfl_xor_sync(FULL_WARP, larger, step);
      larger = other > larger ? other : larger;
    }
    const real old = larger == -INFINITY ? real(1) : exp(top - larger);
    const real weight = s == -INFINITY ? real(0) : exp(s - larger);
    total = total * old + warp_sum(weight);
    own[0] *= old;
    own[1] *= old;
    for (int j = 0; j < count; ++j) {
      const real share = __shfl_sync(FULL_WARP, weight, j);
      if (first + j >= end) break;  // the whole warp: beyond its own keys a value may be anything
      if (lane < z.E) own[0] += share * values[j][lane];
      if (lane + 32 < z.E) own[1] += share * values[j][lane + 32];
    }
    top = larger;
  }
  if (!real_query) return;
  for (int i = 0; i < 2; ++i) {
    const int e = lane + 32 * i;
    if (e < z.E) o[row * z.E + e] = total == 0 ? real(0) : own[i] / total;
  }
  if (lane == 0) lse[row] = total == 0 ? real(-INFINITY) : log(total) + top;
}
