// v2 of the cells: four units a thread.
//
// v1 needs eleven 4-byte requests and one integer division for a unit; with 16-byte requests it is
// eleven and one for four units. `glassgrad lab lstm.cell_forward` counts the requests.
// H % 4 == 0 keeps addresses aligned; float only, as four doubles are two requests again.
#pragma once
#include "lstm/gates.cuh"

#ifdef REAL_IS_FLOAT

extern "C" __global__ void __launch_bounds__(256)
lstm_cell_forward_v2(const float* __restrict__ a, const float* __restrict__ c,
                     float* __restrict__ h, float* __restrict__ c_new, float* __restrict__ gates,
                     index_t cells, int H) {
  const Unit u = unit_of_thread<Gates>(4, cells, H);
  if (!u.inside) return;
  Gates gate[4];
  load4(gate, a + u.row, H);
  float4 old = *(const float4*)(c + u.cell), after, shown;
  after.x = memory(gate[0], old.x);
  after.y = memory(gate[1], old.y);
  after.z = memory(gate[2], old.z);
  after.w = memory(gate[3], old.w);
  shown.x = output(gate[0], after.x);
  shown.y = output(gate[1], after.y);
  shown.z = output(gate[2], after.z);
  shown.w = output(gate[3], after.w);
  *(float4*)(h + u.cell) = shown;
  *(float4*)(c_new + u.cell) = after;
  store4(gates + u.row, H, gate);
}

extern "C" __global__ void __launch_bounds__(256)
lstm_cell_backward_v2(const float* __restrict__ gh, const float* __restrict__ gc_new,
                      const float* __restrict__ gates, const float* __restrict__ c,
                      const float* __restrict__ c_new, float* __restrict__ ga,
                      float* __restrict__ gc, index_t cells, int H) {
  const Unit u = unit_of_thread<Gates>(4, cells, H);
  if (!u.inside) return;
  Gates gate[4], gradient[4];
  load4(gate, gates + u.row, H);
  float4 asked = *(const float4*)(gh + u.cell), carry = *(const float4*)(gc_new + u.cell);
  float4 old = *(const float4*)(c + u.cell), after = *(const float4*)(c_new + u.cell);
  output_gradient(gradient[0], carry.x, gate[0], after.x, asked.x);
  output_gradient(gradient[1], carry.y, gate[1], after.y, asked.y);
  output_gradient(gradient[2], carry.z, gate[2], after.z, asked.z);
  output_gradient(gradient[3], carry.w, gate[3], after.w, asked.w);
  memory_gradient(gradient[0], carry.x, gate[0], old.x);
  memory_gradient(gradient[1], carry.y, gate[1], old.y);
  memory_gradient(gradient[2], carry.z, gate[2], old.z);
  memory_gradient(gradient[3], carry.w, gate[3], old.w);
  store4(ga + u.row, H, gradient);
  *(float4*)(gc + u.cell) = carry;
}

#endif
