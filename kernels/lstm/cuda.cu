// LSTM, version 1: one thread a unit. Letters as on the page (kernels/lstm/__init__.py); gates are
// rows [4H] in the order i, f, g, o.
//
// As nine operations on arrays, sigma counted as one, the forward step moves 22 arrays [N, H];
// fused, it reads its 5 and writes its 6 once. Neighbouring threads take neighbouring units, so
// each of the eleven requests of a warp is one run of memory.
//
// v1 of a sequence has no kernel of its own: at every step a product by cuBLAS, an addition and
// this cell (cuda.py).
#include "device.cuh"
#include "lstm/gates.cuh"

extern "C" __global__ void __launch_bounds__(256)
lstm_cell_forward_v1(const real* __restrict__ a, const real* __restrict__ c, real* __restrict__ h,
                     real* __restrict__ c_new, real* __restrict__ gates, index_t cells, int H) {
  const Unit u = unit_of_thread<Gates>(1, cells, H);
  if (!u.inside) return;
  Gates gate = load<Gates>(a + u.row, H);
  real after = memory(gate, c[u.cell]);
  h[u.cell] = output(gate, after);
  c_new[u.cell] = after;
  store(gates + u.row, H, gate);
}

extern "C" __global__ void __launch_bounds__(256)
lstm_cell_backward_v1(const real* __restrict__ gh, const real* __restrict__ gc_new,
                      const real* __restrict__ gates, const real* __restrict__ c,
                      const real* __restrict__ c_new, real* __restrict__ ga,
                      real* __restrict__ gc, index_t cells, int H) {
  const Unit u = unit_of_thread<Gates>(1, cells, H);
  if (!u.inside) return;
  Gates gate = load<Gates>(gates + u.row, H), gradient;
  real carry = gc_new[u.cell];
  output_gradient(gradient, carry, gate, c_new[u.cell], gh[u.cell]);
  memory_gradient(gradient, carry, gate, c[u.cell]);
  store(ga + u.row, H, gradient);
  gc[u.cell] = carry;
}

// The faster versions, each with what the one before it wastes.
#include "rungs/cuda_v2_quads.cuh"
#include "rungs/cuda_v2_one_kernel.cuh"
#include "rungs/cuda_v3_one_launch.cuh"
#include "rungs/cuda_v4_ahead.cuh"
