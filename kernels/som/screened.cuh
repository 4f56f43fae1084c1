// Winners v4 and v5: tensor cores screen, near ties are settled by direct differences.
#pragma once
#include "nearest.cuh"

#ifdef REAL_IS_FLOAT

// v4: at two instructions each, a multiprocessor does 64 differences of v3 a cycle; its tensor
// cores do 512 products. But x^2 - 2 x w + w^2 with 11 bits of x and w cannot decide. So it only
// screens:
//
//     score_m = |w_m - centre|^2 - 2 (x - centre)(w_m - centre)      |x - w_m|^2 less a constant
//
// is wrong by less than bound_n / 2, and of each tile the nodes whose score lies within bound_n of
// the least one so far are settled by direct differences: 3.3 of 400 a sample on a map of the
// handwritten digits. The winner is v1's, to the last bit.

constexpr int SCREEN = 128;            // threads: 2 x 2 warps, each 32 samples x 32 nodes
constexpr int VECTORS = CHUNK / 4 + 1;  // float4 per staged row: 8 rows x 4 features in 32 banks

// moved = rows - centre, rounded for tensor cores and filled with zeros to whole chunks; squares =
// |row - centre|^2. One warp per row.
extern "C" __global__ void __launch_bounds__(256)
som_centre_v4(const float* __restrict__ a, const float* __restrict__ centre,
              float* __restrict__ moved, float* __restrict__ squares, int rows, int D, int padded) {
    const int row = blockIdx.x * (BLOCK / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;  // all 32 lanes or none
    float sum = 0;
    for (int j = lane; j < padded; j += 32) {
        const float t = j < D ? a[index_t(row) * D + j] - centre[j] : 0;
        moved[index_t(row) * padded + j] = to_tf32(t);
        sum = fma(t, t, sum);
    }
    sum = warp_sum(sum);
    if (lane == 0) squares[row] = sum;
}

__device__ __forceinline__ void stage_screen(float4 (*tile)[VECTORS], const float* a, int row0,
                                             int rows, int j0, int padded) {
    for (int e = threadIdx.x; e < WIDE * CHUNK / 4; e += SCREEN) {
        const int r = e / (CHUNK / 4), v = e % (CHUNK / 4);
        const index_t row = min(row0 + r, rows - 1);
        copy_async<16>(&tile[r][v], a + row * padded + j0 + 4 * v);
    }
    copy_async_commit();
}

// product += 32 samples x 32 nodes of this warp, over one chunk; g, t as in device.cuh.
__device__ __forceinline__ void multiply(float product[2][4][4], const float4 (*xs)[VECTORS],
                                         const float4 (*ws)[VECTORS], int g, int t) {
    const float* x = reinterpret_cast<const float*>(xs);
    const float* w = reinterpret_cast<const float*>(ws);
    constexpr int pitch = 4 * VECTORS;
#pragma unroll
    for (int j = 0; j < CHUNK; j += 8) {
        float a[2][4], b[4][2];
#pragma unroll
        for (int i = 0; i < 2; ++i)
#pragma unroll
            for (int e = 0; e < 4; ++e)
                a[i][e] = x[(16 * i + 8 * (e % 2) + g) * pitch + j + 4 * (e / 2) + t];
#pragma unroll
        for (int k = 0; k < 4; ++k)
#pragma unroll
            for (int e = 0; e < 2; ++e) b[k][e] = w[(8 * k + g) * pitch + j + 4 * e + t];
#pragma unroll
        for (int i = 0; i < 2; ++i)
#pragma unroll
            for (int k = 0; k < 4; ++k) mma_tf32(product[i][k], a[i], b[k]);
    }
}

// The squared distance of one admitted pair: with vectors a quarter of the requests, the same sum.
__device__ __forceinline__ float settled(const float* x_n, const float* w_m, int D, bool vectors) {
    if (!vectors) return squared(x_n, w_m, D);
    float d2 = 0;
#pragma unroll 4
    for (int j = 0; j < D; j += 4) {
        const float4 a = *(const float4*)(x_n + j), b = *(const float4*)(w_m + j);
        const float t[4] = {a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w};
#pragma unroll
        for (int e = 0; e < 4; ++e) d2 = fma(t[e], t[e], d2);
    }
    return d2;
}

// Pairs wait until there are LEAST of them, or the nodes are at an end.
template <int LEAST>
__device__ __forceinline__ void screen(const float* __restrict__ x, const float* __restrict__ w,
                                       const float* __restrict__ x_moved,
                                       const float* __restrict__ w_moved,
                                       const float* __restrict__ squares,
                                       const float* __restrict__ bound,
                                       unsigned long long* __restrict__ keys, int N, int M, int D,
                                       int padded, int tiles, bool vectors) {
    __shared__ float4 xs[2][WIDE][VECTORS];
    __shared__ float4 ws[2][WIDE][VECTORS];
    __shared__ float low[2][WIDE];         // least score of a sample so far, by column of warps
    __shared__ int admitted[WIDE * WIDE + LEAST - 1];  // pairs to settle: 64 nodes + sample
    __shared__ int count;
    const int warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    const int down = warp / 2 * 32, across = warp % 2 * 32;
    const int n0 = blockIdx.x * WIDE, first = blockIdx.y * tiles * WIDE;
    const int chunks = padded / CHUNK, steps = min(tiles, (M - first + WIDE - 1) / WIDE) * chunks;
    float product[2][4][4], lowest[2][2];
    for (int i = 0; i < 4; ++i) lowest[i / 2][i % 2] = INFINITY;
    if (threadIdx.x == 0) count = 0;

    for (int step = -1; step < steps; ++step) {
        const int next = step + 1, chunk = step % chunks, m0 = first + step / chunks * WIDE;
        copy_async_wait<0>();
        __syncthreads();  // as in distances_v3
        if (next < steps) {
            stage_screen(xs[next % 2], x_moved, n0, N, next % chunks * CHUNK, padded);
            stage_screen(ws[next % 2], w_moved, first + next / chunks * WIDE, M,
                         next % chunks * CHUNK, padded);
        }
        if (step < 0) continue;
        if (chunk == 0)
            for (int e = 0; e < 32; ++e) product[e / 16][e / 4 % 4][e % 4] = 0;
        multiply(product, xs[step % 2] + down, ws[step % 2] + across, g, t);
        if (chunk < chunks - 1) continue;

        // From products to scores. Element e of a fragment: row g + 8 (e / 2), column 2 t + e % 2.
#pragma unroll
        for (int i = 0; i < 2; ++i)
#pragma unroll
            for (int k = 0; k < 4; ++k)
#pragma unroll
                for (int e = 0; e < 4; ++e) {
                    const int m = m0 + across + 8 * k + 2 * t + e % 2;
                    float& score = product[i][k][e];
                    score = m < M ? squares[m] - 2 * score : INFINITY;
                    if (score < lowest[i][e / 2]) lowest[i][e / 2] = score;  // never a NaN
                }
#pragma unroll
        for (int r = 0; r < 4; ++r) {
            float& least = lowest[r / 2][r % 2];
            least = min(least, __shfl_xor_sync(FULL_WARP, least, 1));
            least = min(least, __shfl_xor_sync(FULL_WARP, least, 2));
            if (t == 0) low[warp % 2][down + 8 * r + g] = least;
        }
        __syncthreads();
#pragma unroll
        for (int i = 0; i < 2; ++i)
#pragma unroll
            for (int k = 0; k < 4; ++k)
#pragma unroll
                for (int e = 0; e < 4; ++e) {
                    const int row = down + 16 * i + 8 * (e / 2) + g;
                    const int column = across + 8 * k + 2 * t + e % 2;
                    if (n0 + row >= N || m0 + column >= M) continue;
                    const float limit = min(low[0][row], low[1][row]) + bound[n0 + row];
                    if (!(product[i][k][e] > limit))  // a NaN on either side admits
                        admitted[atomicAdd(&count, 1)] = (m0 - first + column) * WIDE + row;
                }
        __syncthreads();
        if (count < LEAST && step + 1 < steps) continue;
        for (int i = threadIdx.x; i < count; i += SCREEN) {
            const int n = n0 + admitted[i] % WIDE, m = first + admitted[i] / WIDE;
            const float d2 = settled(x + index_t(n) * D, w + index_t(m) * D, D, vectors);
            atomicMin(keys + n, key(d2, m));
        }
        __syncthreads();
        if (threadIdx.x == 0) count = 0;
    }
}

extern "C" __global__ void __launch_bounds__(128)
som_winners_v4(const float* __restrict__ x, const float* __restrict__ w,
               const float* __restrict__ x_moved, const float* __restrict__ w_moved,
               const float* __restrict__ squares, const float* __restrict__ bound,
               unsigned long long* __restrict__ keys, int N, int M, int D, int padded, int tiles) {
    screen<1>(x, w, x_moved, w_moved, squares, bound, keys, N, M, D, padded, tiles, false);
}

// v5: once the first tiles have been seen few pairs of a tile are admitted, but one is enough to hold
// up the block: a single lane walks D features of two rows from far away, and 127 threads wait. Here
// pairs wait for each other until they fill the block; what is screened meanwhile needs scores alone.
extern "C" __global__ void __launch_bounds__(128)
som_winners_v5(const float* __restrict__ x, const float* __restrict__ w,
               const float* __restrict__ x_moved, const float* __restrict__ w_moved,
               const float* __restrict__ squares, const float* __restrict__ bound,
               unsigned long long* __restrict__ keys, int N, int M, int D, int padded, int tiles) {
    const bool vectors = D % 4 == 0 && ((unsigned long long)x | (unsigned long long)w) % 16 == 0;
    screen<SCREEN>(x, w, x_moved, w_moved, squares, bound, keys, N, M, D, padded, tiles, vectors);
}
#endif
