// Pooling. The formula, the letters and the ladder stand on the page (__init__.py).
//
// There is less than one operation per byte, so every rung after the first saves memory traffic.
// Planes: the N * C images of one channel, one after another; q numbers outputs, p pixels.

#include "device.cuh"

constexpr int BLOCK = 256;

// The window of one output, cut to the image: the padding then costs no test per pixel.
struct Window {
    int r0, r1, s0, s1;
    __device__ __forceinline__ Window(int i, int j, int H, int W, int KH, int KW, int SH, int SW,
                                      int PH, int PW)
        : r0(max(i * SH - PH, 0)), r1(min(i * SH - PH + KH, H)),
          s0(max(j * SW - PW, 0)), s1(min(j * SW - PW + KW, W)) {}
};

// NaN <= best is false, so the first NaN wins; of equals the first one stays.
__device__ __forceinline__ bool beats(real value, real best) {
    return !(value <= best) && best == best;
}

// ------------------------------------------------------------------------------- max, forward

// v1: one thread per output; the running maximum is a register.
extern "C" __global__ void __launch_bounds__(256)
pool2d_max_forward_v1(const real* __restrict__ x, real* __restrict__ y,
                      long long* __restrict__ index, int H, int W, int OH, int OW, int KH, int KW,
                      int SH, int SW, int PH, int PW, index_t n) {
    const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (q >= n) return;
    const Window window(q / OW % OH, q % OW, H, W, KH, KW, SH, SW, PH, PW);
    const real* plane = x + q / OW / OH * H * W;
    int at = window.r0 * W + window.s0;
    real best = plane[at];
    for (int r = window.r0; r < window.r1; ++r)
        for (int s = window.s0; s < window.s1; ++s) {
            const real value = plane[r * W + s];
            if (beats(value, best)) best = value, at = r * W + s;
        }
    y[q] = best;
    index[q] = at;
}

// The pixels under a tile of TILE x TILE outputs, brought into shared memory row by row.
// Pixels of the padding are not written: no window, being cut, looks at them.
constexpr int TILE = 16;

struct Patch {
    int row, column, rows, columns;  // the pixel at the tile's corner, and the size
    __device__ __forceinline__ Patch(int i0, int j0, int KH, int KW, int SH, int SW, int PH, int PW)
        : row(i0 * SH - PH), column(j0 * SW - PW),
          rows((TILE - 1) * SH + KH), columns((TILE - 1) * SW + KW) {}

    __device__ __forceinline__ void load(real* tile, const real* plane, int H, int W) const {
        for (int e = threadIdx.x; e < rows * columns; e += BLOCK) {
            const int r = row + e / columns, s = column + e % columns;
            if (r >= 0 && r < H && s >= 0 && s < W) tile[e] = plane[r * W + s];
        }
    }
    __device__ __forceinline__ int at(int r, int s) const {
        return (r - row) * columns + (s - column);
    }
};

// v2: where windows overlap, v1 asks for each pixel KH KW / (SH SW) times (3x3, stride 2: 2.25),
// and neighbouring threads ask SW pixels apart: 8 sectors a request instead of 4. Here the pixels
// under 16 x 16 outputs come once, side by side, into shared memory, and are compared there (where
// stride 2 costs two cycles a request, not eight sectors).
extern "C" __global__ void __launch_bounds__(256)
pool2d_max_forward_v2(const real* __restrict__ x, real* __restrict__ y,
                      long long* __restrict__ index, int H, int W, int OH, int OW, int KH, int KW,
                      int SH, int SW, int PH, int PW, int tiles_down, int tiles_across) {
    extern __shared__ real tile[];
    const int m = blockIdx.x / tiles_across / tiles_down;
    const int i0 = blockIdx.x / tiles_across % tiles_down * TILE;
    const int j0 = blockIdx.x % tiles_across * TILE;
    const Patch patch(i0, j0, KH, KW, SH, SW, PH, PW);
    patch.load(tile, x + index_t(m) * H * W, H, W);
    __syncthreads();

    const int i = i0 + threadIdx.x / TILE, j = j0 + threadIdx.x % TILE;
    if (i >= OH || j >= OW) return;
    const Window window(i, j, H, W, KH, KW, SH, SW, PH, PW);
    int at = window.r0 * W + window.s0;
    real best = tile[patch.at(window.r0, window.s0)];
    for (int r = window.r0; r < window.r1; ++r)
        for (int s = window.s0; s < window.s1; ++s) {
            const real value = tile[patch.at(r, s)];
            if (beats(value, best)) best = value, at = r * W + s;
        }
    const index_t q = (index_t(m) * OH + i) * OW + j;
    y[q] = best;
    index[q] = at;
}

