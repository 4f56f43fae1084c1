// v3 of the sequences: one launch for all steps.
//
// v2 fetches all of Wh, 3H^2 numbers, from the second-level cache at every step and for every 16
// sequences, and a launch takes some microseconds, longer than a step of a small layer computes.
// Here a thread keeps one unit of one sequence to the end, its h in a register, and the block the
// weights of its 8 units in shared memory; only h travels, through global memory. A block needs h
// of all others, so all of them meet in a grid barrier after each step, in the lecture's form also
// between r and n: they must run at the same time, and the weights must fit (recurrent/launch.py).
// Products take four k at once: 4 shared loads for 12 FMAs, where v2 needs 4 for 3.
//
//     glassgrad lab gru.sequence_forward                  bytes from global memory, v2 against v3
#pragma once
#include "gru/gates.cuh"

// What other blocks write, hs and reset_h, is not __restrict__ in the kernels: taken for constant,
// it could come from a cache of old values.
struct Forward {
  const real *xa, *h0, *wh, *bh;
  real *hs, *gates, *reset_h;
  unsigned* counter;
};

template <class Products>
__device__ __forceinline__ void forward_steps(const Products& products, const Forward& x,
                                              Sizes size, Quad* kept) {
  const int N = size.N, H = size.H, plane = (H + 3) / 4 * UNITS;  // Quads of one gate
  const Post at = post(N, H);
  for (int gate = 0; gate < 3; ++gate)
    keep(kept + gate * plane, x.wh + (index_t(gate) * H + at.unit) * H, H, H, 1, H - at.unit);

  real h = at.inside ? x.h0[at.cell] : real(0);
  Gates b = at.inside ? bias(x.bh, at.j, H) : Gates{};
  for (int t = 0; t < size.T; ++t) {
    const real* before = (t ? x.hs + (t - 1) * at.layer : x.h0) + at.start;
    const index_t cell = t * at.layer + at.cell, row = 3 * (cell - at.j) + at.j;
    Gates gate = {}, in = {};
    if (at.inside) in = load<Gates>(x.xa + row, H);  // on its way during the products
    real sum[3] = {0, 0, 0};
    if (size.library)
      products.template add<3>(sum, before, H, at.rows, H, kept);
    else
      products.template add<2>(sum, before, H, at.rows, H, kept);
    if (at.inside) {
      gate.r = sigmoid(in.r + sum[0] + b.r);
      gate.z = sigmoid(in.z + sum[1] + b.z);
      if (!size.library) x.reset_h[at.cell] = gate.r * h;
    }
    if (!size.library) {  // the candidate needs r h of all units: they must have been written
      grid_barrier(x.counter);
      const real* reset = x.reset_h + at.start;
      products.template add<1>(sum + 2, reset, H, at.rows, H, kept + 2 * plane);
    }
    if (at.inside) {
      x.hs[cell] = h = candidate(gate, in.n, sum[2] + b.n, h, size.library);
      store(x.gates + row, H, gate);
    }
    grid_barrier(x.counter);  // the next step reads h of all units
  }
}

struct Backward {
  const real *ghs, *hs, *gates, *h0, *ha_n, *wh;
  real *gxa, *gha, *gh;
  unsigned* counter;
};

// Backwards a unit needs its column of Wh, K = 3H, and what travels is gha (in the lecture's form
// gxa itself, in two parts). `carry` is the gradient of h on its way from step to step.
template <class Products>
__device__ __forceinline__ void backward_steps(const Products& products, const Backward& x,
                                               Sizes size, Quad* kept) {
  const int T = size.T, N = size.N, H = size.H, library = size.library;
  const int K = library ? 3 * H : 2 * H;
  const Post at = post(N, H);
  Quad* kept_n = kept + (2 * H + 3) / 4 * UNITS;
  keep(kept, x.wh + at.unit, K, 1, H, H - at.unit);
  if (!library) keep(kept_n, x.wh + index_t(2) * H * H + at.unit, H, 1, H, H - at.unit);

  real carry = 0;
  for (int t = T - 1; t >= 0; --t) {
    const real* travels = (library ? x.gha : x.gxa) + 3 * (t * at.layer + at.start);
    const index_t cell = t * at.layer + at.cell, row = 3 * (cell - at.j) + at.j;
    Gates gate = {}, ga = {};
    real h = 0, gr = 0, recurrent = 0;
    if (at.inside) {  // on its way during the products
      gate = load<Gates>(x.gates + row, H);
      h = t ? x.hs[cell - at.layer] : x.h0[at.cell];
      carry += x.ghs[cell];
      if (library) recurrent = x.ha_n[cell];
    }
    if (t + 1 < T)
      products.template add<1>(&carry, travels + 3 * at.layer, 3 * H, at.rows, K, kept);
    if (at.inside) {
      update_gradient(ga, carry, gate, h, library);
      x.gxa[row + H] = ga.z;
      x.gxa[row + 2 * H] = ga.n;
      if (library) gr = ga.n * recurrent;
    }
    if (!library) {  // what r h is asked for comes from ga_n of all units
      real asked = 0;
      grid_barrier(x.counter);
      products.template add<1>(&asked, travels + 2 * H, 3 * H, at.rows, H, kept_n);
      gr = asked * h;
      carry += asked * gate.r;
    }
    if (at.inside) {
      x.gxa[row] = ga.r = reset_gradient(gr, gate.r);
      ga.n *= gate.r;
      if (library) store(x.gha + row, H, ga);
    }
    grid_barrier(x.counter);  // the step before reads gha of all units
  }
  if (at.inside) x.gh[at.cell] = carry;
}

// One block a multiprocessor is enough: it may have all registers.
extern "C" __global__ void __launch_bounds__(256, 1)
gru_sequence_forward_v3(const real* __restrict__ xa, const real* h0, const real* __restrict__ wh,
                        const real* __restrict__ bh, real* hs, real* __restrict__ gates,
                        real* reset_h, unsigned* counter, Sizes size) {
  extern __shared__ Quad kept[];
  __shared__ Quad tile[ROWS][DEPTH / 4 + 1];
  forward_steps(Staged{tile}, {xa, h0, wh, bh, hs, gates, reset_h, counter}, size, kept);
}

extern "C" __global__ void __launch_bounds__(256, 1)
gru_sequence_backward_v3(const real* __restrict__ ghs, const real* __restrict__ hs,
                         const real* __restrict__ gates, const real* __restrict__ h0,
                         const real* __restrict__ ha_n, const real* __restrict__ wh, real* gxa,
                         real* gha, real* __restrict__ gh, unsigned* counter, Sizes size) {
  extern __shared__ Quad kept[];
  __shared__ Quad tile[ROWS][DEPTH / 4 + 1];
  backward_steps(Staged{tile}, {ghs, hs, gates, h0, ha_n, wh, gxa, gha, gh, counter}, size, kept);
}
