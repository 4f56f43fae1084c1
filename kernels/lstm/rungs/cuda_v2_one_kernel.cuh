// v2 of the sequences: product and cell in one kernel a step.
//
// v1 launches three and carries the product through memory: it writes 4NH numbers, reads them to
// add xa, writes and reads the sum: 16NH, where xa, C, h, C' and the gates are 11NH; with peepholes
// it runs the cell twice. Here a thread keeps its unit's four sums in registers until the cell
// takes them. The block loads tiles of h and Wh into shared memory, where each number serves 16
// threads: 5/16 global loads for four FMAs instead of 5. With peepholes a step is two kernels, as
// the output gate needs C' of all units.
//
//     glassgrad lab lstm.sequence_forward --version 2      loads and sectors, line by line
#pragma once
#include "lstm/gates.cuh"

extern "C" __global__ void __launch_bounds__(256)
lstm_sequence_forward_v2(const real* __restrict__ xa, const real* __restrict__ h,
                         const real* __restrict__ c, const real* __restrict__ wh,
                         const real* __restrict__ p, real* __restrict__ h_new,
                         real* __restrict__ c_new, real* __restrict__ gates, int N, int H) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[4][TILE][TILE + 1];
  real sum[4] = {0, 0, 0, 0};
  add_rows<4>(sum, h, wh, N, H, xs, ws);
  if (p) add_rows<2>(sum, c, p, N, H, xs, ws);
  const Unit u = unit_of_tile<Gates>(N, H);
  if (!u.inside) return;
  Gates gate = load<Gates>(xa + u.row, H);
  gate.i += sum[0];
  gate.f += sum[1];
  gate.g += sum[2];
  gate.o += sum[3];
  real after = memory(gate, c[u.cell]);
  if (!p) h_new[u.cell] = output(gate, after);
  c_new[u.cell] = after;
  store(gates + u.row, H, gate);  // with peepholes o is not activated yet
}

// The second half of a step with peepholes; p_o [H, H].
extern "C" __global__ void __launch_bounds__(256)
lstm_output_forward_v2(const real* __restrict__ c_new, const real* __restrict__ p_o,
                       real* __restrict__ gates, real* __restrict__ h_new, int N, int H) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[1][TILE][TILE + 1];
  real seen = 0;
  add_rows<1>(&seen, c_new, p_o, N, H, xs, ws);
  const Unit u = unit_of_tile<Gates>(N, H);
  if (!u.inside) return;
  Gates gate = load<Gates>(gates + u.row, H);
  gate.o += seen;
  h_new[u.cell] = output(gate, c_new[u.cell]);
  gates[u.row + 3 * H] = gate.o;
}

// `ga_next` is ga of the step after, null at the last step; gc carries the gradient of C from step
// to step, in place.
extern "C" __global__ void __launch_bounds__(256)
lstm_sequence_backward_v2(const real* __restrict__ ghs, const real* __restrict__ gcs,
                          const real* __restrict__ ga_next, const real* __restrict__ gates,
                          const real* __restrict__ c, const real* __restrict__ c_new,
                          const real* __restrict__ wh, const real* __restrict__ p,
                          real* __restrict__ ga, real* __restrict__ gc, int N, int H) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[TILE][TILE + 1];
  real gh = ga_next ? column(ga_next, 4 * H, wh, 4 * H, N, H, xs, ws) : real(0);
  real carry = ga_next && p ? column(ga_next, 4 * H, p, 2 * H, N, H, xs, ws) : real(0);
  const Unit u = unit_of_tile<Gates>(N, H);
  if (!u.inside) return;
  Gates gate = load<Gates>(gates + u.row, H), gradient = {};
  gh += ghs[u.cell];
  carry += gc[u.cell] + (gcs ? gcs[u.cell] : real(0));
  output_gradient(gradient, carry, gate, c_new[u.cell], gh);
  if (!p) memory_gradient(gradient, carry, gate, c[u.cell]);
  store(ga + u.row, H, gradient);  // with peepholes only ga_o holds yet
  gc[u.cell] = carry;
}

// The second half of a step with peepholes: what o asked of C', then the gates that wrote it.
extern "C" __global__ void __launch_bounds__(256)
lstm_memory_backward_v2(const real* __restrict__ gates, const real* __restrict__ c,
                        const real* __restrict__ p_o, real* ga, real* __restrict__ gc, int N,
                        int H) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[TILE][TILE + 1];
  real carry = column(ga + 3 * H, 4 * H, p_o, H, N, H, xs, ws);
  const Unit u = unit_of_tile<Gates>(N, H);
  if (!u.inside) return;
  Gates gate = load<Gates>(gates + u.row, H), gradient;
  carry += gc[u.cell];
  memory_gradient(gradient, carry, gate, c[u.cell]);
  ga[u.row] = gradient.i;
  ga[u.row + H] = gradient.f;
  ga[u.row + 2 * H] = gradient.g;
  gc[u.cell] = carry;
}
