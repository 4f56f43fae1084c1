"""The same kernel under Numba's CUDA simulator: a process that answers "run" with its seconds."""

import sys
import time

import numpy as np
from numba import cuda, float32

TILE = 16


@cuda.jit
def sgemm(a, b, c):
    """c = a @ b, a tile of shared memory at a time."""
    left = cuda.shared.array((TILE, TILE), float32)
    right = cuda.shared.array((TILE, TILE), float32)
    column, row = cuda.grid(2)
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    total = float32(0)
    for k in range(0, a.shape[0], TILE):
        left[y, x] = a[row, k + x]
        right[y, x] = b[k + y, column]
        cuda.syncthreads()
        for i in range(TILE):
            total += left[y, i] * right[i, x]
        cuda.syncthreads()
    c[row, column] = total


def main() -> None:
    """For each line read, run the product; print its seconds and its largest error."""
    n = int(sys.argv[1])
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, n, n)).astype(np.float32)
    for _ in sys.stdin:
        c = np.zeros((n, n), np.float32)
        started = time.perf_counter()
        sgemm[(n // TILE, n // TILE), (TILE, TILE)](a, b, c)
        seconds = time.perf_counter() - started
        print(seconds, float(np.abs(c - a @ b).max()), flush=True)


if __name__ == "__main__":
    main()
