// v8 and v9: 3x3 windows, one pixel apart, whose pixels come to shared memory once for all nine
// taps.
//
// What v5 and v6 waste: they write B out in shared memory as the product has it, each pixel nine
// times, once for each tap, by copies of 4 bytes with an address of their own each. For 64 x 64
// results and 72 k that is 72 copies a thread for 144 (v5: 432) tensor products a warp, and the
// copies take longer: `glassgrad lab conv2d.forward --case 3x3` counts them. Here a block brings
// the pixels under 64 windows of one image, 8 channels at a time, and a tap is a distance in shared
// memory. The weights of 8 channels lie side by side, 72 numbers: they come in 16 bytes each. That
// is 8 + 9 copies a thread in place of 72.
//
// In shared memory a plane of pixels is 8 (mod 32) words long and a row of weights 76, so that the
// 32 lanes of a fragment, 4 channels x 8 pixels, or 4 channels x 8 rows, find 32 banks.
#pragma once

#include "cuda_v5_tensor.cuh"

#ifdef REAL_IS_FLOAT

constexpr int CHANNELS = 8, TAPS = 9;              // of a stage
constexpr int WEIGHTS = CHANNELS * TAPS + 4;       // words from one row of weights to the next
constexpr int A_STAGE = TILE * WEIGHTS, B_STAGE = CHANNELS * 136;  // words; 136: the larger plane

// result[n, row, i, j] = sum over channels, u, v of weight[row, channel, u, v] *
// image[n, channel, i - PH + u, j - PW + v]
struct Windows {
  const float* image;
  int channels, H, W, PH, PW;
  const float* weight;
  int rows;
  index_t row, channel;  // weight[r, c, u, v] is at r * row + c * channel + 3 u + v,
  bool turned;           // or 8 less the last two
  float* result;
  int OH, OW;
};

template <class Unit, int ACROSS>
struct Patch {
  static constexpr int DOWN = TILE / ACROSS, WIDTH = ACROSS + 2, AREA = (DOWN + 2) * WIDTH;
  static constexpr int PLANE = (AREA - 8 + 31) / 32 * 32 + 8;
  static constexpr int AT_ONCE = sizeof(typename Unit::A) > 16 ? 1 : 3;  // taps; more would spill
  static_assert(AREA <= THREADS && CHANNELS * PLANE <= B_STAGE, "a pixel a thread");

  const Windows& p;
  int row0, i0, j0, n;
  const float* pixel;  // this thread's, of channel 0
  bool inside, vectors;

  __device__ __forceinline__ Patch(const Windows& p) : p(p) {
    const int high = (p.rows + TILE - 1) / TILE, wide = (p.OW + ACROSS - 1) / ACROSS;
    const int tall = (p.OH + DOWN - 1) / DOWN, tile = blockIdx.x / high;
    row0 = blockIdx.x % high * TILE;
    n = tile / wide / tall, i0 = tile / wide % tall * DOWN, j0 = tile % wide * ACROSS;
    const int h = i0 - p.PH + int(threadIdx.x) / WIDTH, w = j0 - p.PW + int(threadIdx.x) % WIDTH;
    inside = threadIdx.x < AREA && unsigned(h) < unsigned(p.H) && unsigned(w) < unsigned(p.W);
    pixel = p.image + index_t(n) * p.channels * p.H * p.W + (inside ? h * p.W + w : 0);
    vectors = !p.turned && p.channel == TAPS && p.row % 4 == 0 &&
              (unsigned long long)p.weight % 16 == 0;
  }

  // Starts the copies of one stage, channels `first` on: weights to a, pixels to b.
  __device__ __forceinline__ void load(float* a, float* b, int first) const {
    const index_t plane = index_t(p.H) * p.W;
    if (threadIdx.x < AREA)
#pragma unroll
      for (int c = 0; c < CHANNELS; ++c)
        fetch<true>(b + c * PLANE + threadIdx.x, pixel, (first + c) * plane,
                    inside && first + c < p.channels);
    if (vectors) {  // 72 weights of a row lie together: 18 copies of 16 bytes
      const int left = (p.channels - first) * TAPS;  // a multiple of four, as p.row is
      for (int e = threadIdx.x; e < TILE * CHANNELS * TAPS / 4; e += THREADS) {
        const int line = e / (CHANNELS * TAPS / 4), k = e % (CHANNELS * TAPS / 4) * 4;
        float* to = a + line * WEIGHTS + k;
        if (row0 + line < p.rows && k < left)
          copy_async<16>(to, p.weight + (row0 + line) * p.row + first * TAPS + k);
        else
          to[0] = to[1] = to[2] = to[3] = 0;
      }
      return;
    }
    // one by one, where weights lie otherwise (turned) or not at multiples of 16 bytes
    for (int e = threadIdx.x; e < TILE * CHANNELS * TAPS; e += THREADS) {
      const int tap = e % TAPS, line = p.turned ? e / TAPS % TILE : e / (CHANNELS * TAPS);
      const int c = p.turned ? e / (TAPS * TILE) : e / TAPS % CHANNELS;  // as weights lie in memory
      const index_t at = (row0 + line) * p.row + (first + c) * p.channel;
      fetch<true>(a + line * WEIGHTS + c * TAPS + tap, p.weight, at + (p.turned ? 8 - tap : tap),
                  row0 + line < p.rows && first + c < p.channels);
    }
  }

