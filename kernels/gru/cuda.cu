// GRU, version 1: one thread a unit. Letters as on the page (kernels/gru/__init__.py); gates are
// rows [3H] in the order r, z, n.
//
// As ten operations on arrays, sigma counted as one, the forward step moves 26 arrays [N, H];
// fused, it reads its 7 and writes its 4 once. Neighbouring threads take neighbouring units, so
// each of the eleven requests of a warp is one run of memory.
//
// v1 of a sequence has no kernel of its own: at every step a product by cuBLAS, additions and this
// cell (cuda.py).
#include "device.cuh"
#include "gru/gates.cuh"

extern "C" __global__ void __launch_bounds__(256)
gru_cell_forward_v1(const real* __restrict__ xa, const real* __restrict__ ha,
                    const real* __restrict__ h, real* __restrict__ h_new,
                    real* __restrict__ gates, index_t cells, int H, int library) {
  const Unit u = unit_of_thread<Gates>(1, cells, H);
  if (!u.inside) return;
  Gates x = load<Gates>(xa + u.row, H), y = load<Gates>(ha + u.row, H);
  Gates gate = {sigmoid(x.r + y.r), sigmoid(x.z + y.z), 0};
  h_new[u.cell] = candidate(gate, x.n, y.n, h[u.cell], library);
  store(gates + u.row, H, gate);
}

extern "C" __global__ void __launch_bounds__(256)
gru_cell_backward_v1(const real* __restrict__ gh_new, const real* __restrict__ gates,
                     const real* __restrict__ ha, const real* __restrict__ h,
                     real* __restrict__ gxa, real* __restrict__ gha, real* __restrict__ gh,
                     index_t cells, int H, int library) {
  const Unit u = unit_of_thread<Gates>(1, cells, H);
  if (!u.inside) return;
  Gates gate = load<Gates>(gates + u.row, H), ga;
  real straight = gh_new[u.cell];
  update_gradient(ga, straight, gate, h[u.cell], library);
  ga.r = library ? reset_gradient(ga.n * ha[u.row + 2 * H], gate.r) : real(0);
  store(gxa + u.row, H, ga);
  if (library) ga.n *= gate.r;
  store(gha + u.row, H, ga);
  gh[u.cell] = straight;
}

// The faster versions, each with what the one before it wastes.
#include "rungs/cuda_v2_quads.cuh"
#include "rungs/cuda_v2_one_kernel.cuh"
#include "rungs/cuda_v3_one_launch.cuh"
#include "rungs/cuda_v4_ahead.cuh"
