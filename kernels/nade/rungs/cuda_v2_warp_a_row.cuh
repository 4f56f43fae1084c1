// v2 of forward: a warp a row.
//
// What v1 wastes: two barriers for each step, 1568 a row of 784 numbers; and σ of all units at
// every step, although four of five numbers are zeros and change nothing. Here the sum of a step is
// five shuffles, without a barrier; the units of a lane stand in shared memory that only this lane
// touches, as a and σ(a), and are computed again only after an x_i that is not 0.
//
//     glassgrad lab nade.forward --version 2      barriers and loads, line by line; v1 likewise
#pragma once

extern "C" __global__ void __launch_bounds__(BLOCK)
    nade_forward_v2(const real* x, const real* w, const real* c, const real* v, const real* b,
                    real* y, const Sizes s) {
  extern __shared__ real units[];  // [WARPS][2][H]: a and σ(a) of a row
  const int n = blockIdx.x * WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (n >= s.N) return;  // whole warps: no barrier follows
  real* const a = units + (index_t)(threadIdx.x / 32) * 2 * s.H;
  real* const h = a + s.H;
  const index_t row = (index_t)n * s.D;
  for (int j = lane; j < s.H; j += 32) {
    a[j] = c[j];
    h[j] = sigmoid(c[j]);
  }
  for (int i = 0; i < s.D; ++i) {
    const real x_i = x[row + i];
    const index_t at = (index_t)i * s.H;
    real sum = 0;
    for (int j = lane; j < s.H; j += 32) sum += v[at + j] * h[j];
    if (x_i != 0) {  // the same for the whole warp
      for (int j = lane; j < s.H; j += 32) {
        a[j] += x_i * w[at + j];
        h[j] = sigmoid(a[j]);
      }
    }
    sum = warp_sum(sum);
    if (lane == 0) y[row + i] = b[i] + sum;
  }
}
