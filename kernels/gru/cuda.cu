#include "device.cuh"
#include "lstm/recurrent.cuh"

// GRU. Letters as on the page of this family (kernels/gru/__init__.py): T steps, N sequences,
// H hidden units; pre-activations and gates are rows [3H] in the order r, z, n. `library` tells the
// variant: 0 is the lecture's (reset before the product), 1 the library's (after it).

struct Gates {
  real r, z, n;
};

// The three gates of one unit stand H apart; `row` points at the first.
__device__ __forceinline__ Gates load(const real* row, int H) {
  return {row[0], row[H], row[2 * H]};
}

__device__ __forceinline__ void store(real* row, int H, const Gates& v) {
  row[0] = v.r;
  row[H] = v.z;
  row[2 * H] = v.n;
}

// The biases of unit j, or zeros.
__device__ __forceinline__ Gates bias(const real* bh, int j, int H) {
  return bh ? load(bh + j, H) : Gates{0, 0, 0};
}

// The lines of the page.

// The share of n in h': the one line in which z means two things. The share of h is the other one.
__device__ __forceinline__ real written(real z, int library) { return library ? 1 - z : z; }

// n and h' from activated r and z, the input's part xa_n and the recurrent part ha_n.
__device__ __forceinline__ real candidate(Gates& gate, real xa_n, real ha_n, real h, int library) {
  gate.n = tanh(xa_n + (library ? gate.r * ha_n : ha_n));
  return written(gate.z, library) * gate.n + written(gate.z, !library) * h;
}

// ga_z and ga_n; gh turns from the gradient of h' into its straight path to h.
__device__ __forceinline__ void update_gradient(Gates& ga, real& gh, const Gates& gate, real h,
                                                int library) {
  real gz = gh * (library ? h - gate.n : gate.n - h);
  ga.z = gz * gate.z * (1 - gate.z);
  ga.n = gh * written(gate.z, library) * (1 - gate.n * gate.n);
  gh *= written(gate.z, !library);
}

// ga_r, given the gradient of r.
__device__ __forceinline__ real reset_gradient(real gr, real r) { return gr * r * (1 - r); }

// ---- One step ----------------------------------------------------------------------------------

// v1: one thread a unit. As ten operations on arrays, sigma counted as one, the forward step moves
// 26 arrays [N, H]; fused, it reads its 7 and writes its 4 once. Neighbouring threads take
// neighbouring units, so each of the eleven requests of a warp is one run of memory.

extern "C" __global__ void __launch_bounds__(256)
gru_cell_forward_v1(const real* __restrict__ xa, const real* __restrict__ ha,
                    const real* __restrict__ h, real* __restrict__ h_new,
                    real* __restrict__ gates, index_t cells, int H, int library) {
  index_t cell = index_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (cell >= cells) return;
  index_t row = cell / H * 3 * H + cell % H;
  Gates x = load(xa + row, H), y = load(ha + row, H);
  Gates gate = {sigmoid(x.r + y.r), sigmoid(x.z + y.z), 0};
  h_new[cell] = candidate(gate, x.n, y.n, h[cell], library);
  store(gates + row, H, gate);
}

extern "C" __global__ void __launch_bounds__(256)
gru_cell_backward_v1(const real* __restrict__ gh_new, const real* __restrict__ gates,
                     const real* __restrict__ ha, const real* __restrict__ h,
                     real* __restrict__ gxa, real* __restrict__ gha, real* __restrict__ gh,
                     index_t cells, int H, int library) {
  index_t cell = index_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (cell >= cells) return;
  index_t row = cell / H * 3 * H + cell % H;
  Gates gate = load(gates + row, H), ga;
  real straight = gh_new[cell];
  update_gradient(ga, straight, gate, h[cell], library);
  ga.r = library ? reset_gradient(ga.n * ha[row + 2 * H], gate.r) : real(0);
  store(gxa + row, H, ga);
  if (library) ga.n *= gate.r;
  store(gha + row, H, ga);
  gh[cell] = straight;
}

#ifdef REAL_IS_FLOAT

// v2: four units a thread. v1 needs eleven 4-byte requests and one integer division for a unit;
// with 16-byte requests it is eleven and one for four units. H % 4 == 0 keeps addresses aligned.

