// CUDA C as plain C++: put before a kernel file, and g++ or clang++ can compile it.
//
// A CUDA thread is a fiber (runtime.cpp). What a thread may ask of others, to meet them at a barrier or to
// exchange values within its warp, is a call into the runtime that parks the fiber until the answer is there.
// Calls carry file and line, so that a report can say who waits where.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <math.h>  // not <cmath>: its overloads for float must be found without std::
#include <type_traits>
#include <utility>

#define GLASSGRAD_EMULATED 1
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __constant__ static
#define __restrict__ __restrict
#define __align__(n) alignas(n)
#define __launch_bounds__(...)
#define UNSEEN __attribute__((no_sanitize("thread", "undefined"), noinline))
#define CALLER __builtin_return_address(0)

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

struct Where {  // the built-in variables of one thread
  uint3 thread, block;
  dim3 block_size, grid_size;
};

namespace emulator {
struct Place {  // a call in the kernel file; the number tells those of one line apart
  const char* file = nullptr;
  int line = 0, number = 0;
};
}  // namespace emulator
#define EMULATOR_PLACE (emulator::Place{__FILE__, __LINE__, __COUNTER__})

enum class Warp { shuffle, up, down, exchange, ballot, sync, tf32, bf16 };

extern "C" {
__attribute__((const)) const Where* emulator_where();
void* emulator_shared(const void* declaration, std::size_t bytes, std::size_t alignment, const char* name);
void* emulator_dynamic_shared();
int emulator_barrier(emulator::Place place, int kind, int predicate);
void emulator_grid_barrier(emulator::Place place, unsigned* counter);
std::uint64_t emulator_warp(emulator::Place place, Warp kind, unsigned mask, std::uint64_t value, int parameter,
                            int width);
void emulator_mma(emulator::Place place, Warp kind, float* d, const void* a, const void* b);
void emulator_copy_async(void* to, const void* from, int bytes);
void emulator_copy_async_commit();
void emulator_copy_async_wait(int youngest);
void emulator_fruitless(void* caller);  // an atomic has changed nothing; null: who calls this
int emulator_printf(const char* form, ...) __attribute__((format(printf, 1, 2)));
// instrumented mode alone:
void emulator_touch(const void* address, int bytes, int write, void* caller);
void emulator_atomic(void* address, int bytes, const void* expected, void* caller);
void emulator_fence(int of_block);
}

#define threadIdx (emulator_where()->thread)
#define blockIdx (emulator_where()->block)
#define blockDim (emulator_where()->block_size)
#define gridDim (emulator_where()->grid_size)
constexpr int warpSize = 32;

// ---- barriers, votes and shuffles -----------------------------------------------------------------------

#define __syncthreads() ((void)emulator_barrier(EMULATOR_PLACE, 0, 0))
#define __syncthreads_and(p) emulator_barrier(EMULATOR_PLACE, 1, !!(p))
#define __syncthreads_or(p) emulator_barrier(EMULATOR_PLACE, 2, !!(p))
#define __syncthreads_count(p) emulator_barrier(EMULATOR_PLACE, 3, !!(p))
#define grid_barrier(counter) emulator_grid_barrier(EMULATOR_PLACE, counter)

// Part of the function that calls them, so that the return address of the call within is in the kernel.
namespace emulator {
template <class T>
__forceinline__ auto exchange(Place place, Warp kind, unsigned mask, T value, int parameter, int width = 32)
    -> decltype(+value) {  // bool, char and short become int
  auto promoted = +value;
  std::uint64_t bits = 0;
  std::memcpy(&bits, &promoted, sizeof promoted);
  bits = emulator_warp(place, kind, mask, bits, parameter, width);
  std::memcpy(&promoted, &bits, sizeof promoted);
  return promoted;
}
struct SyncWarp {
  Place place;
  __forceinline__ void operator()(unsigned mask = 0xffffffffu) const {
    emulator_warp(place, Warp::sync, mask, 0, 0, 32);
  }
};
__forceinline__ unsigned ballot(Place place, unsigned mask, int predicate) {
  return (unsigned)emulator_warp(place, Warp::ballot, mask, predicate != 0, 0, 32);
}
}  // namespace emulator