#ifdef REAL_IS_FLOAT
__device__ __forceinline__ void first_of_four(float a, float b, float c, float d, int corner, int W,
                                              float& best, int& at) {
    best = a, at = corner;
    if (beats(b, best)) best = b, at = corner + 1;
    if (beats(c, best)) best = c, at = corner + W;
    if (beats(d, best)) best = d, at = corner + W + 1;
}

// v3: windows of 2x2 at stride 2 share no pixel, so v2's tile is a detour, and v1 reads each row
// with gaps, twice: 4 requests of 8 sectors for 4 x 128 useful bytes. Here a thread takes 4 pixels
// of both rows in one load each, for two outputs, and no byte that it asked for is thrown away.
extern "C" __global__ void __launch_bounds__(256)
pool2d_max_forward_v3(const float* __restrict__ x, float* __restrict__ y,
                      long long* __restrict__ index, int H, int W, int OH, int OW, index_t n) {
    const index_t pair = index_t(blockIdx.x) * BLOCK + threadIdx.x;  // outputs 2 pair, 2 pair + 1
    if (pair >= n) return;
    const int across = OW / 2, j = pair % across * 2, i = pair / across % OH;
    const float* plane = x + pair / across / OH * H * W;
    const int corner = 2 * i * W + 2 * j;
    const float4 above = *reinterpret_cast<const float4*>(plane + corner);
    const float4 below = *reinterpret_cast<const float4*>(plane + corner + W);
    float2 best;
    int4 at = make_int4(0, 0, 0, 0);  // two int64 below 2^31: low word, then zero
    first_of_four(above.x, above.y, below.x, below.y, corner, W, best.x, at.x);
    first_of_four(above.z, above.w, below.z, below.w, corner + 2, W, best.y, at.z);
    *reinterpret_cast<float2*>(y + 2 * pair) = best;
    *reinterpret_cast<int4*>(index + 2 * pair) = at;
}
#endif

// v4: v2 pays for its tile with a division for each pixel that it brings, and two barriers; its tiles
// of 16 x 16 leave a quarter of the threads of a 28 x 28 result idle. The first-level cache holds the
// pixels just as well. So here no tile: at 3x3 and stride 2 a thread takes two outputs, one below the
// other, which share a row: 15 loads, all on their way at once, for 18 pixels compared.
struct Strip {
    real pixel[5][3];
    bool row[5], column[3];  // is it inside the image?
    int r, s;                // the pixel at the corner
    index_t q;               // the upper output
    bool two;                // or is there no lower one?

    __device__ __forceinline__ Strip(const real* x, index_t t, int H, int W, int OH, int OW, int PH,
                                     int PW) {
        const int pairs = (OH + 1) / 2, j = t % OW, i = t / OW % pairs * 2;
        const index_t m = t / OW / pairs;
        r = i * 2 - PH, s = j * 2 - PW;
        q = (m * OH + i) * OW + j, two = i + 1 < OH;
#pragma unroll
        for (int u = 0; u < 5; ++u) row[u] = r + u >= 0 && r + u < H;
#pragma unroll
        for (int v = 0; v < 3; ++v) column[v] = s + v >= 0 && s + v < W;
        const real* corner = x + m * H * W + (r * W + s);
#pragma unroll
        for (int u = 0; u < 5; ++u)
#pragma unroll
            for (int v = 0; v < 3; ++v)
                pixel[u][v] = row[u] && column[v] ? corner[u * W + v] : real(0);
    }
};

