// Self-organising maps. The formulas, the letters and the ladder stand on the page (__init__.py).
//
// Every direct version adds the squares of differences in the order of the features with one fma
// each, so that all of them, and equal nodes within each, agree to the last bit.

#include "nearest.cuh"

// ------------------------------------------------------------------------------------ distances

// v1: one thread per pair.
extern "C" __global__ void __launch_bounds__(256)
som_distances_v1(const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ d2,
                 int M, int D, index_t pairs) {
    const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (q < pairs) d2[q] = squared(x + q / M * D, w + q % M * D, D);
}

// v2: v1 loads two numbers for each difference, and its warp reads w D apart: 32 sectors a request.
// In a tile each number loaded serves 16 pairs, and 16 neighbours of a row come side by side.
extern "C" __global__ void __launch_bounds__(256)
som_distances_v2(const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ d2,
                 int N, int M, int D, int tiles_across) {
    __shared__ real xs[TILE][TILE + 1];
    __shared__ real ws[TILE][TILE + 1];
    const int n0 = blockIdx.x / tiles_across * TILE, m0 = blockIdx.x % tiles_across * TILE;
    const real pair = tile_squared(xs, ws, x, w, n0, m0, N, M, D);
    const int n = n0 + threadIdx.x / TILE, m = m0 + threadIdx.x % TILE;
    if (n < N && m < M) d2[index_t(n) * M + m] = pair;
}

#ifdef REAL_IS_FLOAT
// v3: v2 reads shared memory twice for each difference and stands still while a tile arrives. 4 x 4
// pairs per thread: 2 reads of float4 for 16 differences; the next chunk is copied meanwhile.
extern "C" __global__ void __launch_bounds__(256)
som_distances_v3(const float* __restrict__ x, const float* __restrict__ w, float* __restrict__ d2,
                 int N, int M, int D, int tiles_across) {
    __shared__ float4 xs[2][CHUNK][PITCH];
    __shared__ float4 ws[2][CHUNK][PITCH];
    const int n0 = blockIdx.x / tiles_across * WIDE, m0 = blockIdx.x % tiles_across * WIDE;
    float pairs[4][4] = {};
    const int chunks = (D + CHUNK - 1) / CHUNK;
    for (int chunk = -1; chunk < chunks; ++chunk) {
        const int next = chunk + 1;
        copy_async_wait<0>();
        __syncthreads();  // this chunk is there, and the one before has been used by all
        if (next < chunks) {
            stage(xs[next % 2], x, n0, N, next * CHUNK, D);
            stage(ws[next % 2], w, m0, M, next * CHUNK, D);
        }
        if (chunk >= 0)
            add_squares(pairs, xs[chunk % 2], ws[chunk % 2], min(CHUNK, D - chunk * CHUNK));
    }
    const int n = n0 + threadIdx.x / 16 * 4, m = m0 + threadIdx.x % 16 * 4;
    for (int i = 0; i < 4; ++i)
        for (int k = 0; k < 4; ++k)
            if (n + i < N && m + k < M) d2[index_t(n + i) * M + m + k] = pairs[i][k];
}
#endif

// ------------------------------------------------------------------------------------- winners

// v1: one thread per sample looks at all nodes.
extern "C" __global__ void __launch_bounds__(256)
som_winners_v1(const real* __restrict__ x, const real* __restrict__ w,
               long long* __restrict__ index, real* __restrict__ smallest, int N, int M, int D) {
    const int n = blockIdx.x * BLOCK + threadIdx.x;
    if (n >= N) return;
    Nearest nearest;
    for (int m = 0; m < M; ++m) nearest.meet(squared(x + index_t(n) * D, w + index_t(m) * D, D), m);
    nearest.write(index + n, smallest + n);
}

