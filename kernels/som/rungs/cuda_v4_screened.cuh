// v4 of winners: tensor cores screen, near ties are settled by differences.
//
// What v3 wastes: at two instructions each, a multiprocessor does 64 differences a cycle, while its
// tensor cores, which could do 512 products, do nothing. But x^2 - 2 x w + w^2 with 11 bits of x
// and w cannot decide. So it only screens (screen.cuh): of each tile the nodes whose score lies
// within its error of the least one so far are settled at once by direct differences, 3.3 of 400 a
// sample on a map of the handwritten digits.
//
//     glassgrad lab som.winners --version 4      instructions and loads, line by line; v3 likewise
#pragma once
#include "screen.cuh"

extern "C" __global__ void __launch_bounds__(128)
    som_winners_v4(const float* __restrict__ x, const float* __restrict__ w,
                   const float* __restrict__ x_moved, const float* __restrict__ w_moved,
                   const float* __restrict__ squares, const float* __restrict__ bound,
                   unsigned long long* __restrict__ keys, const Sizes s, int padded, int tiles) {
  screen<1>({x, w, x_moved, w_moved, squares, bound, keys, s, padded, tiles, false});
}
