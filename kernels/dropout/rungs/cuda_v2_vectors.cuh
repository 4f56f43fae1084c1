// v2: a thread the four elements of a block of words.
//
// What v1 wastes: four neighbours compute the same block, and each keeps one word of it (`glassgrad lab dropout`). Here
// nothing is computed twice, and loads and stores are vectors of 16 bytes. Only the last vector can be cut off: an x that
// does not begin on 16 bytes, a view, takes v1.
#pragma once

#ifdef REAL_IS_FLOAT

extern "C" __global__ void dropout_forward_v2(const float* x, float* y, index_t n, float scale, unsigned first_kept,
                                              unsigned long long seed, unsigned long long offset) {
  const index_t block = (index_t)blockIdx.x * blockDim.x + threadIdx.x, first = 4 * block;
  if (first >= n) return;
  const PhiloxWords b = philox_block(seed, offset + block);
  const auto kept = [&](int lane) { return b.word[lane] >> 8 >= first_kept; };
  if (first + 4 <= n) {
    const float4 v = *(const float4*)(x + first);
    *(float4*)(y + first) = make_float4(kept(0) ? v.x * scale : 0, kept(1) ? v.y * scale : 0,
                                        kept(2) ? v.z * scale : 0, kept(3) ? v.w * scale : 0);
  } else {
    for (int lane = 0; lane < n - first; ++lane)
      y[first + lane] = kept(lane) ? x[first + lane] * scale : 0;
  }
}

#endif
