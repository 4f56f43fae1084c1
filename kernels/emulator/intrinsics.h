// The functions of CUDA C that need nothing of a GPU: loads with hints, arithmetic, bits, casts, and the sums of a
// warp. Part of cuda.h.
#pragma once

// ---- loads and stores with hints for caches, which are not emulated ------------------------------------------

#define LOAD(name)                   \
  template <class T>                 \
  inline T name(const T* address) {  \
    return *address;                 \
  }
LOAD(__ldg) LOAD(__ldca) LOAD(__ldcg) LOAD(__ldcs) LOAD(__ldlu) LOAD(__ldcv)
#undef LOAD
#define STORE(name)                                                \
  template <class T>                                               \
  inline void name(T* address, std::common_type_t<T> value) {      \
    *address = value;                                              \
  }
STORE(__stwb) STORE(__stcg) STORE(__stcs) STORE(__stwt)
#undef STORE

// ---- arithmetic ---------------------------------------------------------------------------------------------

#define BOTH(T)                                            \
  inline T min(T a, T b) { return b < a ? b : a; }         \
  inline T max(T a, T b) { return a < b ? b : a; }
BOTH(int) BOTH(unsigned) BOTH(long) BOTH(unsigned long) BOTH(long long) BOTH(unsigned long long)
#undef BOTH
template <class A, class B>  // of two types, as `min(threadIdx.x, n)` with an int n
using Mixed = std::enable_if_t<std::is_integral<A>::value && std::is_integral<B>::value && !std::is_same<A, B>::value,
                               decltype(A() + B())>;
template <class A, class B>
inline Mixed<A, B> min(A a, B b) {
  const Mixed<A, B> x = a, y = b;
  return y < x ? y : x;
}
template <class A, class B>
inline Mixed<A, B> max(A a, B b) {
  const Mixed<A, B> x = a, y = b;
  return x < y ? y : x;
}
inline float min(float a, float b) { return fmin(a, b); }
inline float max(float a, float b) { return fmax(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

inline float rsqrt(float x) { return 1.0f / sqrt(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float rsqrtf(float x) { return rsqrt(x); }
inline float __expf(float x) { return exp(x); }
#define __sinf(x) sin(float(x))  // macros: the C library has these names for its own
#define __cosf(x) cos(float(x))
#define __tanf(x) tan(float(x))
#define __powf(x, y) pow(float(x), float(y))
#define __log2f(x) log2(float(x))
#define __log10f(x) log10(float(x))
#define __exp10f(x) pow(10.0f, float(x))
inline float __logf(float x) { return log(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __saturatef(float x) { return x > 0 ? fmin(x, 1.0f) : 0.0f; }
inline void sincos(float x, float* s, float* c) { *s = sin(x), *c = cos(x); }
inline int __mulhi(int a, int b) { return (int)((std::int64_t)a * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((std::uint64_t)a * b >> 32); }
inline long long __mul64hi(long long a, long long b) { return (long long)((__int128)a * b >> 64); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline unsigned long long __brevll(unsigned long long x) {
  unsigned long long reversed = 0;
  for (int bit = 0; bit < 64; ++bit) reversed = reversed << 1 | (x >> bit & 1);
  return reversed;
}
inline unsigned __brev(unsigned x) { return (unsigned)(__brevll(x) >> 32); }

// Rounded to nearest, which is what a CPU does: g++ and clang++ fuse nothing that is not asked for.
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline float __fsqrt_rn(float a) { return sqrt(a); }
inline float __fmaf_rn(float a, float b, float c) { return fma(a, b, c); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }

// To integers: what does not fit becomes the nearest that does, what is not a number 0.
namespace emulator {
template <class To, class From>
inline To whole(From x) {
  const From least = From(std::numeric_limits<To>::min()), most = From(std::numeric_limits<To>::max());
  return x != x ? 0 : x <= least ? std::numeric_limits<To>::min() : x >= most ? std::numeric_limits<To>::max() : To(x);
}
}  // namespace emulator
#define TO_INTEGER(name, To, From)                                                 \
  inline To name##_rn(From x) { return emulator::whole<To>(nearbyint(x)); }        \
  inline To name##_rz(From x) { return emulator::whole<To>(trunc(x)); }            \
  inline To name##_ru(From x) { return emulator::whole<To>(ceil(x)); }             \
  inline To name##_rd(From x) { return emulator::whole<To>(floor(x)); }
TO_INTEGER(__float2int, int, float)
TO_INTEGER(__float2uint, unsigned, float)
TO_INTEGER(__float2ll, long long, float)
TO_INTEGER(__double2int, int, double)
TO_INTEGER(__double2uint, unsigned, double)
TO_INTEGER(__double2ll, long long, double)
#undef TO_INTEGER
inline float __int2float_rn(int x) { return (float)x; }
inline float __uint2float_rn(unsigned x) { return (float)x; }
inline double __int2double_rn(int x) { return x; }
inline float __double2float_rn(double x) { return (float)x; }

namespace emulator {
template <class To, class From>
inline To bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "a cast of bits keeps the size");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}
}  // namespace emulator
inline int __float_as_int(float x) { return emulator::bits<int>(x); }
inline unsigned __float_as_uint(float x) { return emulator::bits<unsigned>(x); }
inline float __int_as_float(int x) { return emulator::bits<float>(x); }
inline float __uint_as_float(unsigned x) { return emulator::bits<float>(x); }
inline long long __double_as_longlong(double x) { return emulator::bits<long long>(x); }
inline double __longlong_as_double(long long x) { return emulator::bits<double>(x); }

// ---- sums over the lanes of a warp that are still there ---------------------------------------------------------

namespace emulator {
template <class T, class F>
__forceinline__ T reduced(Place place, unsigned mask, T value, F both) {
  static_assert(std::is_integral<T>::value && sizeof(T) == 4, "a GPU reduces int and unsigned");
  unsigned lanes = ballot(place, mask, 1);
  bool first = true;
  T result = value;
  for (int lane = 0; lane < 32; ++lane) {
    if (!(lanes >> lane & 1)) continue;
    const T given = exchange(place, Warp::shuffle, mask, value, lane);
    result = first ? given : both(result, given);
    first = false;
  }
  return result;
}
}  // namespace emulator
#define REDUCED(mask, value, result) \
  emulator::reduced(EMULATOR_PLACE, mask, value, [](auto a, auto b) -> decltype(a) { return result; })
#define __reduce_add_sync(mask, value) REDUCED(mask, value, (decltype(a))((unsigned)a + (unsigned)b))
#define __reduce_min_sync(mask, value) REDUCED(mask, value, b < a ? b : a)
#define __reduce_max_sync(mask, value) REDUCED(mask, value, a < b ? b : a)
#define __reduce_and_sync(mask, value) REDUCED(mask, value, a & b)
#define __reduce_or_sync(mask, value) REDUCED(mask, value, a | b)
#define __reduce_xor_sync(mask, value) REDUCED(mask, value, a ^ b)
