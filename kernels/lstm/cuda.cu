#include "device.cuh"
#include "lstm/recurrent.cuh"

// LSTM. Letters as on the page of this family (kernels/lstm/__init__.py): T steps, N sequences,
// H hidden units; pre-activations and gates are rows [4H] in the order i, f, g, o.

struct Gates {
  real i, f, g, o;
};

// The four gates of one unit stand H apart; `row` points at the first.
__device__ __forceinline__ Gates load(const real* row, int H) {
  return {row[0], row[H], row[2 * H], row[3 * H]};
}

__device__ __forceinline__ void store(real* row, int H, const Gates& v) {
  row[0] = v.i;
  row[H] = v.f;
  row[2 * H] = v.g;
  row[3 * H] = v.o;
}

// The lines of the page, in two halves because the output gate may peep at the new cell.

// Activates i, f, g; returns C'.
__device__ __forceinline__ real memory(Gates& a, real c) {
  a.i = sigmoid(a.i);
  a.f = sigmoid(a.f);
  a.g = tanh(a.g);
  return a.f * c + a.i * a.g;
}

// Activates o; returns h.
__device__ __forceinline__ real output(Gates& a, real c_new) {
  a.o = sigmoid(a.o);
  return a.o * tanh(c_new);
}

// ga_o, and in gc the gradient of C' completed by what h shows of it.
__device__ __forceinline__ void output_gradient(Gates& ga, real& gc, const Gates& gate, real c_new,
                                                real gh) {
  real shown = tanh(c_new);
  ga.o = gh * shown * gate.o * (1 - gate.o);
  gc += gh * gate.o * (1 - shown * shown);
}

// ga_i, ga_f, ga_g; gc turns from the gradient of C' into that of C.
__device__ __forceinline__ void memory_gradient(Gates& ga, real& gc, const Gates& gate, real c) {
  ga.i = gc * gate.g * gate.i * (1 - gate.i);
  ga.f = gc * c * gate.f * (1 - gate.f);
  ga.g = gc * gate.i * (1 - gate.g * gate.g);
  gc *= gate.f;
}

// ---- One step ----------------------------------------------------------------------------------

// v1: one thread a unit. As nine operations on arrays, sigma counted as one, the forward step moves
// 22 arrays [N, H]; fused, it reads its 5 and writes its 6 once. Neighbouring threads take
// neighbouring units, so each of the eleven requests of a warp is one run of memory.

extern "C" __global__ void __launch_bounds__(256)
lstm_cell_forward_v1(const real* __restrict__ a, const real* __restrict__ c, real* __restrict__ h,
                     real* __restrict__ c_new, real* __restrict__ gates, index_t cells, int H) {
  index_t cell = index_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (cell >= cells) return;
  index_t row = cell / H * 4 * H + cell % H;
  Gates gate = load(a + row, H);
  real after = memory(gate, c[cell]);
  h[cell] = output(gate, after);
  c_new[cell] = after;
  store(gates + row, H, gate);
}

extern "C" __global__ void __launch_bounds__(256)
lstm_cell_backward_v1(const real* __restrict__ gh, const real* __restrict__ gc_new,
                      const real* __restrict__ gates, const real* __restrict__ c,
                      const real* __restrict__ c_new, real* __restrict__ ga,
                      real* __restrict__ gc, index_t cells, int H) {
  index_t cell = index_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (cell >= cells) return;
  index_t row = cell / H * 4 * H + cell % H;
  Gates gate = load(gates + row, H), gradient;
  real carry = gc_new[cell];
  output_gradient(gradient, carry, gate, c_new[cell], gh[cell]);
  memory_gradient(gradient, carry, gate, c[cell]);
  store(ga + row, H, gradient);
  gc[cell] = carry;
}

#ifdef REAL_IS_FLOAT

// v2: four units a thread. v1 needs eleven 4-byte requests and one integer division for a unit;
// with 16-byte requests it is eleven and one for four units. H % 4 == 0 keeps addresses aligned.

__device__ __forceinline__ void load4(Gates unit[4], const float* row, int H) {
  float4 i = *(const float4*)row, f = *(const float4*)(row + H);
  float4 g = *(const float4*)(row + 2 * H), o = *(const float4*)(row + 3 * H);
  unit[0] = {i.x, f.x, g.x, o.x};
  unit[1] = {i.y, f.y, g.y, o.y};
  unit[2] = {i.z, f.z, g.z, o.z};
  unit[3] = {i.w, f.w, g.w, o.w};
}