extern "C" __global__ void __launch_bounds__(256)
pool2d_max_forward_v4(const real* __restrict__ x, real* __restrict__ y,
                      long long* __restrict__ index, int H, int W, int OH, int OW, int PH, int PW,
                      index_t strips) {
    const index_t t = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (t >= strips) return;
    const Strip strip(x, t, H, W, OH, OW, PH, PW);
#pragma unroll
    for (int lower = 0; lower < 2; ++lower) {
        if (lower && !strip.two) break;
        int at = -1;
        real best = 0;
#pragma unroll
        for (int u = 2 * lower; u < 2 * lower + 3; ++u)
#pragma unroll
            for (int v = 0; v < 3; ++v) {
                const real value = strip.pixel[u][v];
                if (strip.row[u] && strip.column[v] && (at < 0 || beats(value, best)))
                    best = value, at = (strip.r + u) * W + strip.s + v;
            }
        y[strip.q + lower * OW] = best;
        index[strip.q + lower * OW] = at;
    }
}

// ------------------------------------------------------------------------- max, gather, scatter

// v1: one thread per output. 8 bytes of index bring 4 of x: there is nothing left to share.
extern "C" __global__ void __launch_bounds__(256)
pool2d_max_gather_v1(const real* __restrict__ x, const long long* __restrict__ index,
                     real* __restrict__ y, int pixels, int outputs, index_t n) {
    const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (q < n) y[q] = x[q / outputs * pixels + index[q]];
}

// v1: overlapping windows may have chosen the same pixel, and the index may come from anywhere: so
// one thread walks a whole plane, in reading order.
extern "C" __global__ void __launch_bounds__(32)
pool2d_max_backward_v1(const real* __restrict__ gy, const long long* __restrict__ index,
                       real* __restrict__ gx, int pixels, int outputs, int planes) {
    const int m = blockIdx.x * 32 + threadIdx.x;
    if (m >= planes) return;
    const index_t in = index_t(m) * pixels, out = index_t(m) * outputs;
    for (int p = 0; p < pixels; ++p) gx[in + p] = 0;
    for (int q = 0; q < outputs; ++q) gx[in + index[out + q]] += gy[out + q];
}

// v2: v1 keeps N C threads busy, each a plane apart from the next: 32 sectors a request. One thread
// per output fills the GPU; collisions are settled by atomics, in an order that nobody knows.
extern "C" __global__ void __launch_bounds__(256)
pool2d_max_backward_v2(const real* __restrict__ gy, const long long* __restrict__ index,
                       real* __restrict__ gx, int pixels, int outputs, index_t n) {
    const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (q < n) atomicAdd(gx + q / outputs * pixels + index[q], gy[q]);
}

// v3: v2 gives other last bits in every run, needs gx cleared beforehand and makes each addition a
// round trip to L2. Here a block owns BAND pixels in shared memory and walks the plane's outputs,
// 256 at a time. Threads that want the same pixel claim it: the lowest goes first, the others in
// later rounds. Each pixel receives its terms in reading order, gx is written once. Pooling without
// overlap needs one round, 3x3 at stride 2 at most four.
constexpr int BAND = 2048;

extern "C" __global__ void __launch_bounds__(256)
pool2d_max_backward_v3(const real* __restrict__ gy, const long long* __restrict__ index,
                       real* __restrict__ gx, int pixels, int outputs, int bands) {
    __shared__ real sum[BAND];
    __shared__ int claim[BAND];
    const int first = blockIdx.x % bands * BAND, size = min(BAND, pixels - first);
    const index_t m = blockIdx.x / bands;
    const int thread = threadIdx.x;
    for (int p = thread; p < size; p += BLOCK) sum[p] = 0, claim[p] = BLOCK;

    for (int q0 = 0; q0 < outputs; q0 += BLOCK) {
        int at = -1;
        real g = 0;
        if (q0 + thread < outputs) {
            const index_t q = m * outputs + q0 + thread;
            at = int(index[q]) - first;
            if (at < 0 || at >= size) at = -1;  // another block's pixel
            else g = gy[q];
        }
        while (__syncthreads_or(at >= 0)) {
            if (at >= 0) atomicMin(&claim[at], thread);
            __syncthreads();
            const bool mine = at >= 0 && claim[at] == thread;
            __syncthreads();  // all have read the claims before one is given up
            if (mine) {
                sum[at] += g;
                claim[at] = BLOCK;
                at = -1;
            }
        }
    }
    __syncthreads();
    for (int p = thread; p < size; p += BLOCK) gx[m * pixels + first + p] = sum[p];
}

