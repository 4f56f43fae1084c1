// v2 of the sequences: product and cell in one kernel a step.
//
// v1 launches three and carries the product through memory: it writes 3NH numbers, with a bias
// reads and writes them again, and reads them in the cell: 12NH, where xa, h, h' and the gates are
// 8NH; in the lecture's form it runs the cell twice. Here a thread keeps its unit's three sums in
// registers until the cell takes them. The block loads tiles of h and Wh into shared memory, where
// each number serves 16 threads: 4/16 global loads for three FMAs, not 4. In the lecture's form a
// step is two kernels, as n needs r h of all units.
//
//     glassgrad lab gru.sequence_forward --version 2      loads and sectors, line by line
#pragma once
#include "gru/gates.cuh"

extern "C" __global__ void __launch_bounds__(256)
gru_sequence_forward_v2(const real* __restrict__ xa, const real* __restrict__ h,
                        const real* __restrict__ wh, const real* __restrict__ bh,
                        real* __restrict__ gates, real* __restrict__ h_new,
                        real* __restrict__ reset_h, int N, int H, int library) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[3][TILE][TILE + 1];
  real sum[3] = {0, 0, 0};
  if (library)
    add_rows<3>(sum, h, wh, N, H, xs, ws);
  else
    add_rows<2>(sum, h, wh, N, H, xs, ws);
  const Unit u = unit_of_tile<Gates>(N, H);
  if (!u.inside) return;
  Gates x = load<Gates>(xa + u.row, H), b = bias(bh, u.j, H);
  Gates gate = {sigmoid(x.r + sum[0] + b.r), sigmoid(x.z + sum[1] + b.z), 0};
  if (library)
    h_new[u.cell] = candidate(gate, x.n, sum[2] + b.n, h[u.cell], library);
  else
    reset_h[u.cell] = gate.r * h[u.cell];
  store(gates + u.row, H, gate);  // in the lecture's form n is still to come
}

// The second half of a lecture step; w_n [H, H].
extern "C" __global__ void __launch_bounds__(256)
gru_candidate_forward_v2(const real* __restrict__ xa, const real* __restrict__ h,
                         const real* __restrict__ reset_h, const real* __restrict__ w_n,
                         const real* __restrict__ bh, real* __restrict__ gates,
                         real* __restrict__ h_new, int N, int H) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[1][TILE][TILE + 1];
  real sum = 0;
  add_rows<1>(&sum, reset_h, w_n, N, H, xs, ws);
  const Unit u = unit_of_tile<Gates>(N, H);
  if (!u.inside) return;
  Gates gate = load<Gates>(gates + u.row, H), b = bias(bh, u.j, H);
  h_new[u.cell] = candidate(gate, xa[u.row + 2 * H], sum + b.n, h[u.cell], 0);
  gates[u.row + 2 * H] = gate.n;
}

// `next` is gha of the step after, null at the last step; gh carries the straight path from step to
// step, in place. The library's form needs ha_n = h W_n^T + b_n again; the lecture's gha is gxa.
extern "C" __global__ void __launch_bounds__(256)
gru_sequence_backward_v2(const real* __restrict__ ghs, const real* __restrict__ next,
                         const real* __restrict__ gates, const real* __restrict__ h,
                         const real* __restrict__ ha_n, const real* __restrict__ wh,
                         real* __restrict__ gxa, real* __restrict__ gha, real* __restrict__ gh,
                         int N, int H, int library) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[TILE][TILE + 1];
  int K = library ? 3 * H : 2 * H;
  real through = next ? column(next, 3 * H, wh, K, N, H, xs, ws) : real(0);
  const Unit u = unit_of_tile<Gates>(N, H);
  if (!u.inside) return;
  Gates gate = load<Gates>(gates + u.row, H), ga = {};
  real straight = gh[u.cell] + ghs[u.cell] + through;
  update_gradient(ga, straight, gate, h[u.cell], library);
  if (library) ga.r = reset_gradient(ga.n * ha_n[u.cell], gate.r);
  store(gxa + u.row, H, ga);  // in the lecture's form ga_r is still to come
  ga.n *= gate.r;
  if (library) store(gha + u.row, H, ga);
  gh[u.cell] = straight;
}

// The second half of a lecture step: what n asks of r h.
extern "C" __global__ void __launch_bounds__(256)
gru_reset_backward_v2(const real* __restrict__ gates, const real* __restrict__ h,
                      const real* __restrict__ w_n, real* gxa, real* __restrict__ gh, int N,
                      int H) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[TILE][TILE + 1];
  real asked = column(gxa + 2 * H, 3 * H, w_n, H, N, H, xs, ws);
  const Unit u = unit_of_tile<Gates>(N, H);
  if (!u.inside) return;
  gxa[u.row] = reset_gradient(asked * h[u.cell], gates[u.row]);
  gh[u.cell] += asked * gates[u.row];
}