__device__ __forceinline__ void store4(float* row, int H, const Gates unit[4]) {
  const Gates &a = unit[0], &b = unit[1], &c = unit[2], &d = unit[3];
  *(float4*)row = make_float4(a.i, b.i, c.i, d.i);
  *(float4*)(row + H) = make_float4(a.f, b.f, c.f, d.f);
  *(float4*)(row + 2 * H) = make_float4(a.g, b.g, c.g, d.g);
  *(float4*)(row + 3 * H) = make_float4(a.o, b.o, c.o, d.o);
}

extern "C" __global__ void __launch_bounds__(256)
lstm_cell_forward_v2(const float* __restrict__ a, const float* __restrict__ c,
                     float* __restrict__ h, float* __restrict__ c_new, float* __restrict__ gates,
                     index_t cells, int H) {
  index_t cell = (index_t(blockIdx.x) * blockDim.x + threadIdx.x) * 4;
  if (cell >= cells) return;
  index_t row = cell / H * 4 * H + cell % H;
  Gates gate[4];
  load4(gate, a + row, H);
  float4 old = *(const float4*)(c + cell), after, shown;
  after.x = memory(gate[0], old.x);
  after.y = memory(gate[1], old.y);
  after.z = memory(gate[2], old.z);
  after.w = memory(gate[3], old.w);
  shown.x = output(gate[0], after.x);
  shown.y = output(gate[1], after.y);
  shown.z = output(gate[2], after.z);
  shown.w = output(gate[3], after.w);
  *(float4*)(h + cell) = shown;
  *(float4*)(c_new + cell) = after;
  store4(gates + row, H, gate);
}

extern "C" __global__ void __launch_bounds__(256)
lstm_cell_backward_v2(const float* __restrict__ gh, const float* __restrict__ gc_new,
                      const float* __restrict__ gates, const float* __restrict__ c,
                      const float* __restrict__ c_new, float* __restrict__ ga,
                      float* __restrict__ gc, index_t cells, int H) {
  index_t cell = (index_t(blockIdx.x) * blockDim.x + threadIdx.x) * 4;
  if (cell >= cells) return;
  index_t row = cell / H * 4 * H + cell % H;
  Gates gate[4], gradient[4];
  load4(gate, gates + row, H);
  float4 asked = *(const float4*)(gh + cell), carry = *(const float4*)(gc_new + cell);
  float4 old = *(const float4*)(c + cell), after = *(const float4*)(c_new + cell);
  output_gradient(gradient[0], carry.x, gate[0], after.x, asked.x);
  output_gradient(gradient[1], carry.y, gate[1], after.y, asked.y);
  output_gradient(gradient[2], carry.z, gate[2], after.z, asked.z);
  output_gradient(gradient[3], carry.w, gate[3], after.w, asked.w);
  memory_gradient(gradient[0], carry.x, gate[0], old.x);
  memory_gradient(gradient[1], carry.y, gate[1], old.y);
  memory_gradient(gradient[2], carry.z, gate[2], old.z);
  memory_gradient(gradient[3], carry.w, gate[3], old.w);
  store4(ga + row, H, gradient);
  *(float4*)(gc + cell) = carry;
}

#endif

// ---- A whole sequence --------------------------------------------------------------------------

// v1 (cuda.py): at every step a product by cuBLAS, an addition and the cell kernel.

// v2: one kernel a step. v1 launches three and carries the product through memory: it writes 4NH
// numbers, reads them to add xa, writes and reads the sum: 16NH, where xa, C, h, C' and the gates
// are 11NH; with peepholes it runs the cell twice. Here a thread keeps its unit's four sums in
// registers until the cell takes them. The block loads tiles of h and Wh into shared memory, where
// each number serves 16 threads: 5/16 global loads for four FMAs instead of 5.
// With peepholes a step is two kernels, as the output gate needs C' of all units.

