// NADE: D steps that follow each other, D regressions that share their hidden units.
//
// forward and input_grad need the sum over the hidden units at every step; weight_grad needs none.
//
// forward v1: a block a row, hidden units spread over its threads. A step is a sum over the block, two barriers each:
// 1568 barriers a row of 784 numbers, and σ of all units at every step, although four of five change nothing.
//
// forward v2: a warp a row. The sum is five shuffles, no barrier at all; the units of a lane stand in shared memory that
// only this lane touches, as σ(a), and are computed again only after an x_i that is not 0.
//
// weight_grad v1: a thread a hidden unit, which walks every row to its end for a, and back again: no sum crosses
// threads, but 500 units are 500 threads on a chip that runs 200 000.
//
// weight_grad v2: the rows in slices, a thread for each unit of each slice, each with sums of its own; a second kernel
// adds the slices up in their order. Twice the traffic for gw and gv, as many times the threads as there are slices.
#include "device.cuh"

constexpr int BLOCK = 128, WARPS = BLOCK / 32;

// The sum over the block, in a fixed order, in every thread.
__device__ __forceinline__ real block_sum(real x, real* partial) {
  x = warp_sum(x);
  __syncthreads();  // whoever still reads the last sum is done with it
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = x;
  __syncthreads();
  real total = 0;
  for (int warp = 0; warp < WARPS; ++warp) total += partial[warp];
  return total;
}

extern "C" __global__ void __launch_bounds__(BLOCK)
nade_forward_v1(const real* x, const real* w, const real* c, const real* v, const real* b, real* y, int D, int H) {
  __shared__ real partial[WARPS];
  extern __shared__ real a[];  // [H], unit j belongs to thread j % BLOCK
  const index_t row = (index_t)blockIdx.x * D;
  for (int j = threadIdx.x; j < H; j += BLOCK) a[j] = c[j];
  for (int i = 0; i < D; ++i) {
    const real x_i = x[row + i];
    real sum = 0;
    for (int j = threadIdx.x; j < H; j += BLOCK) {
      sum += v[(index_t)i * H + j] * sigmoid(a[j]);
      if (x_i != 0) a[j] += x_i * w[(index_t)i * H + j];
    }
    sum = block_sum(sum, partial);
    if (threadIdx.x == 0) y[row + i] = b[i] + sum;
  }
}

extern "C" __global__ void __launch_bounds__(BLOCK)
nade_forward_v2(const real* x, const real* w, const real* c, const real* v, const real* b, real* y, int N, int D,
                int H) {
  extern __shared__ real units[];  // [WARPS][2][H]: a and σ(a) of a row
  const int n = blockIdx.x * WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (n >= N) return;  // whole warps: no barrier follows
  real* const a = units + (index_t)(threadIdx.x / 32) * 2 * H;
  real* const h = a + H;
  const index_t row = (index_t)n * D;
  for (int j = lane; j < H; j += 32) {
    a[j] = c[j];
    h[j] = sigmoid(c[j]);
  }
  for (int i = 0; i < D; ++i) {
    const real x_i = x[row + i];
    const index_t at = (index_t)i * H;
    real sum = 0;
    for (int j = lane; j < H; j += 32) sum += v[at + j] * h[j];
    if (x_i != 0) {
      for (int j = lane; j < H; j += 32) {
        a[j] += x_i * w[at + j];
        h[j] = sigmoid(a[j]);
      }
    }
    sum = warp_sum(sum);
    if (lane == 0) y[row + i] = b[i] + sum;
  }
}

// The rows first .. last - 1 through unit j: there and back. gw and gv are [D, H], written by the first row.
__device__ __forceinline__ void walk(const real* g, const real* x, const real* w, real c, const real* v, real* gw,
                                     real* gc, real* gv, int first, int last, int j, int D, int H) {
  real total = 0;
  for (int n = first; n < last; ++n) {
    const index_t row = (index_t)n * D;
    real a = c, d = 0;
    for (int i = 0; i < D; ++i) {
      if (x[row + i] != 0) a += x[row + i] * w[(index_t)i * H + j];
    }
    real h = sigmoid(a);
    for (int i = D - 1; i >= 0; --i) {
      const index_t at = (index_t)i * H + j;
      const real x_i = x[row + i], g_i = g[row + i];
      if (x_i != 0) {
        a -= x_i * w[at];
        h = sigmoid(a);
      }
      gw[at] = (n == first ? real(0) : gw[at]) + x_i * d;
      gv[at] = (n == first ? real(0) : gv[at]) + g_i * h;
      d += g_i * v[at] * h * (real(1) - h);
    }
    total += d;
  }
  gc[j] = total;
}

extern "C" __global__ void __launch_bounds__(BLOCK)
nade_weight_grad_v1(const real* g, const real* x, const real* w, const real* c, const real* v, real* gw, real* gc,
                    real* gv, int N, int D, int H) {
  const int j = blockIdx.x * BLOCK + threadIdx.x;
  if (j < H) walk(g, x, w, c[j], v, gw, gc, gv, 0, N, j, D, H);
}

// gws, gvs [slices, D, H], gcs [slices, H]: the sums of each slice of `rows` rows.
extern "C" __global__ void __launch_bounds__(BLOCK)
nade_weight_grad_v2(const real* g, const real* x, const real* w, const real* c, const real* v, real* gws, real* gcs,
                    real* gvs, int rows, int N, int D, int H) {
  const int j = blockIdx.x * BLOCK + threadIdx.x, slice = blockIdx.y;
  const index_t at = (index_t)slice * D * H;
  if (j < H)
    walk(g, x, w, c[j], v, gws + at, gcs + (index_t)slice * H, gvs + at, slice * rows, min(N, (slice + 1) * rows), j,
         D, H);
}

extern "C" __global__ void __launch_bounds__(BLOCK)
nade_slices_v2(const real* parts, real* total, int slices, index_t size) {
  const index_t i = (index_t)blockIdx.x * BLOCK + threadIdx.x;
  if (i >= size) return;
  real sum = 0;
  for (int slice = 0; slice < slices; ++slice) sum += parts[slice * size + i];
  total[i] = sum;
}

// A warp a row, as forward v2; d in place of the sums of its next step.
extern "C" __global__ void __launch_bounds__(BLOCK)
nade_input_grad_v1(const real* g, const real* x, const real* w, const real* c, const real* v, real* gx, int N, int D,
                   int H) {
  extern __shared__ real units[];  // [WARPS][3][H]: a, σ(a) and d of a row
  const int n = blockIdx.x * WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (n >= N) return;
  real* const a = units + (index_t)(threadIdx.x / 32) * 3 * H;
  real* const h = a + H;
  real* const d = h + H;
  const index_t row = (index_t)n * D;
  for (int j = lane; j < H; j += 32) {
    real sum = c[j];
    for (int i = 0; i < D; ++i) {
      if (x[row + i] != 0) sum += x[row + i] * w[(index_t)i * H + j];
    }
    a[j] = sum;
    h[j] = sigmoid(sum);
    d[j] = 0;
  }
  for (int i = D - 1; i >= 0; --i) {
    const real x_i = x[row + i], g_i = g[row + i];
    const index_t at = (index_t)i * H;
    real sum = 0;
    for (int j = lane; j < H; j += 32) {
      sum += d[j] * w[at + j];
      if (x_i != 0) {
        a[j] -= x_i * w[at + j];
        h[j] = sigmoid(a[j]);
      }
      d[j] += g_i * v[at + j] * h[j] * (real(1) - h[j]);
    }
    sum = warp_sum(sum);
    if (lane == 0) gx[row + i] = sum;
  }
}
