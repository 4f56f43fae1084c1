#include "device.cuh"
#include "product.cuh"
#include "tensor.cuh"
#include "window.cuh"

// Convolution. Letters as on the page of this family (kernels/conv2d/__init__.py). Each pass begins
// with the formula itself (v1); then it is a matrix product: product.cuh and tensor.cuh go on.

struct Shape {
  int N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, G;
};

// A block's share of the result: a tile of rows and columns in one group. Blocks that read the same
// columns of B, the large factor, follow each other: the second finds them in the L2 cache.
struct Share {
  int group, row;
  index_t col;
};

template <int SIZE>
__device__ __forceinline__ Share share_of_block(int rows, int groups) {
  const unsigned tiles = (rows + SIZE - 1) / SIZE, block = blockIdx.x;
  return {int(block / tiles % groups), int(block % tiles) * SIZE,
          index_t(block / tiles / groups) * SIZE};
}

// ---- forward ------------------------------------------------------------------------------------

// v1: the formula. One thread an output; neighbouring threads take neighbouring pixels, so that the
// loads of x and the stores of y are runs of memory. Two loads for every multiply-add.

extern "C" __global__ void __launch_bounds__(256) conv2d_forward_v1(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const index_t i = blockIdx.x * index_t(256) + threadIdx.x;
  if (i >= index_t(N) * O * OH * OW) return;
  const int j = i % OW, r = i / OW % OH, o = i / OW / OH % O, n = i / OW / OH / O;
  const int Cg = C / groups, first = o / (O / groups) * Cg;
  real sum = 0;
  for (int c = 0; c < Cg; ++c)
    for (int u = 0; u < KH; ++u)
      for (int v = 0; v < KW; ++v) {
        const int h = r * SH - PH + u * DH, k = j * SW - PW + v * DW;
        if (h < 0 || h >= H || k < 0 || k >= W) continue;
        const index_t pixel = ((index_t(n) * C + first + c) * H + h) * W + k;
        sum += w[((index_t(o) * Cg + c) * KH + u) * KW + v] * x[pixel];
      }
  y[i] = sum;
}

// As a product: rows are output channels, columns windows (n, i, j), k taps (c, u, v).
template <int SIZE>
__device__ __forceinline__ Product forward(const Shape& s, const real* x, const real* w, real* y) {
  const int Cg = s.C / s.G, Og = s.O / s.G, taps = s.KH * s.KW;
  const index_t in = index_t(s.H) * s.W, out = index_t(s.OH) * s.OW, depth = index_t(Cg) * taps;
  const Share mine = share_of_block<SIZE>(Og, s.G);
  Product p;
  p.row = mine.row, p.rows = Og;
  p.col = mine.col, p.cols = s.N * out;
  p.first = 0, p.last = depth;
  p.a = w + mine.group * Og * depth;
  p.a_row = depth;
  p.a_k = {s.KH, s.KW, taps, s.KW, 1};
  p.b = x + mine.group * Cg * in;
  p.b_k = {s.KH, s.KW, in, index_t(s.DH) * s.W, s.DW, s.DH, s.DW};
  p.b_col = {s.OH, s.OW, s.C * in, index_t(s.SH) * s.W, s.SW, s.SH, s.SW,
             {-index_t(s.PH) * s.W - s.PW, -s.PH, -s.PW}};
  p.H = s.H, p.W = s.W;
  p.result = y + mine.group * Og * out;
  p.result_row = out;
  p.result_col = {s.OH, s.OW, s.O * out, s.OW, 1};
  return p;
}

