// v4 of the sequences: the next piece of h is on its way, and a thread takes four rows.
//
// v3 waits for h in every piece of 64 numbers, a journey to the second-level cache each, and for 16
// FMAs asks shared memory for five Quads, which come in 18 cycles where the FMAs take four; with
// one gate, backwards, for two Quads, six cycles, for a single cycle of FMAs. Here the next piece
// is copied during the products, and a thread takes four rows: 4 + 4 Quads, 16 cycles, for 64 FMAs,
// and backwards 4 + 2 for 32. The steps are those of v3; only the products differ.
//
//     glassgrad lab lstm.sequence_forward                  waves of shared memory, v3 against v4
#pragma once
#include "recurrent/ahead.cuh"
#include "cuda_v3_one_launch.cuh"

extern "C" __global__ void __launch_bounds__(256, 1)
lstm_sequence_forward_v4(const real* __restrict__ xa, const real* h0, const real* c0,
                         const real* __restrict__ wh, const real* __restrict__ p, real* hs,
                         real* cs, real* __restrict__ gates, unsigned* counter, Sizes size) {
  extern __shared__ Quad kept[];
  __shared__ Quad stage[2 * BUFFER];
  forward_steps(Ahead{stage}, {xa, h0, c0, wh, p, hs, cs, gates, counter}, size, kept);
}

extern "C" __global__ void __launch_bounds__(256, 1)
lstm_sequence_backward_v4(const real* __restrict__ ghs, const real* __restrict__ gcs,
                          const real* __restrict__ cs, const real* __restrict__ gates,
                          const real* __restrict__ c0, const real* __restrict__ wh,
                          const real* __restrict__ p, real* gxa, real* __restrict__ gc,
                          unsigned* counter, Sizes size) {
  extern __shared__ Quad kept[];
  __shared__ Quad stage[2 * BUFFER];
  backward_steps(Ahead{stage}, {ghs, gcs, cs, gates, c0, wh, p, gxa, gc, counter}, size, kept);
}