__device__ __forceinline__ void load4(Gates unit[4], const float* row, int H) {
  float4 r = *(const float4*)row, z = *(const float4*)(row + H), n = *(const float4*)(row + 2 * H);
  unit[0] = {r.x, z.x, n.x};
  unit[1] = {r.y, z.y, n.y};
  unit[2] = {r.z, z.z, n.z};
  unit[3] = {r.w, z.w, n.w};
}

__device__ __forceinline__ void store4(float* row, int H, const Gates unit[4]) {
  const Gates &a = unit[0], &b = unit[1], &c = unit[2], &d = unit[3];
  *(float4*)row = make_float4(a.r, b.r, c.r, d.r);
  *(float4*)(row + H) = make_float4(a.z, b.z, c.z, d.z);
  *(float4*)(row + 2 * H) = make_float4(a.n, b.n, c.n, d.n);
}

extern "C" __global__ void __launch_bounds__(256)
gru_cell_forward_v2(const float* __restrict__ xa, const float* __restrict__ ha,
                    const float* __restrict__ h, float* __restrict__ h_new,
                    float* __restrict__ gates, index_t cells, int H, int library) {
  index_t cell = (index_t(blockIdx.x) * blockDim.x + threadIdx.x) * 4;
  if (cell >= cells) return;
  index_t row = cell / H * 3 * H + cell % H;
  Gates x[4], y[4], gate[4];
  load4(x, xa + row, H);
  load4(y, ha + row, H);
  for (int u = 0; u < 4; ++u) gate[u] = {sigmoid(x[u].r + y[u].r), sigmoid(x[u].z + y[u].z), 0};
  float4 old = *(const float4*)(h + cell), after;
  after.x = candidate(gate[0], x[0].n, y[0].n, old.x, library);
  after.y = candidate(gate[1], x[1].n, y[1].n, old.y, library);
  after.z = candidate(gate[2], x[2].n, y[2].n, old.z, library);
  after.w = candidate(gate[3], x[3].n, y[3].n, old.w, library);
  *(float4*)(h_new + cell) = after;
  store4(gates + row, H, gate);
}

extern "C" __global__ void __launch_bounds__(256)
gru_cell_backward_v2(const float* __restrict__ gh_new, const float* __restrict__ gates,
                     const float* __restrict__ ha, const float* __restrict__ h,
                     float* __restrict__ gxa, float* __restrict__ gha, float* __restrict__ gh,
                     index_t cells, int H, int library) {
  index_t cell = (index_t(blockIdx.x) * blockDim.x + threadIdx.x) * 4;
  if (cell >= cells) return;
  index_t row = cell / H * 3 * H + cell % H;
  Gates gate[4], ga[4];
  load4(gate, gates + row, H);
  float4 straight = *(const float4*)(gh_new + cell), old = *(const float4*)(h + cell);
  update_gradient(ga[0], straight.x, gate[0], old.x, library);
  update_gradient(ga[1], straight.y, gate[1], old.y, library);
  update_gradient(ga[2], straight.z, gate[2], old.z, library);
  update_gradient(ga[3], straight.w, gate[3], old.w, library);
  float4 y = library ? *(const float4*)(ha + row + 2 * H) : make_float4(0, 0, 0, 0);
  ga[0].r = reset_gradient(ga[0].n * y.x, gate[0].r);
  ga[1].r = reset_gradient(ga[1].n * y.y, gate[1].r);
  ga[2].r = reset_gradient(ga[2].n * y.z, gate[2].r);
  ga[3].r = reset_gradient(ga[3].n * y.w, gate[3].r);
  store4(gxa + row, H, ga);
  for (int u = 0; library && u < 4; ++u) ga[u].n *= gate[u].r;
  store4(gha + row, H, ga);
  *(float4*)(gh + cell) = straight;
}

#endif

// ---- A whole sequence --------------------------------------------------------------------------

// v1 (cuda.py): at every step a product by cuBLAS, additions and the cell kernel.

// v2: one kernel a step. v1 launches three and carries the product through memory: it writes 3NH
// numbers, with a bias reads and writes them again, and reads them in the cell: 12NH, where xa, h,
// h' and the gates are 8NH; in the lecture's form it runs the cell twice. Here a thread keeps its
// unit's three sums in registers until the cell takes them. The block loads tiles of h and Wh into
// shared memory, where each number serves 16 threads: 4/16 global loads for three FMAs, not 4.
// In the lecture's form a step is two kernels, as n needs r h of all units.

