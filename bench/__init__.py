"""Measures kernels, layers and whole training steps, next to the peers that are installed.

Every figure is made in the same way: verify → warm up → time → verify again.

    verify     each contender's result against the reference; one of ours that is wrong ends the run
    warm up    the first call is timed apart: it compiles. Each turn begins with calls that do not
               count, until they get no faster
    time       the contenders take turns, so that noise hits all alike; the median of the turns'
               medians is kept, and how far these lie apart
    verify     once more, since a race need not show at the first call

On a CPU each contender has a process of its own (apart.py, worker.py, pipe.py) with its libraries'
default threading; while one has its turn the others wait. On a GPU they share one process: events
on the device time them.

What is measured, and where:

    ladder.py     the versions of every registered kernel on the cases marked `bench`
    layers.py     convolution, recurrent and pooling layers: forward, and forward + backward
    som.py        an epoch of the self-organising map
    bandwidth.py  on a GPU: kernels bound by memory, on arrays of 256 MB (large/)
    nearest_node.py  on a GPU: the nearest of 10 000 nodes for a million samples
    fused.py      passes bound by memory: dropout, normalisation, softmax, optimiser, ...
    steps.py      training steps of whole models, with their peak memory (peak_memory.py)

Other people's code is in peers/, a file each, and nothing else knows of it. The roofline
(roofline.py) is measured in the same run: the arithmetic that a large matrix product reaches, the
bytes that a large copy moves. A time of 100 % of it is what the slower of the two would take alone;
arrays that stay in the caches can be beyond it.

Load from other processes is the largest source of error: how much there was is noted (noise.py).

`suite.py` knows all of it by name, `session.py` holds one run together, `record.py` what is kept of
it, `tables.py` and `figures.py` show it. gpu/ is what `make gpu` runs.
"""
