// v3 of update: a sum for each winner, then a matrix product.
//
// What v1 and v2 waste: they do 2 N M D operations, though a sample matters only through its
// winner. N D additions give the sums of the samples that each node won; 2 M^2 D operations, a
// library's product with K^T, give the step. `order` lists the samples by winner, so that a block
// finds its own in one piece and adds them in their order: no atomics, the same bits in every run.
//
//     glassgrad bench som.update      on a GPU: all three versions (`--version 3`: this one alone)
#pragma once

// The place of the first entry that is not below c: N where all are.
__device__ __forceinline__ int first_not_below(const long long* sorted, int N, int c) {
  int low = 0, high = N;
  while (low < high) {
    const int middle = low + (high - low) / 2;
    if (sorted[middle] < c)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

extern "C" __global__ void __launch_bounds__(256)
    som_update_v3(const real* __restrict__ x, const real* __restrict__ centre,
                  const long long* __restrict__ order, const long long* __restrict__ sorted,
                  real* __restrict__ sums, real* __restrict__ counts, int N, int D) {
  const int c = blockIdx.x;
  const int begin = first_not_below(sorted, N, c), end = first_not_below(sorted, N, c + 1);
  for (int j = threadIdx.x; j < D; j += BLOCK) {
    real sum = 0;
    for (int i = begin; i < end; ++i) sum += x[order[i] * D + j] - centre[j];
    sums[index_t(c) * D + j] = sum;
  }
  if (threadIdx.x == 0) counts[c] = end - begin;
}