  __device__ __forceinline__ void multiply(float (*a)[A_STAGE], float (*b)[B_STAGE]) const {
    const int warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    const int down = warp / 2 * 32, group = warp % 2 * 4;  // rows, and eights of pixels
    float sum[2][4][4] = {};
    int now = 0;  // of two buffers, as in v4
    load(a[0], b[0], 0);
    for (int first = 0; first < p.channels; first += CHANNELS, now ^= 1) {
      copy_async_commit();
      copy_async_wait<0>();
      __syncthreads();
      if (first + CHANNELS < p.channels) load(a[now ^ 1], b[now ^ 1], first + CHANNELS);
      // the nine taps read the same pixels, `u * WIDTH + v` further on
#pragma unroll 1
      for (int u = 0; u < 3; ++u)
#pragma unroll AT_ONCE
        for (int v = 0; v < 3; ++v) {
          typename Unit::A left[2];
#pragma unroll
          for (int m = 0; m < 2; ++m)
            left[m].template load<TAPS, WEIGHTS>(
                a[now] + (down + 16 * m + g) * WEIGHTS + 3 * u + v, t);
#pragma unroll
          for (int k = 0; k < 4; ++k) {
            typename Unit::B right;
            right.template load<PLANE>(b[now] + corner(group + k) + u * WIDTH + v + g, t);
#pragma unroll
            for (int m = 0; m < 2; ++m) Unit::multiply(sum[m][k], left[m], right);
          }
        }
    }
#pragma unroll
    for (int m = 0; m < 2; ++m)
#pragma unroll
      for (int k = 0; k < 4; ++k)
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const int r = row0 + down + 16 * m + 8 * (e / 2) + g, q = group + k;
          const int i = i0 + q / (ACROSS / 8), j = j0 + q % (ACROSS / 8) * 8 + 2 * t + e % 2;
          if (r < p.rows && i < p.OH && j < p.OW)
            p.result[((index_t(n) * p.rows + r) * p.OH + i) * p.OW + j] = sum[m][k][e];
        }
  }

  // Of eight pixels side by side, where in the patch the window of the first begins.
  static __device__ __forceinline__ int corner(int q) {
    return q / (ACROSS / 8) * WIDTH + q % (ACROSS / 8) * 8;
  }
};

// `across` is 8 or 16: the windows of a block are 8 x 8, or 4 rows of 16.
template <class Unit>
__device__ __forceinline__ void multiply_windows(const Windows& p, int across) {
  __shared__ Four a[2][A_STAGE / 4];
  __shared__ float b[2][B_STAGE];
  float(*weights)[A_STAGE] = reinterpret_cast<float(*)[A_STAGE]>(a);
  if (across == 8)
    Patch<Unit, 8>(p).multiply(weights, b);
  else
    Patch<Unit, 16>(p).multiply(weights, b);
}

__device__ __forceinline__ Windows windows_forward(const Geometry& g, const float* x,
                                                   const float* w, float* y) {
  return {x, g.C, g.H, g.W, g.PH, g.PW, w, g.O, index_t(g.C) * TAPS, TAPS, false, y, g.OH, g.OW};
}

// The gradient of the image is the same sum over gy, with the kernel turned around.
__device__ __forceinline__ Windows windows_input_grad(const Geometry& g, const float* gy,
                                                      const float* w, float* gx) {
  return {gy, g.O, g.OH, g.OW, 2 - g.PH, 2 - g.PW, w, g.C, TAPS, index_t(g.C) * TAPS, true, gx,
          g.H, g.W};
}

extern "C" __global__ void __launch_bounds__(THREADS, 4) conv2d_forward_v8(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y,
    const Geometry g, int across) {
  multiply_windows<ThreeTf32>(windows_forward(g, x, w, y), across);
}

extern "C" __global__ void __launch_bounds__(THREADS, 4) conv2d_input_grad_v8(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx,
    const Geometry g, int across) {
  multiply_windows<ThreeTf32>(windows_input_grad(g, gy, w, gx), across);
}

extern "C" __global__ void __launch_bounds__(THREADS, 4) conv2d_forward_v9(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y,
    const Geometry g, int across) {
  multiply_windows<Tf32>(windows_forward(g, x, w, y), across);
}

extern "C" __global__ void __launch_bounds__(THREADS, 4) conv2d_input_grad_v9(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx,
    const Geometry g, int across) {
  multiply_windows<Tf32>(windows_input_grad(g, gy, w, gx), across);
}

#endif
