// c = a b for square matrices whose size is a multiple of TILE; block (TILE, TILE), a thread an entry.
#include "device.cuh"

constexpr int TILE = 16;

extern "C" __global__ void __launch_bounds__(256)
sgemm(const real* __restrict__ a, const real* __restrict__ b, real* __restrict__ c, int n) {
    __shared__ real left[TILE][TILE];
    __shared__ real right[TILE][TILE];
    const int row = blockIdx.y * TILE + threadIdx.y, column = blockIdx.x * TILE + threadIdx.x;
    real sum = 0;
    for (int k = 0; k < n; k += TILE) {
        left[threadIdx.y][threadIdx.x] = a[row * n + k + threadIdx.x];
        right[threadIdx.y][threadIdx.x] = b[(k + threadIdx.y) * n + column];
        __syncthreads();
        for (int i = 0; i < TILE; ++i) sum += left[threadIdx.y][i] * right[i][threadIdx.x];
        __syncthreads();
    }
    c[row * n + column] = sum;
}