// v2: v1 loads two numbers for each difference, x again for every node, its warp D apart: 32
// sectors a request. Tiles as in distances_v2; a thread remembers the nearest of the nodes in its
// column, so the N x M distances are never stored.
extern "C" __global__ void __launch_bounds__(256)
som_winners_v2(const real* __restrict__ x, const real* __restrict__ w,
               long long* __restrict__ index, real* __restrict__ smallest, int N, int M, int D) {
    __shared__ real xs[TILE][TILE + 1];
    __shared__ real ws[TILE][TILE + 1];
    const int n0 = blockIdx.x * TILE, n = n0 + threadIdx.x / TILE, column = threadIdx.x % TILE;
    Nearest nearest;
    for (int m0 = 0; m0 < M; m0 += TILE) {
        const real d2 = tile_squared(xs, ws, x, w, n0, m0, N, M, D);
        if (m0 + column < M) nearest.meet(d2, m0 + column);
    }
    nearest.meet_lanes<TILE>();
    if (n < N && column == 0) nearest.write(index + n, smallest + n);
}

#ifdef REAL_IS_FLOAT
// From the least word to the winner and its distance.
extern "C" __global__ void __launch_bounds__(256)
som_unpack_v1(const unsigned long long* __restrict__ keys, long long* __restrict__ index,
              float* __restrict__ smallest, int N) {
    const int n = blockIdx.x * BLOCK + threadIdx.x;
    if (n >= N) return;
    Nearest nearest;
    if (keys[n] != NOBODY) nearest.meet(__uint_as_float(keys[n] >> 32), int(keys[n] & 0xffffffff));
    nearest.write(index + n, smallest + n);
}

// v3: v2 reads shared memory twice for each difference, waits for every tile, and has few blocks
// when there are few samples. 4 x 4 pairs per thread and copies ahead as in distances_v3; the
// blocks of one column share out the nodes, `tiles` times 64 each, and meet in an atomic minimum.
extern "C" __global__ void __launch_bounds__(256)
som_winners_v3(const float* __restrict__ x, const float* __restrict__ w,
               unsigned long long* __restrict__ keys, int N, int M, int D, int tiles) {
    __shared__ float4 xs[2][CHUNK][PITCH];
    __shared__ float4 ws[2][CHUNK][PITCH];
    const int n0 = blockIdx.x * WIDE, m0 = blockIdx.y * tiles * WIDE;
    const int chunks = max(1, (D + CHUNK - 1) / CHUNK);
    const int steps = min(tiles, (M - m0 + WIDE - 1) / WIDE) * chunks;  // tile by tile
    Nearest nearest[4];
    float pairs[4][4];
    for (int step = -1; step < steps; ++step) {
        const int next = step + 1;
        copy_async_wait<0>();
        __syncthreads();  // as in distances_v3
        if (next < steps) {
            stage(xs[next % 2], x, n0, N, next % chunks * CHUNK, D);
            stage(ws[next % 2], w, m0 + next / chunks * WIDE, M, next % chunks * CHUNK, D);
        }
        if (step < 0) continue;
        const int chunk = step % chunks, m = m0 + step / chunks * WIDE + threadIdx.x % 16 * 4;
        if (chunk == 0)
            for (int i = 0; i < 16; ++i) pairs[i / 4][i % 4] = 0;
        add_squares(pairs, xs[step % 2], ws[step % 2], min(CHUNK, D - chunk * CHUNK));
        if (chunk == chunks - 1)
            for (int i = 0; i < 16; ++i)
                if (m + i % 4 < M) nearest[i / 4].meet(pairs[i / 4][i % 4], m + i % 4);
    }
    for (int i = 0; i < 4; ++i) {
        const int n = n0 + threadIdx.x / 16 * 4 + i;
        nearest[i].meet_lanes<16>();
        if (n < N && threadIdx.x % 16 == 0 && nearest[i].node != NONE)
            atomicMin(keys + n, key(nearest[i].d2, nearest[i].node));
    }
}

#endif

#include "screened.cuh"  // winners v4, v5

// -------------------------------------------------------------------------------------- update

