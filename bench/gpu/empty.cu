#include "device.cuh"

// Kernels that do nothing: what is left is the launch.

extern "C" __global__ void empty_few(float* y, int n) {}

extern "C" __global__ void empty_many(const float* a, const float* b, const float* c, const float* d,
                                      const float* e, float* u, float* v, float* y, int n, int m,
                                      int k, float eps) {}
