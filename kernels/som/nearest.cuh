// Squared distances and the nearest node: what all direct versions share. Every one adds the squares of
// differences in the order of the features with one fma each.
#pragma once
#include "device.cuh"

constexpr int BLOCK = 256;
constexpr int NONE = 0x7fffffff;  // no node yet: higher than any index

__device__ __forceinline__ real squared(const real* x_n, const real* w_m, int D) {
    real d2 = 0;
    for (int j = 0; j < D; ++j) {
        const real t = x_n[j] - w_m[j];
        d2 = fma(t, t, d2);
    }
    return d2;
}

// The least distance seen and whose it is: of equals the lowest index; a NaN never is.
struct Nearest {
    real d2 = INFINITY;
    int node = NONE;

    __device__ __forceinline__ void meet(real other, int m) {
        if (other < d2 || (other == d2 && m < node)) d2 = other, node = m;
    }
    // Over the 2^k lanes of a group; which lane holds what does not change the result.
    template <int lanes> __device__ __forceinline__ void meet_lanes() {
        for (int distance = lanes / 2; distance > 0; distance /= 2) {
            const real other = __shfl_xor_sync(FULL_WARP, d2, distance);
            meet(other, __shfl_xor_sync(FULL_WARP, node, distance));
        }
    }
    // Where all distances are NaN: node 0, and inf - inf.
    __device__ __forceinline__ void write(long long* index, real* smallest) const {
        *index = node == NONE ? 0 : node;
        *smallest = node == NONE ? d2 - d2 : d2;
    }
};

// v2's tile: a block of 16 x 16 threads, one pair each, brings 16 features of 16 samples and 16
// nodes into shared memory at a time. Column 17 is there to be skipped: 16 threads that read down a
// column of ws then find it in 16 banks.
constexpr int TILE = 16;

__device__ __forceinline__ real tile_squared(real (*xs)[TILE + 1], real (*ws)[TILE + 1],
                                             const real* x, const real* w, int n0, int m0, int N,
                                             int M, int D) {
    const int row = threadIdx.x / TILE, column = threadIdx.x % TILE;
    const index_t n = min(n0 + row, N - 1), m = min(m0 + row, M - 1);  // tails repeat the last row
    real d2 = 0;
    for (int j0 = 0; j0 < D; j0 += TILE) {
        if (j0 + column < D) {
            xs[row][column] = x[n * D + j0 + column];
            ws[row][column] = w[m * D + j0 + column];
        }
        __syncthreads();
        for (int j = 0; j < min(TILE, D - j0); ++j) {
            const real t = xs[row][j] - ws[column][j];
            d2 = fma(t, t, d2);
        }
        __syncthreads();
    }
    return d2;
}

// v3's tile: 64 samples x 64 nodes for 256 threads, 4 x 4 pairs each. Features are the rows in
// shared memory, so that a thread's four samples, and its four nodes, are one float4 each.
#ifdef REAL_IS_FLOAT
constexpr int WIDE = 64;
constexpr int CHUNK = 16;            // features in shared memory at a time
constexpr int PITCH = WIDE / 4 + 1;  // in float4; the odd one spreads the stores over the banks

// Start to copy features j0 ... j0 + 15 of 64 rows, turned.
__device__ __forceinline__ void stage(float4 (*tile)[PITCH], const float* a, int row0, int rows,
                                      int j0, int D) {
    for (int e = threadIdx.x; e < WIDE * CHUNK; e += BLOCK) {
        const int r = e / CHUNK, j = e % CHUNK;
        const index_t row = min(row0 + r, rows - 1);  // tails repeat the last row
        if (j0 + j < D) copy_async<4>(reinterpret_cast<float*>(tile[j]) + r, a + row * D + j0 + j);
    }
    copy_async_commit();
}

__device__ __forceinline__ void add_squares(float d2[4][4], const float4 (*xs)[PITCH],
                                            const float4 (*ws)[PITCH], int features) {
    const int down = threadIdx.x / 16, across = threadIdx.x % 16;
#pragma unroll 4
    for (int j = 0; j < features; ++j) {
        const float4 a = xs[j][down], b = ws[j][across];
        const float x4[4] = {a.x, a.y, a.z, a.w}, w4[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
        for (int i = 0; i < 4; ++i)
#pragma unroll
            for (int k = 0; k < 4; ++k) {
                const float t = x4[i] - w4[k];
                d2[i][k] = fma(t, t, d2[i][k]);
            }
    }
}
#endif

// A distance is not negative, so its bits are ordered as its value. With the node below them in one
// word the least word is the nearest node, of equals the first, in whatever order words meet.
constexpr unsigned long long NOBODY = ~0ull;

__device__ __forceinline__ unsigned long long key(float d2, int node) {
    return d2 == d2 ? (unsigned long long)__float_as_uint(d2) << 32 | unsigned(node) : NOBODY;
}
