// v3 of the sequences: one launch for all steps.
//
// v2 fetches all of Wh, 4H^2 numbers, from the second-level cache at every step and for every 16
// sequences, and a launch takes some microseconds, longer than a step of a small layer computes.
// Here a thread keeps one unit of one sequence to the end, its C in a register, and the block the
// weights of its 8 units in shared memory; only h travels, through global memory. A block needs h
// of all others, so all of them meet in a grid barrier after each step, with peepholes also before
// the output gate: they must run at the same time, and the weights must fit (recurrent/launch.py).
// Products take four k at once: 5 shared loads for 16 FMAs, where v2 needs 5 for 4.
//
//     glassgrad lab lstm.sequence_forward                  bytes from global memory, v2 against v3
#pragma once
#include "lstm/gates.cuh"

// What other blocks write, hs and cs, is not __restrict__ in the kernels: taken for constant, it
// could come from a cache of old values.
struct Forward {
  const real *xa, *h0, *c0, *wh, *p;
  real *hs, *cs, *gates;
  unsigned* counter;
};

template <class Products>
__device__ __forceinline__ void forward_steps(const Products& products, const Forward& x,
                                              Sizes size, Quad* kept) {
  const int N = size.N, H = size.H, plane = (H + 3) / 4 * UNITS;  // Quads of one gate
  const Post at = post(N, H);
  for (int gate = 0; gate < 4; ++gate)
    keep(kept + gate * plane, x.wh + (index_t(gate) * H + at.unit) * H, H, H, 1, H - at.unit);
  for (int peep = 0; x.p && peep < 3; ++peep)
    keep(kept + (4 + peep) * plane, x.p + (index_t(peep) * H + at.unit) * H, H, H, 1, H - at.unit);

  real c = at.inside ? x.c0[at.cell] : real(0);
  for (int t = 0; t < size.T; ++t) {
    const real* h_before = t ? x.hs + (t - 1) * at.layer : x.h0;
    const real* c_before = t ? x.cs + (t - 1) * at.layer : x.c0;
    const index_t cell = t * at.layer + at.cell, row = 4 * (cell - at.j) + at.j;
    Gates gate = {};
    if (at.inside) gate = load<Gates>(x.xa + row, H);  // on its way during the products
    real sum[4] = {0, 0, 0, 0};
    products.template add<4>(sum, h_before + at.start, H, at.rows, H, kept);
    if (x.p)
      products.template add<2>(sum, c_before + at.start, H, at.rows, H, kept + 4 * plane);
    if (at.inside) {
      gate.i += sum[0];
      gate.f += sum[1];
      gate.g += sum[2];
      gate.o += sum[3];
      x.cs[cell] = c = memory(gate, c);
    }
    if (x.p) {  // the output gate peeps at C' of all units: they must have been written
      grid_barrier(x.counter);
      const real* c_now = x.cs + t * at.layer + at.start;
      products.template add<1>(&gate.o, c_now, H, at.rows, H, kept + 6 * plane);
    }
    if (at.inside) {
      x.hs[cell] = output(gate, c);
      store(x.gates + row, H, gate);
    }
    grid_barrier(x.counter);  // the next step reads h of all units
  }
}

struct Backward {
  const real *ghs, *gcs, *cs, *gates, *c0, *wh, *p;
  real *gxa, *gc;
  unsigned* counter;
};

// Backwards a unit needs its column of Wh, K = 4H, and what travels is ga. `carry` is the gradient
// of C on its way from step to step.
template <class Products>
__device__ __forceinline__ void backward_steps(const Products& products, const Backward& x,
                                               Sizes size, Quad* kept) {
  const int T = size.T, N = size.N, H = size.H;
  const Post at = post(N, H);
  Quad *kept_if = kept + H * UNITS, *kept_o = kept_if + (2 * H + 3) / 4 * UNITS;
  keep(kept, x.wh + at.unit, 4 * H, 1, H, H - at.unit);
  if (x.p) keep(kept_if, x.p + at.unit, 2 * H, 1, H, H - at.unit);
  if (x.p) keep(kept_o, x.p + index_t(2) * H * H + at.unit, H, 1, H, H - at.unit);

  real carry = 0;
  for (int t = T - 1; t >= 0; --t) {
    real* ga = x.gxa + 4 * (t * at.layer + at.start);
    const index_t cell = t * at.layer + at.cell, row = 4 * (cell - at.j) + at.j;
    Gates gate = {}, gradient = {};
    real gh = 0, after = 0, before = 0;
    if (at.inside) {  // on its way during the products
      gate = load<Gates>(x.gates + row, H);
      gh = x.ghs[cell];
      after = x.cs[cell];
      before = t ? x.cs[cell - at.layer] : x.c0[at.cell];
      if (x.gcs) carry += x.gcs[cell];
    }
    if (t + 1 < T) {
      const real* next = ga + 4 * at.layer;
      products.template add<1>(&gh, next, 4 * H, at.rows, 4 * H, kept);
      if (x.p) products.template add<1>(&carry, next, 4 * H, at.rows, 2 * H, kept_if);
    }
    if (at.inside) {
      output_gradient(gradient, carry, gate, after, gh);
      x.gxa[row + 3 * H] = gradient.o;
    }
    if (x.p) {  // the gradient of C' is complete only with what every ga_o asks of it
      grid_barrier(x.counter);
      products.template add<1>(&carry, ga + 3 * H, 4 * H, at.rows, H, kept_o);
    }
    if (at.inside) {
      memory_gradient(gradient, carry, gate, before);
      x.gxa[row] = gradient.i;
      x.gxa[row + H] = gradient.f;
      x.gxa[row + 2 * H] = gradient.g;
    }
    grid_barrier(x.counter);  // the step before reads ga of all units
  }
  if (at.inside) x.gc[at.cell] = carry;
}

// One block a multiprocessor is enough: it may have all registers.
extern "C" __global__ void __launch_bounds__(256, 1)
lstm_sequence_forward_v3(const real* __restrict__ xa, const real* h0, const real* c0,
                         const real* __restrict__ wh, const real* __restrict__ p, real* hs,
                         real* cs, real* __restrict__ gates, unsigned* counter, Sizes size) {
  extern __shared__ Quad kept[];
  __shared__ Quad tile[ROWS][DEPTH / 4 + 1];
  forward_steps(Staged{tile}, {xa, h0, c0, wh, p, hs, cs, gates, counter}, size, kept);
}

extern "C" __global__ void __launch_bounds__(256, 1)
lstm_sequence_backward_v3(const real* __restrict__ ghs, const real* __restrict__ gcs,
                          const real* __restrict__ cs, const real* __restrict__ gates,
                          const real* __restrict__ c0, const real* __restrict__ wh,
                          const real* __restrict__ p, real* gxa, real* __restrict__ gc,
                          unsigned* counter, Sizes size) {
  extern __shared__ Quad kept[];
  __shared__ Quad tile[ROWS][DEPTH / 4 + 1];
  backward_steps(Staged{tile}, {ghs, gcs, cs, gates, c0, wh, p, gxa, gc, counter}, size, kept);
}
