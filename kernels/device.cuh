// What every kernel file of glassgrad may use in addition to CUDA C.
//
// A file is compiled once per dtype and size of index, by NVRTC for a GPU or by g++ for the emulator:
//
//     real           float or double                        (REAL_IS_FLOAT is defined for float)
//     index_t        int, or long long where an array has more than 2^31 - 1 elements
//     copy_async     global to shared memory without a register in between (cp.async)
//     mma_*          one matrix product by a whole warp (tensor cores)
//     grid_barrier   all blocks of a cooperative launch meet
//     warp_sum       the sum over a warp, in a fixed order
//
// The wrappers are inline PTX on a GPU; emulator/cuda.h answers the same calls in plain C++, where a
// copy really lands only at its wait, and a product really needs its 32 lanes.
#pragma once

typedef GLASSGRAD_REAL real;
typedef GLASSGRAD_INDEX index_t;

#define GLASSGRAD_IS_float 1
#define GLASSGRAD_PASTE(a, b) a##b
#define GLASSGRAD_IS(type) GLASSGRAD_PASTE(GLASSGRAD_IS_, type)
#if GLASSGRAD_IS(GLASSGRAD_REAL)
#define REAL_IS_FLOAT
#endif

constexpr unsigned FULL_WARP = 0xffffffffu;

#ifndef GLASSGRAD_EMULATED

#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif

// Start a copy of `bytes` (4, 8 or 16) from global to shared memory; both addresses are multiples of it.
template <int bytes>
__device__ __forceinline__ void copy_async(void* shared, const void* global) {
  const unsigned to = (unsigned)__cvta_generic_to_shared(shared);
  static_assert(bytes == 4 || bytes == 8 || bytes == 16, "cp.async moves 4, 8 or 16 bytes");
  if (bytes == 16)  // past the first-level cache: a tile is read from shared memory afterwards
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(global) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(to), "l"(global), "n"(bytes)
                 : "memory");
}

// Close a group of copies: what copy_async_wait counts.
__device__ __forceinline__ void copy_async_commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}

// Wait until all groups of this thread but the `youngest` last ones have landed.
template <int youngest>
__device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(youngest) : "memory");
}

// The nearest number with the 10 stored bits of mantissa that tensor cores read.
__device__ __forceinline__ float to_tf32(float x) {
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return __uint_as_float(bits);
}

// Two numbers rounded to bfloat16, the first in the low half.
__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
  unsigned pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}

// d[16,8] += a[16,8] b[8,8], spread over the lanes as the PTX manual draws m16n8k8.
__device__ __forceinline__ void mma_tf32(float d[4], const float a[4], const float b[2]) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])),
        "r"(__float_as_uint(a[3])), "r"(__float_as_uint(b[0])), "r"(__float_as_uint(b[1])));
}

// d[16,8] += a[16,16] b[16,8] on pairs of bfloat16, m16n8k16.
__device__ __forceinline__ void mma_bf16(float d[4], const unsigned a[4], const unsigned b[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Every block of a cooperative launch waits for all others. `counter` is one zero at launch: the
// k-th meeting ends when it reaches k times the number of blocks.
__device__ __forceinline__ void grid_barrier(unsigned* counter) {
  __syncthreads();
  if (threadIdx.x == 0 && threadIdx.y == 0 && threadIdx.z == 0) {
    __threadfence();  // what this block wrote is visible before it is counted
    const unsigned blocks = gridDim.x * gridDim.y * gridDim.z;
    const unsigned goal = (atomicAdd(counter, 1u) / blocks + 1) * blocks;
    while ((int)(*(volatile unsigned*)counter - goal) < 0) {
    }
    __threadfence();
  }
  __syncthreads();
}

#endif

// The sum over the 32 lanes, the same bits in every lane; all lanes must call.
template <class T>
__device__ __forceinline__ T warp_sum(T x) {
  for (int distance = 16; distance > 0; distance /= 2) x += __shfl_xor_sync(FULL_WARP, x, distance);
  return x;
}

// 1 / (1 + e^-x) without overflow on either side.
__device__ __forceinline__ real sigmoid(real x) {
  const real e = exp(-fabs(x));
  return (x < real(0) ? e : real(1)) / (real(1) + e);
}
