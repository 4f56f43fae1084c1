// v5, v6 and v7: the tiles are multiplied on tensor cores.
//
// What bounds v4: its multiply-adds, 64 per cycle of an SM on sm_80, 128 on sm_90 (on a GPU,
// `glassgrad bench conv2d.forward` shows its share of that roofline). The tensor cores next to them
// do eight times as many, of numbers with 10 bits after the point. Each of four warps
// owns 32 x 32 results, as 2 x 4 products of 16 x 8; Unit says how a warp multiplies. Lane 4 g + t
// reads row t of a tile at column g: rows PITCH = 8 (mod 32) words apart put 32 lanes into 32 banks.
#pragma once

#include "cuda_v4_cp_async.cuh"

#ifdef REAL_IS_FLOAT

template <class Unit>
struct Tensor {
  float sum[2][4][4] = {};
  int row = threadIdx.x / 64 * 32, col = threadIdx.x / 32 % 2 * 32;
  int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;

  __device__ __forceinline__ void add(const float* a, const float* b) {
#pragma unroll 1  // unrolled, the loads of both halves are held at once: v5 spills registers
    for (int d = 0; d < DEPTH; d += Unit::STEP) {
      typename Unit::A left[2];  // fragments of A serve four of B, one of B two of A
#pragma unroll
      for (int m = 0; m < 2; ++m) left[m].load(a + d * PITCH + row + 16 * m + g, t);
#pragma unroll
      for (int n = 0; n < 4; ++n) {
        typename Unit::B right;
        right.load(b + d * PITCH + col + 8 * n + g, t);
#pragma unroll
        for (int m = 0; m < 2; ++m) Unit::multiply(sum[m][n], left[m], right);
      }
    }
  }

  __device__ __forceinline__ void store(const Product& p) const {
#pragma unroll
    for (int m = 0; m < 2; ++m)
#pragma unroll
      for (int n = 0; n < 4; ++n)
#pragma unroll
        for (int e = 0; e < 2; ++e) {  // as m16n8 spreads its results over the lanes
          const float pair[2] = {sum[m][n][e], sum[m][n][e + 2]};  // rows g and g + 8
          p.store(row + 16 * m + g, col + 8 * n + 2 * t + e, pair, 8);
        }
  }
};

// The float fragments of m16n8k8 as they lie in the tiles: K words from one k to the next, LINE
// words from one row of A to the next.
template <int K, int LINE>
__device__ __forceinline__ void load_a(float (&v)[4], const float* a, int t) {
#pragma unroll
  for (int i = 0; i < 4; ++i) v[i] = a[(t + i / 2 * 4) * K + i % 2 * 8 * LINE];
}
template <int K>
__device__ __forceinline__ void load_b(float (&v)[2], const float* b, int t) {
#pragma unroll
  for (int i = 0; i < 2; ++i) v[i] = b[(t + i * 4) * K];
}

// v5: float32 from three products. x = high + low keeps 22 of 24 bits in two TF32 numbers, and
// x y = high high + high low + low high to 2^-22. Tensor cores also cut their sums where float
// arithmetic rounds; so they sum 8 products at a time, and these are added up outside. (An infinity
// becomes NaN: infinity - infinity is its low part.) Ootomo and Yokota, 2022.
struct ThreeTf32 {
  static constexpr int STEP = 8;

  template <int COUNT>
  static __device__ __forceinline__ void split(float (&x)[COUNT], float (&low)[COUNT]) {
#pragma unroll
    for (int i = 0; i < COUNT; ++i) {
      const float high = to_tf32(x[i]);
      low[i] = to_tf32(x[i] - high);
      x[i] = high;
    }
  }
  struct A {
    float high[4], low[4];
    template <int K = PITCH, int LINE = 1>
    __device__ __forceinline__ void load(const float* a, int t) {
      load_a<K, LINE>(high, a, t);
      split(high, low);
    }
  };
  struct B {
    float high[2], low[2];
    template <int K = PITCH>
    __device__ __forceinline__ void load(const float* b, int t) {
      load_b<K>(high, b, t);
      split(high, low);
    }
  };
  static __device__ __forceinline__ void multiply(float (&sum)[4], const A& a, const B& b) {
    float part[4] = {};
    mma_tf32(part, a.low, b.high);  // the small ones first
    mma_tf32(part, a.high, b.low);
    mma_tf32(part, a.high, b.high);
#pragma unroll
    for (int i = 0; i < 4; ++i) sum[i] += part[i];
  }
};

