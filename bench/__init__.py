"""Measures kernels, layers and whole training steps, next to the peers that are installed.

Every figure comes from the same steps: verify → warm up → time → verify again.

    verify     each contender's result against the reference; one of ours that is wrong ends the run
    warm up    the first call is timed separately: it compiles. Each turn begins with calls that do
               not count, until they get no faster
    time       the contenders take turns, so that noise hits all alike; the median of the turns'
               medians is kept, and how far these lie apart
    verify     again, since a race may not show in the first call

On a CPU each contender has a process of its own (apart.py, worker.py, pipe.py) with its libraries'
default threading; while one runs the others wait. On a GPU they share one process, and events on
the device time them.

What is measured, and where:

    ladder.py     the versions of every registered kernel on the cases marked `bench`
    layers.py     convolution, recurrent and pooling layers: forward, and forward + backward
    som.py        an epoch of the self-organising map
    bandwidth.py  on a GPU: kernels bound by memory, on arrays of 256 MB (large/)
    nearest_node.py  on a GPU: the nearest of 10 000 nodes for a million samples
    fused.py      passes bound by memory: dropout, normalisation, softmax, optimiser, ...
    steps.py      training steps of whole models, with their peak memory (peak_memory.py)

Other people's code is in peers/, one file for each peer; no other file depends on it. The roofline
(roofline.py) is measured in the same run: the arithmetic that a large matrix product reaches, the
bytes that a large copy moves. At 100 % of it a time is what the slower of the two takes alone;
arrays that stay in the caches can exceed it.

Load from other processes is the largest source of error, so it is measured and noted (noise.py).

`suite.py` finds a measurement by its name, `session.py` holds what one run shares, `record.py` is
the file of results, `tables.py` and `figures.py` show it. gpu/ is what `make gpu` runs.

Three tables show what training ends with, over seeds (intervals.py): stabilisers.py plays the
adversarial game with and without each stabiliser, tricks.py trains a small AlexNet without each of
its tricks, word_vectors.py has word2vec next to gensim's.
"""
