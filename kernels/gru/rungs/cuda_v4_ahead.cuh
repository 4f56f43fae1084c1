// v4 of the sequences: the next piece of h is on its way, and a thread takes four rows.
//
// v3 waits for h in every piece of 64 numbers, and asks shared memory for more than it computes
// with: see lstm/rungs/cuda_v4_ahead.cuh. The steps are those of v3; only the products differ.
//
//     glassgrad lab gru.sequence_forward                  waves of shared memory, v3 against v4
#pragma once
#include "recurrent/ahead.cuh"
#include "cuda_v3_one_launch.cuh"

extern "C" __global__ void __launch_bounds__(256, 1)
gru_sequence_forward_v4(const real* __restrict__ xa, const real* h0, const real* __restrict__ wh,
                        const real* __restrict__ bh, real* hs, real* __restrict__ gates,
                        real* reset_h, unsigned* counter, Sizes size) {
  extern __shared__ Quad kept[];
  __shared__ Quad stage[2 * BUFFER];
  forward_steps(Ahead{stage}, {xa, h0, wh, bh, hs, gates, reset_h, counter}, size, kept);
}

extern "C" __global__ void __launch_bounds__(256, 1)
gru_sequence_backward_v4(const real* __restrict__ ghs, const real* __restrict__ hs,
                         const real* __restrict__ gates, const real* __restrict__ h0,
                         const real* __restrict__ ha_n, const real* __restrict__ wh, real* gxa,
                         real* gha, real* __restrict__ gh, unsigned* counter, Sizes size) {
  extern __shared__ Quad kept[];
  __shared__ Quad stage[2 * BUFFER];
  backward_steps(Ahead{stage}, {ghs, hs, gates, h0, ha_n, wh, gxa, gha, gh, counter}, size, kept);
}
