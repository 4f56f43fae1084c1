// Distance and node in one 64-bit word, in which blocks meet: online v2, winners from v3 on.
#pragma once

// A distance is not negative, so its bits are ordered as its value. With the node below them in one
// word the least word is the nearest node, of equals the first, in whatever order words meet.
constexpr unsigned long long NOBODY = ~0ull;

__device__ __forceinline__ unsigned long long key(float d2, int node) {
  return d2 == d2 ? (unsigned long long)__float_as_uint(d2) << 32 | unsigned(node) : NOBODY;
}

// From the least word to the winner and its distance.
extern "C" __global__ void __launch_bounds__(256)
    som_unpack_v1(const unsigned long long* __restrict__ keys, long long* __restrict__ index,
                  float* __restrict__ smallest, int N) {
  const int n = blockIdx.x * BLOCK + threadIdx.x;
  if (n >= N) return;
  Nearest nearest;
  if (keys[n] != NOBODY) nearest.meet(__uint_as_float(keys[n] >> 32), int(keys[n] & 0xffffffff));
  nearest.write(index + n, smallest + n);
}
