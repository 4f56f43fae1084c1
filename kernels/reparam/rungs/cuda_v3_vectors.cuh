// v3: a thread a Philox block, vectors of four.
//
// What v2 wastes: forward it makes a normal from each Philox block and throws three away: four neighbours compute the
// same block, and with it four times the logarithms, roots, sines and cosines. That is more than a GPU computes while it
// moves 12 bytes. Here a thread takes the four elements of a block as vectors of 16 bytes; short rows get a warp each,
// not a block.
//
// Backward v2 reads and writes its four one by one, so that a warp's requests stride by 16 bytes, 16 sectors each, and
// divides by D for each to find the row. Where D divides by four, the four are one vector of one row.
#pragma once

#ifdef REAL_IS_FLOAT

// `warps` of the four of a block share a row: 1 or 4. D divides by four.
extern "C" __global__ void __launch_bounds__(ROW_THREADS)
reparam_forward_v3(const float* __restrict__ mu, const float* __restrict__ logvar, float* __restrict__ z,
                   float* __restrict__ kl, int N, int D, int warps, unsigned long long seed,
                   unsigned long long offset) {
  __shared__ float partial[ROW_THREADS / 32];
  const int warp = threadIdx.x / 32, threads = 32 * warps;
  const int row = blockIdx.x * (ROW_THREADS / 32 / warps) + warp / warps;
  const index_t first = (index_t)row * (D / 4);
  float sum = 0;
  for (int k = threadIdx.x % threads; row < N && k < D / 4; k += threads) {
    const float4 m = ((const float4*)mu)[first + k], l = ((const float4*)logvar)[first + k];
    float eps[4];
    normal_block(seed, offset + first + k, eps);
    const float4 sigma = make_float4(exp(0.5f * l.x), exp(0.5f * l.y), exp(0.5f * l.z), exp(0.5f * l.w));
    ((float4*)z)[first + k] = make_float4(m.x + sigma.x * eps[0], m.y + sigma.y * eps[1], m.z + sigma.z * eps[2],
                                          m.w + sigma.w * eps[3]);
    sum += term(m.x, l.x, sigma.x);
    sum += term(m.y, l.y, sigma.y);
    sum += term(m.z, l.z, sigma.z);
    sum += term(m.w, l.w, sigma.w);
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) partial[warp] = sum;
  __syncthreads();
  if (row < N && threadIdx.x % threads == 0) {
    float total = 0;
    for (int k = 0; k < warps; ++k) total += partial[warp + k];
    kl[row] = -0.5f * total;
  }
}

extern "C" __global__ void __launch_bounds__(256)
reparam_backward_v3(const float* __restrict__ gz, const float* __restrict__ gkl, const float* __restrict__ mu,
                    const float* __restrict__ logvar, float* __restrict__ gmu, float* __restrict__ glogvar,
                    index_t blocks, int D, unsigned long long seed, unsigned long long offset) {
  const index_t block = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (block >= blocks) return;
  const float4 g = ((const float4*)gz)[block], m = ((const float4*)mu)[block], l = ((const float4*)logvar)[block];
  const float of_row = gkl[block / (D / 4)];
  float eps[4];
  normal_block(seed, offset + block, eps);
  float4 to_mu, to_logvar;
  gradients(g.x, of_row, m.x, l.x, eps[0], &to_mu.x, &to_logvar.x);
  gradients(g.y, of_row, m.y, l.y, eps[1], &to_mu.y, &to_logvar.y);
  gradients(g.z, of_row, m.z, l.z, eps[2], &to_mu.z, &to_logvar.z);
  gradients(g.w, of_row, m.w, l.w, eps[3], &to_mu.w, &to_logvar.w);
  ((float4*)gmu)[block] = to_mu;
  ((float4*)glogvar)[block] = to_logvar;
}

#endif