#define __shfl_sync(...) emulator::exchange(EMULATOR_PLACE, Warp::shuffle, __VA_ARGS__)
#define __shfl_up_sync(...) emulator::exchange(EMULATOR_PLACE, Warp::up, __VA_ARGS__)
#define __shfl_down_sync(...) emulator::exchange(EMULATOR_PLACE, Warp::down, __VA_ARGS__)
#define __shfl_xor_sync(...) emulator::exchange(EMULATOR_PLACE, Warp::exchange, __VA_ARGS__)
#define __syncwarp emulator::SyncWarp{EMULATOR_PLACE}
#define __ballot_sync(mask, p) emulator::ballot(EMULATOR_PLACE, mask, !!(p))
#define __any_sync(mask, p) (emulator::ballot(EMULATOR_PLACE, mask, !!(p)) != 0)
#define __all_sync(mask, p) (emulator::ballot(EMULATOR_PLACE, mask, !(p)) == 0)

#ifdef GLASSGRAD_INSTRUMENTED  // it runs one thread at a time, and sees which accesses the fence orders
inline void __threadfence() { emulator_fence(0); }
inline void __threadfence_block() { emulator_fence(1); }
#else
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
#endif
inline void __threadfence_system() { __threadfence(); }

#define printf emulator_printf
#define __trap() __builtin_trap()

// ---- atomics: truly atomic, since blocks run on several cores ---------------------------------------------

#ifdef GLASSGRAD_INSTRUMENTED  // a function of its own, whose loads and stores are not seen
#define ATOMICALLY UNSEEN
#define ATOMIC_CALLER CALLER
#else
#define ATOMICALLY __forceinline__
#define ATOMIC_CALLER nullptr
#endif

namespace emulator {
template <class T, class F>  // `expected` is what a comparison wants to find, else null
ATOMICALLY T update(T* address, F next, const T* expected = nullptr) {
#ifdef GLASSGRAD_INSTRUMENTED
  emulator_atomic(address, sizeof(T), expected, CALLER);
#endif
  using Bits = std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;
  static_assert(sizeof(T) == sizeof(Bits), "atomics are of 4 or 8 bytes, atomicCAS of 2 too");
  Bits before, after;
  __atomic_load((Bits*)address, &before, __ATOMIC_SEQ_CST);
  T old;
  do {
    std::memcpy(&old, &before, sizeof old);
    const T value = next(old);
    std::memcpy(&after, &value, sizeof after);
  } while (!__atomic_compare_exchange((Bits*)address, &before, &after, false, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST));
  if (after == before) emulator_fruitless(ATOMIC_CALLER);
  return old;
}
template <class T>
using Same = std::common_type_t<T>;  // not deduced: the pointer alone decides the type
}  // namespace emulator

#define ATOMIC(name, result)                                                      \
  template <class T>                                                              \
  __forceinline__ T atomic##name(T* address, emulator::Same<T> value) {           \
    static_assert(sizeof(T) != 2, "atomic" #name " is of 4 or 8 bytes");            \
    return emulator::update(address, [=](T old) -> T { return T(result); });      \
  }
ATOMIC(Add, old + value)
ATOMIC(Sub, old - value)
ATOMIC(Max, old < value ? value : old)
ATOMIC(Min, value < old ? value : old)
ATOMIC(And, old & value)
ATOMIC(Or, old | value)
ATOMIC(Xor, old ^ value)
ATOMIC(Inc, old >= value ? 0 : old + 1)
ATOMIC(Dec, old == 0 || old > value ? value : old - 1)
ATOMIC(Exch, value)
#undef ATOMIC
template <class T>
__forceinline__ T atomicCAS(T* address, emulator::Same<T> compare, emulator::Same<T> value) {
  const T wanted = compare;
  return emulator::update(address, [=](T old) { return old == wanted ? T(value) : old; }, &wanted);
}

// ---- vector types: a load or store of one is one request ---------------------------------------------------

// (what a GPU moves at once: 16 bytes, or one component where there are three)

