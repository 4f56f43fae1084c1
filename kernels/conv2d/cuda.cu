#include "device.cuh"

// Convolution in CUDA C: the formula itself, version 1 of each pass. Letters as on the page of this
// family (kernels/conv2d/__init__.py). From version 2 on every pass is a matrix product: the files
// of rungs/ at the end of this one.

// What one convolution is; geometry.py fills it.
struct Geometry {
  int N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, G;
};

// One thread an output. Neighbouring threads take neighbouring pixels, so that the loads of x and
// the stores of y are runs of memory. Two loads for every multiply-add.
extern "C" __global__ void __launch_bounds__(256) conv2d_forward_v1(const real* __restrict__ x,
                                                                    const real* __restrict__ w,
                                                                    real* __restrict__ y,
                                                                    const Geometry g) {
  const index_t id = blockIdx.x * index_t(256) + threadIdx.x;
  if (id >= index_t(g.N) * g.O * g.OH * g.OW) return;
  const int j = id % g.OW, i = id / g.OW % g.OH;
  const int o = id / g.OW / g.OH % g.O, n = id / g.OW / g.OH / g.O;
  const int Cg = g.C / g.G, first = o / (g.O / g.G) * Cg;
  real sum = 0;
  for (int c = 0; c < Cg; ++c)
    for (int u = 0; u < g.KH; ++u)
      for (int v = 0; v < g.KW; ++v) {
        const int r = i * g.SH - g.PH + u * g.DH, s = j * g.SW - g.PW + v * g.DW;
        if (r < 0 || r >= g.H || s < 0 || s >= g.W) continue;
        const index_t pixel = ((index_t(n) * g.C + first + c) * g.H + r) * g.W + s;
        sum += w[((index_t(o) * Cg + c) * g.KH + u) * g.KW + v] * x[pixel];
      }
  y[id] = sum;
}

// One thread a pixel of gx, which collects what every tap brings back. Of SH * SW taps only one
// meets a pixel of gy; the others cost a test.
extern "C" __global__ void __launch_bounds__(256) conv2d_input_grad_v1(const real* __restrict__ gy,
                                                                       const real* __restrict__ w,
                                                                       real* __restrict__ gx,
                                                                       const Geometry g) {
  const index_t id = blockIdx.x * index_t(256) + threadIdx.x;
  if (id >= index_t(g.N) * g.C * g.H * g.W) return;
  const int s = id % g.W, r = id / g.W % g.H, c = id / g.W / g.H % g.C, n = id / g.W / g.H / g.C;
  const int Cg = g.C / g.G, Og = g.O / g.G, first = c / Cg * Og;
  real sum = 0;
  for (int o = first; o < first + Og; ++o)
    for (int u = 0; u < g.KH; ++u)
      for (int v = 0; v < g.KW; ++v) {
        const int down = r + g.PH - u * g.DH, across = s + g.PW - v * g.DW;
        const int i = down / g.SH, j = across / g.SW;  // the window, where the stride meets one
        if (down < 0 || down % g.SH || i >= g.OH) continue;
        if (across < 0 || across % g.SW || j >= g.OW) continue;
        const index_t from = ((index_t(n) * g.O + o) * g.OH + i) * g.OW + j;
        sum += w[((index_t(o) * Cg + c % Cg) * g.KH + u) * g.KW + v] * gy[from];
      }
  gx[id] = sum;
}

// One warp a weight. A layer has few weights and each sums over all N * OH * OW windows: with a
// thread each, most of the chip would be idle. Lane l takes windows l, l + 32, l + 64, ...: the
// lanes of a warp load next to each other.
extern "C" __global__ void __launch_bounds__(256) conv2d_weight_grad_v1(const real* __restrict__ gy,
                                                                        const real* __restrict__ x,
                                                                        real* __restrict__ gw,
                                                                        const Geometry g) {
  const index_t id = blockIdx.x * index_t(256 / 32) + threadIdx.x / 32;
  const int Cg = g.C / g.G, lane = threadIdx.x % 32;
  if (id >= index_t(g.O) * Cg * g.KH * g.KW) return;
  const int v = id % g.KW, u = id / g.KW % g.KH, o = id / g.KW / g.KH / Cg;
  const int c = o / (g.O / g.G) * Cg + id / g.KW / g.KH % Cg;
  real sum = 0;
  for (index_t window = lane; window < index_t(g.N) * g.OH * g.OW; window += 32) {
    const int j = window % g.OW, i = window / g.OW % g.OH, n = window / g.OW / g.OH;
    const int r = i * g.SH - g.PH + u * g.DH, s = j * g.SW - g.PW + v * g.DW;
    if (r < 0 || r >= g.H || s < 0 || s >= g.W) continue;
    const index_t pixel = ((index_t(n) * g.C + c) * g.H + r) * g.W + s;
    sum += gy[((index_t(n) * g.O + o) * g.OH + i) * g.OW + j] * x[pixel];
  }
  sum = warp_sum(sum);
  if (lane == 0) gw[id] = sum;
}

#include "rungs/cuda_v2_tiles.cuh"
#include "rungs/cuda_v3_registers.cuh"
#include "rungs/cuda_v4_cp_async.cuh"
#include "rungs/cuda_v5_tensor.cuh"
#include "rungs/cuda_v8_window.cuh"
