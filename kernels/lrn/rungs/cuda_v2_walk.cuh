// Local response normalisation on the GPU, version 2: a thread walks through the channels of its place.
//
// In version 1 each x (backward: each g, x and s, and a power of it) is read by all n threads whose window it is in:
// `glassgrad lab lrn` counts n times the sectors, less what a cache keeps. Here a thread has one image and one place,
// goes from channel 0 to C - 1, and holds its window in registers, the last WINDOW terms in a ring that the compiler
// unrolls. Forward every number is read once. Backward every power is taken once; x is read a second time when its
// window is complete, and gx, which holds g s^-beta until then, is written, read and written again: 28 bytes a number
// in float32 where the table has 16. The window is added up again at each step, in the same order as in version 1:
// taking away the oldest and adding the newest would let errors of rounding pile up.
//
// There are N L threads instead of N C L: for few images of few places version 1 has more to hide its waiting behind.

constexpr int WINDOW = 8;  // channels, at most

// Shift one term into the window and return the sum of its `n` newest from the oldest to the newest.
__device__ inline real next_sum(real (&window)[WINDOW], const real term, const int n) {
  real total = 0;
#pragma unroll
  for (int j = 0; j < WINDOW; ++j) {
    window[j] = j + 1 < WINDOW ? window[j + 1] : term;
    if (j >= WINDOW - n) total += window[j];
  }
  return total;
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    lrn_forward_v2(const real* __restrict__ x, real* __restrict__ y, real* __restrict__ s, const Sizes z, const real k,
                   const real a, const real beta) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q >= index_t(z.N) * z.L) return;
  const index_t start = q / z.L * z.C * z.L + q % z.L;  // of channel 0
  const int ahead = (z.n - 1) / 2;                      // channels of the window beyond c
  real window[WINDOW] = {};
  for (int j = 0; j < z.C + ahead; ++j) {  // j enters the window, c = j - ahead is in its middle
    const real v = j < z.C ? x[start + index_t(j) * z.L] : real(0);
    const real total = next_sum(window, v * v, z.n);
    if (j < ahead) continue;
    const index_t p = start + index_t(j - ahead) * z.L;
    s[p] = k + a * total;
    y[p] = x[p] * pow(k + a * total, -beta);
  }
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    lrn_backward_v2(const real* __restrict__ g, const real* __restrict__ x, const real* __restrict__ s,
                    real* __restrict__ gx, const Sizes z, const real a, const real beta) {
  const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
  if (q >= index_t(z.N) * z.L) return;
  const index_t start = q / z.L * z.C * z.L + q % z.L;
  const int ahead = z.n / 2;
  real window[WINDOW] = {};
  for (int j = 0; j < z.C + ahead; ++j) {
    real term = 0;
    if (j < z.C) {
      const index_t p = start + index_t(j) * z.L;
      const real own = g[p] * pow(s[p], -beta);
      gx[p] = own;  // the first half of the result; the second follows when j is in the middle
      term = own * x[p] / s[p];
    }
    const real total = next_sum(window, term, z.n);
    if (j < ahead) continue;
    const index_t p = start + index_t(j - ahead) * z.L;
    gx[p] -= 2 * a * beta * x[p] * total;
  }
}