extern "C" __global__ void __launch_bounds__(256)
lstm_sequence_forward_v2(const real* __restrict__ xa, const real* __restrict__ h,
                         const real* __restrict__ c, const real* __restrict__ wh,
                         const real* __restrict__ p, real* __restrict__ h_new,
                         real* __restrict__ c_new, real* __restrict__ gates, int N, int H) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[4][TILE][TILE + 1];
  real sum[4] = {0, 0, 0, 0};
  add_rows<4>(sum, h, wh, N, H, xs, ws);
  if (p) add_rows<2>(sum, c, p, N, H, xs, ws);
  int n = blockIdx.x * TILE + threadIdx.y, j = blockIdx.y * TILE + threadIdx.x;
  if (n >= N || j >= H) return;
  index_t cell = index_t(n) * H + j, row = index_t(n) * 4 * H + j;
  Gates gate = load(xa + row, H);
  gate.i += sum[0];
  gate.f += sum[1];
  gate.g += sum[2];
  gate.o += sum[3];
  real after = memory(gate, c[cell]);
  if (!p) h_new[cell] = output(gate, after);
  c_new[cell] = after;
  store(gates + row, H, gate);  // with peepholes o is not activated yet
}

// The second half of a step with peepholes; p_o [H, H].
extern "C" __global__ void __launch_bounds__(256)
lstm_output_forward_v2(const real* __restrict__ c_new, const real* __restrict__ p_o,
                       real* __restrict__ gates, real* __restrict__ h_new, int N, int H) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[1][TILE][TILE + 1];
  real seen = 0;
  add_rows<1>(&seen, c_new, p_o, N, H, xs, ws);
  int n = blockIdx.x * TILE + threadIdx.y, j = blockIdx.y * TILE + threadIdx.x;
  if (n >= N || j >= H) return;
  index_t cell = index_t(n) * H + j, row = index_t(n) * 4 * H + j;
  Gates gate = load(gates + row, H);
  gate.o += seen;
  h_new[cell] = output(gate, c_new[cell]);
  gates[row + 3 * H] = gate.o;
}

// `ga_next` is ga of the step after, null at the last step; gc carries the gradient of C from step
// to step, in place.
extern "C" __global__ void __launch_bounds__(256)
lstm_sequence_backward_v2(const real* __restrict__ ghs, const real* __restrict__ gcs,
                          const real* __restrict__ ga_next, const real* __restrict__ gates,
                          const real* __restrict__ c, const real* __restrict__ c_new,
                          const real* __restrict__ wh, const real* __restrict__ p,
                          real* __restrict__ ga, real* __restrict__ gc, int N, int H) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[TILE][TILE + 1];
  real gh = ga_next ? column(ga_next, 4 * H, wh, 4 * H, N, H, xs, ws) : real(0);
  real carry = ga_next && p ? column(ga_next, 4 * H, p, 2 * H, N, H, xs, ws) : real(0);
  int n = blockIdx.x * TILE + threadIdx.y, j = blockIdx.y * TILE + threadIdx.x;
  if (n >= N || j >= H) return;
  index_t cell = index_t(n) * H + j, row = index_t(n) * 4 * H + j;
  Gates gate = load(gates + row, H), gradient = {};
  gh += ghs[cell];
  carry += gc[cell] + (gcs ? gcs[cell] : real(0));
  output_gradient(gradient, carry, gate, c_new[cell], gh);
  if (!p) memory_gradient(gradient, carry, gate, c[cell]);
  store(ga + row, H, gradient);  // with peepholes only ga_o holds yet
  gc[cell] = carry;
}

// The second half of a step with peepholes: what o asked of C', then the gates that wrote it.
extern "C" __global__ void __launch_bounds__(256)
lstm_memory_backward_v2(const real* __restrict__ gates, const real* __restrict__ c,
                        const real* __restrict__ p_o, real* ga, real* __restrict__ gc, int N,
                        int H) {
  __shared__ real xs[TILE][TILE + 1];
  __shared__ real ws[TILE][TILE + 1];
  real carry = column(ga + 3 * H, 4 * H, p_o, H, N, H, xs, ws);
  int n = blockIdx.x * TILE + threadIdx.y, j = blockIdx.y * TILE + threadIdx.x;
  if (n >= N || j >= H) return;
  index_t cell = index_t(n) * H + j, row = index_t(n) * 4 * H + j;
  Gates gate = load(gates + row, H), gradient;
  carry += gc[cell];
  memory_gradient(gradient, carry, gate, c[cell]);
  ga[row] = gradient.i;
  ga[row + H] = gradient.f;
  ga[row + 2 * H] = gradient.g;
  gc[cell] = carry;
}

