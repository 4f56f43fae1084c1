// The lines of the GRU's page for one unit, in registers. `library` tells the variant: 0 is the
// lecture's (reset before the product), 1 the library's (after it).
#pragma once
#include "recurrent/units.cuh"

struct Gates {
  real r, z, n;
};

// T steps, N sequences, H units.
struct Sizes {
  int T, N, H, library;
};

// The biases of unit j, or zeros.
__device__ __forceinline__ Gates bias(const real* bh, int j, int H) {
  return bh ? load<Gates>(bh + j, H) : Gates{0, 0, 0};
}

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
