"""What `make gpu` runs on a machine with a GPU, in two commands.

    python -m glassgrad.bench.gpu --stage first --json FILE     about 3½ minutes: is it right?
    python -m glassgrad.bench.gpu --stage second --json FILE    about 6 minutes: how fast is it?

stages.py lists the parts of each, the most valuable first, with their limits (`--help` prints
them); others run by name (`--only replay beyond`). No network is needed, and nothing is installed:
a checkout, NumPy, Numba, CuPy and pytest are enough, with PyTorch for the peers. compute-sanitizer
and ncu come with the CUDA toolkit.

Each part has its own time limit, and most have a process of their own; one that fails, or whose
tool is missing or forbidden, does not stop the others. Results are written after every part, so
that they survive if the machine is taken away; what did not run is named. Parts that the file
already holds for the same GPU are kept. `make gpu-page` makes a page of the file (page.py), with
the goals of targets.py reached or missed.
"""
