// v2 of the cells: four units a thread.
//
// v1 needs eleven 4-byte requests and one integer division for a unit; with 16-byte requests it is
// eleven and one for four units. `glassgrad lab gru.cell_forward` counts the requests.
// H % 4 == 0 keeps addresses aligned; float only, as four doubles are two requests again.
#pragma once
#include "gru/gates.cuh"

#ifdef REAL_IS_FLOAT

extern "C" __global__ void __launch_bounds__(256)
gru_cell_forward_v2(const float* __restrict__ xa, const float* __restrict__ ha,
                    const float* __restrict__ h, float* __restrict__ h_new,
                    float* __restrict__ gates, index_t cells, int H, int library) {
  const Unit u = unit_of_thread<Gates>(4, cells, H);
  if (!u.inside) return;
  Gates x[4], y[4], gate[4];
  load4(x, xa + u.row, H);
  load4(y, ha + u.row, H);
  for (int k = 0; k < 4; ++k) gate[k] = {sigmoid(x[k].r + y[k].r), sigmoid(x[k].z + y[k].z), 0};
  float4 old = *(const float4*)(h + u.cell), after;
  after.x = candidate(gate[0], x[0].n, y[0].n, old.x, library);
  after.y = candidate(gate[1], x[1].n, y[1].n, old.y, library);
  after.z = candidate(gate[2], x[2].n, y[2].n, old.z, library);
  after.w = candidate(gate[3], x[3].n, y[3].n, old.w, library);
  *(float4*)(h_new + u.cell) = after;
  store4(gates + u.row, H, gate);
}

extern "C" __global__ void __launch_bounds__(256)
gru_cell_backward_v2(const float* __restrict__ gh_new, const float* __restrict__ gates,
                     const float* __restrict__ ha, const float* __restrict__ h,
                     float* __restrict__ gxa, float* __restrict__ gha, float* __restrict__ gh,
                     index_t cells, int H, int library) {
  const Unit u = unit_of_thread<Gates>(4, cells, H);
  if (!u.inside) return;
  Gates gate[4], ga[4];
  load4(gate, gates + u.row, H);
  float4 straight = *(const float4*)(gh_new + u.cell), old = *(const float4*)(h + u.cell);
  update_gradient(ga[0], straight.x, gate[0], old.x, library);
  update_gradient(ga[1], straight.y, gate[1], old.y, library);
  update_gradient(ga[2], straight.z, gate[2], old.z, library);
  update_gradient(ga[3], straight.w, gate[3], old.w, library);
  // the lecture's form does not use r here: zeros make its gradient zero
  float4 y = library ? *(const float4*)(ha + u.row + 2 * H) : make_float4(0, 0, 0, 0);
  ga[0].r = reset_gradient(ga[0].n * y.x, gate[0].r);
  ga[1].r = reset_gradient(ga[1].n * y.y, gate[1].r);
  ga[2].r = reset_gradient(ga[2].n * y.z, gate[2].r);
  ga[3].r = reset_gradient(ga[3].n * y.w, gate[3].r);
  store4(gxa + u.row, H, ga);
  for (int k = 0; library && k < 4; ++k) ga[k].n *= gate[k].r;
  store4(gha + u.row, H, ga);
  *(float4*)(gh + u.cell) = straight;
}

#endif
