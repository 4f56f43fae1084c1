// The lines of the LSTM's page for one unit, in registers. In two halves, because the output gate
// may peep at the new cell.
#pragma once
#include "recurrent/units.cuh"

struct Gates {
  real i, f, g, o;
};

// T steps, N sequences, H units.
struct Sizes {
  int T, N, H;
};

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
