// Steps of gradient descent: a thread a number, which reads everything that belongs to it and writes it back.
//
// v1: every array passes through memory once, neighbours by neighbours, and nothing is stored between: there is no
// traffic left to save. The arrays that change are changed where they are; a null pointer stands for a slot that the
// rule does without.
#include "device.cuh"

// The numbers of each rule; rules.py fills them. `rest` is one less the rate before it.
struct Sgd {
  real lr, momentum, weight_decay;
};
struct Adagrad {
  real lr, eps, weight_decay;
};
struct Adadelta {
  real lr, rho, rest, eps, weight_decay;
};
struct RMSProp {
  real lr, alpha, rest, eps, momentum, weight_decay;
};
struct Adam {
  real lr, scale, beta1, rest1, beta2, rest2, eps, keep, weight_decay;
};

extern "C" __global__ void descent_sgd_v1(real* x, const real* g, real* v, index_t n, const Sgd rule,
                                          int nesterov) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const real own = g[i] + rule.weight_decay * x[i];
  real step = own;
  if (v) {
    const real gathered = rule.momentum * v[i] + own;
    v[i] = gathered;
    step = nesterov ? own + rule.momentum * gathered : gathered;
  }
  x[i] -= rule.lr * step;
}

extern "C" __global__ void descent_adagrad_v1(real* x, const real* g, real* s, index_t n, const Adagrad rule) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const real own = g[i] + rule.weight_decay * x[i], sum = s[i] + own * own;
  s[i] = sum;
  x[i] -= rule.lr * own / (sqrt(sum) + rule.eps);
}

extern "C" __global__ void descent_adadelta_v1(real* x, const real* g, real* v, real* u, index_t n,
                                               const Adadelta rule) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const real own = g[i] + rule.weight_decay * x[i], square = rule.rho * v[i] + rule.rest * (own * own);
  const real before = u[i], d = own * sqrt(before + rule.eps) / sqrt(square + rule.eps);
  v[i] = square;
  u[i] = rule.rho * before + rule.rest * (d * d);
  x[i] -= rule.lr * d;
}

extern "C" __global__ void descent_rmsprop_v1(real* x, const real* g, real* v, real* m, real* b, index_t n,
                                              const RMSProp rule) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const real own = g[i] + rule.weight_decay * x[i], square = rule.alpha * v[i] + rule.rest * (own * own);
  v[i] = square;
  real q = square;
  if (m) {
    const real mean = rule.alpha * m[i] + rule.rest * own;
    m[i] = mean;
    q = square - mean * mean;
    q = q < real(0) ? real(0) : q;  // a variance, but for rounding; NaN stays
  }
  real d = own / (sqrt(q) + rule.eps);
  if (b) {
    d += rule.momentum * b[i];
    b[i] = d;
  }
  x[i] -= rule.lr * d;
}

extern "C" __global__ void descent_adam_v1(real* x, const real* g, real* m, real* v, real* top, index_t n,
                                           const Adam rule) {
  const index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const real kept = rule.keep * x[i], own = g[i] + rule.weight_decay * kept;
  const real mean = rule.beta1 * m[i] + rule.rest1 * own;
  real square = rule.beta2 * v[i] + rule.rest2 * (own * own);
  m[i] = mean;
  v[i] = square;
  if (top) {
    const real most = top[i];
    square = most >= square || most != most ? most : square;  // NaN wins, from either
    top[i] = square;
  }
  x[i] = kept - rule.lr * mean / (rule.scale * sqrt(square) + rule.eps);
}
