// Kernels whose counters stand in every textbook: what a tool reports on them is known before.
#include "device.cuh"

// one warp reads every `stride`-th number: 4, 8, ..., 32 sectors a request
extern "C" __global__ void textbook_strided(const real* x, real* y, int stride) {
  y[threadIdx.x] = x[threadIdx.x * stride];
}

// a tile is written by rows and read by columns: all 32 lanes of a warp meet in one bank
extern "C" __global__ void textbook_transpose_32(const real* x, real* y) {
  __shared__ real tile[32][32];
  tile[threadIdx.y][threadIdx.x] = x[32 * threadIdx.y + threadIdx.x];
  __syncthreads();
  y[32 * threadIdx.y + threadIdx.x] = tile[threadIdx.x][threadIdx.y];
}

// one column more, and every lane has a bank of its own
extern "C" __global__ void textbook_transpose_33(const real* x, real* y) {
  __shared__ real tile[32][33];
  tile[threadIdx.y][threadIdx.x] = x[32 * threadIdx.y + threadIdx.x];
  __syncthreads();
  y[32 * threadIdx.y + threadIdx.x] = tile[threadIdx.x][threadIdx.y];
}
