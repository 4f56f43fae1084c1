// NADE in CUDA C: D steps that follow each other, D regressions that share their hidden units;
// version 1 of each pass. Letters as on the page of this family (kernels/nade/__init__.py). The
// faster versions are the files of rungs/ at the end of this one.
//
// forward and input_grad need the sum over the hidden units at every step; weight_grad needs none.
#include "device.cuh"

constexpr int BLOCK = 128, WARPS = BLOCK / 32;

// N rows of D numbers, H hidden units; cuda.py fills it.
struct Sizes {
  int N, D, H;
};

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

// A block a row, hidden units spread over its threads. A step is a sum over the block.
extern "C" __global__ void __launch_bounds__(BLOCK)
    nade_forward_v1(const real* x, const real* w, const real* c, const real* v, const real* b,
                    real* y, const Sizes s) {
  __shared__ real partial[WARPS];
  extern __shared__ real a[];  // [H], unit j belongs to thread j % BLOCK
  const index_t row = (index_t)blockIdx.x * s.D;
  for (int j = threadIdx.x; j < s.H; j += BLOCK) a[j] = c[j];
  for (int i = 0; i < s.D; ++i) {
    const real x_i = x[row + i];
    real sum = 0;
    for (int j = threadIdx.x; j < s.H; j += BLOCK) {
      sum += v[(index_t)i * s.H + j] * sigmoid(a[j]);
      if (x_i != 0) a[j] += x_i * w[(index_t)i * s.H + j];
    }
    sum = block_sum(sum, partial);
    if (threadIdx.x == 0) y[row + i] = b[i] + sum;
  }
}

// The rows first .. last - 1 through unit j: there and back. gw and gv are [D, H], written by the
// first row. On the way back a is undone step by step, so that no state has to be kept.
__device__ __forceinline__ void walk(const real* g, const real* x, const real* w, real c,
                                     const real* v, real* gw, real* gc, real* gv, int first,
                                     int last, int j, const Sizes s) {
  real total = 0;
  for (int n = first; n < last; ++n) {
    const index_t row = (index_t)n * s.D;
    real a = c, d = 0;
    for (int i = 0; i < s.D; ++i) {
      if (x[row + i] != 0) a += x[row + i] * w[(index_t)i * s.H + j];
    }
    real h = sigmoid(a);
    for (int i = s.D - 1; i >= 0; --i) {
      const index_t at = (index_t)i * s.H + j;
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

// A thread a hidden unit, which walks every row to its end for a, and back again: no sum crosses
// threads.
extern "C" __global__ void __launch_bounds__(BLOCK)
    nade_weight_grad_v1(const real* g, const real* x, const real* w, const real* c, const real* v,
                        real* gw, real* gc, real* gv, const Sizes s) {
  const int j = blockIdx.x * BLOCK + threadIdx.x;
  if (j < s.H) walk(g, x, w, c[j], v, gw, gc, gv, 0, s.N, j, s);
}

// A warp a row; a, σ(a) and d of a unit stand in shared memory that one lane alone touches.
extern "C" __global__ void __launch_bounds__(BLOCK)
    nade_input_grad_v1(const real* g, const real* x, const real* w, const real* c, const real* v,
                       real* gx, const Sizes s) {
  extern __shared__ real units[];  // [WARPS][3][H]: a, σ(a) and d of a row
  const int n = blockIdx.x * WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (n >= s.N) return;  // whole warps: no barrier follows
  real* const a = units + (index_t)(threadIdx.x / 32) * 3 * s.H;
  real* const h = a + s.H;
  real* const d = h + s.H;
  const index_t row = (index_t)n * s.D;
  // there: the state after the last number
  for (int j = lane; j < s.H; j += 32) {
    real sum = c[j];
    for (int i = 0; i < s.D; ++i) {
      if (x[row + i] != 0) sum += x[row + i] * w[(index_t)i * s.H + j];
    }
    a[j] = sum;
    h[j] = sigmoid(sum);
    d[j] = 0;
  }
  // and back: d is d_{i+1} until the last line of a step
  for (int i = s.D - 1; i >= 0; --i) {
    const real x_i = x[row + i], g_i = g[row + i];
    const index_t at = (index_t)i * s.H;
    real sum = 0;
    for (int j = lane; j < s.H; j += 32) {
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

#include "rungs/cuda_v2_warp_a_row.cuh"
#include "rungs/cuda_v2_slices.cuh"
