// v2 of weight_grad: the rows in slices.
//
// What v1 wastes: 500 hidden units are 500 threads, on a chip that runs 200 000. Here there is a
// thread for each unit of each slice of the rows, with sums of its own; a second kernel adds the
// slices up in their order. Twice the traffic for gw and gv, as many times the threads as there are
// slices. How many depends on N alone, so that every GPU gives the same bits.
//
//     glassgrad bench nade.weight_grad      on a GPU: both versions (`--version 2`: this one alone)
#pragma once

// gws, gvs [slices, D, H], gcs [slices, H]: the sums of each slice of `rows` rows. Twelve blocks a
// multiprocessor leave 40 registers a thread; left alone, the compiler takes 32 for sm_90 and
// spills.
extern "C" __global__ void __launch_bounds__(BLOCK, 12)
    nade_weight_grad_v2(const real* g, const real* x, const real* w, const real* c, const real* v,
                        real* gws, real* gcs, real* gvs, const Sizes s, int rows) {
  const int j = blockIdx.x * BLOCK + threadIdx.x, slice = blockIdx.y;
  const index_t at = (index_t)slice * s.D * s.H;
  if (j < s.H)
    walk(g, x, w, c[j], v, gws + at, gcs + (index_t)slice * s.H, gvs + at, slice * rows,
         min(s.N, (slice + 1) * rows), j, s);
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    nade_slices_v2(const real* parts, real* total, int slices, index_t size) {
  const index_t i = (index_t)blockIdx.x * BLOCK + threadIdx.x;
  if (i >= size) return;
  real sum = 0;
  for (int slice = 0; slice < slices; ++slice) sum += parts[slice * size + i];
  total[i] = sum;
}