// v3: one launch for all steps. v2 fetches all of Wh, 4H^2 numbers, from the second-level cache at
// every step and for every 16 sequences, and a launch takes some microseconds, longer than a step
// of a small layer computes. Here a thread keeps one unit of one sequence to the end, its C in a
// register, and the block the weights of its 8 units in shared memory; only h travels, through
// global memory. A block needs h of all others, so all of them meet in a grid barrier after each
// step, with peepholes also before the output gate: they must run at the same time, and the weights
// must fit (cuda.py). Products take four k at once: 5 shared loads for 16 FMAs, where v2 needs 5
// for 4.

// What other blocks write, hs and cs, is not __restrict__: taken for constant, it could come from a
// cache of old values.
template <class Products>
__device__ __forceinline__ void forward_steps(Products products, const real* __restrict__ xa,
                                              const real* h0, const real* c0,
                                              const real* __restrict__ wh,
                                              const real* __restrict__ p, real* hs, real* cs,
                                              real* __restrict__ gates, unsigned* counter, int T,
                                              int N, int H, Quad* kept) {
  int unit = blockIdx.x * UNITS, j = unit + threadIdx.x % UNITS, plane = (H + 3) / 4 * UNITS;
  for (int gate = 0; gate < 4; ++gate)
    keep(kept + gate * plane, wh + (index_t(gate) * H + unit) * H, H, H, 1, H - unit);
  for (int peep = 0; p && peep < 3; ++peep)
    keep(kept + (4 + peep) * plane, p + (index_t(peep) * H + unit) * H, H, H, 1, H - unit);

  int first = blockIdx.y * ROWS, n = first + threadIdx.x / UNITS, rows = min(ROWS, N - first);
  bool inside = n < N && j < H;
  index_t layer = index_t(N) * H, start = index_t(first) * H, cell = index_t(n) * H + j;
  real c = inside ? c0[cell] : real(0);
  for (int t = 0; t < T; ++t) {
    const real* h_before = t ? hs + (t - 1) * layer : h0;
    const real* c_before = t ? cs + (t - 1) * layer : c0;
    index_t at = t * layer + cell, row = 4 * (at - j) + j;
    Gates gate = {};
    if (inside) gate = load(xa + row, H);  // on its way during the products
    real sum[4] = {0, 0, 0, 0};
    products.template add<4>(sum, h_before + start, H, rows, H, kept);
    if (p) products.template add<2>(sum, c_before + start, H, rows, H, kept + 4 * plane);
    if (inside) {
      gate.i += sum[0];
      gate.f += sum[1];
      gate.g += sum[2];
      gate.o += sum[3];
      cs[at] = c = memory(gate, c);
    }
    if (p) {
      grid_barrier(counter);
      products.template add<1>(&gate.o, cs + t * layer + start, H, rows, H, kept + 6 * plane);
    }
    if (inside) {
      hs[at] = output(gate, c);
      store(gates + row, H, gate);
    }
    grid_barrier(counter);
  }
}

// Backwards a unit needs its column of Wh, K = 4H, and what travels is ga. `carry` is the gradient
// of C on its way from step to step.
template <class Products>
__device__ __forceinline__ void backward_steps(Products products, const real* __restrict__ ghs,
                                               const real* __restrict__ gcs,
                                               const real* __restrict__ cs,
                                               const real* __restrict__ gates,
                                               const real* __restrict__ c0,
                                               const real* __restrict__ wh,
                                               const real* __restrict__ p, real* gxa,
                                               real* __restrict__ gc, unsigned* counter, int T,
                                               int N, int H, Quad* kept) {
  int unit = blockIdx.x * UNITS, j = unit + threadIdx.x % UNITS;
  Quad *kept_if = kept + H * UNITS, *kept_o = kept_if + (2 * H + 3) / 4 * UNITS;
  keep(kept, wh + unit, 4 * H, 1, H, H - unit);
  if (p) keep(kept_if, p + unit, 2 * H, 1, H, H - unit);
  if (p) keep(kept_o, p + index_t(2) * H * H + unit, H, 1, H, H - unit);

  int first = blockIdx.y * ROWS, n = first + threadIdx.x / UNITS, rows = min(ROWS, N - first);
  bool inside = n < N && j < H;
  index_t layer = index_t(N) * H, start = index_t(first) * H, cell = index_t(n) * H + j;
  real carry = 0;
  for (int t = T - 1; t >= 0; --t) {
    real* ga = gxa + 4 * (t * layer + start);
    index_t at = t * layer + cell, row = 4 * (at - j) + j;
    Gates gate = {}, gradient = {};
    real gh = 0, after = 0, before = 0;
    if (inside) {  // on its way during the products
      gate = load(gates + row, H);
      gh = ghs[at];
      after = cs[at];
      before = t ? cs[at - layer] : c0[cell];
      if (gcs) carry += gcs[at];
    }
    if (t + 1 < T) {
      const real* next = ga + 4 * layer;
      products.template add<1>(&gh, next, 4 * H, rows, 4 * H, kept);
      if (p) products.template add<1>(&carry, next, 4 * H, rows, 2 * H, kept_if);
    }
    if (inside) {
      output_gradient(gradient, carry, gate, after, gh);
      gxa[row + 3 * H] = gradient.o;
    }
    if (p) {
      grid_barrier(counter);
      products.template add<1>(&carry, ga + 3 * H, 4 * H, rows, H, kept_o);
    }
    if (inside) {
      memory_gradient(gradient, carry, gate, before);
      gxa[row] = gradient.i;
      gxa[row + H] = gradient.f;
      gxa[row + 2 * H] = gradient.g;
    }
    grid_barrier(counter);
  }
  if (inside) gc[cell] = carry;
}

