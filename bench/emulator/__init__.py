"""The emulator's own speed: a tiled matrix product, compared with Numba's CUDA simulator.

    python -m glassgrad.bench.emulator [--json FILE]

Both run the same textbook kernel, 16 x 16 tiles in shared memory, blocks of 256 threads, on
128 x 128 float32 matrices. The simulator needs a process of its own (NUMBA_ENABLE_CUDASIM=1); the
runs alternate, so that noise of the machine hits both.
"""