// v1: one thread per weight adds up the pull of every sample, as the formula says.
extern "C" __global__ void __launch_bounds__(256)
som_update_v1(const real* __restrict__ w, const real* __restrict__ x,
              const long long* __restrict__ winner, const real* __restrict__ K,
              real* __restrict__ moved, int N, int M, int D, real rate, int difference) {
    const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (q >= index_t(M) * D) return;
    const int m = q / D, j = q % D;
    const real from = difference ? w[q] : real(0);
    real pull = 0;
    for (int n = 0; n < N; ++n)
        pull = fma(K[winner[n] * M + m], x[index_t(n) * D + j] - from, pull);
    moved[q] = fma(rate, pull, w[q]);
}

// v2: v1 loads K and x again for each product, and the winner to find K. Here 16 samples at a time,
// the rows of K that their winners name gathered beside them, serve 16 x 16 weights.
extern "C" __global__ void __launch_bounds__(256)
som_update_v2(const real* __restrict__ w, const real* __restrict__ x,
              const long long* __restrict__ winner, const real* __restrict__ K,
              real* __restrict__ moved, int N, int M, int D, real rate, int difference,
              int tiles_across) {
    __shared__ real pulls[TILE][TILE];
    __shared__ real xs[TILE][TILE];
    const int row = threadIdx.x / TILE, column = threadIdx.x % TILE;
    const int m0 = blockIdx.x / tiles_across * TILE, j0 = blockIdx.x % tiles_across * TILE;
    const int m = m0 + row, j = j0 + column;
    const index_t q = index_t(m) * D + j;
    const bool mine = m < M && j < D;
    const real from = mine && difference ? w[q] : real(0);
    real pull = 0;
    for (int n0 = 0; n0 < N; n0 += TILE) {
        const int n = n0 + row;
        if (n < N) {
            pulls[row][column] = m0 + column < M ? K[winner[n] * M + m0 + column] : real(0);
            xs[row][column] = j < D ? x[index_t(n) * D + j] : real(0);
        }
        __syncthreads();
        for (int k = 0; k < min(TILE, N - n0); ++k)
            pull = fma(pulls[k][row], xs[k][column] - from, pull);
        __syncthreads();
    }
    if (mine) moved[q] = fma(rate, pull, w[q]);
}

