"""What `make gpu` runs on a machine with a GPU: ``python -m glassgrad.bench.gpu``.

    tests       the GPU tests, and the contract of every cuda implementation
    sanitizer   compute-sanitizer's memcheck, racecheck and initcheck over every kernel
    counters    ncu's counters of the textbook kernels and of every version, beside the emulator's
    bench       a first benchmark: ladders, layers and training steps, beside cuDNN and cuBLAS

Each part is a process of its own with its own time; one that fails, or finds its tool missing or
forbidden, leaves the others. All of it is kept in one JSON file, part by part, so that a machine
that is taken away leaves what was done.

It needs NumPy, Numba, CuPy and pytest; PyTorch for the peers; no network. compute-sanitizer and ncu
come with the CUDA toolkit.
"""