// One block a multiprocessor is enough: it may have all registers.
extern "C" __global__ void __launch_bounds__(256, 1)
lstm_sequence_forward_v3(const real* __restrict__ xa, const real* h0, const real* c0,
                         const real* __restrict__ wh, const real* __restrict__ p, real* hs,
                         real* cs, real* __restrict__ gates, unsigned* counter, int T, int N,
                         int H) {
  extern __shared__ Quad kept[];
  __shared__ Quad tile[ROWS][DEPTH / 4 + 1];
  forward_steps(Staged{tile}, xa, h0, c0, wh, p, hs, cs, gates, counter, T, N, H, kept);
}

extern "C" __global__ void __launch_bounds__(256, 1)
lstm_sequence_backward_v3(const real* __restrict__ ghs, const real* __restrict__ gcs,
                          const real* __restrict__ cs, const real* __restrict__ gates,
                          const real* __restrict__ c0, const real* __restrict__ wh,
                          const real* __restrict__ p, real* gxa, real* __restrict__ gc,
                          unsigned* counter, int T, int N, int H) {
  extern __shared__ Quad kept[];
  __shared__ Quad tile[ROWS][DEPTH / 4 + 1];
  backward_steps(Staged{tile}, ghs, gcs, cs, gates, c0, wh, p, gxa, gc, counter, T, N, H, kept);
}

// v4: v3 waits for h in every piece of 64 numbers, a journey to the second-level cache each, and for
// 16 FMAs asks shared memory for five Quads, which come in 18 cycles where the FMAs take four; with
// one gate, backwards, for two Quads, six cycles, for a single cycle of FMAs. Here the next piece is
// copied during the products, and a thread takes four rows: 4 + 4 Quads, 16 cycles, for 64 FMAs, and
// backwards 4 + 2 for 32.
extern "C" __global__ void __launch_bounds__(256, 1)
lstm_sequence_forward_v4(const real* __restrict__ xa, const real* h0, const real* c0,
                         const real* __restrict__ wh, const real* __restrict__ p, real* hs,
                         real* cs, real* __restrict__ gates, unsigned* counter, int T, int N,
                         int H) {
  extern __shared__ Quad kept[];
  __shared__ Quad stage[2 * BUFFER];
  forward_steps(Ahead{stage}, xa, h0, c0, wh, p, hs, cs, gates, counter, T, N, H, kept);
}

extern "C" __global__ void __launch_bounds__(256, 1)
lstm_sequence_backward_v4(const real* __restrict__ ghs, const real* __restrict__ gcs,
                          const real* __restrict__ cs, const real* __restrict__ gates,
                          const real* __restrict__ c0, const real* __restrict__ wh,
                          const real* __restrict__ p, real* gxa, real* __restrict__ gc,
                          unsigned* counter, int T, int N, int H) {
  extern __shared__ Quad kept[];
  __shared__ Quad stage[2 * BUFFER];
  backward_steps(Ahead{stage}, ghs, gcs, cs, gates, c0, wh, p, gxa, gc, counter, T, N, H, kept);
}