// v3: v1 and v2 do 2 N M D operations, though a sample matters only through its winner: N D
// additions give the sums of the samples that each node won, 2 M^2 D operations (a library's
// product with K^T) the step. `order` lists the samples by winner, so a block finds its own in one
// piece.
__device__ __forceinline__ int first_not_below(const long long* sorted, int N, int c) {
    int low = 0, high = N;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (sorted[middle] < c) low = middle + 1;
        else high = middle;
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

// Each row divided by its norm, in place; a row of zeros stays. One warp per row.
extern "C" __global__ void __launch_bounds__(256)
som_normalise_v1(real* __restrict__ w, int M, int D) {
    const int m = blockIdx.x * (BLOCK / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (m >= M) return;  // all 32 lanes or none
    real* row = w + index_t(m) * D;
    real squares = 0;
    for (int j = lane; j < D; j += 32) squares = fma(row[j], row[j], squares);
    const real norm = sqrt(warp_sum(squares));
    if (norm != 0)
        for (int j = lane; j < D; j += 32) row[j] /= norm;
}

// -------------------------------------------------------------------------------------- online

// v1: a sample needs the weights that the sample before left, so one block does them all. A thread
// owns the nodes m, m + 256, ...: it alone reads and moves them; the block meets only for the arg-
// min.
extern "C" __global__ void __launch_bounds__(256)
som_online_v1(real* __restrict__ w, const real* __restrict__ x, const real* __restrict__ table,
              const long long* __restrict__ schedule, const real* __restrict__ rates,
              long long* __restrict__ index, real* __restrict__ smallest, int N, int M, int D,
              int difference, int normalise) {
    __shared__ real least[BLOCK / 32];
    __shared__ int whose[BLOCK / 32];
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    for (int n = 0; n < N; ++n) {
        const real* x_n = x + index_t(n) * D;
        Nearest nearest;
        for (int m = threadIdx.x; m < M; m += BLOCK)
            nearest.meet(squared(x_n, w + index_t(m) * D, D), m);
        nearest.meet_lanes<32>();
        if (lane == 0) least[warp] = nearest.d2, whose[warp] = nearest.node;
        __syncthreads();
        for (int k = 0; k < BLOCK / 32; ++k) nearest.meet(least[k], whose[k]);
        __syncthreads();  // all have read before the next sample writes
        if (threadIdx.x == 0) nearest.write(index + n, smallest + n);

        const index_t c = nearest.node == NONE ? 0 : nearest.node;
        const real* K = table + (schedule[n] * M + c) * M;
        for (int m = threadIdx.x; m < M; m += BLOCK) {
            real* w_m = w + index_t(m) * D;
            const real h = rates[n] * K[m];
            if (K[m] != 0)
                for (int j = 0; j < D; ++j) w_m[j] += h * (difference ? x_n[j] - w_m[j] : x_n[j]);
            if (!normalise) continue;
            real squares = 0;
            for (int j = 0; j < D; ++j) squares = fma(w_m[j], w_m[j], squares);
            const real norm = sqrt(squares);
            if (norm != 0)
                for (int j = 0; j < D; ++j) w_m[j] /= norm;
        }
    }
}

#ifdef REAL_IS_FLOAT
// v2: v1 uses one of a hundred multiprocessors and reads the map from memory twice per sample. Here
// every block keeps `nodes` of them in shared memory from the first sample to the last, a warp
// each; all that blocks tell one another is the least word of the arg-min: one meeting per sample.
extern "C" __global__ void __launch_bounds__(256)
som_online_v2(float* __restrict__ w, const float* __restrict__ x, const float* __restrict__ table,
              const long long* __restrict__ schedule, const float* __restrict__ rates,
              unsigned long long* keys, unsigned* counter, int N, int M, int D, int nodes,
              int difference, int normalise) {
    extern __shared__ float own[];
    __shared__ unsigned long long least[BLOCK / 32];
    const int first = blockIdx.x * nodes, count = min(nodes, M - first);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    for (int e = threadIdx.x; e < count * D; e += BLOCK) own[e] = w[index_t(first) * D + e];
    __syncthreads();

    for (int n = 0; n < N; ++n) {
        const float* x_n = x + index_t(n) * D;
        unsigned long long mine = NOBODY;
        for (int k = warp; k < count; k += BLOCK / 32) {
            float d2 = 0;
            for (int j = lane; j < D; j += 32) {
                const float t = x_n[j] - own[k * D + j];
                d2 = fma(t, t, d2);
            }
            mine = min(mine, key(warp_sum(d2), first + k));
        }
        if (lane == 0) least[warp] = mine;
        __syncthreads();
        if (threadIdx.x == 0) {
            for (int k = 1; k < BLOCK / 32; ++k) mine = min(mine, least[k]);
            atomicMin(keys + n, mine);
        }
        grid_barrier(counter);

        const unsigned long long winner = *(volatile unsigned long long*)(keys + n);  // not from L1
        const index_t c = winner == NOBODY ? 0 : winner & 0xffffffff;
        const float* K = table + (schedule[n] * M + c) * M + first;
        for (int k = warp; k < count; k += BLOCK / 32) {
            float* w_k = own + k * D;
            const float h = rates[n] * K[k];
            float squares = 0;
            for (int j = lane; j < D; j += 32) {
                if (K[k] != 0) w_k[j] += h * (difference ? x_n[j] - w_k[j] : x_n[j]);
                squares = fma(w_k[j], w_k[j], squares);
            }
            const float norm = normalise ? sqrt(warp_sum(squares)) : 0;
            if (norm != 0)
                for (int j = lane; j < D; j += 32) w_k[j] /= norm;
        }
    }
    __syncthreads();
    for (int e = threadIdx.x; e < count * D; e += BLOCK) w[index_t(first) * D + e] = own[e];
}
#endif