#ifdef GLASSGRAD_INSTRUMENTED  // one call for every part, in the name of the line that copies it
namespace emulator {
template <class V>
inline void touch(const V* v, int write, void* caller) {
  constexpr int part = sizeof(V) / sizeof(v->x) == 3 ? sizeof(v->x) : sizeof(V) > 16 ? 16 : sizeof(V);
  for (int at = 0; at < (int)sizeof(V); at += part) emulator_touch((const char*)v + at, part, write, caller);
}
}  // namespace emulator
#define VECTOR_COPIES(V)                                  \
  V() = default;                                          \
  UNSEEN V(const V& o) {                                  \
    emulator::touch(&o, 0, CALLER);                       \
    emulator::touch(this, 1, CALLER);                     \
    std::memcpy((void*)this, (const void*)&o, sizeof(V)); \
  }                                                       \
  UNSEEN V& operator=(const V& o) {                       \
    emulator::touch(&o, 0, CALLER);                       \
    emulator::touch(this, 1, CALLER);                     \
    std::memcpy((void*)this, (const void*)&o, sizeof(V)); \
    return *this;                                         \
  }
#else
#define VECTOR_COPIES(V) V() = default;
#endif

#define VECTOR2(V, T)                   \
  struct alignas(2 * sizeof(T)) V {     \
    T x, y;                             \
    VECTOR_COPIES(V)                    \
    V(T x, T y) : x(x), y(y) {}         \
  };                                    \
  inline V make_##V(T x, T y) { return V(x, y); }
#define VECTOR3(V, T)                          \
  struct V {                                   \
    T x, y, z;                                 \
    VECTOR_COPIES(V)                           \
    V(T x, T y, T z) : x(x), y(y), z(z) {}     \
  };                                           \
  inline V make_##V(T x, T y, T z) { return V(x, y, z); }
#define VECTOR4(V, T)                                        \
  struct alignas(4 * sizeof(T) > 16 ? 16 : 4 * sizeof(T)) V { \
    T x, y, z, w;                                            \
    VECTOR_COPIES(V)                                         \
    V(T x, T y, T z, T w) : x(x), y(y), z(z), w(w) {}        \
  };                                                         \
  inline V make_##V(T x, T y, T z, T w) { return V(x, y, z, w); }

VECTOR2(float2, float)
VECTOR2(double2, double)
VECTOR2(int2, int)
VECTOR2(uint2, unsigned)
VECTOR2(longlong2, long long)
VECTOR2(ulonglong2, unsigned long long)
VECTOR3(float3, float)
VECTOR3(double3, double)
VECTOR3(int3, int)
inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }
VECTOR4(float4, float)
VECTOR4(double4, double)
VECTOR4(int4, int)
VECTOR4(uint4, unsigned)
VECTOR4(uchar4, unsigned char)

#include "intrinsics.h"

// ---- the wrappers of device.cuh -------------------------------------------------------------------------------

template <int bytes>
inline __attribute__((always_inline)) void copy_async(void* shared, const void* global) {
  static_assert(bytes == 4 || bytes == 8 || bytes == 16, "cp.async moves 4, 8 or 16 bytes");
  emulator_copy_async(shared, global, bytes);
}
inline void copy_async_commit() { emulator_copy_async_commit(); }
template <int youngest>
inline __attribute__((always_inline)) void copy_async_wait() {
  emulator_copy_async_wait(youngest);
}

inline float to_tf32(float x) {  // to nearest, ties away from zero; NaN and infinity as they are
  const unsigned bits = __float_as_uint(x);
  if ((bits & 0x7f800000u) == 0x7f800000u) return x;
  return __uint_as_float((bits + 0x1000u) & 0xffffe000u);
}
inline unsigned round_bf16(float x) {  // to nearest, ties to even
  const unsigned bits = __float_as_uint(x);
  if (x != x) return 0x7fffu;
  return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}
inline unsigned pack_bf16(float low, float high) { return round_bf16(low) | round_bf16(high) << 16; }

#define mma_tf32(d, a, b) emulator_mma(EMULATOR_PLACE, Warp::tf32, d, a, b)
#define mma_bf16(d, a, b) emulator_mma(EMULATOR_PLACE, Warp::bf16, d, a, b)

// ---- how the runtime calls a kernel -----------------------------------------------------------------------------

namespace emulator {
template <class... A, std::size_t... I>
UNSEEN void call(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
  kernel(*(std::remove_reference_t<A>*)arguments[I]...);
}
template <class... A>
UNSEEN void call(void (*kernel)(A...), void** arguments) {
  call(kernel, arguments, std::index_sequence_for<A...>());
}
}  // namespace emulator

#define EMULATE(name) \
  extern "C" UNSEEN void emulate_##name(void** arguments) { emulator::call(name, arguments); }
