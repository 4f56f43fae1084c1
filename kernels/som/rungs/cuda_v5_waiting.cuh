// v5 of winners: near ties wait until they fill the block.
//
// What v4 wastes: once the first tiles have been seen few pairs of a tile are admitted, but one is
// enough to hold up the block: a single lane walks D features of two rows from far away, and 127
// threads wait. Here pairs wait for each other until there is one for each thread; what is screened
// meanwhile needs scores alone. And where the rows lie on 16 bytes, a request brings four features.
//
//     glassgrad lab som.winners --version 5      divergence and requests, line by line; v4 likewise
#pragma once
#include "screen.cuh"

extern "C" __global__ void __launch_bounds__(128)
    som_winners_v5(const float* __restrict__ x, const float* __restrict__ w,
                   const float* __restrict__ x_moved, const float* __restrict__ w_moved,
                   const float* __restrict__ squares, const float* __restrict__ bound,
                   unsigned long long* __restrict__ keys, const Sizes s, int padded, int tiles) {
  const bool vectors = s.D % 4 == 0 && ((unsigned long long)x | (unsigned long long)w) % 16 == 0;
  screen<SCREEN>({x, w, x_moved, w_moved, squares, bound, keys, s, padded, tiles, vectors});
}