// v4: v3 gives each block 2048 pixels, a third of what shared memory would hold: on a plane of 56 x 56 two blocks walk all
// outputs, each for half of the pixels, and wait for the next index after each round. Here a band is
// the plane wherever it fits, and the next index and gradient are on their way during the rounds.
extern "C" __global__ void __launch_bounds__(256)
pool2d_max_backward_v4(const real* __restrict__ gy, const long long* __restrict__ index,
                       real* __restrict__ gx, int pixels, int outputs, int band, int bands) {
    extern __shared__ real sums[];  // [band], then as many claims
    int* const claim = reinterpret_cast<int*>(sums + band);
    const int first = blockIdx.x % bands * band, size = min(band, pixels - first);
    const index_t m = blockIdx.x / bands;
    const int thread = threadIdx.x;
    for (int p = thread; p < size; p += BLOCK) sums[p] = 0, claim[p] = BLOCK;

    const long long* chosen = index + m * outputs;
    const real* given = gy + m * outputs;
    long long next = thread < outputs ? chosen[thread] : -1;
    real g_next = thread < outputs ? given[thread] : real(0);
    for (int q0 = 0; q0 < outputs; q0 += BLOCK) {
        int at = int(next) - first;
        if (at < 0 || at >= size) at = -1;  // another block's pixel, or beyond the last output
        const real g = g_next;
        const int q = q0 + BLOCK + thread;
        next = q < outputs ? chosen[q] : -1;
        g_next = q < outputs ? given[q] : real(0);
        while (__syncthreads_or(at >= 0)) {
            if (at >= 0) atomicMin(&claim[at], thread);
            __syncthreads();
            const bool mine = at >= 0 && claim[at] == thread;
            __syncthreads();
            if (mine) {
                sums[at] += g;
                claim[at] = BLOCK;
                at = -1;
            }
        }
    }
    __syncthreads();
    for (int p = thread; p < size; p += BLOCK) gx[m * pixels + first + p] = sums[p];
}

// ---------------------------------------------------------------------------------- average

// v1: one thread per output; the running sum is a register.
extern "C" __global__ void __launch_bounds__(256)
pool2d_avg_forward_v1(const real* __restrict__ x, real* __restrict__ y, int H, int W, int OH,
                      int OW, int KH, int KW, int SH, int SW, int PH, int PW, index_t n) {
    const index_t q = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (q >= n) return;
    const Window window(q / OW % OH, q % OW, H, W, KH, KW, SH, SW, PH, PW);
    const real* plane = x + q / OW / OH * H * W;
    real sum = 0;
    for (int r = window.r0; r < window.r1; ++r)
        for (int s = window.s0; s < window.s1; ++s) sum += plane[r * W + s];
    y[q] = sum / real(KH * KW);
}

// v2: v1 loads a pixel once for every window over it; here once for a tile, as in max_forward_v2.
extern "C" __global__ void __launch_bounds__(256)
pool2d_avg_forward_v2(const real* __restrict__ x, real* __restrict__ y, int H, int W, int OH,
                      int OW, int KH, int KW, int SH, int SW, int PH, int PW, int tiles_down,
                      int tiles_across) {
    extern __shared__ real tile[];
    const int m = blockIdx.x / tiles_across / tiles_down;
    const int i0 = blockIdx.x / tiles_across % tiles_down * TILE;
    const int j0 = blockIdx.x % tiles_across * TILE;
    const Patch patch(i0, j0, KH, KW, SH, SW, PH, PW);
    patch.load(tile, x + index_t(m) * H * W, H, W);
    __syncthreads();

    const int i = i0 + threadIdx.x / TILE, j = j0 + threadIdx.x % TILE;
    if (i >= OH || j >= OW) return;
    const Window window(i, j, H, W, KH, KW, SH, SW, PH, PW);
    real sum = 0;
    for (int r = window.r0; r < window.r1; ++r)
        for (int s = window.s0; s < window.s1; ++s) sum += tile[patch.at(r, s)];
    y[(index_t(m) * OH + i) * OW + j] = sum / real(KH * KW);
}

