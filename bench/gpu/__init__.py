"""What `make gpu` runs on a machine with a GPU: ``python -m glassgrad.bench.gpu``.

    tests       the GPU tests: every case, large ones, arrays beyond 2^31 elements, trainings
    sanitizer   compute-sanitizer's memcheck, racecheck, initcheck and synccheck over every kernel
    counters    ncu's counters of the textbook kernels and of every version, beside the emulator's
    launches    what a launch costs, through our launcher and bare
    replay      training steps as CUDA graphs, beside the same steps op by op
    models      training steps beside eager PyTorch
    layers      layers and passes bound by memory, beside cuDNN
    kernels     every version on its cases, on 256 MB, and the nearest of 10 000 nodes

By estimate, none of it measured yet, on an H100 with 16 cores, in calls of ten minutes:

    --only tests                                     480 s at most
    --only sanitizer counters launches               480 s
    --only replay models layers                      300 s
    --only kernels                                   400 s

These are the limits; with `--only` the other parts in the file are kept, from the same GPU alone.

Each part has its own time, most a process of their own; one that fails, or finds its tool missing
or forbidden, leaves the others. All of it is kept in one JSON file, part by part, so that a machine
that is taken away leaves what was done.

It needs NumPy, Numba, CuPy and pytest; PyTorch for the peers; no network. compute-sanitizer and ncu
come with the CUDA toolkit. On a machine that has these and no network the package itself is
installed by ``python3 -m pip install --no-build-isolation --no-deps -e .`` first. `make gpu-page`
makes a page of the file (page.py), with the goals of targets.py reached or missed.
"""
