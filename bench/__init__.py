"""Measures kernels, layers and whole training steps, beside the peers that are installed.

Every figure is made in the same way: verify → warm up → time → verify again.

    verify     each contender's result against the reference; one that is wrong ends the run
    warm up    the first call is timed apart: it compiles
    time       the contenders take turns, each several times, so that noise hits all alike; the
               median and the interquartile range of all runs are kept
    verify     once more, since a race need not show at the first call

What is measured, and where it stands:

    ladder.py     the versions of every registered kernel on the cases marked `bench`
    layers.py     convolution, recurrent and pooling layers: forward, and forward + backward
    som.py        an epoch of the self-organising map
    bandwidth.py  on a GPU: kernels bound by memory, on arrays of 256 MB (large/)
    nearest_node.py  on a GPU: the nearest of 10 000 nodes for a million samples
    fused.py      passes bound by memory: dropout, normalisation, softmax, optimiser, ...
    steps.py      training steps of whole models, with their peak memory (memory.py)

What is not ours stands in peers/, a file each, and nothing else knows of it. The roofline
(roofline.py) is measured in the same run: the arithmetic that a large matrix product reaches, the
bytes that a large copy moves. A time of 100 % of it is what the slower of the two would take alone;
arrays that stay in the caches can be beyond it.

Other people's work on the same machine is the largest error of all: how much there was is noted
(noise.py).

`suite.py` knows all of it by name, `session.py` holds one run together, `record.py` what is kept of
it, `tables.py` and `figures.py` show it. gpu/ is what `make gpu` runs.
"""

import os

# OpenMP's threads wait this many rounds (about 20 µs) for more work before they sleep. PyTorch's
# default of 3 ms is made for cores that nobody else uses: on two virtual ones, where now and then
# one is taken away, its GRU was measured to take 88 ms in place of 11, its step of the VAE 21 in
# place of 7. Read when the library is loaded, so it must be set before.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")