extern "C" __global__ void __launch_bounds__(256) conv2d_forward_v2(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_v2<false>(forward<V2_TILE>(s, x, w, y));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_forward_v3(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_v3<false>(forward<TILE>(s, x, w, y));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_forward_v4(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_pipelined<Registers, false>(forward<TILE>(s, x, w, y));
}

#ifdef REAL_IS_FLOAT

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_forward_v5(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_pipelined<Tensor<ThreeTf32>, false>(forward<TILE>(s, x, w, y));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_forward_v6(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_pipelined<Tensor<Tf32>, false>(forward<TILE>(s, x, w, y));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_forward_v7(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_pipelined<Tensor<Bf16>, false>(forward<TILE>(s, x, w, y));
}

extern "C" __global__ void __launch_bounds__(THREADS, 4) conv2d_forward_v8(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y, int C, int H,
    int W, int O, int OH, int OW, int PH, int PW, int across) {
  multiply_windows<ThreeTf32>(windows_forward(x, w, y, C, H, W, O, OH, OW, PH, PW), across);
}

extern "C" __global__ void __launch_bounds__(THREADS, 4) conv2d_forward_v9(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y, int C, int H,
    int W, int O, int OH, int OW, int PH, int PW, int across) {
  multiply_windows<Tf32>(windows_forward(x, w, y, C, H, W, O, OH, OW, PH, PW), across);
}

#endif

// ---- input_grad ---------------------------------------------------------------------------------

// v1: one thread a pixel of gx, which collects what every tap brings back. Of SH * SW taps only one
// meets a pixel of gy; the others cost a test.

extern "C" __global__ void __launch_bounds__(256) conv2d_input_grad_v1(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const index_t i = blockIdx.x * index_t(256) + threadIdx.x;
  if (i >= index_t(N) * C * H * W) return;
  const int k = i % W, h = i / W % H, c = i / W / H % C, n = i / W / H / C;
  const int Cg = C / groups, Og = O / groups, first = c / Cg * Og;
  real sum = 0;
  for (int o = first; o < first + Og; ++o)
    for (int u = 0; u < KH; ++u)
      for (int v = 0; v < KW; ++v) {
        const int r = h + PH - u * DH, j = k + PW - v * DW;  // SH, SW times the window
        if (r < 0 || r % SH || r / SH >= OH || j < 0 || j % SW || j / SW >= OW) continue;
        const index_t from = ((index_t(n) * O + o) * OH + r / SH) * OW + j / SW;
        sum += w[((index_t(o) * Cg + c % Cg) * KH + u) * KW + v] * gy[from];
      }
  gx[i] = sum;
}

// Along one axis, of the input positions phase + stride * i: which taps meet an output, and where.
// Tap `tap + m * every`, for m < taps, meets output i + out - m * step.
struct Phase {
  int size, tap, every, taps, out, step;
};

__device__ __forceinline__ Phase phase_of(int phase, int size, int kernel, int stride, int pad,
                                          int dilation) {
  int tap = 0, every = 1;
  while (tap < kernel && (phase + pad - tap * dilation) % stride) ++tap;
  while (every * dilation % stride) ++every;
  const int positions = (size - phase + stride - 1) / stride;
  const int taps = (kernel - tap + every - 1) / every;
  const int out = (phase + pad - tap * dilation) / stride;
  return {positions, tap, every, taps, out, every * dilation / stride};
}

// As a product: rows are input channels, columns pixels of gx, k taps (o, u, v). All pixels with
// one remainder modulo the stride meet the same taps, and for them the pass is a convolution of gy
// with stride 1. So each remainder is a product of its own (blockIdx.y, blockIdx.z), and a stride
// of 2 takes a quarter of the multiply-adds that it would take with zeros put between the gy.
template <int SIZE>
__device__ __forceinline__ Product input_grad(const Shape& s, const real* gy, const real* w,
                                              real* gx) {
  const int Cg = s.C / s.G, Og = s.O / s.G, taps = s.KH * s.KW, a = blockIdx.y, b = blockIdx.z;
  const index_t in = index_t(s.H) * s.W, out = index_t(s.OH) * s.OW;
  const Phase h = phase_of(a, s.H, s.KH, s.SH, s.PH, s.DH);
  const Phase w_ = phase_of(b, s.W, s.KW, s.SW, s.PW, s.DW);
  const int TH = max(1, h.taps), TW = max(1, w_.taps);  // none: the sum below is empty
  const Share mine = share_of_block<SIZE>(Cg, s.G);
  Product p;
  p.row = mine.row, p.rows = Cg;
  p.col = mine.col, p.cols = index_t(s.N) * h.size * w_.size;
  p.first = 0, p.last = index_t(Og) * h.taps * w_.taps;
  p.a = w + mine.group * Og * (index_t(Cg) * taps) + h.tap * s.KW + w_.tap;
  p.a_row = taps;
  p.a_k = {TH, TW, index_t(Cg) * taps, h.every * s.KW, w_.every};
  p.b = gy + mine.group * Og * out;
  p.b_k = {TH, TW, out, -index_t(h.step) * s.OW, -w_.step, -h.step, -w_.step};
  p.b_col = {h.size, w_.size, s.O * out, s.OW, 1, 1, 1,
             {index_t(h.out) * s.OW + w_.out, h.out, w_.out}};
  p.H = s.OH, p.W = s.OW;
  p.result = gx + mine.group * Cg * in + index_t(a) * s.W + b;
  p.result_row = in;
  p.result_col = {h.size, w_.size, s.C * in, index_t(s.SH) * s.W, s.SW};
  return p;
}

extern "C" __global__ void __launch_bounds__(256) conv2d_input_grad_v2(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_v2<false>(input_grad<V2_TILE>(s, gy, w, gx));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_input_grad_v3(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_v3<false>(input_grad<TILE>(s, gy, w, gx));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_input_grad_v4(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_pipelined<Registers, false>(input_grad<TILE>(s, gy, w, gx));
}

#ifdef REAL_IS_FLOAT

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_input_grad_v5(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_pipelined<Tensor<ThreeTf32>, false>(input_grad<TILE>(s, gy, w, gx));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_input_grad_v6(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_pipelined<Tensor<Tf32>, false>(input_grad<TILE>(s, gy, w, gx));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_input_grad_v7(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_pipelined<Tensor<Bf16>, false>(input_grad<TILE>(s, gy, w, gx));
}

extern "C" __global__ void __launch_bounds__(THREADS, 4) conv2d_input_grad_v8(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx, int C, int H,
    int W, int O, int OH, int OW, int PH, int PW, int across) {
  multiply_windows<ThreeTf32>(windows_input_grad(gy, w, gx, C, H, W, O, OH, OW, PH, PW), across);
}

extern "C" __global__ void __launch_bounds__(THREADS, 4) conv2d_input_grad_v9(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx, int C, int H,
    int W, int O, int OH, int OW, int PH, int PW, int across) {
  multiply_windows<Tf32>(windows_input_grad(gy, w, gx, C, H, W, O, OH, OW, PH, PW), across);
}

#endif

// ---- weight_grad --------------------------------------------------------------------------------

// v1: one warp a weight. A layer has few weights and each sums over all N * OH * OW windows: with a
// thread each the chip would stand idle. The lanes take neighbouring windows, 32 apart the next.

extern "C" __global__ void __launch_bounds__(256) conv2d_weight_grad_v1(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ gw, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups) {
  const index_t i = blockIdx.x * index_t(256 / 32) + threadIdx.x / 32;
  const int Cg = C / groups, lane = threadIdx.x % 32;
  if (i >= index_t(O) * Cg * KH * KW) return;
  const int v = i % KW, u = i / KW % KH, o = i / KW / KH / Cg;
  const int c = o / (O / groups) * Cg + i / KW / KH % Cg;
  real sum = 0;
  for (index_t window = lane; window < index_t(N) * OH * OW; window += 32) {
    const int j = window % OW, r = window / OW % OH, n = window / OW / OH;
    const int h = r * SH - PH + u * DH, k = j * SW - PW + v * DW;
    if (h < 0 || h >= H || k < 0 || k >= W) continue;
    const index_t pixel = ((index_t(n) * C + c) * H + h) * W + k;
    sum += gy[((index_t(n) * O + o) * OH + r) * OW + j] * x[pixel];
  }
  sum = warp_sum(sum);
  if (lane == 0) gw[i] = sum;
}

// As a product: rows are output channels, columns taps (c, u, v), k windows (n, i, j). The result
// is small and the sum long; so it is cut into gridDim.y pieces of `piece` windows, each with a
// result of its own in `parts`. conv2d_weight_grad_sum adds these up, always in the same order.
template <int SIZE>
__device__ __forceinline__ Product weight_grad(const Shape& s, const real* gy, const real* x,
                                               real* parts, index_t piece) {
  const int Cg = s.C / s.G, Og = s.O / s.G, taps = s.KH * s.KW;
  const index_t in = index_t(s.H) * s.W, out = index_t(s.OH) * s.OW, cols = index_t(Cg) * taps;
  const Share mine = share_of_block<SIZE>(Og, s.G);
  Product p;
  p.row = mine.row, p.rows = Og;
  p.col = mine.col, p.cols = cols;
  p.first = blockIdx.y * piece, p.last = min(p.first + piece, s.N * out);
  p.a = gy + mine.group * Og * out;
  p.a_row = out;
  p.a_k = {s.OH, s.OW, s.O * out, s.OW, 1};
  p.b = x + mine.group * Cg * in;
  p.b_k = {s.OH, s.OW, s.C * in, index_t(s.SH) * s.W, s.SW, s.SH, s.SW,
           {-index_t(s.PH) * s.W - s.PW, -s.PH, -s.PW}};
  p.b_col = {s.KH, s.KW, in, index_t(s.DH) * s.W, s.DW, s.DH, s.DW};
  p.H = s.H, p.W = s.W;
  p.result = parts + (index_t(blockIdx.y) * s.O + mine.group * Og) * cols;
  p.result_row = cols;
  p.result_col = {s.KH, s.KW, taps, s.KW, 1};
  return p;
}

extern "C" __global__ void __launch_bounds__(256) conv2d_weight_grad_sum(
    const real* __restrict__ parts, real* __restrict__ gw, int pieces, index_t size) {
  const index_t i = blockIdx.x * index_t(256) + threadIdx.x;
  if (i >= size) return;
  real sum = 0;
  for (int piece = 0; piece < pieces; ++piece) sum += parts[piece * size + i];
  gw[i] = sum;
}

extern "C" __global__ void __launch_bounds__(256) conv2d_weight_grad_v2(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ parts, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups, index_t piece) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_v2<true>(weight_grad<V2_TILE>(s, gy, x, parts, piece));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_weight_grad_v3(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ parts, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups, index_t piece) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_v3<true>(weight_grad<TILE>(s, gy, x, parts, piece));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_weight_grad_v4(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ parts, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups, index_t piece) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_pipelined<Registers, true>(weight_grad<TILE>(s, gy, x, parts, piece));
}

#ifdef REAL_IS_FLOAT

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_weight_grad_v5(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ parts, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups, index_t piece) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_pipelined<Tensor<ThreeTf32>, true>(weight_grad<TILE>(s, gy, x, parts, piece));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_weight_grad_v6(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ parts, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups, index_t piece) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_pipelined<Tensor<Tf32>, true>(weight_grad<TILE>(s, gy, x, parts, piece));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_weight_grad_v7(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ parts, int N, int C,
    int H, int W, int O, int KH, int KW, int OH, int OW, int SH, int SW, int PH, int PW, int DH,
    int DW, int groups, index_t piece) {
  const Shape s = {N, C, H, W, O, KH, KW, OH, OW, SH, SW, PH, PW, DH, DW, groups};
  multiply_pipelined<Tensor<Bf16>, true>(weight_grad<TILE>(s, gy, x, parts, piece));
}

#endif
