// Steps of gradient descent: a thread a number, which reads everything that belongs to it and writes it back.
//
// v1: every array passes through memory once, neighbours by neighbours, and nothing is stored between: there is no
// traffic left to save. The arrays that change are changed where they are; a null pointer stands for a slot that the
// rule does without. 1 - beta comes ready, as `rest`: in single precision 1 - 0.999 has lost four digits.
#include "device.cuh"

extern "C" __global__ void descent_sgd_v1(real* x, const real* g, real* v, index_t n, real lr, real momentum,
                                          int nesterov, real weight_decay) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const real own = g[i] + weight_decay * x[i];
  real step = own;
  if (v) {
    const real gathered = momentum * v[i] + own;
    v[i] = gathered;
    step = nesterov ? own + momentum * gathered : gathered;
  }
  x[i] -= lr * step;
}

extern "C" __global__ void descent_adagrad_v1(real* x, const real* g, real* s, index_t n, real lr, real eps,
                                              real weight_decay) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const real own = g[i] + weight_decay * x[i], sum = s[i] + own * own;
  s[i] = sum;
  x[i] -= lr * own / (sqrt(sum) + eps);
}

extern "C" __global__ void descent_adadelta_v1(real* x, const real* g, real* v, real* u, index_t n, real lr, real rho,
                                               real rest, real eps, real weight_decay) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const real own = g[i] + weight_decay * x[i], square = rho * v[i] + rest * (own * own);
  const real before = u[i], d = own * sqrt(before + eps) / sqrt(square + eps);
  v[i] = square;
  u[i] = rho * before + rest * (d * d);
  x[i] -= lr * d;
}

extern "C" __global__ void descent_rmsprop_v1(real* x, const real* g, real* v, real* m, real* b, index_t n, real lr,
                                              real alpha, real rest, real eps, real momentum, real weight_decay) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const real own = g[i] + weight_decay * x[i], square = alpha * v[i] + rest * (own * own);
  v[i] = square;
  real q = square;
  if (m) {
    const real mean = alpha * m[i] + rest * own;
    m[i] = mean;
    q = square - mean * mean;
    q = q < real(0) ? real(0) : q;  // a variance, but for rounding; NaN stays
  }
  real d = own / (sqrt(q) + eps);
  if (b) {
    d += momentum * b[i];
    b[i] = d;
  }
  x[i] -= lr * d;
}

extern "C" __global__ void descent_adam_v1(real* x, const real* g, real* m, real* v, real* top, index_t n, real lr,
                                           real scale, real beta1, real rest1, real beta2, real rest2, real eps,
                                           real keep, real weight_decay) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const real kept = keep * x[i], own = g[i] + weight_decay * kept;
  const real mean = beta1 * m[i] + rest1 * own;
  real square = beta2 * v[i] + rest2 * (own * own);
  m[i] = mean;
  v[i] = square;
  if (top) {
    const real most = top[i];
    square = most >= square || most != most ? most : square;  // NaN wins, from either
    top[i] = square;
  }
  x[i] = kept - lr * mean / (scale * sqrt(square) + eps);
}