extern "C" __global__ void __launch_bounds__(256)
gru_sequence_forward_v2(const real* __restrict__ xa, const real* __restrict__ h,
                        const real* __restrict__ wh, const real* __restrict__ bh,
                        real* __restrict__ gates, real* __restrict__ h_new,
                        real* __restrict__ reset_h, int N, int H, int library) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[3][TILE][TILE + 1];
  real sum[3] = {0, 0, 0};
  if (library)
    add_rows<3>(sum, h, wh, N, H, xs, ws);
  else
    add_rows<2>(sum, h, wh, N, H, xs, ws);
  int n = blockIdx.x * TILE + threadIdx.y, j = blockIdx.y * TILE + threadIdx.x;
  if (n >= N || j >= H) return;
  index_t cell = index_t(n) * H + j, row = index_t(n) * 3 * H + j;
  Gates x = load(xa + row, H), b = bias(bh, j, H);
  Gates gate = {sigmoid(x.r + sum[0] + b.r), sigmoid(x.z + sum[1] + b.z), 0};
  if (library)
    h_new[cell] = candidate(gate, x.n, sum[2] + b.n, h[cell], library);
  else
    reset_h[cell] = gate.r * h[cell];
  store(gates + row, H, gate);  // in the lecture's form n is still to come
}

// The second half of a lecture step; w_n [H, H].
extern "C" __global__ void __launch_bounds__(256)
gru_candidate_forward_v2(const real* __restrict__ xa, const real* __restrict__ h,
                         const real* __restrict__ reset_h, const real* __restrict__ w_n,
                         const real* __restrict__ bh, real* __restrict__ gates,
                         real* __restrict__ h_new, int N, int H) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[1][TILE][TILE + 1];
  real sum = 0;
  add_rows<1>(&sum, reset_h, w_n, N, H, xs, ws);
  int n = blockIdx.x * TILE + threadIdx.y, j = blockIdx.y * TILE + threadIdx.x;
  if (n >= N || j >= H) return;
  index_t cell = index_t(n) * H + j, row = index_t(n) * 3 * H + j;
  Gates gate = load(gates + row, H), b = bias(bh, j, H);
  h_new[cell] = candidate(gate, xa[row + 2 * H], sum + b.n, h[cell], 0);
  gates[row + 2 * H] = gate.n;
}

// `next` is gha of the step after, null at the last step; gh carries the straight path from step to
// step, in place. The library's form needs ha_n = h W_n^T + b_n again; the lecture's gha is gxa.
extern "C" __global__ void __launch_bounds__(256)
gru_sequence_backward_v2(const real* __restrict__ ghs, const real* __restrict__ next,
                         const real* __restrict__ gates, const real* __restrict__ h,
                         const real* __restrict__ ha_n, const real* __restrict__ wh,
                         real* __restrict__ gxa, real* __restrict__ gha, real* __restrict__ gh,
                         int N, int H, int library) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[TILE][TILE + 1];
  int K = library ? 3 * H : 2 * H;
  real through = next ? column(next, 3 * H, wh, K, N, H, xs, ws) : real(0);
  int n = blockIdx.x * TILE + threadIdx.y, j = blockIdx.y * TILE + threadIdx.x;
  if (n >= N || j >= H) return;
  index_t cell = index_t(n) * H + j, row = index_t(n) * 3 * H + j;
  Gates gate = load(gates + row, H), ga = {};
  real straight = gh[cell] + ghs[cell] + through;
  update_gradient(ga, straight, gate, h[cell], library);
  if (library) ga.r = reset_gradient(ga.n * ha_n[cell], gate.r);
  store(gxa + row, H, ga);  // in the lecture's form ga_r is still to come
  ga.n *= gate.r;
  if (library) store(gha + row, H, ga);
  gh[cell] = straight;
}

// The second half of a lecture step: what n asks of r h.
extern "C" __global__ void __launch_bounds__(256)
gru_reset_backward_v2(const real* __restrict__ gates, const real* __restrict__ h,
                      const real* __restrict__ w_n, real* gxa, real* __restrict__ gh, int N,
                      int H) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[TILE][TILE + 1];
  real asked = column(gxa + 2 * H, 3 * H, w_n, H, N, H, xs, ws);
  int n = blockIdx.x * TILE + threadIdx.y, j = blockIdx.y * TILE + threadIdx.x;
  if (n >= N || j >= H) return;
  index_t cell = index_t(n) * H + j, row = index_t(n) * 3 * H + j;
  gxa[row] = reset_gradient(asked * h[cell], gates[row]);
  gh[cell] += asked * gates[row];
}