// v6: plain TF32. Two of v5's three products pay for the last 11 bits alone; a network that learns
// from noisy gradients rarely needs them. Three correct digits, and only when asked for.
struct Tf32 {
  static constexpr int STEP = 8;

  struct A {
    float v[4];
    template <int K = PITCH, int LINE = 1>
    __device__ __forceinline__ void load(const float* a, int t) {
      load_a<K, LINE>(v, a, t);
#pragma unroll
      for (float& x : v) x = to_tf32(x);
    }
  };
  struct B {
    float v[2];
    template <int K = PITCH>
    __device__ __forceinline__ void load(const float* b, int t) {
      load_b<K>(v, b, t);
#pragma unroll
      for (float& x : v) x = to_tf32(x);
    }
  };
  static __device__ __forceinline__ void multiply(float (&sum)[4], const A& a, const B& b) {
    mma_tf32(sum, a.v, b.v);
  }
};

// v7: BF16. A TF32 number fills 32 bits with 19: two bfloat16 fit there, so one instruction
// multiplies twice the depth. Two correct digits, the range of float32, sums still in float32.
// A pair that PTX calls k = 2t, 2t + 1 is filled from rows t, t + 4: the order of a sum is free as
// long as A and B agree, and neighbouring rows would put two lanes into each bank.
struct Bf16 {
  static constexpr int STEP = 16;

  struct A {
    unsigned v[4];
    __device__ __forceinline__ void load(const float* a, int t) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const float* pair = a + (t + i / 2 * 8) * PITCH + i % 2 * 8;
        v[i] = pack_bf16(pair[0], pair[4 * PITCH]);
      }
    }
  };
  struct B {
    unsigned v[2];
    __device__ __forceinline__ void load(const float* b, int t) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const float* pair = b + (t + i * 8) * PITCH;
        v[i] = pack_bf16(pair[0], pair[4 * PITCH]);
      }
    }
  };
  static __device__ __forceinline__ void multiply(float (&sum)[4], const A& a, const B& b) {
    mma_bf16(sum, a.v, b.v);
  }
};

// ---- The kernels --------------------------------------------------------------------------------
// Each is written out, because the launcher reads its signature here and checks every call by it.

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_forward_v5(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y,
    const Geometry g) {
  multiply_pipelined<Tensor<ThreeTf32>, false>(forward<TILE>(g, x, w, y));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_input_grad_v5(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx,
    const Geometry g) {
  multiply_pipelined<Tensor<ThreeTf32>, false>(input_grad<TILE>(g, gy, w, gx));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_weight_grad_v5(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ parts,
    const Geometry g, index_t piece) {
  multiply_pipelined<Tensor<ThreeTf32>, true>(weight_grad<TILE>(g, gy, x, parts, piece));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_forward_v6(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y,
    const Geometry g) {
  multiply_pipelined<Tensor<Tf32>, false>(forward<TILE>(g, x, w, y));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_input_grad_v6(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx,
    const Geometry g) {
  multiply_pipelined<Tensor<Tf32>, false>(input_grad<TILE>(g, gy, w, gx));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_weight_grad_v6(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ parts,
    const Geometry g, index_t piece) {
  multiply_pipelined<Tensor<Tf32>, true>(weight_grad<TILE>(g, gy, x, parts, piece));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_forward_v7(
    const real* __restrict__ x, const real* __restrict__ w, real* __restrict__ y,
    const Geometry g) {
  multiply_pipelined<Tensor<Bf16>, false>(forward<TILE>(g, x, w, y));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_input_grad_v7(
    const real* __restrict__ gy, const real* __restrict__ w, real* __restrict__ gx,
    const Geometry g) {
  multiply_pipelined<Tensor<Bf16>, false>(input_grad<TILE>(g, gy, w, gx));
}

extern "C" __global__ void __launch_bounds__(THREADS) conv2d_weight_grad_v7(
    const real* __restrict__ gy, const real* __restrict__ x, real* __restrict__ parts,
    const Geometry g, index_t piece) {
  multiply_pipelined<Tensor<Bf16>, true>(weight_grad<TILE>(g, gy, x, parts, piece));
}

#endif
