"""More than one process, more than one machine: one training on several ranks.

    tree.py           the order in which shards are summed, and who has which
    buckets.py        gradients sent while the backward pass computes others
    communicator.py   what ranks say to each other; that of one process
    mpi.py            the same through MPI
    nccl.py           arrays from GPU to GPU through NCCL; never run
    ranks.py          which communicator is in use, and what happens when a rank fails

**Data-parallel training.** A minibatch is cut into a fixed number of *shards*, a setting of the
training (`shards`, 1 by default). Each rank has some of them. It computes their gradients one after
the other and adds them up; the ranks then add up theirs, and every rank makes the same step. With
a loss that is a mean over n samples, shard k of n_k samples counts n_k/n ::

    L = mean_i L_i = Σ_k (n_k / n) L^k             g = Σ_k (n_k / n) g^k

**The same bits for any number of ranks.** A sum of floating-point numbers depends on its order, so
the order belongs to the shards: a tree of fixed shape over them (tree.py). Random numbers belong to
the shards as well: every stream of the system starts, in shard k, from a seed made of its own and
of k (core/training/shards.py). What a rank does is thus a function of its shards, and their sum is
the same whether 1, 2 or 4 ranks share them out. Everything outside the gradients (the order of the
batches, optimiser, validation) is done by every rank in the same way.

    shards=1              today's training, bit for bit, on one rank
    shards=4, 1 rank      the same weights as
    shards=4, 2 ranks     these and
    shards=4, 4 ranks     these

Other numbers of shards give other roundings and other noise, as another seed does. `reduce="fast"`
leaves the order to the library's all-reduce; the weights then depend on the number of ranks and on
the library.

**What it costs.** Each step sends an array as long as the weights, twice, less 1/P of it; the time
is about 2 log₂P·α + 2 (P-1)/P·n·β for P ranks with the latency α and β seconds a byte, because the
tree is walked by halves (`Communicator.ordered_sum`). Part of it passes while the backward pass is
still at work (buckets.py).

>>> from glassgrad.core import distributed
>>> with distributed.ranks() as world:  # without mpiexec: this process alone
...     world.rank, world.size
(0, 1)
"""

from .communicator import Communicator, DistributedError, OneProcess
from .mpi import MPI
from .ranks import alone, current, ranks, using

__all__ = [
    "MPI", "Communicator", "DistributedError", "OneProcess", "alone", "current", "ranks", "using",
]  # fmt: skip