// v3: one launch for all steps. v2 fetches all of Wh, 3H^2 numbers, from the second-level cache at
// every step and for every 16 sequences, and a launch takes some microseconds, longer than a step
// of a small layer computes. Here a thread keeps one unit of one sequence to the end, its h in a
// register, and the block the weights of its 8 units in shared memory; only h travels, through
// global memory. A block needs h of all others, so all of them meet in a grid barrier after each
// step, in the lecture's form also between r and n: they must run at the same time, and the weights
// must fit (cuda.py). Products take four k at once: 4 shared loads for 12 FMAs, where v2 needs 4
// for 3.

// What other blocks write, hs and reset_h, is not __restrict__: taken for constant, it could come
// from a cache of old values.
template <class Products>
__device__ __forceinline__ void forward_steps(Products products, const real* __restrict__ xa,
                                              const real* h0, const real* __restrict__ wh,
                                              const real* __restrict__ bh, real* hs,
                                              real* __restrict__ gates, real* reset_h, int library,
                                              unsigned* counter, int T, int N, int H, Quad* kept) {
  int unit = blockIdx.x * UNITS, j = unit + threadIdx.x % UNITS, plane = (H + 3) / 4 * UNITS;
  for (int gate = 0; gate < 3; ++gate)
    keep(kept + gate * plane, wh + (index_t(gate) * H + unit) * H, H, H, 1, H - unit);

  int first = blockIdx.y * ROWS, n = first + threadIdx.x / UNITS, rows = min(ROWS, N - first);
  bool inside = n < N && j < H;
  index_t layer = index_t(N) * H, start = index_t(first) * H, cell = index_t(n) * H + j;
  real h = inside ? h0[cell] : real(0);
  Gates b = inside ? bias(bh, j, H) : Gates{};
  for (int t = 0; t < T; ++t) {
    const real* before = (t ? hs + (t - 1) * layer : h0) + start;
    index_t at = t * layer + cell, row = 3 * (at - j) + j;
    Gates gate = {}, x = {};
    if (inside) x = load(xa + row, H);  // on its way during the products
    real sum[3] = {0, 0, 0};
    if (library)
      products.template add<3>(sum, before, H, rows, H, kept);
    else
      products.template add<2>(sum, before, H, rows, H, kept);
    if (inside) {
      gate.r = sigmoid(x.r + sum[0] + b.r);
      gate.z = sigmoid(x.z + sum[1] + b.z);
      if (!library) reset_h[cell] = gate.r * h;
    }
    if (!library) {
      grid_barrier(counter);
      products.template add<1>(sum + 2, reset_h + start, H, rows, H, kept + 2 * plane);
    }
    if (inside) {
      hs[at] = h = candidate(gate, x.n, sum[2] + b.n, h, library);
      store(gates + row, H, gate);
    }
    grid_barrier(counter);
  }
}

