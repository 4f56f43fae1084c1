"""What `make gpu` runs on a machine with a GPU, in two commands.

    python -m glassgrad.bench.gpu --stage first --json FILE     about 3½ minutes: is it right?
    python -m glassgrad.bench.gpu --stage second --json FILE    about 6 minutes: how fast is it?

stages.py lists the parts of each, the most valuable first, with their limits (`--help` prints
them); others run by name (`--only replay beyond`). A machine without network where nothing can be
installed will do: a checkout, NumPy, Numba, CuPy, pytest; PyTorch for the peers. compute-sanitizer
and ncu come with the CUDA toolkit.

Each part has its own time, most a process of their own; one that fails, or finds its tool missing
or forbidden, leaves the others. What was found is written after every part, so that a machine that
is taken away leaves what was done; what did not run is said. Parts that the file holds already, of
the same GPU, are kept. `make gpu-page` makes a page of the file (page.py), with the goals of
targets.py reached or missed.
"""
