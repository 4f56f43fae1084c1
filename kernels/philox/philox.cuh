// Philox 4x32-10 for every kernel that makes noise: a thread computes the block of its own counter.
#pragma once

struct PhiloxWords {
  unsigned word[4];
};

// The four words of block `counter` under `seed`.
__device__ __forceinline__ PhiloxWords philox_block(unsigned long long seed, unsigned long long counter) {
  unsigned k0 = (unsigned)seed, k1 = (unsigned)(seed >> 32);
  unsigned c0 = (unsigned)counter, c1 = (unsigned)(counter >> 32), c2 = 0, c3 = 0;
  for (int round = 0; round < 10; ++round) {
    const unsigned a_high = __umulhi(0xD2511F53u, c0), a_low = 0xD2511F53u * c0;
    const unsigned b_high = __umulhi(0xCD9E8D57u, c2), b_low = 0xCD9E8D57u * c2;
    c0 = b_high ^ c1 ^ k0, c1 = b_low, c2 = a_high ^ c3 ^ k1, c3 = a_low;
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// The top 24 bits of a word as a multiple of 2^-24 in [0, 1).
__device__ __forceinline__ real unit(unsigned word) { return real(word >> 8) * real(1.0 / (1 << 24)); }

// The four normals of a block, by Box-Muller on its words (0, 1) and (2, 3).
__device__ __forceinline__ void normal_block(unsigned long long seed, unsigned long long counter,
                                             real normals[4]) {
  const PhiloxWords b = philox_block(seed, counter);
  for (int pair = 0; pair < 4; pair += 2) {
    const real u1 = real((b.word[pair] >> 8) + 1) * real(1.0 / (1 << 24));
    const real radius = sqrt(real(-2) * log(u1)), angle = real(6.283185307179586) * unit(b.word[pair + 1]);
    real sine, cosine;
    sincos(angle, &sine, &cosine);  // one reduction of the angle for both
    normals[pair] = radius * cosine;
    normals[pair + 1] = radius * sine;
  }
}