// Backwards a unit needs its column of Wh, K = 3H, and what travels is gha (in the lecture's form
// gxa itself, in two parts). `carry` is the gradient of h on its way from step to step.
template <class Products>
__device__ __forceinline__ void backward_steps(Products products, const real* __restrict__ ghs,
                                               const real* __restrict__ hs,
                                               const real* __restrict__ gates,
                                               const real* __restrict__ h0,
                                               const real* __restrict__ ha_n,
                                               const real* __restrict__ wh, real* gxa, real* gha,
                                               real* __restrict__ gh, int library,
                                               unsigned* counter, int T, int N, int H,
                                               Quad* kept) {
  int unit = blockIdx.x * UNITS, j = unit + threadIdx.x % UNITS, K = library ? 3 * H : 2 * H;
  Quad* kept_n = kept + (2 * H + 3) / 4 * UNITS;
  keep(kept, wh + unit, K, 1, H, H - unit);
  if (!library) keep(kept_n, wh + index_t(2) * H * H + unit, H, 1, H, H - unit);

  int first = blockIdx.y * ROWS, n = first + threadIdx.x / UNITS, rows = min(ROWS, N - first);
  bool inside = n < N && j < H;
  index_t layer = index_t(N) * H, start = index_t(first) * H, cell = index_t(n) * H + j;
  real carry = 0;
  for (int t = T - 1; t >= 0; --t) {
    const real* travels = (library ? gha : gxa) + 3 * (t * layer + start);
    index_t at = t * layer + cell, row = 3 * (at - j) + j;
    Gates gate = {}, ga = {};
    real h = 0, gr = 0, recurrent = 0;
    if (inside) {  // on its way during the products
      gate = load(gates + row, H);
      h = t ? hs[at - layer] : h0[cell];
      carry += ghs[at];
      if (library) recurrent = ha_n[at];
    }
    if (t + 1 < T)
      products.template add<1>(&carry, travels + 3 * layer, 3 * H, rows, K, kept);
    if (inside) {
      update_gradient(ga, carry, gate, h, library);
      gxa[row + H] = ga.z;
      gxa[row + 2 * H] = ga.n;
      if (library) gr = ga.n * recurrent;
    }
    if (!library) {
      real asked = 0;  // of r h
      grid_barrier(counter);
      products.template add<1>(&asked, travels + 2 * H, 3 * H, rows, H, kept_n);
      gr = asked * h;
      carry += asked * gate.r;
    }
    if (inside) {
      gxa[row] = ga.r = reset_gradient(gr, gate.r);
      ga.n *= gate.r;
      if (library) store(gha + row, H, ga);
    }
    grid_barrier(counter);
  }
  if (inside) gh[cell] = carry;
}

// One block a multiprocessor is enough: it may have all registers.
extern "C" __global__ void __launch_bounds__(256, 1)
gru_sequence_forward_v3(const real* __restrict__ xa, const real* h0, const real* __restrict__ wh,
                        const real* __restrict__ bh, real* hs, real* __restrict__ gates,
                        real* reset_h, int library, unsigned* counter, int T, int N, int H) {
  extern __shared__ Quad kept[];
  __shared__ Quad tile[ROWS][DEPTH / 4 + 1];
  forward_steps(Staged{tile}, xa, h0, wh, bh, hs, gates, reset_h, library, counter, T, N, H, kept);
}

extern "C" __global__ void __launch_bounds__(256, 1)
gru_sequence_backward_v3(const real* __restrict__ ghs, const real* __restrict__ hs,
                         const real* __restrict__ gates, const real* __restrict__ h0,
                         const real* __restrict__ ha_n, const real* __restrict__ wh, real* gxa,
                         real* gha, real* __restrict__ gh, int library, unsigned* counter, int T,
                         int N, int H) {
  extern __shared__ Quad kept[];
  __shared__ Quad tile[ROWS][DEPTH / 4 + 1];
  backward_steps(Staged{tile}, ghs, hs, gates, h0, ha_n, wh, gxa, gha, gh, library, counter, T, N,
                 H, kept);
}

// v4: v3 waits for h in every piece of 64 numbers, and asks shared memory for more than it computes
// with: see lstm_sequence_forward_v4.
extern "C" __global__ void __launch_bounds__(256, 1)
gru_sequence_forward_v4(const real* __restrict__ xa, const real* h0, const real* __restrict__ wh,
                        const real* __restrict__ bh, real* hs, real* __restrict__ gates,
                        real* reset_h, int library, unsigned* counter, int T, int N, int H) {
  extern __shared__ Quad kept[];
  __shared__ Quad stage[2 * BUFFER];
  forward_steps(Ahead{stage}, xa, h0, wh, bh, hs, gates, reset_h, library, counter, T, N, H, kept);
}

extern "C" __global__ void __launch_bounds__(256, 1)
gru_sequence_backward_v4(const real* __restrict__ ghs, const real* __restrict__ hs,
                         const real* __restrict__ gates, const real* __restrict__ h0,
                         const real* __restrict__ ha_n, const real* __restrict__ wh, real* gxa,
                         real* gha, real* __restrict__ gh, int library, unsigned* counter, int T,
                         int N, int H) {
  extern __shared__ Quad kept[];
  __shared__ Quad stage[2 * BUFFER];
  backward_steps(Ahead{stage}, ghs, hs, gates, h0, ha_n, wh, gxa, gha, gh, library, counter, T, N,
                 H, kept);
}