#ifdef REAL_IS_FLOAT
// v3: 2x2 at stride 2: two loads of 4 pixels make two outputs, as in max_forward_v3.
extern "C" __global__ void __launch_bounds__(256)
pool2d_avg_forward_v3(const float* __restrict__ x, float* __restrict__ y, int H, int W, int OH,
                      int OW, index_t n) {
    const index_t pair = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (pair >= n) return;
    const int across = OW / 2, j = pair % across * 2, i = pair / across % OH;
    const float* rows = x + pair / across / OH * H * W + 2 * i * W + 2 * j;
    const float4 above = *reinterpret_cast<const float4*>(rows);
    const float4 below = *reinterpret_cast<const float4*>(rows + W);
    *reinterpret_cast<float2*>(y + 2 * pair) =
        make_float2((above.x + above.y + below.x + below.y) / 4,
                    (above.z + above.w + below.z + below.w) / 4);
}
#endif

// v4: 3x3 at stride 2 without a tile, as max_forward_v4.
extern "C" __global__ void __launch_bounds__(256)
pool2d_avg_forward_v4(const real* __restrict__ x, real* __restrict__ y, int H, int W, int OH,
                      int OW, int PH, int PW, index_t strips) {
    const index_t t = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (t >= strips) return;
    const Strip strip(x, t, H, W, OH, OW, PH, PW);
#pragma unroll
    for (int lower = 0; lower < 2; ++lower) {
        if (lower && !strip.two) break;
        real sum = 0;
#pragma unroll
        for (int u = 2 * lower; u < 2 * lower + 3; ++u)
#pragma unroll
            for (int v = 0; v < 3; ++v) sum += strip.pixel[u][v];  // zeros outside the image
        y[strip.q + lower * OW] = sum / real(9);
    }
}

// v1: one thread per pixel adds up gy of the windows over it: a gather, so no two threads write to
// one place. Row r lies in window i when i SH - PH <= r < i SH - PH + KH.
extern "C" __global__ void __launch_bounds__(256)
pool2d_avg_backward_v1(const real* __restrict__ gy, real* __restrict__ gx, int H, int W, int OH,
                       int OW, int KH, int KW, int SH, int SW, int PH, int PW, index_t n) {
    const index_t p = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (p >= n) return;
    const int r = p / W % H + PH, s = p % W + PW;
    const real* plane = gy + p / W / H * OH * OW;
    const int i0 = r < KH ? 0 : (r - KH) / SH + 1, i1 = min(r / SH, OH - 1);
    const int j0 = s < KW ? 0 : (s - KW) / SW + 1, j1 = min(s / SW, OW - 1);
    real sum = 0;
    for (int i = i0; i <= i1; ++i)
        for (int j = j0; j <= j1; ++j) sum += plane[i * OW + j];
    gx[p] = sum / real(KH * KW);
}

#ifdef REAL_IS_FLOAT
// v2: at 2x2, stride 2, four threads of v1 load the same gy, and each does two divisions of
// integers to find it. Here a thread loads two gy and writes the 4 x 2 pixels under them, 16 bytes
// a store.
extern "C" __global__ void __launch_bounds__(256)
pool2d_avg_backward_v2(const float* __restrict__ gy, float* __restrict__ gx, int H, int W, int OH,
                       int OW, index_t n) {
    const index_t pair = index_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (pair >= n) return;
    const int across = OW / 2, j = pair % across * 2, i = pair / across % OH;
    const float2 g = *reinterpret_cast<const float2*>(gy + 2 * pair);
    const float4 row = make_float4(g.x / 4, g.x / 4, g.y / 4, g.y / 4);
    float* rows = gx + pair / across / OH * H * W + 2 * i * W + 2 * j;
    *reinterpret_cast<float4*>(rows) = row;
    *reinterpret_cast<float4*>(rows + W) = row;
}
#endif
